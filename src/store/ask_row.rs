//! Rows of `ask`: what is stored as JSON, and how a row is read.

use frontdesk_core::address::Principal;
use frontdesk_core::ask::{
    Answerer, AskAnswer, AskChoice, AskEnd, AskKind, AskState, AskView, Audience, ChoiceStyle, PostedAsk,
};
use frontdesk_core::command::{Command, Parsed, QueueRequest, WaitingPlace, parse};
use frontdesk_core::id::{AskId, MessageId, OutId, TurnId};
use frontdesk_core::time::Pause;
use rusqlite::Row;
use serde_json::{Value, json};

use crate::fault::Outcome;
use crate::message::text;
use crate::sql::{Sql, at, maybe_at, parsed, time};

/// The columns that [`ask`] reads, of `ask a`.
macro_rules! ask_columns {
    () => {
        "a.id, a.kind, a.text, a.choices, a.audience, a.key, a.address, a.turn_id, a.created_at, a.deadline_at, \
         a.state, a.answer, a.answered_by, a.answered_name, a.asked_at, a.default_answer, a.out_id, a.message_id, \
         a.commands, a.digest, a.ended_at"
    };
}

/// The question of a row of the outbox as one column, of `outbox o`. A row that is not the question itself closes it. The
/// question itself is shown open if it was shown before it ended: one that is sent later, or again, shows how it ended.
macro_rules! out_ask_columns {
    () => {
        "(SELECT json_array(a.id, a.kind, a.text, json(a.choices), a.deadline_at, json(a.audience), \
                            iif(a.out_id = o.id AND (a.state = 'open' OR o.done_at <= a.ended_at), 'open', a.state), a.answer, a.answered_by, a.answered_name) \
          FROM ask a WHERE a.id = o.ask)"
    };
}

pub(crate) use {ask_columns, out_ask_columns};

/// A question with what only the store needs.
#[derive(Debug, Clone)]
pub(crate) struct AskRow {
    pub(crate) view: AskView,
    /// From the moment it was asked to its deadline, in steady time.
    pub(crate) wait: Pause,
    pub(crate) default: Option<AskAnswer>,
    /// The outbox row of its message.
    pub(crate) out: OutId,
    /// What runs after which choice, with the message that led to the question: the command whose reply it is, or a message of
    /// the turn that has left it.
    pub(crate) runs: Option<(MessageId, Vec<(String, String)>)>,
    pub(crate) digest: String,
}

impl AskRow {
    /// Whether it is a notice about a message that waits, with a choice that drops it and no other.
    pub(crate) fn offers_drop(&self) -> bool {
        let Some((message, commands)) = &self.runs else { return false };
        let drops = |command: &str| match parse(command, None) {
            Parsed::Command(Command::Queue(QueueRequest::Drop(WaitingPlace::Message(id)))) => id == *message,
            _ => false,
        };
        !commands.is_empty() && commands.iter().all(|(_, command)| drops(command))
    }
}

/// A row as [`ask_columns`] names it.
pub(crate) fn ask(row: &Row<'_>) -> rusqlite::Result<AskRow> {
    let kind = kind(row.get_ref(1)?.as_str()?);
    let state = AskState::named(row.get_ref(10)?.as_str()?).unwrap_or(AskState::Cancelled);
    let answer = row.get::<_, Option<String>>(11)?.map(|answer| given(kind, answer));
    let by = row.get::<_, Option<String>>(12)?;
    let led: (Option<i64>, Option<String>) = (row.get(17)?, row.get(18)?);
    Ok(AskRow {
        view: AskView {
            id: AskId(row.get(0)?),
            kind,
            text: row.get(2)?,
            choices: choices(&value(row.get_ref(3)?.as_str()?)),
            audience: audience(&value(row.get_ref(4)?.as_str()?)),
            session: parsed(row, 5)?,
            address: parsed(row, 6)?,
            turn: row.get::<_, Option<i64>>(7)?.map(TurnId),
            created: at(row, 8)?,
            deadline: at(row, 9)?,
            end: end(state, answer, by, row.get(13)?),
            ended: maybe_at(row, 20)?,
            is_menu: kind == AskKind::Choice && led.1.is_some(),
            answer_is_message: led.0.is_some() && led.1.is_none(),
        },
        wait: Pause { since: at(row, 14)?, until: at(row, 9)? },
        default: row.get::<_, Option<String>>(15)?.map(|answer| given(kind, answer)),
        out: OutId(row.get(16)?),
        runs: match led {
            (Some(message), Some(stored)) => Some((MessageId(message), commands(&value(&stored)))),
            _ => None,
        },
        digest: row.get(19)?,
    })
}

/// One row.
pub(crate) fn load(sql: &Sql<'_>, id: AskId) -> Outcome<Option<AskRow>> {
    sql.one(concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.id = ?1"), [id.0], ask)
}

/// The question of an outbox row, as [`out_ask_columns`] names it.
pub(crate) fn posted(json: &str) -> Option<PostedAsk> {
    let value = value(json);
    let column = |n: usize| value.get(n).and_then(Value::as_str);
    let kind = kind(column(1)?);
    let answer = column(7).map(|answer| given(kind, answer.to_owned()));
    let state = AskState::named(column(6)?)?;
    Some(PostedAsk {
        id: AskId(value.get(0)?.as_i64()?),
        kind,
        text: column(2)?.to_owned(),
        choices: choices(value.get(3)?),
        deadline: time(value.get(4)?.as_i64()?),
        audience: audience(value.get(5)?),
        closed: end(state, answer, column(8).map(str::to_owned), column(9).map(str::to_owned)),
    })
}

fn end(
    state: AskState,
    answer: Option<AskAnswer>,
    by: Option<String>,
    name: Option<String>,
) -> Option<AskEnd> {
    let by = by.and_then(|by| by.parse::<Principal>().ok());
    Some(match (state, answer, by) {
        (AskState::Open, ..) => return None,
        (AskState::Answered, Some(answer), Some(id)) => {
            AskEnd::Answered { answer, by: Answerer { id, name } }
        }
        (AskState::Expired, default, _) => AskEnd::Expired { default },
        // An answer that was erased.
        (AskState::Answered | AskState::Cancelled, ..) => AskEnd::Cancelled,
    })
}

/// An answer as it is stored.
pub(crate) fn stored_answer(answer: &AskAnswer) -> &str {
    match answer {
        AskAnswer::Choice(answer) | AskAnswer::Text(answer) => answer,
    }
}

fn given(kind: AskKind, answer: String) -> AskAnswer {
    match kind {
        AskKind::Input => AskAnswer::Text(answer),
        _ => AskAnswer::Choice(answer),
    }
}

/// An unknown kind is a plain choice.
fn kind(name: &str) -> AskKind {
    AskKind::named(name).unwrap_or(AskKind::Choice)
}

/// Choices as they are stored.
pub(crate) fn stored_choices(choices: &[AskChoice]) -> String {
    let list = choices
        .iter()
        .map(|choice| json!({"id": choice.id, "label": choice.label, "style": choice.style.name()}));
    list.collect::<Value>().to_string()
}

fn choices(list: &Value) -> Vec<AskChoice> {
    let read = |choice: &Value| {
        let style = text(choice, "style").and_then(|style| ChoiceStyle::named(&style)).unwrap_or_default();
        Some(AskChoice { id: text(choice, "id")?, label: text(choice, "label")?, style })
    };
    list.as_array().into_iter().flatten().filter_map(read).collect()
}

/// The commands of choices as they are stored.
pub(crate) fn stored_commands(commands: &[(String, String)]) -> String {
    commands.iter().map(|(choice, command)| (choice.clone(), json!(command))).collect::<Value>().to_string()
}

fn commands(stored: &Value) -> Vec<(String, String)> {
    let command = |(choice, command): (&String, &Value)| Some((choice.clone(), command.as_str()?.to_owned()));
    stored.as_object().into_iter().flatten().filter_map(command).collect()
}

/// An audience as it is stored.
pub(crate) fn stored_audience(audience: &Audience) -> String {
    match audience {
        Audience::Admins => json!("admins").to_string(),
        Audience::People(people) => {
            people.iter().map(|person| json!(person.as_str())).collect::<Value>().to_string()
        }
    }
}

fn audience(value: &Value) -> Audience {
    let Some(people) = value.as_array() else { return Audience::Admins };
    Audience::People(people.iter().filter_map(|person| person.as_str()?.parse().ok()).collect())
}

/// Only what the functions above write is stored.
fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::error!(%error, "a stored question cannot be read");
        Value::Null
    })
}
