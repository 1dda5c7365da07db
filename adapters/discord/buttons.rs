//! The buttons of a question.

use frontdesk_core::ask::{ChoiceStyle, PostedAsk, Press};
use serenity::builder::{CreateActionRow, CreateButton};
use serenity::model::application::ButtonStyle;

/// Buttons in a row, and rows in a message (Discord's documentation, Action Row).
const IN_ROW: usize = 5;
const ROWS: usize = 5;
/// The longest label.
const LABEL: usize = 80;

/// The rows of a question; none if it is closed. Discord has 25 buttons at most, which is more than a question has
/// choices.
pub(crate) fn of(ask: Option<&PostedAsk>) -> Vec<CreateActionRow> {
    let Some(ask) = ask.filter(|ask| ask.closed.is_none()) else { return Vec::new() };
    let button = |(choice, label): (usize, &frontdesk_core::ask::AskChoice)| {
        let press = Press { ask: ask.id, choice };
        let shown: String = label.label.chars().take(LABEL).collect();
        CreateButton::new(press.to_string()).label(shown).style(style(label.style))
    };
    let buttons: Vec<CreateButton> = ask.choices.iter().enumerate().map(button).collect();
    buttons.chunks(IN_ROW).take(ROWS).map(|row| CreateActionRow::Buttons(row.to_vec())).collect()
}

fn style(style: ChoiceStyle) -> ButtonStyle {
    match style {
        ChoiceStyle::Plain => ButtonStyle::Secondary,
        ChoiceStyle::Primary => ButtonStyle::Primary,
        ChoiceStyle::Danger => ButtonStyle::Danger,
    }
}
