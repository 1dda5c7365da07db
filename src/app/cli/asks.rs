//! `frontdesk asks`: questions that wait for a person.

use clap::{Args, Subcommand};
use frontdesk_core::id::{AskId, IdError};
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key};
use super::list::OrList;
use super::{Done, Failure, Remote, field, screen, table};

/// What follows `frontdesk asks`.
pub type AsksArgs = OrList<What, ListArgs>;

#[derive(Subcommand)]
pub enum What {
    /// List questions, newest first; only open ones unless --state names others
    List(ListArgs),
    /// Answer a question: with the number, the id or the label of a choice, or with a text
    #[command(after_help = "Examples:\n  frontdesk asks answer a7 1\n  frontdesk asks answer a7 allow\n  \
                            frontdesk asks answer a8 \"Call it Amsel.\"")]
    Answer(AnswerArgs),
}

/// The states of a question, and all of them.
const STATES: [&str; 5] = ["open", "answered", "expired", "cancelled", "all"];

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    remote: Remote,
    /// Only questions in this state
    #[arg(long, value_parser = STATES, default_value = "open")]
    state: String,
}

#[derive(Args)]
pub struct AnswerArgs {
    #[command(flatten)]
    remote: Remote,
    /// The question's id, as shown in the list, or its number, as chats show it
    #[arg(value_parser = id)]
    id: AskId,
    /// The number, the id or the label of a choice; a text if the question asks for one
    #[arg(value_name = "CHOICE|TEXT", allow_hyphen_values = true, value_parser = client::text)]
    answer: String,
}

/// An id: `a7`, or `7`.
fn id(text: &str) -> Result<AskId, IdError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("a{text}").parse() } else { text.parse() }
}

pub async fn asks(args: AsksArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Answer(args)) => answer(args).await,
    }
}

async fn list(args: ListArgs) -> Done {
    let asks = all(&Client::find(&args.remote)?, &args.state).await?;
    if args.remote.json {
        return screen::json(&json!({"asks": asks}));
    }
    let rows = asks.iter().map(row).collect();
    let empty = match args.state.as_str() {
        "open" => "There are no open questions.".to_owned(),
        "all" => "There are no questions.".to_owned(),
        state => format!("There are no questions in the state {state}."),
    };
    table::print(&["ID", "TO", "STATE", "UNTIL OR ENDED", "QUESTION", "ANSWERS"], rows, &empty)
}

/// All questions in a state, the newest first. The gateway lists them in pages.
async fn all(client: &Client, state: &str) -> Result<Vec<Value>, Failure> {
    let (mut asks, mut before) = (Vec::new(), String::new());
    loop {
        let from = if before.is_empty() { String::new() } else { format!("&before={before}") };
        let page = client.get(&format!("/api/asks?state={state}{from}")).await?;
        asks.extend_from_slice(field::list(&page, "asks"));
        before = field::text(&page, "next");
        if before.is_empty() {
            return Ok(asks);
        }
    }
}

fn row(ask: &Value) -> Vec<String> {
    let is_open = field::text(ask, "state") == "open";
    let by = screen::one_line(&answerer(ask));
    vec![
        field::text(ask, "id"),
        field::text(ask, "to"),
        field::text(ask, "state"),
        field::ago(ask, if is_open { "deadline" } else { "ended" }),
        screen::brief(&field::text(ask, "text"), 60),
        if by.is_empty() { answers(ask) } else { format!("{} ({by})", answers(ask)) },
    ]
}

/// Who has answered a question: their name, or their id where it is not known. Empty if nobody has.
pub fn answerer(closed: &Value) -> String {
    let named = ["by_name", "by"].map(|name| field::text(closed, name));
    named.into_iter().find(|by| !by.is_empty()).unwrap_or_default()
}

/// The answer of a closed question; of an open one, the choices with the numbers by which they are chosen.
fn answers(ask: &Value) -> String {
    let choices = field::list(ask, "choices");
    if field::text(ask, "state") != "open" {
        let chosen = choices.iter().find(|choice| choice["id"] == ask["choice"]);
        return screen::brief(
            &chosen.map_or_else(|| field::text(ask, "answer"), |choice| field::text(choice, "label")),
            40,
        );
    }
    if choices.is_empty() {
        return "a text".to_owned();
    }
    let numbered = (1..)
        .zip(choices)
        .map(|(n, choice)| format!("{n} {}", screen::one_line(&field::text(choice, "label"))));
    numbered.collect::<Vec<_>>().join(", ")
}

async fn answer(args: AnswerArgs) -> Done {
    let closed = send(&Client::find(&args.remote)?, &args.id.to_string(), &args.answer).await?;
    args.remote.say(&closed, format!("{} is answered: {}", args.id, answers(&closed)))
}

/// Sends an answer as a person types it, and returns the closed question.
pub async fn send(client: &Client, id: &str, text: &str) -> Result<Value, Failure> {
    client.post(&format!("/api/asks/{id}"), &json!({"text": text}), &fresh_key()?).await
}
