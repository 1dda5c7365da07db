//! Replies with a button that runs a command.

use frontdesk_core::ask::{AskChoice, AskKind, ChoiceStyle, Question};
use frontdesk_store::row::{Confirmation, InboundRow};

use super::Plan;
use crate::shared::Shared;

/// The choice that confirms.
const CONFIRM: &str = "confirm";

/// The same reply with a button that confirms a command, where the platform has buttons. `confirmed` is the label of that
/// button and the command that then runs; `text` is the reply.
pub(super) fn confirmed_by_button(
    shared: &Shared,
    row: &InboundRow,
    plan: Plan,
    text: &str,
    (label, command): (&str, String),
) -> Plan {
    let choice = |id: &str, label: &str, style| AskChoice { id: id.into(), label: label.into(), style };
    let question = Question {
        kind: AskKind::Confirm,
        text: text.to_owned(),
        choices: vec![
            choice(CONFIRM, label, ChoiceStyle::Danger),
            choice("cancel", "Cancel", ChoiceStyle::Plain),
        ],
        audience: None,
        deadline: None,
        default: None,
    };
    let has_buttons = shared.adapters.at(&row.address).is_some_and(|to| to.adapter().profile().buttons);
    // A text that is too long for a question, because of a long word in it, is a reply without buttons.
    let question = question.completed().ok().filter(|_| has_buttons);
    let confirmation = question.map(|question| Confirmation { question, confirm: CONFIRM.into(), command });
    Plan { confirmation, ..plan }
}
