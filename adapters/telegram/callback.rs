//! Answers callback queries. Until one is answered, the client shows a spinner on the button.

use std::convert::Infallible;

use futures_util::stream::{FuturesUnordered, StreamExt};
use teloxide_core::payloads::AnswerCallbackQuery;
use teloxide_core::types::CallbackQueryId;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::api::Api;

/// The maximum number of queries that wait for their answer. Telegram gives further ones up by itself.
const WAITING: usize = 256;
/// The maximum number of queries that are answered at the same time.
const AT_A_TIME: usize = 8;

/// The sender of the queue of callback queries.
pub(crate) struct CallbackQueue(Sender<String>);

impl CallbackQueue {
    /// Queues a callback query for an answer, unless the queue is full.
    pub(crate) fn report(&self, id: String) {
        if self.0.try_send(id).is_err() {
            tracing::debug!(channel = crate::CHANNEL, "the queue of callback queries is full");
        }
    }
}

/// Creates the queue.
pub(crate) fn queue() -> (CallbackQueue, Receiver<String>) {
    let (callback_queue, queue) = channel(WAITING);
    (CallbackQueue(callback_queue), queue)
}

/// Answers callback queries until it is dropped. A failed answer is not repeated, because it is useless some seconds
/// later.
pub(crate) async fn answer(api: &Api, mut queue: Receiver<String>) -> Infallible {
    let mut pending = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(id) = queue.recv(), if pending.len() < AT_A_TIME => pending.push(one(api, id)),
            Some(()) = pending.next() => {}
            else => return std::future::pending().await,
        }
    }
}

async fn one(api: &Api, id: String) {
    if let Err(fault) = api.invoke(&AnswerCallbackQuery::new(CallbackQueryId(id))).await {
        tracing::debug!(channel = crate::CHANNEL, %fault, "a callback query was not answered");
    }
}
