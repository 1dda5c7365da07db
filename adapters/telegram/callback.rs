//! Answers callback queries. Until one is answered, the client shows a spinner on the button.

use std::convert::Infallible;

use frontdesk_core::message::Outcome;
use futures_util::stream::{FuturesUnordered, StreamExt};
use teloxide_core::payloads::AnswerCallbackQuery;
use teloxide_core::types::CallbackQueryId;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::api::Api;

/// The maximum number of queries that wait for their answer. Telegram gives further ones up by itself.
const WAITING: usize = 256;
/// The maximum number of queries that are answered at the same time.
const AT_A_TIME: usize = 8;

/// The longest text of an answer that Telegram takes, in UTF-16 units.
const LONGEST_TEXT: usize = 200;

/// The answer to a callback query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallbackAnswer {
    id: String,
    /// Shown to the person who pressed, and to nobody else.
    text: Option<String>,
    /// Whether the text stays until the person closes it.
    alert: bool,
}

impl CallbackAnswer {
    /// The answer to a query with this id, whose event had this outcome. A refusal is an alert, because a person who
    /// looks away for two seconds would miss it otherwise.
    pub(crate) fn new(id: String, outcome: Option<&Outcome>) -> Self {
        let text = outcome.and_then(Outcome::private_sentence).map(shortened);
        Self {
            id,
            text,
            alert: matches!(outcome, Some(Outcome::NotAnswered { .. } | Outcome::Refused { .. })),
        }
    }
}

fn shortened(mut text: String) -> String {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > LONGEST_TEXT
    });
    if let Some((end, _)) = end {
        text.truncate(end);
    }
    text
}

/// The sender of the queue of answers to callback queries.
pub(crate) struct CallbackQueue(Sender<CallbackAnswer>);

impl CallbackQueue {
    /// Queues an answer, unless the queue is full.
    pub(crate) fn report(&self, answer: CallbackAnswer) {
        if self.0.try_send(answer).is_err() {
            tracing::debug!(channel = crate::CHANNEL, "the queue of callback queries is full");
        }
    }
}

/// Creates the queue.
pub(crate) fn queue() -> (CallbackQueue, Receiver<CallbackAnswer>) {
    let (callback_queue, queue) = channel(WAITING);
    (CallbackQueue(callback_queue), queue)
}

/// Answers callback queries until it is dropped. A failed answer is not repeated, because it is useless some seconds
/// later.
pub(crate) async fn answer(api: &Api, mut queue: Receiver<CallbackAnswer>) -> Infallible {
    let mut pending = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(answer) = queue.recv(), if pending.len() < AT_A_TIME => pending.push(one(api, answer)),
            Some(()) = pending.next() => {}
            else => return std::future::pending().await,
        }
    }
}

async fn one(api: &Api, answer: CallbackAnswer) {
    let mut query = AnswerCallbackQuery::new(CallbackQueryId(answer.id));
    query.text = answer.text;
    query.show_alert = answer.alert.then_some(true);
    if let Err(fault) = api.invoke(&query).await {
        tracing::debug!(channel = crate::CHANNEL, %fault, "a callback query was not answered");
    }
}
