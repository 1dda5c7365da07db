//! A question as a program writes it.

use std::time::Duration;

use frontdesk_core::ask::{AskChoice, AskKind, ChoiceStyle, Question};
use serde::Deserialize;

/// The fields of an `ask` line beside its id.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct WireQuestion {
    kind: String,
    text: String,
    #[serde(default)]
    choices: Vec<WireChoice>,
    deadline_s: Option<u64>,
    default: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct WireChoice {
    id: String,
    label: String,
    /// An unknown style is plain.
    style: Option<String>,
}

impl WireQuestion {
    /// The question, or what is wrong with it.
    pub(super) fn read(self) -> Result<Question, String> {
        let kind = AskKind::named(&self.kind).ok_or_else(|| {
            let known: Vec<&str> = AskKind::ALL.iter().map(|kind| kind.name()).collect();
            format!("there is no such kind of question; the kinds are {}", known.join(", "))
        })?;
        let choice = |choice: WireChoice| AskChoice {
            style: choice.style.as_deref().and_then(ChoiceStyle::named).unwrap_or_default(),
            id: choice.id,
            label: choice.label,
        };
        Ok(Question {
            kind,
            text: self.text,
            choices: self.choices.into_iter().map(choice).collect(),
            audience: None,
            deadline: self.deadline_s.map(Duration::from_secs),
            default: self.default,
        })
    }
}
