//! Answers that are typed: how to answer without buttons, and what a text means as an answer.

use super::{AskAnswer, AskChoice, AskError, AskKind, MAX_ANSWER};
use crate::id::AskId;
use crate::visible::{is_visible, quoted_label};

/// What is appended to the text of a question, in Markdown: the numbered choices where the platform has no buttons, and
/// how to answer with free text everywhere. `None` if nothing is needed.
pub fn instructions(id: AskId, kind: AskKind, choices: &[AskChoice], buttons: bool) -> Option<String> {
    let number = id.0;
    if kind == AskKind::Input {
        return Some(format!("Reply to this message with your answer, or send `/answer {number} TEXT`."));
    }
    if buttons {
        return None;
    }
    let mut text = String::new();
    for (n, choice) in (1..).zip(choices) {
        text.push_str(&format!("{n}. {}\n", quoted_label(&choice.label)));
    }
    text.push_str(&format!("\nReply to this message with a number, or send `/answer {number} 1`."));
    Some(text)
}

/// How to answer with the command, in Markdown: with the number of a choice, or with a text.
pub fn by_command(id: AskId, choices: &[AskChoice]) -> String {
    let number = id.0;
    if choices.is_empty() {
        return format!("`/answer {number} TEXT`");
    }
    let labels = (1..).zip(choices).map(|(n, choice)| format!("{n} {}", quoted_label(&choice.label)));
    format!("`/answer {number} N`: {}", labels.collect::<Vec<_>>().join(", "))
}

/// A question that keeps messages waiting, for one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAsk {
    /// The question.
    pub ask: AskId,
    /// How the reader can answer it, in Markdown; `None` if others are asked.
    pub how: Option<String>,
}

impl OpenAsk {
    /// What comes first, in Markdown.
    pub fn sentence(&self) -> String {
        let number = self.ask.0;
        match &self.how {
            Some(how) => format!("Question {number} waits for your answer first. Answer it with {how}."),
            None => format!("Question {number} waits for the answer of somebody else first."),
        }
    }
}

/// The answer that a typed text gives: the label or the id of a choice in any case, or its number (counted from 1); or the
/// text itself where free text is asked for. A label goes first: where there are buttons, people see labels and no numbers.
/// An error says why it is no answer.
pub fn read(kind: AskKind, choices: &[AskChoice], text: &str) -> Result<AskAnswer, AskError> {
    let text = text.trim();
    if kind == AskKind::Input {
        return match text.chars().count() {
            _ if !is_visible(text) => Err(AskError::NoText),
            0..=MAX_ANSWER => Ok(AskAnswer::Text(text.to_owned())),
            _ => Err(AskError::TooLong),
        };
    }
    let number = text.parse::<usize>().ok().filter(|_| text.bytes().all(|digit| digit.is_ascii_digit()));
    let same = |other: &str| other.to_lowercase() == text.to_lowercase();
    let named = choices.iter().find(|choice| same(&choice.label));
    let named = named.or_else(|| choices.iter().find(|choice| same(&choice.id)));
    let choice = named.or_else(|| choices.get(number?.checked_sub(1)?));
    choice.map(|choice| AskAnswer::Choice(choice.id.clone())).ok_or(AskError::UnknownChoice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::ChoiceStyle;

    fn choices() -> Vec<AskChoice> {
        ["Allow", "Deny *all*"]
            .into_iter()
            .map(|label| AskChoice {
                id: label.to_lowercase().replace(' ', "-"),
                label: label.into(),
                style: ChoiceStyle::Plain,
            })
            .collect()
    }

    #[test]
    fn without_buttons_the_choices_are_a_numbered_list() {
        let (id, choices) = (AskId(7), choices());
        let text = instructions(id, AskKind::Choice, &choices, false).unwrap();
        assert_eq!(
            text,
            "1. `Allow`\n2. `Deny *all*`\n\nReply to this message with a number, or send `/answer 7 1`."
        );
        assert_eq!(instructions(id, AskKind::Choice, &choices, true), None);
        let input = instructions(id, AskKind::Input, &[], true).unwrap();
        assert_eq!(input, "Reply to this message with your answer, or send `/answer 7 TEXT`.");
    }

    #[test]
    fn a_number_an_id_or_a_label_is_an_answer_and_other_text_is_not() {
        let choices = choices();
        let read = |text| read(AskKind::Choice, &choices, text);
        let (allow, deny) =
            (Ok(AskAnswer::Choice("allow".into())), Ok(AskAnswer::Choice("deny-*all*".into())));
        for text in ["1", " 1 ", "allow", "ALLOW"] {
            assert_eq!(read(text), allow, "{text}");
        }
        assert_eq!(read("deny *all*"), deny);
        for text in ["0", "3", "+1", "-1", "1.", "", "why?", "99999999999999999999999"] {
            assert_eq!(read(text), Err(AskError::UnknownChoice), "{text}");
        }
    }

    #[test]
    fn an_exact_label_or_id_wins_over_a_position() {
        let choice = |id: &str, label: &str| AskChoice {
            id: id.into(),
            label: label.into(),
            style: ChoiceStyle::Plain,
        };
        let numbers = [choice("x", "2"), choice("y", "3"), choice("1", "Other"), choice("z", "5")];
        let read = |text: &str| read(AskKind::Choice, &numbers, text);
        let chosen = |id: &str| Ok(AskAnswer::Choice(id.into()));
        assert_eq!(["2", "3", "5", "1", "4"].map(read), ["x", "y", "z", "1", "z"].map(chosen));
    }

    #[test]
    fn free_text_is_taken_as_it_is_within_its_limit() {
        let read = |text: &str| read(AskKind::Input, &[], text);
        assert_eq!(read(" 2 "), Ok(AskAnswer::Text("2".into())));
        assert_eq!(read(&"x".repeat(MAX_ANSWER + 1)), Err(AskError::TooLong));
        for blank in ["", "  ", "\u{200b}\u{2060}", "\u{7}\n", "\u{2800}"] {
            assert_eq!(read(blank), Err(AskError::NoText), "{blank:?}");
        }
    }
}
