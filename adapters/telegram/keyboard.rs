//! Inline keyboards: the buttons below a question.

use frontdesk_core::ask::{ChoiceStyle, PostedAsk, Press};
use serde::Serialize;

/// The widest label that is readable when a row has one button, two buttons and so on, in letters. Telegram gives the
/// buttons of a row the same width, and a phone shows about this much.
const WIDEST: [usize; 5] = [usize::MAX, 15, 9, 6, 3];

/// The buttons of a message, as the Bot API takes them. teloxide's type has no styles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Keyboard {
    inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Button {
    text: String,
    callback_data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<&'static str>,
}

impl Keyboard {
    /// The buttons of a question; `None` if it is closed or has no choices.
    pub(crate) fn of(ask: &PostedAsk) -> Option<Self> {
        if ask.closed.is_some() || ask.choices.is_empty() {
            return None;
        }
        let mut rows: Vec<Vec<Button>> = Vec::new();
        for (index, choice) in ask.choices.iter().enumerate() {
            let button = Button {
                text: choice.label.clone(),
                callback_data: Press { ask: ask.id, choice: index }.to_string(),
                style: style(choice.style),
            };
            match rows.last_mut() {
                Some(row) if fits(row, &button) => row.push(button),
                _ => rows.push(vec![button]),
            }
        }
        Some(Self { inline_keyboard: rows })
    }
}

/// Whether another button leaves every label of the row readable.
fn fits(row: &[Button], next: &Button) -> bool {
    let widest = row.iter().chain([next]).map(|button| width(&button.text)).max();
    WIDEST.get(row.len()).zip(widest).is_some_and(|(most, widest)| widest <= *most)
}

/// The width of a label in letters, roughly: East Asian characters and emoji are twice as wide.
fn width(label: &str) -> usize {
    label.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

fn style(style: ChoiceStyle) -> Option<&'static str> {
    match style {
        ChoiceStyle::Plain => None,
        ChoiceStyle::Primary => Some("primary"),
        ChoiceStyle::Danger => Some("danger"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use frontdesk_core::ask::{AskChoice, AskEnd, AskKind, Audience};
    use frontdesk_core::id::AskId;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn ask(labels: &[&str]) -> PostedAsk {
        let choice = |label: &&str| AskChoice {
            id: label.to_lowercase(),
            label: (*label).to_owned(),
            style: ChoiceStyle::Plain,
        };
        PostedAsk {
            id: AskId(i64::MAX),
            kind: AskKind::Choice,
            text: "Which one?".to_owned(),
            choices: labels.iter().map(choice).collect(),
            deadline: DateTime::UNIX_EPOCH,
            audience: Audience::Admins,
            closed: None,
        }
    }

    fn rows(labels: &[&str]) -> Vec<usize> {
        Keyboard::of(&ask(labels)).unwrap().inline_keyboard.iter().map(Vec::len).collect()
    }

    #[rstest]
    #[case(&["Yes", "No"], &[2])]
    #[case(&["1", "2", "3", "4", "5", "6", "7"], &[5, 2])]
    #[case(&["Allow", "Deny", "Always"], &[3])]
    #[case(&["Allow", "Always allow in this chat", "Deny"], &[1, 1, 1])]
    #[case(&["Delete the folder", "Keep it"], &[1, 1])]
    #[case(&["permit", "承認しないでください", "no"], &[1, 1, 1])]
    fn as_many_buttons_are_in_a_row_as_can_be_read(#[case] labels: &[&str], #[case] expected: &[usize]) {
        assert_eq!(rows(labels), expected, "{labels:?}");
    }

    #[test]
    fn the_data_of_a_button_fits_and_its_style_is_telegrams() {
        let mut asked = ask(&["Yes", "No"]);
        asked.choices[0].style = ChoiceStyle::Danger;
        let keyboard = serde_json::to_value(Keyboard::of(&asked)).unwrap();
        let data = [format!("a{}:0", i64::MAX), format!("a{}:1", i64::MAX)];
        let row = json!([
            {"text": "Yes", "callback_data": data[0], "style": "danger"}, {"text": "No", "callback_data": data[1]},
        ]);
        assert_eq!(keyboard, json!({"inline_keyboard": [row]}));
        assert!(data.iter().all(|data| data.len() <= 64));
    }

    #[test]
    fn a_closed_question_and_one_for_free_text_have_no_buttons() {
        assert_eq!(Keyboard::of(&PostedAsk { closed: Some(AskEnd::Cancelled), ..ask(&["Yes"]) }), None);
        assert_eq!(Keyboard::of(&ask(&[])), None);
    }
}
