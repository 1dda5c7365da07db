//! One turn of a persistent program.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use frontdesk_core::ask::{AgentQuestion, AskEnd, AskReply};
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall, ToolDecision};
use frontdesk_core::history::History;
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Mono, Turn};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tracing::debug;

use super::history::{Asked, answered};
use super::idle_process::IdleProcess;
use super::persistent::TurnControl;
use super::question::WireQuestion;
use super::turn_host::TurnHost;
use super::wire::{self, Line};
use crate::process::{IdlePool, LineError, Reusable};
use crate::running_turns::{RunningTurn, lock};

/// The maximum number of tool calls whose names are kept until they end.
const MAX_TOOLS: usize = 1024;
/// The maximum number of tool calls that wait for approval. While they are pending, no further line is read.
const MAX_PENDING_TOOLS: usize = 32;

/// The maximum number of pages of the history that are being read. While they are, no further line is read.
const MAX_PENDING_PAGES: usize = 4;
/// The maximum number of questions that wait for an answer. While they are pending, no further line is read.
const MAX_PENDING_ASKS: usize = 32;

type DeltaResult = Result<Delta, AgentError>;

/// Owns the program during the turn. Dropping it before the end kills the program, because its state is then unknown.
pub(super) struct PersistentTurn {
    host: Arc<TurnHost>,
    idle_pool: Arc<IdlePool<IdleProcess>>,
    running: RunningTurn<TurnControl>,
    turn: TurnId,
    history: Arc<dyn History>,
    /// Pages of the history that the program has asked for.
    pages: FuturesUnordered<BoxFuture<'static, Vec<u8>>>,
    /// `None` when the turn is over.
    idle_process: Option<IdleProcess>,
    approvals: FuturesUnordered<BoxFuture<'static, (String, ToolDecision)>>,
    /// The questions that have not ended, by the program's ids.
    asks: FuturesUnordered<BoxFuture<'static, (String, Result<AskEnd, String>)>>,
    /// The names of the tool calls that have not ended, by the calls' ids.
    tools: HashMap<String, String>,
    /// The length of the answer so far, in bytes.
    answer_bytes: usize,
    /// The last delta, kept back because the usage is reported before it.
    done: Option<Delta>,
    /// The deadline of an aborted turn.
    end_by: Option<Mono>,
}

/// What can happen next in a turn.
enum Event {
    Abort,
    Overdue,
    ToolApproval(String, ToolDecision),
    HistoryPage(Vec<u8>),
    AskEnded(String, Result<AskEnd, String>),
    Line(Result<Option<Vec<u8>>, LineError>),
}

/// How the turn continues.
enum Step {
    Continue,
    Emit(Delta),
    /// The turn is over, and the program can take another one.
    Finish(Option<DeltaResult>),
    /// The program cannot be used any more.
    Broken(AgentError),
}

impl PersistentTurn {
    pub(super) fn new(
        host: Arc<TurnHost>,
        idle_pool: Arc<IdlePool<IdleProcess>>,
        running: RunningTurn<TurnControl>,
        turn: &Turn,
        idle_process: IdleProcess,
    ) -> Self {
        let approvals = FuturesUnordered::new();
        Self {
            host,
            idle_pool,
            running,
            turn: turn.id,
            history: turn.history.clone(),
            pages: FuturesUnordered::new(),
            idle_process: Some(idle_process),
            approvals,
            asks: FuturesUnordered::new(),
            tools: HashMap::new(),
            answer_bytes: 0,
            done: None,
            end_by: None,
        }
    }

    pub(super) async fn next(&mut self) -> Option<DeltaResult> {
        if let Some(done) = self.done.take() {
            return Some(Ok(done));
        }
        loop {
            let step = match self.event().await? {
                Event::Abort => self.abort(),
                Event::Overdue => {
                    self.detach();
                    return None;
                }
                Event::ToolApproval(id, decision) => self.send(wire::tool(self.turn, &id, &decision)),
                Event::HistoryPage(page) => self.send(page),
                Event::AskEnded(id, end) => self.send(wire::answer(self.turn, &id, &end)),
                Event::Line(Ok(Some(line))) => self.handle_line(&line),
                Event::Line(Ok(None)) => return self.output_ended().await,
                Event::Line(Err(why)) => Step::Broken(AgentError::Died(why.to_string())),
            };
            match step {
                Step::Continue => {}
                // An aborted turn produces no more output; only its end matters.
                Step::Emit(_) if self.end_by.is_some() => {}
                Step::Emit(delta) => return Some(Ok(delta)),
                Step::Finish(result) => {
                    self.return_to_pool();
                    return result.filter(|_| self.end_by.is_none());
                }
                Step::Broken(why) => {
                    self.detach();
                    return self.end_by.is_none().then_some(Err(why));
                }
            }
        }
    }

    /// `None` when the turn is over.
    async fn event(&mut self) -> Option<Event> {
        let clock = self.host.processes.clock();
        let IdleProcess { process, lines, .. } = self.idle_process.as_mut()?;
        let overdue = async {
            match self.end_by {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        Some(tokio::select! {
            biased;
            () = self.running.aborted.cancelled(), if self.end_by.is_none() => Event::Abort,
            () = overdue => Event::Overdue,
            Some((id, decision)) = self.approvals.next() => Event::ToolApproval(id, decision),
            Some(page) = self.pages.next() => Event::HistoryPage(page),
            Some((id, end)) = self.asks.next() => Event::AskEnded(id, end),
            line = lines.next(&mut process.output),
                if self.approvals.len() < MAX_PENDING_TOOLS
                    && self.pages.len() < MAX_PENDING_PAGES
                    && self.asks.len() < MAX_PENDING_ASKS => Event::Line(line),
        })
    }

    fn abort(&mut self) -> Step {
        self.end_by = Some(self.host.processes.clock().mono() + self.host.processes.ending().after_sigterm);
        self.approvals.clear();
        self.asks.clear();
        self.send(wire::abort(self.turn))
    }

    fn send(&self, line: Vec<u8>) -> Step {
        let input = self.idle_process.as_ref().and_then(|idle_process| idle_process.process.input.as_ref());
        match input.map(|input| input.send(line)) {
            Some(Ok(())) => Step::Continue,
            _ => Step::Broken(AgentError::Died("it does not read its stdin".into())),
        }
    }

    fn handle_line(&mut self, line: &[u8]) -> Step {
        let line = match Line::read(line) {
            Ok(Some(line)) => line,
            Ok(None) => return Step::Continue,
            Err(why) => {
                let number = self.idle_process.as_ref().map_or(0, |idle_process| idle_process.lines.count());
                return Step::Broken(AgentError::Died(format!("line {number} of its output is {why}")));
            }
        };
        if line.turn().is_some_and(|turn| turn != self.turn.to_string()) {
            debug!(agent = self.host.processes.name, turn = %self.turn, "dropped a line for another turn");
            return Step::Continue;
        }
        self.handle_message(line)
    }

    fn handle_message(&mut self, line: Line) -> Step {
        match line {
            Line::Delta { text, .. } => {
                self.answer_bytes = self.answer_bytes.saturating_add(text.len());
                if self.answer_bytes > self.host.max_answer {
                    return Step::Broken(self.host.too_long());
                }
                Step::Emit(Delta::Text(text))
            }
            Line::ToolStart { id, name, params, .. } => {
                let (approval, decision) = ToolApproval::channel();
                let call = id.clone();
                if self.tools.len() < MAX_TOOLS {
                    self.tools.insert(id.clone(), name.clone());
                }
                let answer = decision.map(move |decision| {
                    (
                        call,
                        decision
                            .unwrap_or_else(|_| ToolDecision::Deny("the gateway gave no approval".into())),
                    )
                });
                // An aborted turn gets no more approvals.
                if self.end_by.is_none() {
                    self.approvals.push(answer.boxed());
                }
                Step::Emit(Delta::ToolStart(ToolCall { id, name, params, approval }))
            }
            Line::ToolEnd { id, failed, result, .. } => {
                let name = self.tools.remove(&id).unwrap_or_default();
                Step::Emit(Delta::ToolEnd { id, name, result, failed })
            }
            Line::Ask { id, question, .. } => self.ask(id, *question),
            Line::Progress { .. } => Step::Emit(Delta::Progress),
            Line::Restart { .. } => {
                self.answer_bytes = 0;
                Step::Emit(Delta::Restart)
            }
            Line::Session { name, .. } => Step::Emit(Delta::Session(name)),
            Line::Compacting { .. } => Step::Emit(Delta::Compacting),
            Line::Compacted { summary, tokens, .. } => {
                Step::Emit(Delta::Compacted(Compacted { summary, tokens }))
            }
            Line::History { id, before, messages, bytes, .. } => {
                let asked = Asked { turn: self.turn, id, before, messages, bytes };
                self.pages.push(answered(self.history.clone(), asked).boxed());
                Step::Emit(Delta::Progress)
            }
            Line::Media { path, caption, .. } => Step::Emit(Delta::Media { path, caption }),
            Line::Steered { taken, .. } => {
                self.steered(taken);
                Step::Emit(Delta::Progress)
            }
            Line::Done { text, usage, .. } => {
                if text.as_ref().is_some_and(|text| text.len() > self.host.max_answer) {
                    return Step::Broken(self.host.too_long());
                }
                let done = Delta::Done { text };
                Step::Finish(Some(Ok(match usage {
                    Some(usage) => {
                        self.done = Some(done);
                        Delta::Usage(usage)
                    }
                    None => done,
                })))
            }
            Line::Error { message, .. } => Step::Finish(Some(Err(AgentError::Failed(message)))),
            Line::Unknown => {
                debug!(agent = self.host.processes.name, turn = %self.turn, "ignored a line of an unknown type");
                Step::Emit(Delta::Progress)
            }
        }
    }

    /// Passes a question on. One that is not understood is answered at once.
    fn ask(&mut self, id: String, question: WireQuestion) -> Step {
        let question = match question.read() {
            Ok(question) => question,
            Err(why) => return self.send(wire::answer(self.turn, &id, &Err(why))),
        };
        let (reply, end) = AskReply::channel();
        // A reply that is dropped means that the turn ends.
        let end = end.map(|end| (id, end.unwrap_or_else(|_| Err("the turn has ended".into()))));
        // An aborted turn gets no more answers.
        if self.end_by.is_none() {
            self.asks.push(end.boxed());
        }
        Step::Emit(Delta::Ask(AgentQuestion { question, reply }))
    }

    fn steered(&self, taken: bool) {
        let waiting = lock(&self.running.steers).as_mut().and_then(|waiting| waiting.pop_front());
        // The caller has been answered with "not taken" after the timeout.
        if waiting.is_none_or(|waiting| waiting.send(taken).is_err()) {
            debug!(agent = self.host.processes.name, turn = %self.turn, taken, "an answer to a steer arrived too late");
        }
    }

    /// Ends the turn: from now on nothing reaches the program through it.
    fn detach(&mut self) -> Option<IdleProcess> {
        lock(&self.running.steers).take();
        self.approvals.clear();
        self.pages.clear();
        self.asks.clear();
        self.idle_process.take()
    }

    /// Keeps the program for the next turn, unless the conversation has ended.
    fn return_to_pool(&mut self) {
        let Some(idle_process) = self.detach() else { return };
        if self.running.forgotten.load(Ordering::Relaxed) || self.host.processes.stop.is_cancelled() {
            idle_process.retire();
        } else {
            self.idle_pool.put(self.running.session_epoch(), idle_process);
        }
    }

    /// The output has ended before the turn did.
    async fn output_ended(&mut self) -> Option<DeltaResult> {
        let IdleProcess { process, .. } = self.detach()?;
        // It may have closed its stdout and still run. Its output could not be read then.
        process.kill();
        let detail = process.failure_detail().await;
        let why = if self.host.processes.stop.is_cancelled() {
            "it was stopped with the gateway".to_owned()
        } else {
            format!("its output ended in the middle of the turn ({detail})")
        };
        self.end_by.is_none().then_some(Err(AgentError::Died(why)))
    }
}
