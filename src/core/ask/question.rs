//! A question before it is asked: its limits, and what an asker may leave out.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{AskAnswer, AskChoice, AskKind, Audience, ChoiceStyle};
use crate::visible::{breaks, clean, is_visible};

/// The longest question, in characters.
pub const MAX_TEXT: usize = 2000;
/// The largest number of choices.
pub const MAX_CHOICES: usize = 10;
/// The longest label of a choice, in characters.
pub const MAX_LABEL: usize = 64;
/// The longest id of a choice, in characters.
pub const MAX_CHOICE_ID: usize = 64;
/// The longest free text of an answer, in characters.
pub const MAX_ANSWER: usize = 4000;
/// The longest time that a question waits.
pub const MAX_DEADLINE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a permission or a confirmation waits if the asker does not say.
const SHORT_WAIT: Duration = Duration::from_secs(10 * 60);
/// How long other questions wait if the asker does not say.
const LONG_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A question as its asker states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its kind.
    pub kind: AskKind,
    /// The question, in Markdown.
    pub text: String,
    /// Its choices. A permission and a confirmation without choices get the usual two.
    pub choices: Vec<AskChoice>,
    /// Who may answer; `None` means the authors of the turn's messages.
    pub audience: Option<Audience>,
    /// How long it waits; `None` means ten minutes for a permission or a confirmation, and a day otherwise.
    pub deadline: Option<Duration>,
    /// The id of the choice, or the text, that takes effect if nobody answers. A permission or a confirmation with the
    /// usual choices is denied.
    pub default: Option<String>,
}

/// Why a question cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// Its text is invisible or too long.
    #[error("the text of a question must be visible and have at most {MAX_TEXT} characters")]
    Text,
    /// It has no choices or too many.
    #[error("a question needs 1 to {MAX_CHOICES} choices, and none if it asks for free text")]
    Choices,
    /// A choice has an id that is empty, too long or used twice.
    #[error("each choice needs an id of its own of at most {MAX_CHOICE_ID} characters")]
    ChoiceId,
    /// A choice has a label that is invisible, too long or more than one line.
    #[error("the label of a choice must be one visible line of at most {MAX_LABEL} characters")]
    Label,
    /// Two choices have labels that look the same.
    #[error(
        "each choice needs a label that differs from the others in more than case and invisible characters"
    )]
    SameLabel,
    /// Its audience is empty.
    #[error("nobody may answer this question")]
    Audience,
    /// Its deadline is zero or too long.
    #[error("the deadline of a question must be between 1 second and 7 days")]
    Deadline,
    /// Its default is none of its choices, or too long.
    #[error(
        "the default of a question must be the id of one of its choices, or a short text if it asks for text"
    )]
    Default,
}

impl Question {
    /// The question with the usual choices, deadline and default filled in, if it is within the limits.
    pub fn completed(mut self) -> Result<Question, QuestionError> {
        if self.choices.is_empty() && matches!(self.kind, AskKind::Permission | AskKind::Confirm) {
            let [yes, no] = usual(self.kind);
            self.default.get_or_insert_with(|| no.id.clone());
            self.choices = vec![yes, no];
        }
        self.deadline.get_or_insert(match self.kind {
            AskKind::Permission | AskKind::Confirm => SHORT_WAIT,
            AskKind::Choice | AskKind::Input => LONG_WAIT,
        });
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), QuestionError> {
        let within = |text: &str, most: usize| text.chars().count() <= most;
        if !is_visible(&self.text) || !within(&self.text, MAX_TEXT) {
            return Err(QuestionError::Text);
        }
        if self.choices.is_empty() != (self.kind == AskKind::Input) || self.choices.len() > MAX_CHOICES {
            return Err(QuestionError::Choices);
        }
        for (at, choice) in self.choices.iter().enumerate() {
            let repeats = self.choices[..at].iter().any(|other| other.id == choice.id);
            if choice.id.is_empty() || !within(&choice.id, MAX_CHOICE_ID) || repeats {
                return Err(QuestionError::ChoiceId);
            }
            if !is_label(&choice.label) {
                return Err(QuestionError::Label);
            }
        }
        if !differ(self.choices.iter().map(|choice| choice.label.as_str())) {
            return Err(QuestionError::SameLabel);
        }
        if self.audience.as_ref().is_some_and(|audience| *audience == Audience::People(Vec::new())) {
            return Err(QuestionError::Audience);
        }
        if self.deadline.is_some_and(|wait| wait < Duration::from_secs(1) || wait > MAX_DEADLINE) {
            return Err(QuestionError::Deadline);
        }
        match &self.default {
            Some(text) if self.kind == AskKind::Input && !within(text, MAX_ANSWER) => {
                Err(QuestionError::Default)
            }
            Some(id) if self.kind != AskKind::Input && self.choices.iter().all(|choice| choice.id != *id) => {
                Err(QuestionError::Default)
            }
            _ => Ok(()),
        }
    }

    /// The default as an answer.
    pub fn default_answer(&self) -> Option<AskAnswer> {
        let default = self.default.clone()?;
        Some(match self.kind {
            AskKind::Input => AskAnswer::Text(default),
            _ => AskAnswer::Choice(default),
        })
    }

    /// Identifies the question: an interrupted turn that asks the same again gets the same digest. The deadline is not
    /// part of it.
    pub fn digest(&self) -> String {
        let choices: Vec<_> =
            self.choices.iter().map(|choice| json!([choice.id, choice.label, choice.style.name()])).collect();
        let audience = match &self.audience {
            None => json!(null),
            Some(Audience::Admins) => json!("admins"),
            Some(Audience::People(people)) => {
                json!(people.iter().map(|person| person.as_str()).collect::<Vec<_>>())
            }
        };
        let whole = json!([self.kind.name(), self.text, choices, audience, self.default]).to_string();
        Sha256::digest(whole).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a text can be the label of a choice: one visible line of at most [`MAX_LABEL`] characters.
pub fn is_label(text: &str) -> bool {
    is_visible(text) && text.chars().count() <= MAX_LABEL && !text.contains(breaks)
}

/// Whether people can tell labels apart, on buttons and when they type one.
pub fn differ<'l>(labels: impl Iterator<Item = &'l str>) -> bool {
    let mut seen = HashSet::new();
    labels.into_iter().all(|label| seen.insert(clean(label, MAX_LABEL).trim().to_lowercase()))
}

/// The usual choices; the second one is the default.
fn usual(kind: AskKind) -> [AskChoice; 2] {
    let choice = |id: &str, label: &str, style| AskChoice { id: id.into(), label: label.into(), style };
    match kind {
        AskKind::Permission => {
            [choice("allow", "Allow", ChoiceStyle::Primary), choice("deny", "Deny", ChoiceStyle::Danger)]
        }
        _ => [choice("yes", "Yes", ChoiceStyle::Primary), choice("no", "No", ChoiceStyle::Plain)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: AskKind, choices: &[(&str, &str)]) -> Question {
        let choice = |(id, label): &(&str, &str)| AskChoice {
            id: (*id).into(),
            label: (*label).into(),
            style: ChoiceStyle::Plain,
        };
        Question {
            kind,
            text: "Go on?".into(),
            choices: choices.iter().map(choice).collect(),
            audience: None,
            deadline: None,
            default: None,
        }
    }

    #[test]
    fn a_permission_without_choices_is_denied_after_ten_minutes() {
        let asked = question(AskKind::Permission, &[]).completed().unwrap();
        assert_eq!(
            asked.choices.iter().map(|choice| choice.id.as_str()).collect::<Vec<_>>(),
            ["allow", "deny"]
        );
        assert_eq!(asked.default_answer(), Some(AskAnswer::Choice("deny".into())));
        assert_eq!(asked.deadline, Some(Duration::from_secs(600)));
    }

    #[test]
    fn what_cannot_be_shown_or_answered_is_not_asked() {
        use QuestionError as E;
        let two = [("a", "A"), ("b", "B")];
        let choice = || question(AskKind::Choice, &two);
        for (wrong, error) in [
            (Question { text: " \u{200b}".into(), ..choice() }, E::Text),
            (Question { text: "x".repeat(2001), ..choice() }, E::Text),
            (question(AskKind::Choice, &[]), E::Choices),
            (question(AskKind::Input, &two), E::Choices),
            (question(AskKind::Choice, &[("a", "A"); 11]), E::Choices),
            (question(AskKind::Choice, &[("a", "A"), ("a", "B")]), E::ChoiceId),
            (question(AskKind::Choice, &[("", "A")]), E::ChoiceId),
            (question(AskKind::Choice, &[("a", "two\nlines")]), E::Label),
            (question(AskKind::Choice, &[("a", "")]), E::Label),
            (question(AskKind::Choice, &[("a", "Same"), ("b", "Same")]), E::SameLabel),
            (question(AskKind::Choice, &[("a", "Same"), ("b", "Sa\u{200b}me ")]), E::SameLabel),
            (question(AskKind::Choice, &[("a", "Same"), ("b", "same")]), E::SameLabel),
            (Question { audience: Some(Audience::People(Vec::new())), ..choice() }, E::Audience),
            (Question { deadline: Some(Duration::ZERO), ..choice() }, E::Deadline),
            (Question { deadline: Some(MAX_DEADLINE * 2), ..choice() }, E::Deadline),
            (Question { default: Some("c".into()), ..choice() }, E::Default),
        ] {
            assert_eq!(wrong.clone().completed(), Err(error), "{wrong:?}");
        }
    }

    #[test]
    fn the_same_question_has_the_same_digest_and_every_change_another() {
        let asked = || question(AskKind::Choice, &[("a", "A"), ("b", "B")]);
        assert_eq!(asked().digest(), Question { deadline: Some(Duration::from_secs(5)), ..asked() }.digest());
        let mut digests = vec![
            asked().digest(),
            question(AskKind::Confirm, &[("a", "A"), ("b", "B")]).digest(),
            question(AskKind::Choice, &[("a", "B"), ("b", "A")]).digest(),
            Question { text: "Go on!".into(), ..asked() }.digest(),
            Question { default: Some("a".into()), ..asked() }.digest(),
            Question { audience: Some(Audience::Admins), ..asked() }.digest(),
        ];
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }
}
