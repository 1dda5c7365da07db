//! One turn of a persistent program.

mod content;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use frontdesk_core::ask::AskEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Delta, ToolDecision};
use frontdesk_core::history::History;
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Mono, Turn};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::fields::LineId;
use super::idle_process::IdleProcess;
use super::persistent::TurnControl;
use super::turn_host::TurnHost;
use super::wire;
use crate::process::{IdlePool, LineError, Reusable};
use crate::running_turns::RunningTurn;

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
    approvals: FuturesUnordered<BoxFuture<'static, (LineId, ToolDecision)>>,
    /// The questions that have not ended, by the program's ids.
    asks: FuturesUnordered<BoxFuture<'static, (LineId, Result<AskEnd, String>)>>,
    /// The names of the tool calls that have not ended, by the calls' ids.
    tools: HashMap<String, String>,
    /// The number of wrong fields so far.
    warnings: u32,
    /// The length of the answer so far, in bytes.
    answer_bytes: usize,
    /// The last delta, kept back because the usage is reported before it.
    done: Option<Delta>,
    /// The end of a turn whose steers are not answered, and until when it is kept back for them.
    held: Option<(Option<DeltaResult>, Mono)>,
    /// The deadline of an aborted turn.
    end_by: Option<Mono>,
}

/// What can happen next in a turn.
enum Event {
    Abort,
    Overdue,
    NotSteered,
    ToolApproval(LineId, ToolDecision),
    HistoryPage(Vec<u8>),
    AskEnded(LineId, Result<AskEnd, String>),
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
            warnings: 0,
            answer_bytes: 0,
            done: None,
            held: None,
            end_by: None,
        }
    }

    pub(super) async fn next(&mut self) -> Option<DeltaResult> {
        if self.held.is_none()
            && let Some(done) = self.done.take()
        {
            return Some(Ok(done));
        }
        loop {
            let step = match self.event().await? {
                Event::Abort if self.held.is_some() => {
                    self.return_to_pool();
                    return None;
                }
                Event::Abort => self.abort(),
                Event::NotSteered => Step::Finish(self.held.take().and_then(|(result, _)| result)),
                Event::Overdue => {
                    self.detach();
                    return None;
                }
                Event::ToolApproval(id, decision) => self.send(wire::tool(self.turn, &id, &decision)),
                Event::HistoryPage(page) => self.send(page),
                Event::AskEnded(id, end) => self.send(wire::answer(self.turn, &id, &end)),
                Event::Line(Ok(Some(line))) if self.held.is_some() => self.handle_held_line(&line),
                // The answer is complete although the program has gone.
                Event::Line(Ok(None) | Err(_)) if self.held.is_some() => {
                    self.detach();
                    return self.held.take().and_then(|(result, _)| result);
                }
                Event::Line(Ok(Some(line))) => self.handle_line(&line),
                Event::Line(Ok(None)) => return self.output_ended().await,
                Event::Line(Err(why)) => Step::Broken(AgentError::Died(Cause::plain(why.to_string()))),
            };
            match step {
                Step::Continue => {}
                // An aborted turn produces no more output; only its end matters.
                Step::Emit(_) if self.end_by.is_some() => {}
                Step::Emit(delta) => return Some(Ok(delta)),
                Step::Finish(result) => {
                    if let Some(until) = self.kept_back_until() {
                        self.held = Some((result, until));
                        continue;
                    }
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
        let reached = |deadline: Option<Mono>| async move {
            match deadline {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let (overdue, not_steered) =
            (reached(self.end_by), reached(self.held.as_ref().map(|(_, until)| *until)));
        Some(tokio::select! {
            biased;
            () = self.running.aborted.cancelled(), if self.end_by.is_none() => Event::Abort,
            () = overdue => Event::Overdue,
            () = not_steered => Event::NotSteered,
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

    /// The program has ended its turn. Until when its end is kept back, because the program may yet say that it has taken
    /// a message into it. Without that the message would be answered a second time.
    fn kept_back_until(&mut self) -> Option<Mono> {
        if self.end_by.is_some() {
            return None;
        }
        let until = self.running.steers.close(self.host.processes.clock().mono())?;
        self.approvals.clear();
        self.pages.clear();
        self.asks.clear();
        Some(until)
    }

    /// Ends the turn: from now on nothing reaches the program through it.
    fn detach(&mut self) -> Option<IdleProcess> {
        self.running.steers.end();
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
        let failure = process.failure().await;
        let why = if self.host.processes.stop.is_cancelled() {
            "it was stopped with the gateway".into()
        } else {
            failure.after("its output ended in the middle of the turn")
        };
        self.end_by.is_none().then_some(Err(AgentError::Died(why)))
    }
}
