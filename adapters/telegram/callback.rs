//! Answers to pressed buttons, which turn until they get one.

use std::convert::Infallible;

use futures_util::stream::{FuturesUnordered, StreamExt};
use teloxide_core::payloads::AnswerCallbackQuery;
use teloxide_core::types::CallbackQueryId;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::api::Api;

/// So many wait for their answer; what is more turns until Telegram gives up.
const WAITING: usize = 256;
/// So many are answered at a time.
const AT_A_TIME: usize = 8;

/// Where a pressed button is reported.
pub(crate) struct Pressed(Sender<String>);

impl Pressed {
    /// Has a button answered, unless too many wait.
    pub(crate) fn report(&self, id: String) {
        if self.0.try_send(id).is_err() {
            tracing::debug!(channel = crate::CHANNEL, "too many buttons wait for an answer");
        }
    }
}

/// The way to the answers.
pub(crate) fn queue() -> (Pressed, Receiver<String>) {
    let (pressed, queue) = channel(WAITING);
    (Pressed(pressed), queue)
}

/// Answers until it is dropped. An answer that fails is not repeated: it is worth nothing some seconds later.
pub(crate) async fn answer(api: &Api, mut queue: Receiver<String>) -> Infallible {
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
