//! Prepares a turn: access is asked again, hooks are asked, files are fetched, and recordings are transcribed.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use frontdesk_core::access::Action;
use frontdesk_core::cause::Cause;
use frontdesk_core::id::{ChatMessageId, MessageId};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::{Quote, Refusal};
use frontdesk_core::port::{ContextMessage, Prompt, Stop, Turn};
use frontdesk_store::StoreError;
use frontdesk_store::row::{ClaimedTurn, Fenced, InboundRow};

use super::past::Past;
use super::{TurnEnd, TurnRun};
use crate::media::{Fetcher, MessageFiles, Transcripts};
use crate::shared::Shared;
use crate::tools::SessionTools;

/// A message as an agent gets it. After a `/retry` its author remains the sender.
pub(super) fn prompt_of(row: &InboundRow, text: String, retry: Option<&InboundRow>) -> Prompt {
    Prompt {
        message: row.id,
        text,
        from: row.from.clone(),
        retried_by: retry.map(|retry| retry.from.clone()),
        // Looked up once access is decided.
        quoted: None,
        input_kind: row.input_kind,
        forward: row.forward.clone(),
        links: row.links.clone(),
        quote: row.quote.clone(),
        // Fetched once access is decided.
        quoted_files: Vec::new(),
        files: Vec::new(),
        received: row.received,
    }
}

/// The id by which an agent can name a quoted message; `None` if it is not known, or of another conversation.
async fn named(shared: &Shared, session: &SessionKey, quote: Option<&Quote>) -> Option<ChatMessageId> {
    let named = shared.store.message_named(session, quote?.message.as_deref()?).await;
    named.inspect_err(|error| tracing::warn!(%error, "a quoted message was not looked up")).ok().flatten()
}

impl<'r> TurnRun<'r> {
    /// The turn as the agent gets it, or its end without the agent.
    pub(super) async fn head(&mut self, stop: &Stop) -> Result<Turn, TurnEnd> {
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
                // One of several messages is refused; the turn continues with the others.
                Err(TurnEnd::Refused(refusal)) if turn.messages.len() > 1 => {
                    self.refuse(row, refusal).await?
                }
                Err(end) => return Err(end),
            }
        }
        if prompt.is_empty() {
            // Every message was refused on its own.
            return Err(TurnEnd::Refused(Refusal::Hook));
        }
        // After the access decision: nothing is fetched for a sender who may not write.
        let files = self.fetched(&rows, stop).await?;
        for prompt in &mut prompt {
            let MessageFiles { own, quoted } = files.get(&prompt.message).cloned().unwrap_or_default();
            (prompt.files, prompt.quoted_files) = (own, quoted);
            prompt.quoted = named(self.shared, &turn.session, prompt.quote.as_ref()).await;
        }
        let context = self.added_context(&prompt).await;
        Ok(Turn { context_messages: self.context_messages(), context, ..self.turn_with(prompt) })
    }

    /// The turn as the agent gets it, with these messages and nothing else of the chat.
    pub(super) fn turn_with(&self, prompt: Vec<Prompt>) -> Turn {
        let turn = self.turn;
        // An attempt that died may have left some.
        self.shared.work.client_tools.call(&turn.session, Vec::new());
        Turn {
            id: turn.claim.id,
            attempt: turn.attempt,
            resumed: turn.attempt > 1,
            session: turn.session.clone(),
            epoch: turn.epoch,
            agent_ref: turn.agent_ref.clone(),
            origin: turn.origin,
            trusted: self.trusted(),
            // What of it holds is decided with the agent.
            options: turn.options.clone(),
            role: self.role.clone(),
            progress_timeout: self.settings.config.turns.progress_timeout(),
            history: Arc::new(Past::before(turn, &self.shared.store)),
            tools: Arc::new(SessionTools { shared: self.shared.clone(), session: turn.session.clone() }),
            prompt,
            context_messages: Vec::new(),
            context: Vec::new(),
        }
    }

    /// Whether the turn answers only admins, in private. The author of a message that runs again need not be one.
    fn trusted(&self) -> bool {
        let turn = self.turn;
        let mut rows = turn.messages.iter().chain(&turn.replayed);
        turn.chat().scope() == Scope::Dm && rows.all(|row| self.still_may(row, Action::Administer))
    }

    /// Whether the sender of one of the turn's messages may still do something in its chat.
    fn still_may(&self, row: &InboundRow, action: Action) -> bool {
        self.shared.still_may_in_turn(&self.settings, self.turn, row, action)
    }

    /// Fetches the files of these messages and transcribes the recordings among them. The chat shows progress meanwhile, and
    /// a turn that is stopped does not wait for them.
    async fn fetched(
        &mut self,
        rows: &[&InboundRow],
        stop: &Stop,
    ) -> Result<HashMap<MessageId, MessageFiles>, TurnEnd> {
        let shared = self.shared.clone();
        let day = self.settings.quota_day(shared.time.wall());
        let fetcher = Fetcher { files: shared.media_files(), adapters: &shared.adapters, day };
        let mut fetch = pin!(async {
            let mut files = fetcher.fetch(rows).await?;
            let transcripts = Transcripts { files: shared.media_files(), transcriber: shared.transcriber() };
            transcripts.add(rows, &mut files).await?;
            Ok::<_, StoreError>(files)
        });
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
                () = stop.cancelled() => return Err(TurnEnd::Cancelled),
                () = shared.process.drain.cancelled() => return Err(TurnEnd::Drained),
                files = &mut fetch => {
                    return files.map_err(|error| TurnEnd::Died(Cause::plain(format!("the stored files could not be read: {error}"))));
                }
                () = alarm => self.flow.step().await,
                () = self.flow.step(), if pending => {}
            }
        }
    }

    /// The prompts of one message: itself, or the messages that a `/retry` runs again. Access of every author involved is
    /// checked again.
    async fn admit(&mut self, row: &'r InboundRow) -> Result<Vec<(&'r InboundRow, Prompt)>, TurnEnd> {
        if !self.still_may(row, Action::Write) {
            return Err(TurnEnd::Refused(Refusal::Revoked));
        }
        if self.is_over_budget(row) {
            return Err(TurnEnd::Refused(Refusal::Budget));
        }
        if self.too_old(row) {
            return Err(TurnEnd::Refused(Refusal::TooOld));
        }
        if row.replays.is_empty() {
            let text = self.received(row).await?;
            return Ok(vec![(row, prompt_of(row, text, None))]);
        }
        self.replayed(row).await
    }

    /// The messages that a `/retry` runs again, each in its author's name. A message whose author may not write any more,
    /// or that a hook drops, is left out; if none is left, the retry is refused.
    async fn replayed(&mut self, retry: &'r InboundRow) -> Result<Vec<(&'r InboundRow, Prompt)>, TurnEnd> {
        let turn: &'r ClaimedTurn = self.turn;
        let (mut prompts, mut refusal) = (Vec::new(), Refusal::AuthorRevoked);
        for row in turn.replayed.iter().filter(|row| retry.replays.contains(&row.id)) {
            if !self.still_may(row, Action::Write) {
                continue;
            }
            match self.received(row).await {
                Ok(text) => prompts.push((row, prompt_of(row, text, Some(retry)))),
                Err(TurnEnd::Refused(dropped)) => refusal = dropped,
                Err(end) => return Err(end),
            }
        }
        if prompts.is_empty() { Err(TurnEnd::Refused(refusal)) } else { Ok(prompts) }
    }

    /// The context messages of senders who may still write.
    fn context_messages(&self) -> Vec<ContextMessage> {
        let turn = self.turn;
        let allowed = |message: &&ContextMessage| {
            self.shared.sender_may_still_write(&self.settings, &turn.session, message)
        };
        turn.context_messages.iter().filter(allowed).cloned().collect()
    }

    /// Whether a message has waited too long. A turn that was begun before is finished in any case.
    fn too_old(&self, row: &InboundRow) -> bool {
        let limit =
            self.settings.config.queue.max_age_minutes.and_then(|minutes| i64::try_from(minutes).ok());
        let Some(limit) = limit.and_then(chrono::Duration::try_minutes) else { return false };
        self.turn.attempt == 1 && self.shared.time.date_for_ages() - row.received > limit
    }

    pub(super) async fn refuse(&mut self, row: &InboundRow, refusal: Refusal) -> Result<(), TurnEnd> {
        let (turn, now) = (self.turn, self.shared.time.wall());
        let notice = self.refusal_notice(refusal, Some(row.id));
        match self.shared.store.message_refused(row.id, turn.claim, refusal, notice, now).await {
            Ok(Fenced::Done(())) => Ok(()),
            Ok(Fenced::Stale) => Err(TurnEnd::Cancelled),
            Err(error) => Err(TurnEnd::Died(Cause::plain(format!("a refusal was not stored: {error}")))),
        }
    }
}
