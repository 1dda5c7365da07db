//! Listening to the agent while it works.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delta::{Delta, ToolCall, ToolDecision};
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_core::notice::Failure;
use frontdesk_core::port::{Agent, Stop, Turn};
use frontdesk_core::terminal;
use frontdesk_store::row::Fenced;
use futures_util::StreamExt;

use super::{End, Run};

/// How long an agent is waited for after it was asked to end.
const ABORT: Duration = Duration::from_secs(2);

impl Run<'_> {
    /// Listens to the agent until it is done, or has been silent or busy for too long.
    pub(super) async fn drive(&mut self, agent: Arc<dyn Agent>, turn: Turn, stop: &Stop) -> End {
        let shared = self.shared.clone();
        let clock = &shared.time;
        let hard = clock.mono() + shared.settings.config.turns.hard_limit();
        let mut heard = clock.mono();
        let mut stream = agent.turn(turn);
        let end = loop {
            let silent = heard + shared.settings.config.turns.progress_timeout();
            let due = hard.min(silent).min(self.flow.due().unwrap_or(hard));
            let flow_pending = self.flow.is_pending();
            tokio::select! {
                // The agent last: one that never pauses for breath must not keep the others from their turn.
                biased;
                () = stop.cancelled() => break End::Cancelled,
                // Given back at once: every moment counts, and dropping the stream ends the agent.
                () = shared.process.drain.cancelled() => return End::Drained,
                () = clock.sleep_until(due) => match clock.mono() {
                    now if now >= hard => {
                        break End::Failed(Failure::TooLong, "the hard limit was reached".to_owned());
                    }
                    now if now >= silent => break End::Failed(Failure::Silent, "no sign of life".to_owned()),
                    _ => self.flow.step().await,
                },
                () = self.flow.step(), if flow_pending => {}
                delta = stream.next() => {
                    heard = clock.mono();
                    match delta {
                        Some(Ok(Delta::Done { text, usage })) => {
                            self.flow.complete().await;
                            let text = self.flow.take(text);
                            return End::Answered { text, usage, by_hook: false };
                        }
                        Some(Ok(delta)) => self.heard(delta).await,
                        Some(Err(error)) => return error.into(),
                        None => return End::Died("it ended without an answer".to_owned()),
                    }
                }
            }
        };
        let deadline = clock.mono() + ABORT;
        let abort = async {
            tokio::select! {
                () = agent.abort(self.turn.claim.id) => {}
                () = clock.sleep_until(deadline) => {}
            }
        };
        // What is on its way to the chat keeps the last word waiting, so the two do not wait for each other.
        tokio::join!(abort, self.flow.settled());
        end
    }

    async fn heard(&mut self, delta: Delta) {
        match delta {
            Delta::Text(text) => self.flow.add(text).await,
            Delta::Media { path, caption } => {
                self.files.add(path, caption.map(|caption| terminal::plain(&caption).into_owned()));
            }
            Delta::ToolStart(call) => self.tool(call).await,
            Delta::ToolEnd { .. } => {
                self.shared.hooks.tell(HookEvent::at(HookPoint::AfterToolCall, Some(&self.turn.session)));
            }
            Delta::Progress | Delta::Done { .. } => {}
        }
    }

    /// A tool may begin when the hooks agree and the fact that it did is on disk.
    async fn tool(&mut self, call: ToolCall) {
        let ToolCall { name, params, approval, .. } = call;
        let mut moment = HookEvent::at(HookPoint::BeforeToolCall, Some(&self.turn.session));
        moment.tool = Some(name);
        moment.params = params;
        let asked = self.shared.hooks.ask(moment).await;
        let decision = match asked.end {
            Some(HookVerdict::Drop(reason) | HookVerdict::Answer(reason)) => ToolDecision::Deny(reason),
            _ => match self.act().await {
                Ok(()) => ToolDecision::Allow(asked.moment.params),
                Err(reason) => ToolDecision::Deny(reason),
            },
        };
        approval.decide(decision);
    }

    /// Puts on disk that the turn is about to act (T2b), once; the reason why it may not, if so.
    async fn act(&mut self) -> Result<(), String> {
        if self.acted {
            return Ok(());
        }
        let (claim, now) = (self.turn.claim, self.shared.time.wall());
        match self.shared.store.side_effect(claim, self.flow.text().to_owned(), now).await {
            Ok(Fenced::Done(())) => {
                self.acted = true;
                Ok(())
            }
            Ok(Fenced::Stale) => Err("the turn was cancelled".to_owned()),
            Err(error) => {
                self.shared.health.note(Some(&error));
                Err("it could not be recorded".to_owned())
            }
        }
    }
}
