//! Questions to people, as JSON: the same fields in frames and in lists.

use frontdesk_core::ask::{
    AskAnswer, AskChoice, AskEnd, AskKind, AskState, AskView, Audience, ChoiceStyle, PostedAsk,
};
use frontdesk_core::markup::{self, Node};
use schemars::JsonSchema;
use serde::Serialize;

use crate::show::{Timestamp, escaped, maybe};

/// An open question, as a frame.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Question {
    #[schemars(extend("enum" = AskKind::ALL.map(AskKind::name)))]
    kind: &'static str,
    /// In Markdown.
    text: String,
    /// The text as a tree, if it is more than one plain paragraph.
    #[serde(skip_serializing_if = "Option::is_none")]
    markup: Option<Vec<Node>>,
    /// Its choices; none for free text.
    choices: Vec<Choice>,
    deadline: Timestamp,
    /// Whether the reader may answer it.
    may_answer: bool,
}

/// A choice of a question.
#[derive(Debug, Serialize, JsonSchema)]
struct Choice {
    id: String,
    label: String,
    #[schemars(extend("enum" = ChoiceStyle::ALL.map(ChoiceStyle::name)))]
    style: &'static str,
}

impl Question {
    pub(crate) fn new(ask: &PostedAsk, may_answer: bool) -> Self {
        Self {
            kind: ask.kind.name(),
            text: ask.text.clone(),
            markup: markup::tree(&ask.text),
            choices: choices(&ask.choices),
            deadline: ask.deadline.into(),
            may_answer,
        }
    }
}

/// How a question has ended: its state, the answer that takes effect, and who gave it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AskEnding {
    #[schemars(extend("enum" = AskState::ALL.map(AskState::name)))]
    state: &'static str,
    /// The id of the choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<String>,
    /// The answer in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_name: Option<String>,
}

impl AskEnding {
    pub(crate) fn new(end: &AskEnd) -> Self {
        let (choice, answer) = match end.answer() {
            Some(AskAnswer::Choice(id)) => (Some(id.clone()), None),
            Some(AskAnswer::Text(text)) => (None, Some(text.clone())),
            None => (None, None),
        };
        let by = match end {
            AskEnd::Answered { by, .. } => Some(by),
            _ => None,
        };
        Self {
            state: end.state().name(),
            choice,
            answer,
            by: by.map(|by| by.id.as_str().to_owned()),
            by_name: by.and_then(|by| by.name.as_deref()).map(escaped),
        }
    }

    /// The state of a question at this moment.
    pub(crate) fn of(view: &AskView) -> Self {
        let open =
            || Self { state: AskState::Open.name(), choice: None, answer: None, by: None, by_name: None };
        view.end.as_ref().map_or_else(open, Self::new)
    }
}

/// A question in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ask {
    /// For example `a3`.
    id: String,
    session: String,
    /// The address of the chat in which it is asked.
    to: String,
    /// The turn that asks; null if it is the reply to a command.
    turn: Option<String>,
    #[schemars(extend("enum" = AskKind::ALL.map(AskKind::name)))]
    kind: &'static str,
    /// In Markdown.
    text: String,
    choices: Vec<Choice>,
    audience: AskAudience,
    /// Whether the reader may answer it.
    may_answer: bool,
    #[serde(flatten)]
    end: AskEnding,
    created: Timestamp,
    deadline: Timestamp,
    /// When it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
}

/// Who may answer: `admins`, or these people.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum AskAudience {
    Admins(#[schemars(extend("enum" = ["admins"]))] &'static str),
    People(Vec<String>),
}

impl Ask {
    pub(crate) fn new(view: &AskView, may_answer: bool) -> Self {
        Self {
            id: view.id.to_string(),
            session: view.session.as_str().to_owned(),
            to: view.address.as_str().to_owned(),
            turn: view.turn.map(|turn| turn.to_string()),
            kind: view.kind.name(),
            text: view.text.clone(),
            choices: choices(&view.choices),
            audience: match &view.audience {
                Audience::Admins => AskAudience::Admins("admins"),
                Audience::People(people) => {
                    AskAudience::People(people.iter().map(|person| person.as_str().to_owned()).collect())
                }
            },
            may_answer,
            end: AskEnding::of(view),
            created: view.created.into(),
            deadline: view.deadline.into(),
            ended: maybe(view.ended),
        }
    }
}

fn choices(choices: &[AskChoice]) -> Vec<Choice> {
    let choice = |choice: &AskChoice| Choice {
        id: choice.id.clone(),
        label: choice.label.clone(),
        style: choice.style.name(),
    };
    choices.iter().map(choice).collect()
}
