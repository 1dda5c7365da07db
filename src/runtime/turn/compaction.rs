//! Compactions: `/compact`, and those that an agent begins by itself.

use std::sync::Arc;

use frontdesk_core::access::Action;
use frontdesk_core::delta::{AgentError, Compacted};
use frontdesk_core::hook::HookEvent;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use frontdesk_core::port::{Agent, Stop, Turn};
use frontdesk_store::row::InboundRow;
use futures_util::future::BoxFuture;

use super::{AgentWork, TurnEnd, TurnRun};

/// How much of a summary the chat shows, in bytes.
const SHOWN: usize = 1500;

impl TurnRun<'_> {
    /// What a person asks for with `/compact`, if they may still write.
    pub(super) fn compaction(&self, row: &InboundRow) -> Result<AgentWork, TurnEnd> {
        if !self.shared.still_may(&self.settings, row, Action::Write) {
            return Err(TurnEnd::Refused(Refusal::Revoked));
        }
        let instructions = Some(row.text.clone()).filter(|text| !text.is_empty());
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
        turn.options = turn.options.offered(&agent.capabilities());
        self.compacting();
        let mut work = agent.compact(turn, instructions);
        match self.until_compacted(&mut work, stop).await {
            Ok(Ok(compacted)) => {
                let text = reply(&compacted);
                self.compacted(compacted).await;
                TurnEnd::Answered { text, by_hook: false }
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
                    true => return Err(TurnEnd::Failed(Failure::TooLong, "the compaction took too long".to_owned())),
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

    /// Stores that the agent has compacted its context, and tells hooks. If it cannot be stored, the history only lacks
    /// the summary.
    pub(super) async fn compacted(&mut self, compacted: Compacted) {
        let stored = self.shared.store.compacted(self.turn.claim, compacted, self.shared.time.wall()).await;
        self.shared.health.note(stored.as_ref().err());
        if let Err(error) = stored {
            tracing::warn!(turn = %self.turn.claim.id, %error, "a compaction was not stored");
        }
        self.shared.hooks.tell(HookEvent::AfterCompaction { session: self.turn.session.clone() });
    }
}

/// What the chat is told, with the beginning of the summary.
fn reply(compacted: &Compacted) -> String {
    let before =
        compacted.tokens.map(|tokens| format!(" Before, it used {tokens} tokens.")).unwrap_or_default();
    let Some(summary) = compacted.summary.as_deref().filter(|summary| !summary.trim().is_empty()) else {
        return format!("The agent has compacted this conversation.{before}");
    };
    let shown = &summary[..summary.floor_char_boundary(SHOWN)];
    let cut = if shown.len() < summary.len() { " …" } else { "" };
    format!(
        "The agent has compacted this conversation and goes on with this summary.{before}\n\n{shown}{cut}"
    )
}
