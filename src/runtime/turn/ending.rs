//! The transaction that ends a turn.

use std::panic::AssertUnwindSafe;

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::TurnId;
use frontdesk_core::markup::closing;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::port::Mono;
use frontdesk_core::visible;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Fenced, Finish, MinuteRow, Reason};
use futures_util::FutureExt;

use super::{PAUSE, SHORTAGE, TurnEnd, TurnRun};
use crate::media::without_files;

/// Maximum number of characters kept of why a turn failed.
const CAUSE: usize = 400;

/// What is written at the end of a turn.
enum FinalWrite {
    /// Nothing: the cancellation has written the end.
    None,
    Release,
    Requeue,
    /// The attempt is not counted.
    NotBegun,
    Finish(Box<Finish>),
    /// What should be written cannot be stored.
    MarkDead,
}

impl TurnRun<'_> {
    /// Writes the end, with retries while the database is unavailable. Returns when the lane may continue, if not at
    /// once.
    pub(super) async fn conclude(&mut self, end: TurnEnd) -> Result<Option<Mono>, StoreError> {
        let mut last = match AssertUnwindSafe(self.final_write(end)).catch_unwind().await {
            Ok(last) => last,
            Err(_) => FinalWrite::Finish(Box::new(self.failed(Failure::Internal, &"a panic".into()).await)),
        };
        loop {
            let done = self.write(&last).await;
            self.shared.health.note(done.as_ref().err());
            match done {
                // The answer exists only in memory: a database that is briefly unavailable must not lose it.
                Err(StoreError::Unavailable(_)) if !self.shared.process.drain.is_cancelled() => {
                    self.shared.time.sleep(PAUSE).await;
                }
                Err(StoreError::Invalid(detail)) => {
                    tracing::error!(turn = %self.turn.claim.id, detail, "the end of a turn could not be stored");
                    last = match last {
                        FinalWrite::Finish(finish) if finish.ending != Ending::Dead => FinalWrite::Finish(
                            Box::new(self.failed(Failure::Internal, &Cause::plain(&detail)).await),
                        ),
                        FinalWrite::MarkDead => return Err(StoreError::Invalid(detail)),
                        _ => FinalWrite::MarkDead,
                    };
                }
                done => return done,
            }
        }
    }

    async fn final_write(&mut self, end: TurnEnd) -> FinalWrite {
        let finish = match end {
            TurnEnd::Cancelled => return FinalWrite::None,
            TurnEnd::Drained => return FinalWrite::Release,
            TurnEnd::NotBegun(cause) => {
                let (turn, session, detail) = (self.turn.claim.id, &self.turn.session, cause.for_log());
                tracing::warn!(%turn, %session, detail, "a turn waits: the machine runs short");
                return FinalWrite::NotBegun;
            }
            TurnEnd::Died(cause)
                if !self.acted && self.turn.deaths + 1 < self.settings.config.turns.max_attempts =>
            {
                let (turn, session, detail) = (self.turn.claim.id, &self.turn.session, cause.for_log());
                tracing::warn!(%turn, %session, detail, "the agent died; its turn runs again");
                log_foreign(turn, &cause);
                return FinalWrite::Requeue;
            }
            TurnEnd::Died(cause) => self.failed(Failure::Crashed, &cause).await,
            TurnEnd::Failed(failure, cause) => self.failed(failure, &cause).await,
            TurnEnd::Refused(refusal) => Finish {
                error: Some(Reason::Refused(refusal)),
                notice: self.refusal_notice(refusal, None),
                ..self.bare(Ending::Refused)
            },
            TurnEnd::Answered { text, end, by_hook } => {
                let finish = self.answered(text, end).await;
                let is_sent = !finish.parts.is_empty() || !finish.media.is_empty();
                let notice = self.answered_by.take().filter(|_| is_sent).map(Notice::AnsweredBy);
                Finish { by_hook, notice, ..finish }
            }
        };
        FinalWrite::Finish(Box::new(finish))
    }

    async fn write(&mut self, last: &FinalWrite) -> Result<Option<Mono>, StoreError> {
        let (claim, now) = (self.turn.claim, self.shared.time.wall());
        match last {
            FinalWrite::None => self.stopped().await?,
            FinalWrite::Release => {
                if let Fenced::Stale = self.shared.store.release(claim, self.usage.clone(), now).await? {
                    self.stopped().await?;
                }
            }
            FinalWrite::Requeue => match self.shared.store.requeue(claim, self.usage.clone(), now).await? {
                Fenced::Done(()) => return Ok(Some(self.shared.time.mono() + PAUSE)),
                Fenced::Stale => self.stopped().await?,
            },
            FinalWrite::NotBegun => {
                match self.shared.store.not_begun(claim, self.shared.time.wall()).await? {
                    Fenced::Done(()) => return Ok(Some(self.shared.time.mono() + SHORTAGE)),
                    Fenced::Stale => self.stopped().await?,
                }
            }
            FinalWrite::Finish(finish) => match self.shared.store.finish((**finish).clone()).await? {
                Fenced::Done(_) => self.finished(finish).await,
                // The turn was cancelled while the agent was finishing.
                Fenced::Stale => self.cancelled(finish.answer.clone().unwrap_or_default()).await?,
            },
            FinalWrite::MarkDead => {
                self.shared.store.mark_turn_dead(claim, now).await?;
                self.shared.work.outbox.wake(&self.turn.address);
                self.flow.end(Ending::Dead, None).await;
            }
        }
        Ok(None)
    }

    /// The turn was cancelled while the agent was still writing.
    async fn stopped(&mut self) -> Result<(), StoreError> {
        let so_far = self.kept(self.flow.partial()).await;
        self.cancelled(so_far).await
    }

    /// The turn was cancelled: the history keeps the text so far, and a message that was being streamed gets its final
    /// text.
    async fn cancelled(&mut self, so_far: String) -> Result<(), StoreError> {
        self.count_cost(self.usage.as_ref());
        let so_far = Some(so_far).filter(|text| !text.trim().is_empty());
        if so_far.is_some() || self.usage.is_some() {
            let shown = self.flow.is_drafted();
            let (now, usage) = (self.shared.time.wall(), self.usage.clone());
            self.shared.store.keep_partial(self.turn.claim, so_far.clone(), shown, usage, now).await?;
        }
        if self.shared.store.stream_settled(self.turn.claim.id, self.shared.time.wall()).await? {
            self.shared.work.outbox.wake(&self.turn.address);
        }
        let ending = self.shared.work.running.ending(self.turn.claim.id);
        self.flow.end(ending, None).await;
        self.agent_end(so_far.as_deref());
        Ok(())
    }

    /// Adds to the cost that charts show.
    fn count_cost(&self, usage: Option<&Usage>) {
        if let Some(cost_micro) = usage.and_then(|usage| usage.cost_micro) {
            let measured = MinuteRow { cost_micro, ..MinuteRow::default() };
            self.shared.minutes.add(self.shared.time.wall(), &measured);
        }
    }

    /// Reports a stored end to metrics, the platform and hooks.
    async fn finished(&mut self, finish: &Finish) {
        metrics::counter!("frontdesk_turns_total", "ending" => finish.ending.name()).increment(1);
        self.count_cost(finish.usage.as_ref());
        self.flow.end(finish.ending, finish.usage.clone()).await;
        self.agent_end(finish.answer.as_deref());
    }

    pub(super) fn bare(&self, ending: Ending) -> Finish {
        Finish { usage: self.usage.clone(), ..Finish::bare(self.turn.claim, ending, self.shared.time.wall()) }
    }

    async fn failed(&mut self, failure: Failure, cause: &Cause) -> Finish {
        let (turn, session) = (self.turn.claim.id, &self.turn.session);
        let (channel, name) = (session.channel(), failure.name());
        self.shared.work.failures.note(turn, &visible::escaped(&cause.to_string(), CAUSE));
        let detail = Some(cause.for_log()).filter(|detail| !detail.is_empty());
        tracing::warn!(%turn, %session, channel, failure = name, detail, "a turn failed");
        log_foreign(turn, cause);
        let so_far = self.flow.text().to_owned();
        let kept = self.kept(so_far.clone()).await;
        let is_interrupted = failure == Failure::Crashed && self.acted;
        // What a draft has shown is gone otherwise; the notice of an interruption repeats it.
        let shown = Some(without_files(&kept).0).filter(|text| !text.trim().is_empty());
        let parts = match shown.filter(|_| self.flow.is_drafted() && !is_interrupted) {
            Some(text) => self.rendered(&format!("{text}{}{}", closing(&text), Notice::INTERRUPTED)),
            None => Vec::new(),
        };
        Finish {
            parts,
            error: Some(Reason::Failed(failure)),
            answer: Some(kept).filter(|answer| !answer.is_empty()),
            notice: Some(match is_interrupted {
                true => Notice::Interrupted { so_far },
                false if self.is_compaction() && failure != Failure::AgentGone => Notice::NotCompacted,
                false => Notice::Failed(failure),
            }),
            ..self.bare(Ending::Dead)
        }
    }
}

/// Logs what a program or a provider says about a failure. It may quote messages, which are only logged at this level.
fn log_foreign(turn: TurnId, cause: &Cause) {
    if !cause.foreign().is_empty() {
        tracing::debug!(%turn, detail = cause.foreign(), "the cause in the words of the agent or its provider");
    }
}
