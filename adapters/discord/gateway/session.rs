//! The beginning of a session, and the gap before it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::message::Event;
use frontdesk_core::port::AdapterError;
use frontdesk_kit::json::Fields;

use super::batch::Batch;
use super::{Connection, Done};
use crate::CHANNEL;
use crate::history::Missed;
use crate::inbound::ParsedDispatch;
use crate::progress::Session;

impl Connection<'_> {
    pub(super) fn ready(&mut self, data: Option<&Fields<'_>>, seq: u64) -> Result<(), AdapterError> {
        let text = |name: &str| data.and_then(|data| data.maybe::<String>(name));
        let (Some(id), Some(url)) = (text("session_id"), text("resume_gateway_url")) else {
            return Err(AdapterError::Lost("Discord names no session".to_owned()));
        };
        self.session = Some(Session { id, url, seq });
        self.waiting.add_first(self.context.received.take(), seq);
        self.begun();
        self.store_session();
        Ok(())
    }

    /// Stores a new session at once, also while a gap is open, so that the next process takes it up if this one dies:
    /// commands that the session has delivered can be had nowhere else.
    fn store_session(&mut self) {
        if self.pushing.is_some() {
            return self.waiting.store_now();
        }
        self.progress.session.clone_from(&self.session);
        self.hand_in(Arc::new(Batch::position(&self.progress)), Duration::ZERO);
    }

    /// The session has begun, or goes on.
    pub(super) fn begun(&mut self) {
        let context = self.context.clone();
        tracing::info!(channel = CHANNEL, account = %context.bot.account, bot = context.bot.id, "connected");
        context.failed.reset();
        self.confirm_by = None;
        context.inbox.heard(&self.source);
        let (rest, bot, interactions) =
            (context.rest.clone(), context.bot.clone(), context.interactions.clone());
        let commands = context.account.settings.commands;
        self.work.spawn(async move {
            match commands {
                true => crate::commands::register(&rest, &interactions, &bot.account).await,
                // Buttons need it as well.
                false => drop(interactions.application(&rest).await),
            }
            Done::Aside
        });
        self.read_gap();
    }

    /// Reads what is missing, if something is. What a session delivers is newer, and waits until then.
    pub(super) fn read_gap(&mut self) {
        if let Some(mark) = self.progress.gap.filter(|_| !self.reading) {
            self.reading = true;
            let (context, source, first) = (self.context.clone(), self.source.clone(), self.first.clone());
            let missed = Missed { context, source, mark, first, refused: Mutex::default() };
            self.work.spawn(async move { Done::Read(missed.read().await) });
        }
    }

    /// The gap has been read. Its messages are stored, except `left`: those are newer than what this connection has delivered,
    /// and are stored after it.
    pub(super) fn close_gap(&mut self, left: Vec<Event>) {
        (self.reading, self.progress.gap) = (false, None);
        let seq = self.session.as_ref().map(|session| session.seq).unwrap_or_default();
        for event in left {
            self.waiting.add(Some(ParsedDispatch { event, interaction: None }), seq);
        }
    }

    /// Remembers the lowest id of what is delivered.
    pub(super) fn delivers(&self, name: &str, fields: &Fields<'_>) {
        let is_new = matches!(name, "MESSAGE_CREATE" | "INTERACTION_CREATE");
        if let Some(id) = fields.maybe::<String>("id").filter(|_| is_new).and_then(|id| id.parse().ok()) {
            self.first.fetch_min(id, Ordering::Relaxed);
        }
    }
}
