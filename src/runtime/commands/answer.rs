//! `/answer`: answers a question in writing.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::ask::{Answerer, AskView};
use frontdesk_core::id::AskId;
use frontdesk_core::message::SenderKind;
use frontdesk_core::span;
use frontdesk_core::visible::{quoted, quoted_label};
use frontdesk_store::StoreError;
use frontdesk_store::row::{Answering, CommandEffect, CommandFacts, GivenAnswer, InboundRow, Standing};

use super::Plan;
use crate::shared::Shared;

/// How much of a question is shown, in characters.
const SHOWN: usize = 120;

/// The open questions of the chat.
pub(super) async fn list(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let now = shared.time.wall();
    let open = shared.store.open_asks(Some(&row.session)).await?;
    let lines: Vec<String> = open.iter().map(|ask| line(ask, now)).collect();
    Ok(Plan::say(match lines.is_empty() {
        true => "No question waits for an answer here.".to_owned(),
        false => lines.join("\n"),
    }))
}

/// An open question, with the way to answer it in writing.
pub(super) fn line(ask: &AskView, now: DateTime<Utc>) -> String {
    let left = span::length((ask.deadline - now).max(TimeDelta::zero()));
    let (number, text) = (ask.id.0, quoted(&ask.text, SHOWN));
    let labels = ask.choices.iter().enumerate().map(|(n, choice)| {
        let (n, label) = (n + 1, quoted_label(&choice.label));
        format!("{n} {label}")
    });
    let how = match ask.choices.is_empty() {
        true => format!("`/answer {number} TEXT`"),
        false => format!("`/answer {number} N`: {}", labels.collect::<Vec<_>>().join(", ")),
    };
    format!("Question {number} waits for an answer for another {left}: {text} Answer it with {how}.")
}

pub(super) fn plan(shared: &Shared, row: &InboundRow, ask: AskId, text: String) -> Plan {
    if row.from.kind != SenderKind::Person {
        return Plan::say("Only people can answer questions.");
    }
    let standing = match shared.still_may(&shared.settings(), row, Action::Administer) {
        true => Standing::Admin,
        false => Standing::Person,
    };
    let by = Answerer { id: row.from.id.clone(), name: row.from.name.clone() };
    let answering = Answering { ask, given: GivenAnswer::Typed(text), by, standing };
    Plan::new(CommandEffect::Answer(answering), reply)
}

fn reply(facts: &CommandFacts) -> String {
    match facts {
        CommandFacts::Answered(Ok(answered)) => format!("Your answer: {}", quoted_label(&answered.shown)),
        CommandFacts::Answered(Err(error)) => error.in_chat(),
        _ => "Done.".to_owned(),
    }
}
