//! The ends of connections and of sessions.

use std::time::Duration;

use frontdesk_core::port::AdapterError;

use super::{Connection, Done};
use crate::CHANNEL;
use crate::socket::End;

/// The most time that storing takes when a connection ends.
const LAST: Duration = Duration::from_secs(2);

impl Connection<'_> {
    /// The session is over. Stores what has arrived, and from where messages are missing.
    pub(super) async fn lose_session(&mut self) {
        self.session = None;
        self.waiting.add_first(self.context.received.take(), 0);
        // What waits is newer than what was missed before, and is stored after it.
        if !self.waiting.is_empty() {
            self.read_gap();
        }
        while self.pushing.is_some() || self.reading && !self.waiting.is_empty() {
            match self.work.join_next().await {
                Some(Ok(Done::Pushed(_, Ok(_)))) => self.pushing = None,
                // The next connection finds out once more that the session is over, and gets the batch.
                Some(Ok(Done::Pushed(_, Err(_)))) => return,
                Some(Ok(Done::Read(Ok(left)))) => self.close_gap(left),
                Some(Ok(Done::Read(Err(_)))) => {
                    // The next connection reads it with the rest of the gap.
                    let mark = self.progress.gap.unwrap_or_default();
                    self.waiting.drop_missed_messages(mark);
                    self.context.received.add(self.waiting.take_missed_edits(mark));
                    self.reading = false;
                }
                None => (self.pushing, self.reading) = (None, false),
                Some(_) => {}
            }
        }
        let (mut events, mut dispatches) = (Vec::new(), Vec::new());
        while let Some(batch) = self.waiting.take(&mut self.progress, None, self.lookups.lowest()) {
            events.extend(batch.events());
            dispatches.extend_from_slice(batch.dispatches());
        }
        self.progress.lose_session();
        if let Err(busy) = self.context.inbox.push(&self.source, events, Some(self.progress.cursor())).await {
            tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "the end of a session was not stored");
            self.context.received.add(dispatches);
        }
    }

    /// Stores what has arrived when a connection ends: if the session cannot be taken up again, nobody brings it once more. While
    /// older messages are missing, it is kept for the next connection, except messages that are found in the history as well.
    pub(super) async fn finish(&mut self) {
        let timer = self.context.timer.clone();
        tokio::select! {
            () = self.store_all() => {}
            () = timer.pause(LAST) => {}
        }
        if let Some(mark) = self.progress.gap {
            self.waiting.drop_missed_messages(mark);
        }
        if let Some(batch) = self.pushing.take() {
            self.context.received.add(batch.dispatches().to_vec());
        }
        self.context.received.add(self.waiting.take_all());
    }

    async fn store_all(&mut self) {
        loop {
            self.push();
            let done = match self.pushing {
                Some(_) => self.work.join_next().await,
                None => return,
            };
            // What else is wrong ends the next connection as well.
            let Some(Ok(done)) = done else { return };
            if let Err(error) = self.done(done).await {
                tracing::debug!(channel = CHANNEL, account = %self.source.account, %error, "at the end of a connection");
            }
        }
    }

    /// What the end of a connection means.
    pub(super) async fn ended(&mut self, end: End) -> AdapterError {
        let (code, words) = match end {
            End::Broken(words) => return AdapterError::Lost(words),
            End::Closed(code, words) => (code, self.context.rest.clean(&words)),
        };
        match code {
            4004 => AdapterError::Credentials(
                "Discord does not know this token: get it from the developer portal, Bot, Reset Token, and write it into \
                 the configuration"
                    .to_owned(),
            ),
            4014 => AdapterError::Setup(
                "the bot may not read messages: switch on Message Content Intent in the developer portal, Bot, \
                 Privileged Gateway Intents"
                    .to_owned(),
            ),
            4011 => AdapterError::Setup(
                "the bot is in so many servers that Discord wants its connection split into shards, which Frontdesk does not \
                 do: remove the bot from servers, in Discord: the server's settings, Integrations, the bot, Remove App"
                    .to_owned(),
            ),
            4010 | 4012 | 4013 => AdapterError::Setup(format!(
                "Discord does not accept connections of this version of Frontdesk ({code} {words}): install a newer one; if \
                 there is none, look in the developer portal, General Information, whether the application is still in order"
            )),
            4007 | 4009 => {
                self.lose_session().await;
                AdapterError::Lost(format!("Discord has ended the session ({code} {words}); missed messages are read from the channels' histories"))
            }
            _ => AdapterError::Lost(format!("Discord closed the connection ({code} {words})")),
        }
    }
}
