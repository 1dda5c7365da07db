//! Long polls: events in, and the offset that acknowledges them.

use std::time::Duration;

use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{Conversation, Cursor, Event, EventKind, FirstLine, SenderKind, Source};
use frontdesk_core::port::{AdapterError, Busy, Inbox, Stop};
use serde::Deserialize;
use serde_json::json;

use crate::pipe::{Cut, Pipe};
use crate::{CHANNEL, Config};

/// How long the platform may hold a poll that has nothing to say.
const WAIT: Duration = Duration::from_millis(1000);
/// How long a batch that was not taken is kept before it is offered again.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Polled {
    events: Vec<Update>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Update {
    id: u64,
    chat: String,
    user: String,
    text: String,
    private: bool,
}

/// Receives until the connection ends.
pub(crate) async fn run(config: &Config, inbox: &dyn Inbox, stop: &Stop) -> Result<(), AdapterError> {
    let source = source(config);
    let mut offset = match inbox.cursor(&source).await.map_err(lost)? {
        Some(Cursor(offset)) => offset.parse::<u64>().map_err(lost)?,
        None => 0,
    };
    let mut pipe = Pipe::open(&config.address).await.map_err(lost)?;
    while !stop.is_cancelled() {
        let question = json!({"op": "poll", "offset": offset, "wait_ms": WAIT.as_millis()});
        let answer = pipe.ask(&question).await.map_err(|cut| match cut {
            Cut::Unasked(error) | Cut::Unanswered(error) => lost(error),
        })?;
        let Polled { events } = serde_json::from_value(answer).map_err(lost)?;
        inbox.heard(&source);
        let Some(next) = events.iter().map(|update| update.id + 1).max() else { continue };
        // The platform may bring old events again; the offset never goes back for them.
        let next = next.max(offset);
        let batch: Vec<Event> = events.into_iter().filter_map(|update| usable(config, update)).collect();
        if !push(inbox, &source, &batch, next, stop).await {
            return Ok(());
        }
        // Only now: the next poll acknowledges everything below.
        offset = next;
    }
    Ok(())
}

/// Offers a batch until it is taken; `false` when it never will be.
async fn push(inbox: &dyn Inbox, source: &Source, batch: &[Event], next: u64, stop: &Stop) -> bool {
    loop {
        let cursor = Some(Cursor(next.to_string()));
        match inbox.push(source, batch.to_vec(), cursor).await {
            Ok(_) => return true,
            Err(Busy::Stopping) => return false,
            Err(busy @ (Busy::Full { .. } | Busy::Storage(_) | Busy::Disconnected)) => {
                tracing::debug!(channel = CHANNEL, %busy, "a batch waits");
                tokio::select! {
                    () = pause() => {}
                    () = stop.cancelled() => return false,
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test platform lives in real time, with the real binary")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

fn usable(config: &Config, update: Update) -> Option<Event> {
    let id = update.id;
    event(config, update)
        .inspect_err(|error| tracing::warn!(channel = CHANNEL, id, %error, "an event without a usable id"))
        .ok()
}

/// An update in our terms.
pub(crate) fn event(config: &Config, update: Update) -> Result<Event, AddressError> {
    let account = config.id();
    let conversation = match update.private {
        true => Conversation::Dm { chat: update.chat.clone(), thread: None },
        false => Conversation::Group { chat: update.chat.clone() },
    };
    Ok(Event {
        id: update.id.to_string(),
        kind: EventKind::Message,
        principal: Principal::at(&account, &update.user)?,
        sender_kind: SenderKind::Person,
        roles: Vec::new(),
        address: Address::at(&account, &update.chat, None)?,
        conversation,
        addressed: true,
        forward: None,
        first_line: FirstLine::Plain,
        text: update.text,
        links: Vec::new(),
        sender: Some(update.user),
        platform_message: None,
        quote: None,
        album: None,
        attachments: Vec::new(),
        sent_at: None,
    })
}

fn source(config: &Config) -> Source {
    Source { id: format!("{CHANNEL}:{}", config.account), account: config.id() }
}

fn lost(error: impl std::fmt::Display) -> AdapterError {
    AdapterError::Lost(error.to_string())
}
