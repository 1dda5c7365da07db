//! One turn with a lasting program.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use frontdesk_core::delta::{AgentError, Delta, Permit, ToolCall, Verdict};
use frontdesk_core::id::TurnId;
use frontdesk_core::port::Mono;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tracing::debug;

use super::idle_pool::{IdlePool, IdleProcess};
use super::lasting::Call;
use super::lines::LineError;
use super::process_host::ProcessHost;
use super::wire::{self, Line};
use crate::running::{Seat, lock};

/// So many tool calls may wait for their permits; while that many do, nothing more is read.
const ASKING: usize = 32;

type Said = Result<Delta, AgentError>;

/// Owns the program for the time of the turn. Dropping it in the middle kills the program: whatever it was
/// doing nobody wants any more, and its context is its own business.
pub(super) struct Talk {
    shop: Arc<ProcessHost>,
    idle_pool: Arc<IdlePool>,
    seat: Seat<Call>,
    turn: TurnId,
    /// `None` when the turn is over.
    idle_process: Option<IdleProcess>,
    permits: FuturesUnordered<BoxFuture<'static, (String, Verdict)>>,
    /// How many bytes it has said.
    said: usize,
    /// When an aborted turn must have ended.
    end_by: Option<Mono>,
}

/// What happens next in a turn.
enum Event {
    Abort,
    Overdue,
    Permit(String, Verdict),
    Line(Result<Option<Vec<u8>>, LineError>),
}

/// How a turn goes on.
enum Step {
    Quiet,
    Say(Delta),
    /// The turn is over and the program can take another.
    Rest(Option<Said>),
    /// The program is of no more use.
    Broken(AgentError),
}

impl Talk {
    pub(super) fn new(
        shop: Arc<ProcessHost>,
        idle_pool: Arc<IdlePool>,
        seat: Seat<Call>,
        turn: TurnId,
        idle_process: IdleProcess,
    ) -> Self {
        let permits = FuturesUnordered::new();
        Self { shop, idle_pool, seat, turn, idle_process: Some(idle_process), permits, said: 0, end_by: None }
    }

    pub(super) async fn next(&mut self) -> Option<Said> {
        loop {
            let step = match self.event().await? {
                Event::Abort => self.abort(),
                Event::Overdue => {
                    self.leave();
                    return None;
                }
                Event::Permit(id, verdict) => self.send(wire::tool(self.turn, &id, &verdict)),
                Event::Line(Ok(Some(line))) => self.hear(&line),
                Event::Line(Ok(None)) => return self.ended().await,
                Event::Line(Err(why)) => Step::Broken(AgentError::Died(why.to_string())),
            };
            match step {
                Step::Quiet => {}
                // An aborted turn says no more, and only its end counts.
                Step::Say(_) if self.end_by.is_some() => {}
                Step::Say(delta) => return Some(Ok(delta)),
                Step::Rest(said) => {
                    self.rest();
                    return said.filter(|_| self.end_by.is_none());
                }
                Step::Broken(why) => {
                    self.leave();
                    return self.end_by.is_none().then_some(Err(why));
                }
            }
        }
    }

    /// `None` when the turn is over.
    async fn event(&mut self) -> Option<Event> {
        let clock = &self.shop.clock;
        let IdleProcess { process, lines } = self.idle_process.as_mut()?;
        let overdue = async {
            match self.end_by {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        Some(tokio::select! {
            biased;
            () = self.seat.aborted.cancelled(), if self.end_by.is_none() => Event::Abort,
            () = overdue => Event::Overdue,
            Some((id, verdict)) = self.permits.next() => Event::Permit(id, verdict),
            line = lines.next(&mut process.output), if self.permits.len() < ASKING => Event::Line(line),
        })
    }

    fn abort(&mut self) -> Step {
        self.end_by = Some(self.shop.clock.mono() + self.shop.grace);
        self.permits.clear();
        self.send(wire::abort(self.turn))
    }

    fn send(&self, line: Vec<u8>) -> Step {
        let input = self.idle_process.as_ref().and_then(|idle_process| idle_process.process.input.as_ref());
        match input.map(|input| input.send(line)) {
            Some(Ok(())) => Step::Quiet,
            _ => Step::Broken(AgentError::Died("it does not read its stdin".into())),
        }
    }

    fn hear(&mut self, line: &[u8]) -> Step {
        let line = match Line::read(line) {
            Ok(Some(line)) => line,
            Ok(None) => return Step::Quiet,
            Err(why) => {
                let number = self.idle_process.as_ref().map_or(0, |idle_process| idle_process.lines.count);
                return Step::Broken(AgentError::Died(format!("line {number} of its output is {why}")));
            }
        };
        if line.turn().is_some_and(|turn| turn != self.turn.to_string()) {
            debug!(agent = self.shop.name, turn = %self.turn, "dropped a line for another turn");
            return Step::Quiet;
        }
        self.understand(line)
    }

    fn understand(&mut self, line: Line) -> Step {
        match line {
            Line::Delta { text, .. } => {
                self.said = self.said.saturating_add(text.len());
                if self.said > self.shop.max_answer {
                    return Step::Broken(self.shop.too_long());
                }
                Step::Say(Delta::Text(text))
            }
            Line::ToolStart { id, name, params, .. } => {
                let (permit, word) = Permit::pair();
                let call = id.clone();
                let answer = word.map(move |word| {
                    (call, word.unwrap_or_else(|_| Verdict::Deny("nobody permitted it".into())))
                });
                // One that was aborted gets no more permits.
                if self.end_by.is_none() {
                    self.permits.push(answer.boxed());
                }
                Step::Say(Delta::ToolStart(ToolCall { id, name, params, permit }))
            }
            Line::ToolEnd { id, failed, .. } => Step::Say(Delta::ToolEnd { id, failed }),
            Line::Progress { .. } => Step::Say(Delta::Progress),
            Line::Media { path, caption, .. } => Step::Say(Delta::Media { path, caption }),
            Line::Steered { taken, .. } => {
                self.steered(taken);
                Step::Say(Delta::Progress)
            }
            Line::Done { text, usage, .. } => {
                if text.as_ref().is_some_and(|text| text.len() > self.shop.max_answer) {
                    return Step::Broken(self.shop.too_long());
                }
                Step::Rest(Some(Ok(Delta::Done { text, usage: usage.map(Into::into) })))
            }
            Line::Error { message, .. } => Step::Rest(Some(Err(AgentError::Failed(message)))),
            Line::Unknown => {
                debug!(agent = self.shop.name, turn = %self.turn, "passed over a line of an unknown type");
                Step::Say(Delta::Progress)
            }
        }
    }

    fn steered(&self, taken: bool) {
        let waiting = lock(&self.seat.steers).as_mut().and_then(|waiting| waiting.pop_front());
        // Whoever asked has been told "no" when the time was up.
        if waiting.is_none_or(|waiting| waiting.send(taken).is_err()) {
            debug!(agent = self.shop.name, turn = %self.turn, taken, "an answer to a steer that nobody waits for");
        }
    }

    /// The turn is over: nobody reaches the program through it any more.
    fn leave(&mut self) -> Option<IdleProcess> {
        lock(&self.seat.steers).take();
        self.permits.clear();
        self.idle_process.take()
    }

    /// Keeps the program for the next turn, unless the conversation is over.
    fn rest(&mut self) {
        let Some(idle_process) = self.leave() else { return };
        if self.seat.forgotten.load(Ordering::Relaxed) || self.shop.stop.is_cancelled() {
            idle_process.process.retire();
        } else {
            self.idle_pool.put(self.seat.life(), idle_process);
        }
    }

    /// The output has ended in the middle.
    async fn ended(&mut self) -> Option<Said> {
        let IdleProcess { process, .. } = self.leave()?;
        // It may have closed its stdout and live on; nobody could hear it then.
        process.kill();
        let words = process.last_words().await;
        let why = if self.shop.stop.is_cancelled() {
            "it was stopped with the gateway".to_owned()
        } else {
            format!("its output ended in the middle of the turn ({words})")
        };
        self.end_by.is_none().then_some(Err(AgentError::Died(why)))
    }
}
