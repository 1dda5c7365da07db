//! The last write of a turn.

use std::panic::AssertUnwindSafe;

use frontdesk_core::act::Ending;
use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::port::Mono;
use frontdesk_core::visible;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Fenced, Finish, Reason};
use futures_util::FutureExt;

use super::answer::Said;
use super::{End, PAUSE, Run, SHORTAGE};

/// So many characters of why a turn failed are kept for the owner.
const CAUSE: usize = 400;

/// The last write of a turn.
enum Last {
    /// None: `/stop` has written it.
    Nothing,
    Release,
    Requeue,
    /// Nothing has begun.
    Undo,
    Finish(Box<Finish>),
    /// What should have been written cannot be.
    Bury,
}

impl Run<'_> {
    /// Writes the end, for as long as it takes. Returns when the lane may go on, if not at once.
    pub(super) async fn conclude(&mut self, end: End) -> Result<Option<Mono>, StoreError> {
        let mut last = match AssertUnwindSafe(self.last(end)).catch_unwind().await {
            Ok(last) => last,
            Err(_) => Last::Finish(Box::new(self.failed(Failure::Internal, "a panic"))),
        };
        loop {
            let done = self.write(&last).await;
            self.shared.health.note(done.as_ref().err());
            match done {
                // The answer is in our hands: a database that is away for a moment must not cost it.
                Err(StoreError::Unavailable(_)) if !self.shared.process.drain.is_cancelled() => {
                    self.shared.time.sleep(PAUSE).await;
                }
                Err(StoreError::Invalid(detail)) => {
                    tracing::error!(turn = %self.turn.claim.id, detail, "the end of a turn could not be stored");
                    last = match last {
                        Last::Finish(finish) if finish.ending != Ending::Dead => {
                            Last::Finish(Box::new(self.failed(Failure::Internal, &detail)))
                        }
                        Last::Bury => return Err(StoreError::Invalid(detail)),
                        _ => Last::Bury,
                    };
                }
                done => return done,
            }
        }
    }

    async fn last(&mut self, end: End) -> Last {
        match end {
            End::Cancelled => Last::Nothing,
            End::Drained => Last::Release,
            End::NotBegun(detail) => {
                tracing::warn!(turn = %self.turn.claim.id, session = %self.turn.session, detail, "a turn waits: the machine runs short");
                Last::Undo
            }
            End::Died(detail)
                if !self.acted && self.turn.deaths + 1 < self.shared.settings.config.turns.max_attempts =>
            {
                tracing::warn!(turn = %self.turn.claim.id, session = %self.turn.session, detail, "the agent died; once more");
                Last::Requeue
            }
            end => Last::Finish(Box::new(self.finish(end).await)),
        }
    }

    async fn write(&mut self, last: &Last) -> Result<Option<Mono>, StoreError> {
        let (claim, now) = (self.turn.claim, self.shared.time.wall());
        match last {
            Last::Nothing => self.cancelled(self.flow.partial()).await?,
            Last::Release => {
                if let Fenced::Stale = self.shared.store.release(claim, now).await? {
                    self.cancelled(self.flow.partial()).await?;
                }
            }
            Last::Requeue => match self.shared.store.requeue(claim).await? {
                Fenced::Done(()) => return Ok(Some(self.shared.time.mono() + PAUSE)),
                Fenced::Stale => self.cancelled(self.flow.partial()).await?,
            },
            Last::Undo => match self.shared.store.not_begun(claim).await? {
                Fenced::Done(()) => return Ok(Some(self.shared.time.mono() + SHORTAGE)),
                Fenced::Stale => self.cancelled(self.flow.partial()).await?,
            },
            Last::Finish(finish) => match self.shared.store.finish((**finish).clone()).await? {
                Fenced::Done(_) => self.told(finish).await,
                // Cancelled while the agent was saying its last words.
                Fenced::Stale => self.cancelled(finish.answer.clone().unwrap_or_default()).await?,
            },
            Last::Bury => {
                self.shared.store.mark_turn_dead(claim, now).await?;
                self.shared.work.outbox.wake(&self.turn.address);
                self.flow.end(Ending::Dead, None).await;
            }
        }
        Ok(None)
    }

    /// The turn was ended by somebody else: the history keeps what it had said, and a message that was being streamed
    /// gets its last word.
    async fn cancelled(&mut self, so_far: String) -> Result<(), StoreError> {
        if !so_far.trim().is_empty() {
            self.shared.store.keep_partial(self.turn.claim, so_far).await?;
        }
        if self.shared.store.stream_settled(self.turn.claim.id, self.shared.time.wall()).await? {
            self.shared.work.outbox.wake(&self.turn.address);
        }
        self.flow.end(Ending::Cancelled, None).await;
        Ok(())
    }

    async fn told(&mut self, finish: &Finish) {
        metrics::counter!("frontdesk_turns_total", "ending" => finish.ending.name()).increment(1);
        self.flow.end(finish.ending, finish.usage.clone()).await;
        let mut moment = HookEvent::at(HookPoint::AgentEnd, Some(&self.turn.session));
        moment.usage.clone_from(&finish.usage);
        self.shared.hooks.tell(moment);
    }

    /// What the last transaction writes.
    async fn finish(&mut self, end: End) -> Finish {
        match end {
            End::Answered { text, usage, by_hook } => {
                let Said { answer, parts, media } = self.said(text).await;
                Finish { answer, parts, media, usage, by_hook, ..self.bare(Ending::Answered) }
            }
            End::Refused(refusal) => Finish {
                error: Some(Reason::Refused(refusal)),
                notice: refusal.is_told().then_some(Notice::Refused(refusal)),
                ..self.bare(Ending::Refused)
            },
            End::Died(detail) => self.failed(Failure::Crashed, &detail),
            End::Failed(failure, detail) => self.failed(failure, &detail),
            // These end elsewhere; should they come here, the person is told rather than left waiting.
            End::Cancelled | End::Drained | End::NotBegun(_) => self.failed(Failure::Internal, "stopped"),
        }
    }

    fn bare(&self, ending: Ending) -> Finish {
        Finish::bare(self.turn.claim, ending, self.shared.time.wall())
    }

    fn failed(&self, failure: Failure, detail: &str) -> Finish {
        let (turn, session) = (self.turn.claim.id, &self.turn.session);
        let (channel, name) = (session.channel(), failure.name());
        self.shared.work.failures.note(turn, &visible::escaped(detail, CAUSE));
        if failure == Failure::Agent {
            // The agent's own words may quote what it was asked: they are not for the log at this level.
            tracing::warn!(%turn, %session, channel, failure = name, "a turn failed");
            tracing::debug!(%turn, detail, "what the agent said of it");
        } else {
            tracing::warn!(%turn, %session, channel, failure = name, detail, "a turn failed");
        }
        let so_far = self.flow.text();
        Finish {
            error: Some(Reason::Failed(failure)),
            answer: (!so_far.is_empty()).then(|| so_far.to_owned()),
            notice: Some(match failure {
                Failure::Crashed if self.acted => Notice::Interrupted { so_far: so_far.to_owned() },
                _ => Notice::Failed(failure),
            }),
            ..self.bare(Ending::Dead)
        }
    }
}
