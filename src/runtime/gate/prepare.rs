//! Reads and writes that the gate needs before it can decide about a batch.

use std::collections::{HashMap, HashSet};

use frontdesk_core::access::{Action, Decision};
use frontdesk_core::address::Address;
use frontdesk_core::ask::{self, AskError, AskView};
use frontdesk_core::message::{Event, EventKind};
use frontdesk_core::port::Busy;

use super::first_id;
use crate::settings::Settings;
use crate::shared::Shared;

/// Stores new ids of chats first, so that later events of the batch find their session, and looks up the messages that
/// reactions refer to. Returns the events that answer a question in writing, by their place in the batch.
pub(super) async fn all(
    shared: &Shared,
    settings: &Settings,
    batch: &mut [Event],
) -> Result<HashMap<usize, TypedAnswer>, Busy> {
    let (mut moved, mut answers) = (HashSet::new(), HashMap::new());
    for (n, event) in batch.iter_mut().enumerate() {
        match &event.kind {
            EventKind::Moved { to } => {
                let Ok(to) = Address::at(event.address.account(), to, None) else { continue };
                let from = event.address.without_thread();
                if from != to && moved.insert(to.clone()) {
                    let stored = shared.chat_moved(&from, &to).await;
                    stored.map_err(|error| Busy::Storage(error.to_string()))?;
                }
            }
            EventKind::Reaction { target, .. }
                if event.quote.is_none() && may_write(shared, settings, event) =>
            {
                let quote = shared.store.quote_of(&event.address.without_thread(), target).await;
                event.quote = quote.map_err(|error| Busy::Storage(error.to_string()))?;
            }
            EventKind::Message if may_answer(event) && may_write(shared, settings, event) => {
                if let Some(answer) = typed(shared, event).await? {
                    answers.insert(n, answer);
                }
            }
            _ => {}
        }
    }
    Ok(answers)
}

/// A reply to a question that answers it: the command that gives the same answer.
pub(super) struct TypedAnswer(pub(super) String);

/// Whether a message can be an answer to a question: a reply to a message of the bot, written by its sender.
fn may_answer(event: &Event) -> bool {
    event.quote.as_ref().is_some_and(|quote| quote.ours && quote.message.is_some())
        && event.forward.is_none()
        && event.attachments.is_empty()
        && !event.text.trim_start().starts_with('/')
}

/// A reply that is no answer to the question, or a reply to any other message, is a message for the agent.
async fn typed(shared: &Shared, event: &Event) -> Result<Option<TypedAnswer>, Busy> {
    let Some(target) = event.quote.as_ref().and_then(|quote| quote.message.as_deref()) else {
        return Ok(None);
    };
    let asked = shared.store.ask_in(&event.address, target).await;
    let asked = asked.map_err(|error| Busy::Storage(error.to_string()))?;
    let is_answer = |ask: &AskView| {
        // A text that nobody can see is refused as an answer: the agent could not read it either.
        matches!(ask::read(ask.kind, &ask.choices, &event.text), Ok(_) | Err(AskError::NoText))
    };
    let text = event.text.trim();
    Ok(asked.filter(is_answer).map(|ask| TypedAnswer(format!("/answer {} {text}", ask.id))))
}

/// Whether the sender may write. For others nothing is read from the database.
fn may_write(shared: &Shared, settings: &Settings, event: &Event) -> bool {
    shared.authorize_event(settings, event, &first_id(shared, event), Action::Write) == Decision::Allow
}
