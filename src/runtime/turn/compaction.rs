//! Compactions: `/compact`, and those that an agent begins by itself.

use std::sync::Arc;

use frontdesk_core::access::Action;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, Compacted};
use frontdesk_core::history::{HistoryEntry, HistoryRequest};
use frontdesk_core::hook::HookEvent;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use frontdesk_core::port::{Agent, Stop, Turn};
use frontdesk_store::row::InboundRow;
use futures_util::future::BoxFuture;

use super::{AgentWork, TurnEnd, TurnRun};
use crate::config::priced;

/// The reply if there is nothing to summarize.
const NOTHING_NEW: &str = "Nothing was said here since the last summary.";

impl TurnRun<'_> {
    /// What people ask for with `/compact`: the wishes of those who may still write, each once and on lines of their own.
    pub(super) async fn compaction(&mut self) -> Result<AgentWork, TurnEnd> {
        let may = |row: &&InboundRow| self.shared.still_may(&self.settings, row, Action::Write);
        let (allowed, revoked): (Vec<_>, Vec<_>) = self.turn.messages.iter().partition(may);
        if allowed.is_empty() {
            return Err(TurnEnd::Refused(Refusal::Revoked));
        }
        for row in revoked {
            self.refuse(row, Refusal::Revoked).await?;
        }
        let (over, allowed): (Vec<_>, Vec<_>) = allowed.into_iter().partition(|row| self.is_over_budget(row));
        if allowed.is_empty() {
            return Err(TurnEnd::Refused(Refusal::Budget));
        }
        for row in over {
            self.refuse(row, Refusal::Budget).await?;
        }
        let mut wishes: Vec<&str> = Vec::new();
        for wish in allowed.iter().map(|row| row.text.as_str()) {
            if !wish.is_empty() && !wishes.contains(&wish) {
                wishes.push(wish);
            }
        }
        let instructions = (!wishes.is_empty()).then(|| wishes.join("\n"));
        Ok(AgentWork::Compact(self.turn_with(Vec::new()), instructions))
    }

    /// The agent compacts its context.
    pub(super) async fn compact(
        &mut self,
        agent: Arc<dyn Agent>,
        mut turn: Turn,
        instructions: Option<String>,
        stop: &Stop,
    ) -> TurnEnd {
        if let Some(text) = compacted_before(&turn).await {
            return TurnEnd::Answered { text, end: AnswerEnd::Whole, by_hook: false };
        }
        turn.options = turn.options.held_by(&agent.capabilities(), turn.role.as_deref());
        self.compacting();
        let mut work = agent.compact(turn, instructions);
        match self.until_compacted(&mut work, stop).await {
            Ok(Ok(mut compacted)) => {
                let text = reply(&compacted);
                let usage = compacted.usage.take();
                self.usage = usage.map(|usage| priced(&self.settings.config.prices, usage));
                self.compacted(compacted, false).await;
                TurnEnd::Answered { text, end: AnswerEnd::Whole, by_hook: false }
            }
            Ok(Err(error)) => error.into(),
            Err(TurnEnd::Drained) => TurnEnd::Drained,
            Err(end) => {
                self.abort(&*agent, async { drop(work.await) }).await;
                end
            }
        }
    }

    /// Waits for the agent within the time limit of a turn. The chat shows progress meanwhile. The error is an end that
    /// the agent does not know of.
    async fn until_compacted(
        &mut self,
        work: &mut BoxFuture<'_, Result<Compacted, AgentError>>,
        stop: &Stop,
    ) -> Result<Result<Compacted, AgentError>, TurnEnd> {
        let shared = self.shared;
        let time = &shared.time;
        let hard = time.mono() + self.settings.config.turns.hard_limit();
        loop {
            let due = hard.min(self.flow.due().unwrap_or(hard));
            let pending = self.flow.is_pending();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(TurnEnd::Cancelled),
                () = shared.process.drain.cancelled() => return Err(TurnEnd::Drained),
                compacted = &mut *work => return Ok(compacted),
                () = time.sleep_until(due) => match time.mono() >= hard {
                    true => return Err(TurnEnd::Failed(Failure::TooLong, "the compaction took too long".into())),
                    false => self.flow.step().await,
                },
                () = self.flow.step(), if pending => {}
            }
        }
    }

    /// Tells hooks that the agent is about to compact its context.
    pub(super) fn compacting(&self) {
        self.shared.hooks.tell(HookEvent::BeforeCompaction { session: self.turn.session.clone() });
    }

    /// Stores that the agent has compacted its context, and tells hooks; and people, if it did so by itself. If it cannot be
    /// stored, the history only lacks the summary.
    pub(super) async fn compacted(&mut self, compacted: Compacted, by_itself: bool) {
        let (claim, now) = (self.turn.claim, self.shared.time.wall());
        let stored = self.shared.store.compacted(claim, compacted, by_itself, now).await;
        self.shared.health.note(stored.as_ref().err());
        if let Err(error) = stored {
            tracing::warn!(turn = %self.turn.claim.id, %error, "a compaction was not stored");
        }
        self.shared.hooks.tell(HookEvent::AfterCompaction { session: self.turn.session.clone() });
    }
}

/// The reply if the agent has compacted the conversation and nothing was said since. If an earlier attempt of this turn
/// was cut off, that may have been its own compaction, whose summary nobody has seen.
async fn compacted_before(turn: &Turn) -> Option<String> {
    let mut newest = HistoryRequest { before: None, messages: 10, bytes: 4096 };
    loop {
        // An error is the agent's to report, who reads the history as well.
        let page = turn.history.page(newest).await.ok()?;
        match page.entries.into_iter().next() {
            Some(HistoryEntry::Compaction { summary, .. }) if turn.resumed => {
                return Some(reply(&Compacted { summary, ..Compacted::default() }));
            }
            Some(HistoryEntry::Compaction { .. }) => return Some(NOTHING_NEW.to_owned()),
            Some(_) => return None,
            // Only what the agent does not know, such as an earlier `/compact`.
            None => newest.before = Some(page.next?),
        }
    }
}

/// What the chat is told, with the beginning of the summary.
fn reply(compacted: &Compacted) -> String {
    let what = if compacted.has_summary() { " and goes on with this summary" } else { "" };
    format!("The agent has compacted this conversation{what}.{}", compacted.told())
}
