//! Answers to pressed buttons, which turn until they get one.

use futures_util::stream::{FuturesUnordered, StreamExt};
use teloxide_core::payloads::AnswerCallbackQuery;
use teloxide_core::types::CallbackQueryId;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::api::Api;

/// So many wait for their answer; what is more turns until Telegram gives up.
const WAITING: usize = 256;
/// So many are answered at a time.
const AT_A_TIME: usize = 8;

/// The way to the answers.
pub(crate) fn queue() -> (Sender<String>, Receiver<String>) {
    channel(WAITING)
}

/// Answers until it is dropped. An answer that fails is not repeated: it is worth nothing some seconds later.
pub(crate) async fn answer(api: &Api, mut queue: Receiver<String>) {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(id) = queue.recv(), if under_way.len() < AT_A_TIME => under_way.push(one(api, id)),
            Some(()) = under_way.next() => {}
            else => return std::future::pending().await,
        }
    }
}

async fn one(api: &Api, id: String) {
    if let Err(fault) = api.ask(&AnswerCallbackQuery::new(CallbackQueryId(id))).await {
        tracing::debug!(channel = crate::CHANNEL, %fault, "a pressed button was not answered");
    }
}
