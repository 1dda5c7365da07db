//! An agent that runs the script a test gave it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::ask::{AgentQuestion, AskEnd, AskReply, Question};
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall, ToolDecision, Usage};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Stop, Turn};
use frontdesk_core::progress::Progress;
use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::{Notify, mpsc};

use crate::step::Step;
use crate::wait::soon;

/// An [`Agent`] that runs scripts. A turn without a script echoes its prompt.
#[derive(Default)]
pub struct ScriptedAgent {
    scripts: Mutex<VecDeque<Vec<Step>>>,
    turns: Mutex<Vec<Turn>>,
    /// Tools that were allowed to run, with the turn and the parameters.
    tools: Mutex<Vec<(TurnId, String, serde_json::Value)>>,
    denied: Mutex<Vec<String>>,
    /// What the gateway's tools returned.
    results: Mutex<Vec<Result<String, String>>>,
    /// What became of its questions.
    answers: Mutex<Vec<Result<AskEnd, String>>>,
    running: Mutex<HashMap<TurnId, Stop>>,
    aborted: Mutex<Vec<TurnId>>,
    /// The turns and compactions that it has ended by itself after it was asked to.
    settled: Mutex<Vec<TurnId>>,
    forgotten: Mutex<Vec<(SessionKey, u64)>>,
    stopped: Mutex<bool>,
    capabilities: Mutex<Capabilities>,
    /// Whether the next steers are taken, in order; one without an entry waits for it.
    takes: Mutex<VecDeque<bool>>,
    steered: Mutex<Vec<(TurnId, Prompt)>>,
    compactions: Mutex<Vec<(Turn, Option<String>)>>,
    /// What answers cost, if that is not [`usage`].
    spends: Mutex<Option<Usage>>,
    /// Whether compactions do not end.
    compacts_later: Mutex<bool>,
    changed: Notify,
    go: Notify,
}

impl ScriptedAgent {
    /// Adds the script of the next turn that has none yet.
    pub fn will(&self, script: impl IntoIterator<Item = Step>) {
        self.scripts.lock().unwrap().push_back(script.into_iter().collect());
    }

    /// Lets one turn at [`Step::Pause`] continue.
    pub fn resume(&self) {
        self.go.notify_one();
    }

    /// Every turn that was started, oldest first.
    pub fn turns(&self) -> Vec<Turn> {
        self.turns.lock().unwrap().clone()
    }

    /// The prompts, one text per turn.
    pub fn prompts(&self) -> Vec<String> {
        self.turns().iter().map(prompt_text).collect()
    }

    /// The tool calls that were allowed: turn, tool, parameters.
    pub fn tools(&self) -> Vec<(TurnId, String, serde_json::Value)> {
        self.tools.lock().unwrap().clone()
    }

    /// The reasons of the tool calls that were denied.
    pub fn denied(&self) -> Vec<String> {
        self.denied.lock().unwrap().clone()
    }

    /// What the gateway's tools returned, in the order of the calls.
    pub fn results(&self) -> Vec<Result<String, String>> {
        self.results.lock().unwrap().clone()
    }

    /// Waits until it knows what became of `count` questions, and returns that.
    pub async fn told(&self, count: usize) -> Vec<Result<AskEnd, String>> {
        soon(&format!("{count} questions have ended for the agent"), async {
            loop {
                let changed = self.changed.notified();
                let answers = self.answers.lock().unwrap().clone();
                if answers.len() >= count {
                    return answers;
                }
                changed.await;
            }
        })
        .await
    }

    /// The turns that it was asked to abort.
    pub fn aborted(&self) -> Vec<TurnId> {
        self.aborted.lock().unwrap().clone()
    }

    /// The turns and compactions that it could end by itself after it was asked to.
    pub fn settled(&self) -> Vec<TurnId> {
        self.settled.lock().unwrap().clone()
    }

    fn settle(&self, turn: TurnId) {
        self.settled.lock().unwrap().push(turn);
    }

    /// The sessions and epochs that it was told to forget.
    pub fn forgotten(&self) -> Vec<(SessionKey, u64)> {
        self.forgotten.lock().unwrap().clone()
    }

    /// Waits until it was told to stop.
    pub async fn stopped(&self) {
        soon("the agent is told to stop", async {
            loop {
                let changed = self.changed.notified();
                if self.is_stopped() {
                    return;
                }
                changed.await;
            }
        })
        .await;
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap()
    }

    /// What it says that it can do, from now on.
    pub fn can(&self, capabilities: Capabilities) {
        *self.capabilities.lock().unwrap() = capabilities;
    }

    /// Adds the answer to the next steer that has none yet, which may wait for it.
    pub fn takes(&self, taken: bool) {
        self.takes.lock().unwrap().push_back(taken);
        self.changed.notify_waiters();
    }

    /// The messages that it was asked to take into a running turn.
    pub fn steered(&self) -> Vec<(TurnId, Prompt)> {
        self.steered.lock().unwrap().clone()
    }

    /// Chooses what answers cost from now on.
    pub fn spends(&self, usage: Usage) {
        *self.spends.lock().unwrap() = Some(usage);
    }

    fn usage(&self) -> Usage {
        self.spends.lock().unwrap().clone().unwrap_or_else(usage)
    }

    /// Whether compactions do not end from now on.
    pub fn compacts_later(&self, later: bool) {
        *self.compacts_later.lock().unwrap() = later;
    }

    /// The requests to compact a conversation, with their instructions.
    pub fn compactions(&self) -> Vec<(Turn, Option<String>)> {
        self.compactions.lock().unwrap().clone()
    }

    /// Waits until `count` turns have started in total.
    pub async fn begun(&self, count: usize) {
        soon(&format!("{count} turns have begun"), async {
            loop {
                let changed = self.changed.notified();
                if self.turns.lock().unwrap().len() >= count {
                    return;
                }
                changed.await;
            }
        })
        .await;
    }

    async fn play(&self, script: Vec<Step>, turn: Turn, say: mpsc::Sender<Result<Delta, AgentError>>) {
        let mut end = AnswerEnd::Whole;
        for step in script {
            let delta = match step {
                Step::Say(text) => Ok(Delta::Text(text.to_owned())),
                Step::Echo => Ok(Delta::Text(prompt_text(&turn))),
                Step::File(path, caption) => {
                    Ok(Delta::Media { path: path.into(), caption: caption.map(str::to_owned) })
                }
                Step::Spend => Ok(Delta::Usage(self.usage())),
                Step::Ends(how) => {
                    end = how;
                    continue;
                }
                Step::Restart => Ok(Delta::Restart),
                Step::Session(name) => Ok(Delta::Session(name.to_owned())),
                Step::Compact(summary) => {
                    if say.send(Ok(Delta::Compacting)).await.is_err() {
                        return;
                    }
                    Ok(Delta::Compacted(Compacted {
                        summary: Some(summary.to_owned()),
                        tokens: Some(900),
                        usage: None,
                    }))
                }
                Step::Progress => Ok(Delta::Progress),
                Step::Step(percent, line) => {
                    Ok(Delta::Step(Progress { percent: Some(percent), line: Some(line.to_owned()) }))
                }
                Step::Die => Err(AgentError::Died("scripted".into())),
                Step::Short => Err(AgentError::Later("too many open files".into())),
                Step::Fail => Err(AgentError::Failed("scripted".into())),
                Step::Hang => std::future::pending().await,
                Step::Panic => panic!("scripted"),
                Step::Pause => {
                    self.go.notified().await;
                    continue;
                }
                Step::Ask(question) => {
                    self.ask(question, &say).await;
                    continue;
                }
                Step::GatewayTool(name, params) => {
                    let result = turn.tools.call(name, params).await.map_err(|error| error.0);
                    self.results.lock().unwrap().push(result);
                    Ok(Delta::Progress)
                }
                Step::LargeTool(bytes) => {
                    let params = serde_json::json!("x".repeat(bytes));
                    self.tool(&turn, "large", params, &say).await;
                    let (name, result) = ("large".to_owned(), String::new());
                    Ok(Delta::ToolEnd { id: "1".to_owned(), name, result, failed: false })
                }
                Step::Tool(name) => {
                    self.tool(&turn, name, serde_json::json!({ "n": 1 }), &say).await;
                    let (name, result) = (name.to_owned(), format!("result of {name}"));
                    Ok(Delta::ToolEnd { id: "1".to_owned(), name, result, failed: false })
                }
            };
            let ended = delta.is_err();
            if say.send(delta).await.is_err() || ended {
                return;
            }
        }
        // A failed send means that the turn was cancelled.
        if say.send(Ok(Delta::Usage(self.usage()))).await.is_ok() {
            drop(say.send(Ok(Delta::Done { text: None, end })).await);
        }
    }

    async fn ask(&self, question: Question, say: &mpsc::Sender<Result<Delta, AgentError>>) {
        let (reply, end) = AskReply::channel();
        if say.send(Ok(Delta::Ask(AgentQuestion { question, reply }))).await.is_err() {
            return;
        }
        // A dropped reply means that the turn was cancelled.
        if let Ok(end) = end.await {
            self.answers.lock().unwrap().push(end);
            self.changed.notify_waiters();
        }
    }

    async fn tool(
        &self,
        turn: &Turn,
        name: &str,
        params: serde_json::Value,
        say: &mpsc::Sender<Result<Delta, AgentError>>,
    ) {
        let (approval, decision) = ToolApproval::channel();
        let call = ToolCall { id: "1".to_owned(), name: name.to_owned(), params, approval };
        if say.send(Ok(Delta::ToolStart(call))).await.is_err() {
            return;
        }
        match decision.await {
            Ok(ToolDecision::Allow(params)) => {
                self.tools.lock().unwrap().push((turn.id, name.to_owned(), params))
            }
            Ok(ToolDecision::Deny(reason)) => self.denied.lock().unwrap().push(reason),
            Err(_) => {}
        }
    }
}

/// What every answer of the agent costs.
pub fn usage() -> Usage {
    Usage {
        model: Some("scripted".to_owned()),
        input: Some(1),
        output: Some(2),
        cache_read: Some(3),
        cache_write: Some(4),
        cost_micro: Some(5),
        context_used: Some(6),
        context_window: Some(7),
    }
}

/// The prompt of a turn.
fn prompt_text(turn: &Turn) -> String {
    turn.prompt.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The [`Agent`] that the gateway gets; the test keeps the [`ScriptedAgent`] behind it.
pub(crate) struct AgentHandle(pub(crate) Arc<ScriptedAgent>);

#[async_trait]
impl Agent for AgentHandle {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities.lock().unwrap().clone()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let agent = self.0.clone();
        let script = agent.scripts.lock().unwrap().pop_front().unwrap_or_else(|| vec![Step::Echo]);
        let stop = Stop::new();
        agent.running.lock().unwrap().insert(turn.id, stop.clone());
        agent.turns.lock().unwrap().push(turn.clone());
        agent.changed.notify_waiters();
        let (sender, receiver) = mpsc::channel(16);
        // The script is polled with the stream: it ends when the stream is dropped, as a process would.
        let play = async move {
            let id = turn.id;
            tokio::select! {
                () = agent.play(script, turn, sender) => {}
                () = stop.cancelled() => agent.settle(id),
            }
        };
        let play = futures_util::stream::once(play).filter_map(|()| async { None });
        let deltas = futures_util::stream::unfold(receiver, |mut receiver| async {
            Some((receiver.recv().await?, receiver))
        });
        futures_util::stream::select(deltas, play).boxed()
    }

    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        self.0.steered.lock().unwrap().push((turn, prompt.clone()));
        loop {
            let changed = self.0.changed.notified();
            let taken = self.0.takes.lock().unwrap().pop_front();
            if let Some(taken) = taken {
                return Ok(taken);
            }
            changed.await;
        }
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        let (id, stop) = (turn.id, Stop::new());
        self.0.running.lock().unwrap().insert(id, stop.clone());
        self.0.compactions.lock().unwrap().push((turn, instructions));
        if *self.0.compacts_later.lock().unwrap() {
            stop.cancelled().await;
            self.0.settle(id);
            return Err(AgentError::Failed("it was aborted".into()));
        }
        Ok(Compacted { summary: Some("they spoke of 7".to_owned()), tokens: Some(900), usage: Some(usage()) })
    }

    async fn abort(&self, turn: TurnId) {
        self.0.aborted.lock().unwrap().push(turn);
        if let Some(stop) = self.0.running.lock().unwrap().remove(&turn) {
            stop.cancel();
        }
        self.0.changed.notify_waiters();
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.0.forgotten.lock().unwrap().push((session.clone(), epoch));
    }

    async fn stop(&self) {
        *self.0.stopped.lock().unwrap() = true;
        self.0.changed.notify_waiters();
    }

    fn problem(&self) -> Option<String> {
        None
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}
