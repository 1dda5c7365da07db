//! At the head of the lane: is a message still wanted, and what do the hooks say?

use std::collections::HashMap;
use std::pin::pin;

use frontdesk_core::access::Action;
use frontdesk_core::hook::{HookEvent, HookPoint, HookVerdict};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_core::port::{ContextMessage, Prompt, Stop, Turn};
use frontdesk_store::row::{ClaimedTurn, Fenced, InboundRow};

use super::{End, Run};
use crate::media::{Fetcher, MessageFiles};

/// A message as an agent gets it, in its author's name, whoever has it run once more.
fn told(row: &InboundRow, text: String, retry: Option<&InboundRow>) -> Prompt {
    Prompt {
        message: row.id,
        text,
        from: row.from.clone(),
        retried_by: retry.map(|retry| retry.from.clone()),
        input_kind: row.input_kind,
        forward: row.forward.clone(),
        links: row.links.clone(),
        quote: row.quote.clone(),
        // Fetched when it is known who is heard.
        quoted_files: Vec::new(),
        files: Vec::new(),
        received: row.received,
    }
}

impl<'r> Run<'r> {
    /// The turn as the agent gets it, or how it ends without the agent.
    pub(super) async fn head(&mut self, stop: &Stop) -> Result<Turn, End> {
        let turn = self.turn;
        let mut prompt = Vec::with_capacity(turn.messages.len());
        let mut rows = Vec::with_capacity(turn.messages.len());
        for row in &turn.messages {
            match self.admit(row).await {
                Ok(admitted) => {
                    for (row, admitted) in admitted {
                        prompt.push(admitted);
                        rows.push(row);
                    }
                }
                // One of several: the others are not to suffer for it.
                Err(End::Refused(refusal)) if turn.messages.len() > 1 => self.refuse(row, refusal).await?,
                Err(end) => return Err(end),
            }
        }
        if prompt.is_empty() {
            // Every one was refused and told so for itself.
            return Err(End::Refused(Refusal::Hook));
        }
        // Only now: nothing is fetched for somebody who may not speak.
        let files = self.fetched(&rows, stop).await?;
        for prompt in &mut prompt {
            let MessageFiles { own, quoted } = files.get(&prompt.message).cloned().unwrap_or_default();
            (prompt.files, prompt.quoted_files) = (own, quoted);
        }
        let context = self.context(&prompt).await;
        Ok(Turn {
            id: turn.claim.id,
            attempt: turn.attempt,
            resumed: turn.attempt > 1,
            session: turn.session.clone(),
            epoch: turn.epoch,
            prompt,
            context_messages: self.context_messages(),
            context,
        })
    }

    /// The files that came with these messages. Whoever waits is shown that something happens, and a turn that
    /// is to end does not wait for them.
    async fn fetched(
        &mut self,
        rows: &[&InboundRow],
        stop: &Stop,
    ) -> Result<HashMap<MessageId, MessageFiles>, End> {
        let shared = self.shared.clone();
        let day = shared.settings.quota_day(shared.time.wall());
        let fetcher = Fetcher { files: shared.media_files(), adapters: &shared.adapters, day };
        let mut fetch = pin!(fetcher.fetch(rows));
        loop {
            let (due, pending) = (self.flow.due(), self.flow.is_pending());
            let alarm = async {
                match due {
                    Some(due) => shared.time.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Cancelled),
                () = shared.process.drain.cancelled() => return Err(End::Drained),
                files = &mut fetch => {
                    return files.map_err(|error| End::Died(format!("what was fetched is not known: {error}")));
                }
                () = alarm => self.flow.step().await,
                () = self.flow.step(), if pending => {}
            }
        }
    }

    /// One message, as it is to reach the agent: itself, or what it runs once more. The right of everybody who has a part
    /// in it is asked anew: of whoever sent it, and of the authors of what is run again.
    async fn admit(&mut self, row: &'r InboundRow) -> Result<Vec<(&'r InboundRow, Prompt)>, End> {
        if !self.shared.still_may(row, Action::Speak) {
            return Err(End::Refused(Refusal::Revoked));
        }
        if self.too_old(row) {
            return Err(End::Refused(Refusal::TooOld));
        }
        if row.replays.is_empty() {
            let text = self.after_hooks(row).await?;
            return Ok(vec![(row, told(row, text, None))]);
        }
        self.again(row).await
    }

    /// The messages that a `/retry` runs once more, each as its author's. What its author may not say any more, or a hook
    /// drops, is left out; if nothing is left, whoever asked is told why.
    async fn again(&mut self, retry: &'r InboundRow) -> Result<Vec<(&'r InboundRow, Prompt)>, End> {
        let turn: &'r ClaimedTurn = self.turn;
        let (mut heard, mut refusal) = (Vec::new(), Refusal::AuthorRevoked);
        for row in turn.replayed.iter().filter(|row| retry.replays.contains(&row.id)) {
            if !self.shared.still_may(row, Action::Speak) {
                continue;
            }
            match self.after_hooks(row).await {
                Ok(text) => heard.push((row, told(row, text, Some(retry)))),
                Err(End::Refused(dropped)) => refusal = dropped,
                Err(end) => return Err(end),
            }
        }
        if heard.is_empty() { Err(End::Refused(refusal)) } else { Ok(heard) }
    }

    /// What was said nearby, by those who may still be heard.
    fn context_messages(&self) -> Vec<ContextMessage> {
        let turn = self.turn;
        let heard = turn.context_messages.iter().filter(|said| self.shared.still_heard(&turn.session, said));
        heard.cloned().collect()
    }

    /// What the hooks make of it.
    async fn after_hooks(&mut self, row: &InboundRow) -> Result<String, End> {
        let (shared, turn) = (self.shared, self.turn);
        if !shared.hooks.any(HookPoint::MessageReceived) {
            return Ok(row.text.clone());
        }
        let moment = HookEvent::at(HookPoint::MessageReceived, Some(&turn.session)).with_text(&*row.text);
        let asked = shared.hooks.ask(moment).await;
        match asked.end {
            Some(HookVerdict::Drop(_)) => return Err(End::Refused(Refusal::Hook)),
            Some(HookVerdict::Answer(text)) => {
                return Err(End::Answered { text, usage: None, by_hook: true });
            }
            _ => {}
        }
        let text = asked.moment.text;
        // What an earlier turn was about keeps the words that it had there.
        if text != row.text && row.turn == Some(turn.claim.id) {
            match shared.store.rewrite(row.id, turn.claim, text.clone()).await {
                Ok(Fenced::Done(())) => {}
                Ok(Fenced::Stale) => return Err(End::Cancelled),
                Err(error) => return Err(End::Died(format!("a hook's rewriting was not stored: {error}"))),
            }
        }
        Ok(text)
    }

    async fn context(&mut self, prompt: &[Prompt]) -> Vec<String> {
        if !self.shared.hooks.any(HookPoint::BeforeAgentStart) {
            return Vec::new();
        }
        let said = prompt.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>().join("\n");
        let moment = HookEvent::at(HookPoint::BeforeAgentStart, Some(&self.turn.session)).with_text(said);
        self.shared.hooks.ask(moment).await.context
    }

    /// Whether it has waited longer than it may. A turn that was begun before is finished.
    fn too_old(&self, row: &InboundRow) -> bool {
        let limit =
            self.shared.settings.config.queue.max_age_minutes.and_then(|minutes| i64::try_from(minutes).ok());
        let Some(limit) = limit.and_then(chrono::Duration::try_minutes) else { return false };
        self.turn.attempt == 1 && self.shared.time.date_for_ages() - row.received > limit
    }

    async fn refuse(&mut self, row: &InboundRow, refusal: Refusal) -> Result<(), End> {
        let (turn, now) = (self.turn, self.shared.time.wall());
        let tell = refusal.is_told();
        match self.shared.store.message_refused(row.id, turn.claim, refusal, tell, now).await {
            Ok(Fenced::Done(())) => Ok(()),
            Ok(Fenced::Stale) => Err(End::Cancelled),
            Err(error) => Err(End::Died(format!("a refusal was not stored: {error}"))),
        }
    }
}
