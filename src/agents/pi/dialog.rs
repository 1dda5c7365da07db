//! Dialogs of pi's extensions as questions to people.

use std::time::Duration;

use frontdesk_core::ask::{
    AskAnswer, AskChoice, AskEnd, AskKind, ChoiceStyle, MAX_CHOICES, MAX_DEADLINE, MAX_LABEL, Question,
};
use frontdesk_core::visible;

use super::wire::{UiAnswer, UiRequest};

/// How much of a dialog's text is shown, in characters.
const TEXT: usize = 1500;
/// How many options are listed where there are too many for buttons.
const LISTED: usize = 40;

/// What an answer to the question means for pi.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// One of these options.
    Option(Vec<String>),
    Confirm,
    Text,
}

/// The question that a dialog is for people.
pub(super) fn question(dialog: &UiRequest) -> (Question, Meaning) {
    let title = visible::quoted(&dialog.title, 200);
    let (kind, text, meaning) = match dialog.method.as_str() {
        "confirm" => (AskKind::Confirm, with(title, "", &dialog.message), Meaning::Confirm),
        "select" if (1..=MAX_CHOICES).contains(&dialog.options.len()) => {
            (AskKind::Choice, title, Meaning::Option(dialog.options.clone()))
        }
        "select" => {
            let numbered = dialog.options.iter().take(LISTED).zip(1..);
            let list: Vec<String> =
                numbered.map(|(option, n)| format!("{n}. {}", visible::quoted(option, MAX_LABEL))).collect();
            (
                AskKind::Input,
                format!("{title}\n\n{}", list.join("\n")),
                Meaning::Option(dialog.options.clone()),
            )
        }
        "editor" => (
            AskKind::Input,
            with(title, "Now it says ", dialog.prefill.as_deref().unwrap_or("")),
            Meaning::Text,
        ),
        _ => {
            let hint = dialog.placeholder.as_deref().unwrap_or("");
            (AskKind::Input, with(title, "For example ", hint), Meaning::Text)
        }
    };
    let choices = match (&meaning, kind) {
        (Meaning::Option(options), AskKind::Choice) => options.iter().zip(1..).map(choice).collect(),
        _ => Vec::new(),
    };
    let deadline =
        dialog.timeout.map(|ms| Duration::from_millis(ms).clamp(Duration::from_secs(1), MAX_DEADLINE));
    let question = Question { kind, text, choices, audience: None, deadline, default: None };
    (question, meaning)
}

fn with(title: String, before: &str, more: &str) -> String {
    match more.trim() {
        "" => title,
        more => format!("{title}\n\n{before}{}", visible::quoted(more, TEXT)),
    }
}

fn choice((option, number): (&String, u32)) -> AskChoice {
    let label: String = visible::escaped(option.trim(), MAX_LABEL - 1);
    let label = if visible::is_visible(&label) { label } else { number.to_string() };
    AskChoice { id: number.to_string(), label, style: ChoiceStyle::Plain }
}

/// What pi is told when the question has ended like this.
pub(super) fn answer(meaning: &Meaning, end: &Result<AskEnd, String>) -> UiAnswer {
    let Some(answer) = end.as_ref().ok().and_then(AskEnd::answer) else { return UiAnswer::Cancelled };
    let (AskAnswer::Choice(given) | AskAnswer::Text(given)) = answer;
    match meaning {
        Meaning::Confirm => UiAnswer::Confirmed(given == "yes"),
        Meaning::Text => UiAnswer::Value(given.clone()),
        Meaning::Option(options) => {
            let number = given.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let option = match number {
                Some(at) => options.get(at),
                None => options.iter().find(|option| option.trim().eq_ignore_ascii_case(given.trim())),
            };
            option.cloned().map_or(UiAnswer::Cancelled, UiAnswer::Value)
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::ask::Answerer;

    use super::*;

    fn dialog(json: &str) -> UiRequest {
        serde_json::from_str(json).unwrap()
    }

    fn answered(answer: AskAnswer) -> Result<AskEnd, String> {
        let by = Answerer { id: "web:anna".parse().unwrap(), name: None };
        Ok(AskEnd::Answered { answer, by })
    }

    #[test]
    fn each_dialog_is_a_question_that_can_be_asked() {
        let options: Vec<String> = (0..30).map(|n| format!("option {n}")).collect();
        let long = serde_json::json!({"id": "1", "method": "select", "title": "Which?", "options": options})
            .to_string();
        for (json, kind) in [
            (
                r#"{"id":"1","method":"select","title":"Which?","options":["a","\u202eb\n"," "]}"#,
                AskKind::Choice,
            ),
            (long.as_str(), AskKind::Input),
            (
                r#"{"id":"1","method":"confirm","title":"Go?","message":"really\n`x`","timeout":1}"#,
                AskKind::Confirm,
            ),
            (r#"{"id":"1","method":"input","title":""}"#, AskKind::Input),
            (r#"{"id":"1","method":"editor","title":"Edit","prefill":"abc"}"#, AskKind::Input),
        ] {
            let (question, _) = question(&dialog(json));
            assert_eq!(question.kind, kind, "{json}");
            assert!(question.completed().is_ok(), "{json}");
        }
    }

    #[test]
    fn an_answer_is_the_value_that_the_extension_waits_for() {
        let options = Meaning::Option(vec!["Allow".into(), "Block ".into()]);
        let value = |text: &str| UiAnswer::Value(text.into());
        assert_eq!(answer(&options, &answered(AskAnswer::Choice("2".into()))), value("Block "));
        assert_eq!(answer(&options, &answered(AskAnswer::Text(" block".into()))), value("Block "));
        assert_eq!(answer(&options, &answered(AskAnswer::Text("3".into()))), UiAnswer::Cancelled);
        let confirm = |id: &str| answer(&Meaning::Confirm, &answered(AskAnswer::Choice(id.into())));
        assert_eq!((confirm("yes"), confirm("no")), (UiAnswer::Confirmed(true), UiAnswer::Confirmed(false)));
        assert_eq!(answer(&Meaning::Text, &Err("not asked".into())), UiAnswer::Cancelled);
        assert_eq!(answer(&Meaning::Text, &Ok(AskEnd::Cancelled)), UiAnswer::Cancelled);
    }
}
