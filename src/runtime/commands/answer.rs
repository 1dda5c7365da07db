//! `/answer`: answers a question in writing.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::ask::{Answerer, AskView, by_command};
use frontdesk_core::command::WrittenAnswer;
use frontdesk_core::id::AskId;
use frontdesk_core::message::SenderKind;
use frontdesk_core::span;
use frontdesk_core::visible::{quoted, quoted_label};
use frontdesk_store::StoreError;
use frontdesk_store::row::{Answering, CommandEffect, CommandFacts, GivenAnswer, InboundRow, Standing};

use super::Plan;
use crate::open_questions;
use crate::shared::Shared;

/// How much of a question is shown, in characters.
const SHOWN: usize = 120;

/// The open questions of the chat.
pub(super) async fn list(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let now = shared.time.now().steady;
    let open = shared.store.open_asks_in_chat(&row.session).await?;
    let lines: Vec<String> = open.iter().filter(|ask| !ask.is_menu).map(|ask| line(ask, now)).collect();
    Ok(Plan::say(match lines.is_empty() {
        true => "There are no open questions in this chat.".to_owned(),
        false => lines.join("\n"),
    }))
}

/// An open question, with the way to answer it in writing. `now` is steady time, like its deadline.
pub(super) fn line(ask: &AskView, now: DateTime<Utc>) -> String {
    let left = span::length((ask.deadline - now).max(TimeDelta::zero()));
    let (number, text) = (ask.id.0, quoted(&ask.text, SHOWN));
    let how = by_command(ask.id, &ask.choices);
    format!("Question {number} waits for an answer for another {left}: {text} Answer it with {how}.")
}

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    WrittenAnswer { ask, text }: WrittenAnswer,
) -> Result<Plan, StoreError> {
    if row.from.kind != SenderKind::Person {
        return Ok(Plan::say("Only people can answer questions."));
    }
    let settings = shared.settings();
    let standing = match shared.still_may(&settings, row, Action::Administer) {
        true => Standing::Admin,
        false => Standing::Person,
    };
    let by = Answerer { id: row.from.id.clone(), name: row.from.name.clone() };
    let ask = match ask {
        Some(ask) => ask,
        None => {
            let open = open_questions::of(shared, &row.session, &by.id, standing).await?;
            match only(shared, &open, &text) {
                Ok(ask) => ask,
                Err(reply) => return Ok(Plan::say(reply)),
            }
        }
    };
    let elsewhere = shared.store.ask(ask).await?.map(|ask| ask.session);
    let elsewhere = elsewhere.filter(|session| shared.person_may(&settings, session, &by.id, Action::Write));
    // Without the right to write in the question's chat it can be answered only here.
    let place = elsewhere.or_else(|| Some(row.session.clone()));
    let answering = Answering { ask, given: GivenAnswer::Typed(text), by, standing, place, under: None };
    Ok(Plan::new(CommandEffect::Answer(answering), reply))
}

/// The only one of these questions, or a reply that asks which one is meant.
fn only(shared: &Shared, open: &[AskView], text: &str) -> Result<AskId, String> {
    let now = shared.time.now().steady;
    match open {
        [] => Err("There are no open questions for you in this chat.".to_owned()),
        [ask] if open_questions::is_only_its_number(ask, text) => Err(line(ask, now)),
        [ask] => Ok(ask.id),
        several => {
            let lines: Vec<String> = several.iter().map(|ask| line(ask, now)).collect();
            Err(format!("Which question do you want to answer?\n{}", lines.join("\n")))
        }
    }
}

fn reply(facts: &CommandFacts) -> String {
    match facts {
        CommandFacts::Answered(Ok(answered)) => format!("Your answer: {}", quoted_label(&answered.shown)),
        CommandFacts::Answered(Err(error)) => error.in_chat(),
        _ => "Done.".to_owned(),
    }
}
