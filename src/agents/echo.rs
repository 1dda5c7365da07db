//! An agent that repeats the message, for trying things out, for tests and for demos.
//!
//! It keeps no context, starts no process and answers at once unless the text says otherwise: see [`instruction`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::count::counted;
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall, ToolDecision, Usage};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::InputKind;
use frontdesk_core::port::{Agent, Clock, File, Prompt, Turn};
use frontdesk_core::prompt;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::running_turns::{RunningTurn, RunningTurns};
use chunks::Chunks;
use instruction::{Action, Instruction};

mod chunks;
pub mod instruction;

type DeltaResult = Result<Delta, AgentError>;

/// The keys of `kind = "echo"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Maximum number of turns of this agent that run at once. Unset means that only `turns.max` limits them.
    pub max_turns: Option<usize>,
}

/// The echo agent.
pub struct Echo {
    clock: Arc<dyn Clock>,
    running: RunningTurns<CancellationToken>,
}

impl Echo {
    /// An echo agent whose pauses follow `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, running: RunningTurns::default() }
    }
}

#[async_trait]
impl Agent for Echo {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, DeltaResult> {
        let running = self.running.begin(turn.id, CancellationToken::new());
        let Instruction { wait, mut action } = Instruction::read(&prompt::text(&turn));
        if let Action::Say(text) | Action::Slowly { text, .. } = &mut action {
            for line in turn.prompt.iter().flat_map(extra_lines) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&line);
            }
        }
        if wait.is_zero() {
            return until_aborted(running, answer(action, self.clock.clone()));
        }
        let clock = self.clock.clone();
        let due = clock.mono() + wait;
        let late = async move {
            clock.sleep_until(due).await;
            answer(action, clock)
        };
        until_aborted(running, late.flatten_stream())
    }

    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(aborted) = self.running.find(turn) {
            aborted.cancel();
        }
    }

    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}

    // There is no process to end. A turn that still runs ends when its stream is dropped.
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        None
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

/// Lines about a message besides its text: that it is an edit, and its files.
fn extra_lines(prompt: &Prompt) -> impl Iterator<Item = String> {
    let edited = (prompt.input_kind == InputKind::Edit).then(|| "(edited)".to_owned());
    edited.into_iter().chain(prompt.files.iter().map(file_line))
}

fn file_line(file: &File) -> String {
    let kind = file.kind.name();
    let what = match &file.name {
        Some(name) => format!("{kind} {}", prompt::sanitized(name)),
        None => kind.to_owned(),
    };
    let silent = match &file.transcript {
        Some(Err(why)) => format!("; {why}"),
        _ => String::new(),
    };
    match (&file.got, file.size) {
        (Ok(_), Some(size)) => format!("[{what}, {}{silent}]", counted(size, "byte")),
        (Ok(_), None) => format!("[{what}{silent}]"),
        (Err(why), _) => format!("[{what}: {why}]"),
    }
}

/// Ends the stream when the turn is aborted. The turn counts as running as long as the stream exists.
fn until_aborted(
    running: RunningTurn<CancellationToken>,
    answer: impl Stream<Item = DeltaResult> + Send + 'static,
) -> BoxStream<'static, DeltaResult> {
    let aborted = CancellationToken::clone(&running);
    let answer = Box::pin(answer.take_until(aborted.cancelled_owned()));
    stream::unfold((running, answer), |(running, mut answer)| async move {
        // Checked first, because an answer that is ready would otherwise be sent to its end.
        if running.is_cancelled() {
            return None;
        }
        answer.next().await.map(|delta| (delta, (running, answer)))
    })
    .boxed()
}

fn answer(action: Action, clock: Arc<dyn Clock>) -> BoxStream<'static, DeltaResult> {
    match action {
        Action::Say(text) => in_chunks(text),
        Action::Slowly { pause, text } => slowly(clock, pause, text),
        Action::Long(words) => {
            let text: Vec<String> = (1..=words).map(|word| format!("word{word}")).collect();
            in_chunks(text.join(" "))
        }
        Action::Restart(text) => {
            let begun = [Ok(Delta::Text("This is taken back.".into())), Ok(Delta::Restart)];
            stream::iter(begun).chain(in_chunks(text)).boxed()
        }
        Action::Usage(text) => only(Ok(Delta::Usage(usage()))).chain(in_chunks(text)).boxed(),
        Action::Fail => only(Err(AgentError::Failed("told to fail".into()))),
        Action::Crash => only(Err(AgentError::Died("told to crash".into()))),
        Action::Tool(name) => ask_for_tool(name),
        Action::Media { path, caption } => stream::iter([Ok(Delta::Media { path, caption }), done()]).boxed(),
    }
}

/// Made up, with a number of its own in every field.
fn usage() -> Usage {
    Usage {
        model: Some("echo".into()),
        input: Some(10),
        output: Some(20),
        cache_read: Some(3),
        cache_write: Some(4),
        cost_micro: Some(5),
        context_used: Some(30),
        context_window: Some(100),
    }
}

fn only(delta: DeltaResult) -> BoxStream<'static, DeltaResult> {
    stream::iter([delta]).boxed()
}

fn done() -> DeltaResult {
    Ok(Delta::Done { text: None, end: AnswerEnd::Whole })
}

fn in_chunks(text: String) -> BoxStream<'static, DeltaResult> {
    stream::iter(Chunks::of(text).map(|piece| Ok(Delta::Text(piece))).chain([done()])).boxed()
}

fn slowly(clock: Arc<dyn Clock>, pause: Duration, text: String) -> BoxStream<'static, DeltaResult> {
    let due = clock.mono();
    stream::unfold((clock, due, in_chunks(text)), move |(clock, due, mut rest)| async move {
        clock.sleep_until(due).await;
        let delta = rest.next().await?;
        let next = clock.mono() + pause;
        Some((delta, (clock, next, rest)))
    })
    .boxed()
}

fn ask_for_tool(name: String) -> BoxStream<'static, DeltaResult> {
    let (approval, decision) = ToolApproval::channel();
    let call = ToolCall { id: "echo-1".into(), name: name.clone(), params: json!({}), approval };
    let after = async move {
        let (text, failed) = match decision.await {
            Ok(ToolDecision::Allow(params)) => (format!("allowed with {params}"), false),
            Ok(ToolDecision::Deny(reason)) => (format!("denied: {reason}"), true),
            Err(_) => ("denied without a reason".into(), true),
        };
        let end = Ok(Delta::ToolEnd { id: "echo-1".into(), name, result: text.clone(), failed });
        stream::iter([end, Ok(Delta::Text(text)), done()])
    };
    only(Ok(Delta::ToolStart(call))).chain(after.flatten_stream()).boxed()
}
