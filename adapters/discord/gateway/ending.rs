//! The ends of connections and of sessions.

use frontdesk_core::port::AdapterError;

use super::{Connection, Done};
use crate::CHANNEL;
use crate::socket::End;

impl Connection<'_> {
    /// The session is over, and so is what was missed of it: what has arrived is stored now, and the gap is remembered.
    pub(super) async fn lose_session(&mut self) {
        self.session = None;
        while self.pushing {
            match self.work.join_next().await {
                Some(Ok(Done::Pushed(_, Ok(_)))) | None => self.pushing = false,
                Some(Ok(Done::Pushed(_, Err(_)))) => return,
                Some(_) => {}
            }
        }
        let batch = self.waiting.take(&mut self.progress, None);
        self.progress.lose_session();
        let events = batch.map(|batch| batch.events()).unwrap_or_default();
        // If it is not stored, the next connection finds out once more that the session is over.
        if let Err(busy) = self.context.inbox.push(&self.source, events, Some(self.progress.cursor())).await {
            tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "the end of a session was not stored");
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
            4013 | 4014 => AdapterError::Setup(
                "the bot may not read messages: switch on Message Content Intent in the developer portal, Bot, \
                 Privileged Gateway Intents"
                    .to_owned(),
            ),
            4010..=4012 => AdapterError::Setup(format!("Discord refuses this kind of connection ({code} {words})")),
            4007 | 4009 => {
                self.lose_session().await;
                AdapterError::Lost(format!("the session is over ({code} {words})"))
            }
            _ => AdapterError::Lost(format!("the gateway closed the connection ({code} {words})")),
        }
    }
}
