//! The falsifications, at least one for each check of the oracle, in the order of its files.

#![allow(clippy::unit_arg, reason = "each falsification is one expression")]

mod accepted;
mod shown;
mod teams;
mod turns;
mod work;

use std::sync::Arc;

use crate::agent::{AgentRecord, Step};
use crate::database::{Ask, Audit, Grant, Inbound, Part, Turn};
use crate::journal::{Action, Event, Expected};
use crate::observed::{Call, CallKind, MessageId, Observed};

/// What is falsified, a part of the violation that must be found, and how. `None` if there is nothing to falsify.
pub type Falsification = (&'static str, &'static str, fn(&mut Observed) -> Option<()>);

/// A number that nothing has.
const FAR: i64 = 1_000_000_000;
/// The sessions of two web clients.
const W0: &str = "agent:main:web:dm:w0";
const W1: &str = "agent:main:web:dm:w1";

pub fn all() -> impl Iterator<Item = &'static Falsification> {
    [accepted::ALL, turns::ALL, shown::ALL, teams::ALL, work::ALL].into_iter().flatten()
}

pub fn is_private(row: &Inbound) -> bool {
    row.address == "telegram:1001" && row.disposition == "turn" && row.state == "answered"
}

/// A message of an album in a private chat.
pub fn is_album(row: &Inbound) -> bool {
    row.album.is_some()
        && row.address.starts_with("telegram:")
        && !row.address.contains('-')
        && row.state == "answered"
}

pub fn is_web(row: &Inbound) -> bool {
    row.address == "web:w0" && row.disposition == "turn" && row.state == "answered"
}

pub fn is_guests_turn(row: &Inbound) -> bool {
    ["telegram:1101", "telegram:1102"].contains(&row.principal.as_str()) && row.disposition == "turn"
}

pub fn is_edit_in_place(row: &Inbound) -> bool {
    row.reason.as_ref().is_some_and(|reason| reason.starts_with("into:"))
}

/// A message of the user who chooses how messages wait.
pub fn is_queue(row: &Inbound) -> bool {
    row.address == "telegram:1010" && row.disposition == "turn"
}

pub fn is_sent_by_tool(part: &Part) -> bool {
    part.turn_of_tool().is_some() && part.state == "sent"
}

pub fn is_answer(part: &Part) -> bool {
    let is_text = part.kind == "answer" && part.turn_id.is_some() && part.media.is_none();
    part.address == "telegram:1001" && is_text && part.platform_message_id.is_some()
}

pub fn is_web_answer(part: &Part) -> bool {
    part.address == "web:w0" && part.kind == "answer" && part.turn_id.is_some()
}

pub fn is_private_message(event: &Event) -> bool {
    event.place.address == "telegram:1001" && event.action == Action::Message
}

pub fn is_prompt(seen: &AgentRecord) -> bool {
    seen.step == Step::Prompt
}

pub fn is_tool(seen: &AgentRecord) -> bool {
    seen.step == Step::Tool
}

/// Chooses one of the things that could be falsified: the next one with each attempt.
fn candidate<'o, T>(mut all: impl Iterator<Item = &'o mut T>, is: impl Fn(&T) -> bool) -> Option<&'o mut T> {
    all.by_ref().filter(|one| is(one)).nth(super::ATTEMPT.get())
}

pub fn event(o: &mut Observed, is: impl Fn(&Event) -> bool) -> Option<&mut Event> {
    candidate(o.journal.events.iter_mut(), is)
}

pub fn row(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<&mut Inbound> {
    candidate(o.database.inbound.iter_mut(), is)
}

pub fn add_row(o: &mut Observed, row: Inbound) -> Option<()> {
    Some(o.database.inbound.push(Inbound { id: row.id + FAR, ..row }))
}

pub fn remove_row(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<()> {
    let at = o.database.inbound.iter().position(is)?;
    Some(drop(o.database.inbound.remove(at)))
}

/// The turn of the first row that has one and is like this.
pub fn turn(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<&mut Turn> {
    let turn = row(o, |row| row.turn_id.is_some() && is(row))?.turn_id?;
    o.database.turns.get_mut(&turn)
}

pub fn part(o: &mut Observed, is: impl Fn(&Part) -> bool) -> Option<&mut Part> {
    candidate(o.database.parts.iter_mut(), is)
}

/// The messages that show an album which was sent, in order.
pub fn shown_album(o: &Observed) -> Option<Vec<MessageId>> {
    let is_shown = |part: &&Part| part.state == "sent" && !o.unread_files.contains(&part.address);
    let parts = || o.database.parts.iter().filter(is_shown).filter(|part| part.turn_id.is_some());
    let album = parts().find(|part| part.album.is_some_and(|first| first != part.id))?.album;
    let parts = parts().filter(|part| part.album == album);
    parts.map(|part| Some((part.address.clone(), part.message()?.clone()))).collect()
}

pub fn add_part(o: &mut Observed, part: Part) -> Option<()> {
    Some(o.database.parts.push(Part { id: part.id + FAR, ..part }))
}

pub fn audit<'o>(o: &'o mut Observed, action: &str) -> Option<&'o mut Audit> {
    o.database.audit.iter_mut().find(|line| line.action == action && line.outcome == "done")
}

pub fn grant(o: &mut Observed, is: impl Fn(&Grant) -> bool) -> Option<&mut Grant> {
    o.database.grants.iter_mut().find(|grant| is(grant))
}

pub fn seen(o: &mut Observed, is: impl Fn(&AgentRecord) -> bool) -> Option<&mut AgentRecord> {
    o.agents.iter_mut().find(|seen| is(seen))
}

pub fn call(o: &mut Observed, is: impl Fn(&Call) -> bool) -> Option<&mut Call> {
    o.calls.iter_mut().find(|call| is(call)).map(Arc::make_mut)
}
