//! From the client's lines to events. Pure, so that it can be tested without a socket.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{
    Conversation, Event, EventKind, FirstLine, Outcome, Sender, SenderKind, Source,
};

use crate::line::is_group;

/// The stream of events of an account.
pub(crate) fn source(account: &AccountId) -> Source {
    Source { id: format!("tcp:{}", account.name()), account: account.clone() }
}

/// The event of a message that a client has sent.
pub(crate) fn message(
    account: &AccountId,
    person: &str,
    chat: &str,
    id: &str,
    text: &str,
) -> Result<Event, AddressError> {
    let mut event = event(account, person, chat, id, EventKind::Message)?;
    // In a group the bot is called by its name.
    let called = text.strip_prefix("bot: ");
    event.addressed = event.conversation.is_private() || called.is_some() || text.starts_with('/');
    event.first_line = FirstLine::Plain;
    event.text = called.unwrap_or(text).to_owned();
    // An answer names the message by the id that the client gave it.
    event.platform_message = Some(id.to_owned());
    Ok(event)
}

/// A button that somebody pressed.
pub(crate) fn press(
    account: &AccountId,
    person: &str,
    chat: &str,
    id: &str,
    data: &str,
) -> Result<Event, AddressError> {
    let mut event = event(account, person, chat, id, EventKind::Button { target: None })?;
    event.addressed = true;
    event.text = data.to_owned();
    Ok(event)
}

fn event(
    account: &AccountId,
    person: &str,
    chat: &str,
    id: &str,
    kind: EventKind,
) -> Result<Event, AddressError> {
    let from = Sender::new(Principal::at(account, person)?, SenderKind::Person);
    let (chat, conversation) = match is_group(chat) {
        true => (chat, Conversation::Group { chat: chat.to_owned() }),
        false => (person, Conversation::Dm { chat: person.to_owned(), thread: None }),
    };
    // The ids of two people may be equal, so the person is part of the event's id.
    Ok(Event::new(format!("{person}/{id}"), kind, from, Address::at(account, chat, None)?, conversation))
}

/// The line that answers what somebody said, after it was stored.
pub(crate) fn acknowledgement(id: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Denied => format!("NO {id} you may not write here"),
        Outcome::Conflict { .. } => format!("NO {id} another message had this id"),
        outcome => match outcome.private_sentence() {
            Some(sentence) => format!("OK {id} {sentence}"),
            None => format!("OK {id}"),
        },
    }
}
