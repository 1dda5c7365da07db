//! Falsifications of what was accepted of what was sent (O1, O5).

use super::*;

pub static ALL: &[Falsification] = &[
    ("a message was never acknowledged", "O1: it was never acknowledged", |o| {
        event(o, is_private_message).map(|event| event.accepted = None)
    }),
    ("a telegram message has no row", "O1: Turn expected", |o| remove_row(o, is_private)),
    ("a message of an album has no row", "O1: Turn expected", |o| remove_row(o, is_album)),
    ("a message of an album has two rows", "O1: two rows for one event", |o| {
        let row = row(o, is_album)?.clone();
        add_row(o, row)
    }),
    ("a web message has no row", "O1: Turn expected", |o| remove_row(o, is_web)),
    ("a context message is lost", "O1: Context expected", |o| o.database.context.pop().map(drop)),
    ("dropped events are not counted", "counted", |o| {
        Some(o.database.dropped.retain(|row| !row.kind.starts_with("denied")))
    }),
    ("a row comes from nowhere", "O1: a row that nobody sent", |o| {
        let row = row(o, is_private)?.clone();
        add_row(o, Inbound { event_id: "none".to_owned(), ..row })
    }),
    ("an event has two rows", "O1: two rows for one event", |o| {
        let row = row(o, is_private)?.clone();
        add_row(o, row)
    }),
    ("a message goes to another user's chat", "O1: another author or address", |o| {
        row(o, is_private).map(|row| row.address.push('0'))
    }),
    ("a message goes to another session", "O1: another session", |o| {
        row(o, is_web).map(|row| row.key.push('x'))
    }),
    ("a message was accepted as another one", "O1: accepted as", |o| {
        event(o, |event| event.accepted_as.is_some()).map(|event| event.accepted_as = Some("m0".to_owned()))
    }),
    ("the text of an unknown user is kept", "O1: text of an unknown user", |o| {
        row(o, |row| row.reason.as_deref() == Some("pairing")).map(|row| row.body.push('x'))
    }),
    ("a message is superseded", "O1: superseded, and not an edit", |o| {
        let key = row(o, is_edit_in_place)?.event();
        event(o, |event| event.key() == key).map(|event| event.action = Action::Message)
    }),
    ("an edit in place keeps its text", "O1: superseded, with its text", |o| {
        row(o, is_edit_in_place).map(|row| row.body.push('x'))
    }),
    ("an edit is called unchanged", "O1: it is not the text that was there", |o| {
        row(o, is_edit_in_place).map(|row| row.reason = Some("unchanged".to_owned()))
    }),
    ("an edit replaces another message", "O1: it replaced the text of another message", |o| {
        let edit = row(o, is_edit_in_place)?.clone();
        let journal = o.journal.clone();
        let message = |row: &Inbound| journal.event(&row.event()).map(|event| event.message);
        let is_other = |row: &Inbound| row.key == edit.key && message(row) != message(&edit);
        let other = row(o, |row| row.disposition == "turn" && is_other(row))?.id;
        row(o, is_edit_in_place).map(|row| row.reason = Some(format!("into:m{other}")))
    }),
    ("a pairing code is kept", "O1: a code", |o| {
        row(o, |row| row.body == "********").map(|row| row.body.push('A'))
    }),
    ("another text is stored", "O1: another text", |o| row(o, is_web).map(|row| row.body.push('x'))),
    ("messages are stored in another order", "O5: stored before", |o| {
        let key = event(o, |event| !event.may_be_stored_later() && is_private_message(event))?.key();
        row(o, |row| row.event() == key).map(|row| row.id += FAR)
    }),
    ("an operator's text is posted twice", "O1: send", |o| {
        let part = part(o, |part| part.kind == "send" && part.address == "telegram:1009")?.clone();
        add_part(o, part)
    }),
];
