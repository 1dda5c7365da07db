//! At the head of the lane: is a message still wanted, and what do the hooks say?

use std::collections::HashMap;
use std::pin::pin;

use frontdesk_core::access::Action;
use frontdesk_core::hook::{Moment, Point, Verdict};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_core::port::{File, Prompt, Stop, Turn};
use frontdesk_store::row::{Fenced, InboundRow};

use super::{End, Run};

impl Run<'_> {
    /// The turn as the agent gets it, or how it ends without the agent.
    pub(super) async fn head(&mut self, stop: &Stop) -> Result<Turn, End> {
        let turn = self.turn;
        let mut prompt = Vec::with_capacity(turn.messages.len());
        let mut rows = Vec::with_capacity(turn.messages.len());
        for row in &turn.messages {
            match self.admit(row).await {
                Ok(admitted) => {
                    prompt.push(admitted);
                    rows.push(row);
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
        let mut files = self.fetched(&rows, stop).await?;
        for prompt in &mut prompt {
            prompt.files = files.remove(&prompt.message).unwrap_or_default();
        }
        let context = self.context(&prompt).await;
        Ok(Turn {
            id: turn.id,
            attempt: turn.attempt,
            resumed: turn.attempt > 1,
            session: turn.session.clone(),
            epoch: turn.epoch,
            prompt,
            asides: turn.asides.clone(),
            context,
        })
    }

    /// The files that came with these messages. Whoever waits is shown that something happens, and a turn that
    /// is to end does not wait for them.
    async fn fetched(
        &mut self,
        rows: &[&InboundRow],
        stop: &Stop,
    ) -> Result<HashMap<MessageId, Vec<File>>, End> {
        let house = self.house.clone();
        let mut fetch = pin!(crate::media::fetch(&house, rows));
        loop {
            let (due, pending) = (self.flow.due(), self.flow.is_pending());
            let alarm = async {
                match due {
                    Some(due) => house.clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Cancelled),
                () = house.drain.cancelled() => return Err(End::Drained),
                files = &mut fetch => {
                    return files.map_err(|error| End::Died(format!("what was fetched is not known: {error}")));
                }
                () = alarm => self.flow.step().await,
                () = self.flow.step(), if pending => {}
            }
        }
    }

    /// One message, as it is to reach the agent.
    async fn admit(&mut self, row: &InboundRow) -> Result<Prompt, End> {
        if !self.house.still_may(row, Action::Speak) {
            return Err(End::Refused(Refusal::Revoked));
        }
        if self.too_old(row) {
            return Err(End::Refused(Refusal::TooOld));
        }
        Ok(Prompt {
            message: row.id,
            text: self.after_hooks(row).await?,
            sender: row.sender.clone(),
            manner: row.manner,
            quote: row.quote.clone(),
            // Fetched when it is known who is heard.
            files: Vec::new(),
            received: row.received,
        })
    }

    /// What the hooks make of it.
    async fn after_hooks(&mut self, row: &InboundRow) -> Result<String, End> {
        let (house, turn) = (self.house, self.turn);
        if !house.hooks.any(Point::MessageReceived) {
            return Ok(row.text.clone());
        }
        let moment = Moment::at(Point::MessageReceived, Some(&turn.session)).saying(&*row.text);
        let asked = house.hooks.ask(moment).await;
        match asked.end {
            Some(Verdict::Drop(_)) => return Err(End::Refused(Refusal::Hook)),
            Some(Verdict::Answer(text)) => return Err(End::Answered { text, usage: None, by_hook: true }),
            _ => {}
        }
        let text = asked.moment.text;
        if text != row.text {
            match house.store.rewrite(row.id, turn.id, turn.fence, text.clone()).await {
                Ok(Fenced::Done(())) => {}
                Ok(Fenced::Stale) => return Err(End::Cancelled),
                Err(error) => return Err(End::Died(format!("a hook's rewriting was not stored: {error}"))),
            }
        }
        Ok(text)
    }

    async fn context(&mut self, prompt: &[Prompt]) -> Vec<String> {
        if !self.house.hooks.any(Point::BeforeAgentStart) {
            return Vec::new();
        }
        let said = prompt.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>().join("\n");
        let moment = Moment::at(Point::BeforeAgentStart, Some(&self.turn.session)).saying(said);
        self.house.hooks.ask(moment).await.context
    }

    /// Whether it has waited longer than it may. A turn that was begun before is finished.
    fn too_old(&self, row: &InboundRow) -> bool {
        let limit = self.house.config.queue.max_age_minutes.and_then(|minutes| i64::try_from(minutes).ok());
        let Some(limit) = limit.and_then(chrono::Duration::try_minutes) else { return false };
        self.turn.attempt == 1 && self.house.clock.wall() - row.received > limit
    }

    async fn refuse(&mut self, row: &InboundRow, refusal: Refusal) -> Result<(), End> {
        let (turn, now) = (self.turn, self.house.clock.wall());
        let tell = refusal.is_told();
        match self.house.store.message_refused(row.id, turn.id, turn.fence, refusal, tell, now).await {
            Ok(Fenced::Done(())) => Ok(()),
            Ok(Fenced::Stale) => Err(End::Cancelled),
            Err(error) => Err(End::Died(format!("a refusal was not stored: {error}"))),
        }
    }
}
