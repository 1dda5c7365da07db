//! Replies with buttons that run commands.

use std::time::Duration;

use frontdesk_core::ask::{AskChoice, AskKind, ChoiceStyle, MAX_CHOICES, Question, differ, is_label};
use frontdesk_store::row::{CommandChoices, InboundRow, ReplyForm};

use super::Plan;
use crate::shared::Shared;

/// How long the buttons of a menu are there.
const MENU: Duration = Duration::from_secs(60 * 60);

/// The same reply with a button that confirms a command, where the platform has buttons. `confirmed` is the label of that
/// button and the command that then runs; `text` is the reply.
pub(super) fn confirmed_by_button(
    shared: &Shared,
    row: &InboundRow,
    plan: Plan,
    text: &str,
    (label, command): (&str, String),
) -> Plan {
    let confirm = choice("confirm", label, ChoiceStyle::Danger);
    let cancel = choice("cancel", "Cancel", ChoiceStyle::Plain);
    let question = question(AskKind::Confirm, text, vec![confirm, cancel], None);
    with_buttons(shared, row, plan, question, vec![("confirm".to_owned(), command)])
}

/// One button of a menu.
pub(super) struct MenuButton {
    pub(super) label: String,
    /// The command that it runs.
    pub(super) command: String,
    /// Whether it is what holds now.
    pub(super) holds: bool,
}

/// The same reply with a button for each of several commands, where the platform has buttons. `text` is the reply then.
pub(super) fn menu(
    shared: &Shared,
    row: &InboundRow,
    plan: Plan,
    text: &str,
    buttons: Vec<MenuButton>,
) -> Plan {
    let (mut choices, mut commands) = (Vec::new(), Vec::new());
    for (n, MenuButton { label, command, holds }) in buttons.into_iter().enumerate() {
        let style = if holds { ChoiceStyle::Primary } else { ChoiceStyle::Plain };
        let id = format!("c{n}");
        choices.push(choice(&id, &label, style));
        commands.push((id, command));
    }
    with_buttons(shared, row, plan, question(AskKind::Choice, text, choices, Some(MENU)), commands)
}

/// The first of these labels that can be buttons of one menu together with `other`.
pub(super) fn labels<'l>(labels: impl Iterator<Item = &'l str>, other: Option<&'l str>) -> Vec<&'l str> {
    let mut fit: Vec<&str> = other.into_iter().collect();
    for label in labels {
        if fit.len() == MAX_CHOICES {
            break;
        }
        if is_label(label) && differ(fit.iter().copied().chain([label])) {
            fit.push(label);
        }
    }
    fit.split_off(usize::from(other.is_some()))
}

/// Whether the platform of a chat has buttons.
pub(super) fn has_buttons(shared: &Shared, row: &InboundRow) -> bool {
    shared.adapters.at(&row.address).is_some_and(|to| to.adapter().profile().buttons)
}

fn choice(id: &str, label: &str, style: ChoiceStyle) -> AskChoice {
    AskChoice { id: id.into(), label: label.into(), style }
}

fn question(kind: AskKind, text: &str, choices: Vec<AskChoice>, deadline: Option<Duration>) -> Question {
    Question { kind, text: text.to_owned(), choices, audience: None, deadline, default: None }
}

fn with_buttons(
    shared: &Shared,
    row: &InboundRow,
    plan: Plan,
    question: Question,
    commands: Vec<(String, String)>,
) -> Plan {
    // A text that is too long for a question, because of a long word in it, is a reply without buttons.
    let question = question.completed().ok().filter(|_| has_buttons(shared, row));
    match question {
        Some(question) => Plan { form: ReplyForm::Question(CommandChoices { question, commands }), ..plan },
        None => plan,
    }
}
