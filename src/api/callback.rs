//! Posts what became of messages to the web servers of programs that did not wait for their answers.
//!
//! A callback is stored before its message's 202 is answered, and posted until the server takes it, also after a restart. It is
//! signed with the hash of the token that asked for it, which only its holder and the gateway know.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use frontdesk_core::port::WebhookFault;
use frontdesk_runtime::{next_attempt, signed_post};
use frontdesk_store::StoreError;
use frontdesk_store::row::{CallbackResult, CallbackRow};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;

use crate::answered;
use crate::error::ApiError;
use crate::server::ServerState;
use crate::token::Caller;

/// The longest URL, in bytes.
const LONGEST_URL: usize = 2000;
/// How often it is looked at least whether messages have ended, while there are callbacks.
const LOOK: Duration = Duration::from_secs(5);
/// Several ends of turns are answered at once.
const TOGETHER: Duration = Duration::from_millis(100);
/// How many are posted at the same time: all together, and of one token.
const MOST: usize = 256;
const MOST_OF_TOKEN: usize = 8;
/// How many are read at once besides those.
const PAGE: u32 = 100;

/// Checks a URL before its message is accepted.
pub(crate) fn check(url: &str) -> Result<(), ApiError> {
    let wrong = |why: &str| Err(ApiError::bad_request(format!("callback: {why}")));
    let Ok(parsed) = url.parse::<Uri>() else { return wrong("this is no URL") };
    let is_http = parsed.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme));
    let Some(authority) = parsed.authority().filter(|authority| is_http && !authority.host().is_empty())
    else {
        return wrong("this begins with https:// or http:// and names a host");
    };
    if authority.as_str().contains('@') {
        return wrong("there is no place for a name or a password; check the signature instead");
    }
    if url.len() > LONGEST_URL {
        return wrong("this is longer than 2,000 bytes");
    }
    Ok(())
}

/// Stores a callback.
pub(crate) async fn add(
    server: &ServerState,
    caller: &Caller,
    message: MessageId,
    url: String,
) -> Result<(), ApiError> {
    server.handle.add_callback(message, url, caller.name().to_owned()).await?;
    server.callbacks.notify_one();
    Ok(())
}

/// Posts callbacks. Never returns.
pub(crate) async fn run(server: Arc<ServerState>) {
    let mut posting = Posting::default();
    loop {
        let next = posting.begin_due(&server).await;
        if let Err(error) = &next {
            tracing::debug!(%error, "callbacks could not be read");
        }
        let mut activity = server.handle.last_activity();
        let is_idle = matches!(next, Ok(None));
        tokio::select! {
            Some(ended) = posting.running.next() => posting.ended(ended),
            () = server.callbacks.notified() => {}
            changed = activity.changed(), if !is_idle => match changed {
                Ok(()) => server.pause(TOGETHER).await,
                Err(_) => server.pause(LOOK).await,
            },
            () = server.pause(LOOK), if !is_idle => {}
        }
    }
}

/// The callbacks that are being posted. A web server that does not answer holds up only those of the same token.
#[derive(Default)]
struct Posting {
    running: FuturesUnordered<BoxFuture<'static, CallbackRow>>,
    messages: HashSet<MessageId>,
    /// How many of each token.
    tokens: HashMap<String, usize>,
}

impl Posting {
    /// Begins with what is due, and returns when the next is.
    async fn begin_due(&mut self, server: &Arc<ServerState>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let store = server.handle.store();
        if self.messages.len() < MOST {
            let full = self.tokens.iter().filter(|(_, count)| **count >= MOST_OF_TOKEN);
            let full = full.map(|(token, _)| token.clone()).collect();
            // Those that are being posted are due until their end is stored.
            let most = u32::try_from(self.messages.len()).unwrap_or(u32::MAX).saturating_add(PAGE);
            for callback in store.callbacks_due(server.clock().wall(), full, most).await? {
                self.begin(server, callback);
            }
        }
        store.next_callback().await
    }

    fn begin(&mut self, server: &Arc<ServerState>, callback: CallbackRow) {
        let of_token = self.tokens.get(&callback.token).copied().unwrap_or_default();
        let is_full = of_token >= MOST_OF_TOKEN || self.messages.len() >= MOST;
        if is_full || !self.messages.insert(callback.message) {
            return;
        }
        self.tokens.insert(callback.token.clone(), of_token + 1);
        let server = server.clone();
        self.running.push(async move { post(&server, callback).await }.boxed());
    }

    fn ended(&mut self, callback: CallbackRow) {
        self.messages.remove(&callback.message);
        if let Entry::Occupied(mut of_token) = self.tokens.entry(callback.token) {
            *of_token.get_mut() -= 1;
            if *of_token.get() == 0 {
                of_token.remove();
            }
        }
    }
}

async fn shown(server: &ServerState, id: MessageId) -> Result<Value, ApiError> {
    let shown = answered::shown(server, answered::row(server, id).await?).await?;
    serde_json::to_value(shown).map_err(|error| {
        tracing::error!(%error, "a callback could not be serialized");
        ApiError::internal()
    })
}

/// Posts a callback once, stores what came of it, and returns it.
async fn post(server: &ServerState, callback: CallbackRow) -> CallbackRow {
    let posted = match (callback.key, shown(server, callback.message).await) {
        (None, _) => Err(WebhookFault::Refused("its token was revoked".to_owned())),
        (Some(_), Err(error)) if error.code != "not_found" => {
            Err(WebhookFault::Later(error.message.into_owned()))
        }
        (Some(_), Err(_)) => Err(WebhookFault::Refused("its message is gone".to_owned())),
        (Some(key), Ok(body)) => {
            let delivery = callback.message.to_string();
            let signed = signed_post(delivery, body.to_string(), hex(&key).as_bytes(), server.clock().wall());
            server.handle.post(&callback.url, signed).await
        }
    };
    let result = result(posted, &callback, server.clock().wall());
    if let CallbackResult::Dead(why) = &result {
        tracing::warn!(message_id = %callback.message, why, "a callback was given up");
    }
    if let Err(error) = server.handle.callback_posted(callback.message, result).await {
        tracing::debug!(%error, "the end of a callback could not be stored; it is posted again");
        server.pause(LOOK).await;
    }
    callback
}

fn result(posted: Result<(), WebhookFault>, callback: &CallbackRow, now: DateTime<Utc>) -> CallbackResult {
    match posted {
        Ok(()) => CallbackResult::Sent,
        Err(WebhookFault::Refused(why)) => CallbackResult::Dead(why),
        Err(WebhookFault::Later(error)) => match next_attempt(callback.tries + 1, callback.created, now) {
            Some(at) => CallbackResult::Later { at, error },
            None => CallbackResult::Dead(format!("{error}, for 24 hours")),
        },
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
