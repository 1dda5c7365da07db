//! How a question ends, and why an answer is not accepted.

use thiserror::Error;

use super::{AskChoice, MAX_ANSWER};
use crate::address::Principal;
use crate::id::AskId;
use crate::visible::quoted_label;

/// The state of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskState {
    /// It waits for an answer.
    Open,
    /// Somebody has answered.
    Answered,
    /// Its deadline has passed, or it can be answered no more.
    Expired,
    /// What asked it has ended.
    Cancelled,
}

impl AskState {
    /// All variants.
    pub const ALL: [AskState; 4] =
        [AskState::Open, AskState::Answered, AskState::Expired, AskState::Cancelled];

    /// The state with this name.
    pub fn named(name: &str) -> Option<AskState> {
        AskState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            AskState::Open => "open",
            AskState::Answered => "answered",
            AskState::Expired => "expired",
            AskState::Cancelled => "cancelled",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskAnswer {
    /// The id of a choice.
    Choice(String),
    /// Free text.
    Text(String),
}

impl AskAnswer {
    /// The answer as people read it: the label of the choice, or the text.
    pub fn shown<'a>(&'a self, choices: &'a [AskChoice]) -> &'a str {
        match self {
            AskAnswer::Text(text) => text,
            AskAnswer::Choice(id) => {
                choices.iter().find(|choice| choice.id == *id).map_or(id, |choice| &choice.label)
            }
        }
    }
}

/// Who has answered a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerer {
    /// Their stable id.
    pub id: Principal,
    /// Their display name, where it is known.
    pub name: Option<String>,
}

impl Answerer {
    /// The display name, or the id where there is none.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.id.id())
    }
}

/// How an operator is called who answers instead of those who are asked: the name of a token says nothing to them.
pub const OPERATOR: &str = "An operator";

/// How a question has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskEnd {
    /// Somebody has answered.
    Answered {
        /// The answer.
        answer: AskAnswer,
        /// Who gave it.
        by: Answerer,
    },
    /// Nobody answered before the deadline, or the question can be answered no more.
    Expired {
        /// The answer that takes effect instead, if the question has a default.
        default: Option<AskAnswer>,
    },
    /// What asked it has ended.
    Cancelled,
}

impl AskEnd {
    /// The state of a question that has ended like this.
    pub fn state(&self) -> AskState {
        match self {
            AskEnd::Answered { .. } => AskState::Answered,
            AskEnd::Expired { .. } => AskState::Expired,
            AskEnd::Cancelled => AskState::Cancelled,
        }
    }

    /// The answer that takes effect.
    pub fn answer(&self) -> Option<&AskAnswer> {
        match self {
            AskEnd::Answered { answer, .. } => Some(answer),
            AskEnd::Expired { default } => default.as_ref(),
            AskEnd::Cancelled => None,
        }
    }

    /// The line beneath the question after its end, in Markdown.
    pub fn line(&self, choices: &[AskChoice]) -> String {
        match self {
            AskEnd::Answered { answer, by } => {
                format!("{}: {}", quoted_label(by.shown()), quoted_label(answer.shown(choices)))
            }
            AskEnd::Expired { default: Some(default) } => {
                format!(
                    "Nobody answered in time, so the default applies: {}",
                    quoted_label(default.shown(choices))
                )
            }
            AskEnd::Expired { default: None } => "This question has expired.".to_owned(),
            AskEnd::Cancelled => "This question was withdrawn.".to_owned(),
        }
    }
}

/// Why an answer is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AskError {
    /// There is no such question.
    #[error("There is no question {0}.")]
    NoSuchAsk(AskId),
    /// It has ended.
    #[error("{}", ended(.0))]
    Closed(AskEnd),
    /// The person is not one of those who are asked.
    #[error("This question is not for you.")]
    NotYours,
    /// The person is one of those who are asked, and may not write in the chat of the question now.
    #[error("You may not write here at the moment, so your answer does not count.")]
    MayNotWrite,
    /// It offers to drop a message that does not wait any more.
    #[error("This message does not wait any more: its answer has begun, or it was dropped.")]
    NotWaiting,
    /// Its answer is a message, and this is not the chat for it.
    #[error("Please answer this question in the chat where it was asked.")]
    OnlyInChat,
    /// The answer is none of its choices.
    #[error("That is not one of the choices. Answer with the number, the id or the label of a choice.")]
    UnknownChoice,
    /// It asks for a text, and the answer has none that can be seen.
    #[error("Your answer is empty. Please write something.")]
    NoText,
    /// It asks for a text, and the answer is too long.
    #[error("Your answer is too long. It may have at most {MAX_ANSWER} characters.")]
    TooLong,
}

impl AskError {
    /// The sentence for the chat, in Markdown.
    pub fn in_chat(&self) -> String {
        match self {
            AskError::Closed(AskEnd::Answered { by, .. }) => {
                format!("{} has answered this question already.", quoted_label(by.shown()))
            }
            _ => self.to_string(),
        }
    }

    /// The name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            AskError::NoSuchAsk(_) => "no_such_ask",
            AskError::Closed(_) => "ask_closed",
            AskError::NotYours => "not_yours",
            AskError::MayNotWrite => "may_not_write",
            AskError::NotWaiting => "not_waiting",
            AskError::OnlyInChat => "only_in_chat",
            AskError::UnknownChoice => "unknown_choice",
            AskError::NoText => "no_text",
            AskError::TooLong => "too_long",
        }
    }
}

fn ended(end: &AskEnd) -> String {
    match end {
        AskEnd::Answered { by, .. } => format!("{} has answered this question already.", by.shown()),
        AskEnd::Expired { .. } => "This question has expired.".to_owned(),
        AskEnd::Cancelled => "This question was withdrawn.".to_owned(),
    }
}
