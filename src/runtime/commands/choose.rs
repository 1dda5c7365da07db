//! `/model` and `/thinking`: shows or chooses what the agent offers, for this session.

use frontdesk_core::agent::SessionOption;
use frontdesk_core::visible::quoted;
use frontdesk_store::StoreError;
use frontdesk_store::row::{CommandEffect, InboundRow};

use super::button::{MenuButton, has_buttons, labels, menu};
use super::{Plan, TYPED};
use crate::session_status::OptionStatus;
use crate::shared::Shared;

/// The word that leaves the choice to the agent's configuration.
const DEFAULT: &str = "default";
/// Maximum number of choices in a reply.
const SHOWN: usize = 50;
/// Maximum size of the choices that a reply with buttons lists besides those, in bytes.
const OTHERS: usize = 1000;

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    option: SessionOption,
    value: Option<String>,
) -> Result<Plan, StoreError> {
    let settings = shared.settings();
    let entry = settings.agents.get(row.session.agent());
    let capabilities = entry.map(|entry| entry.agent.capabilities()).unwrap_or_default();
    let (choices, words) = (capabilities.choices(option), Words::of(option));
    let session = shared.store.session(&row.session).await?;
    let options = session.map(|session| session.options).unwrap_or_default();
    let role = shared.role_of(&settings, &row.session, std::iter::once(row));
    let status = OptionStatus::of(option, &options, role.as_deref(), &capabilities);
    let gone = status.gone.as_ref().map_or_else(String::new, |gone| {
        format!("{} was chosen here and is not offered any more. ", quoted(gone, TYPED))
    });
    if choices.is_empty() {
        return Ok(Plan::say(format!("{gone}This agent has no choice of {}.", words.several)));
    }
    let holds = status.value.as_deref();
    let chosen = holds.filter(|_| status.chosen);
    let all = choices.iter().map(String::as_str);
    let Some(value) = value else {
        let now = now(&status, words, &gone);
        let offer = Offer { now, choices: all.collect(), chosen, holds, words };
        return Ok(offer.plan(shared, row));
    };
    if value.eq_ignore_ascii_case(DEFAULT) && !choices.contains(&value) {
        let text =
            format!("{}: as configured for the agent or its role, from the next message on.", words.one);
        return Ok(Plan::new(CommandEffect::Choose { option, value: None }, move |_| text.clone()));
    }
    if let Some(value) = choices.iter().find(|choice| choice.eq_ignore_ascii_case(&value)).cloned() {
        let text = format!("{}: {}, from the next message on.", words.one, quoted(&value, TYPED));
        return Ok(Plan::new(CommandEffect::Choose { option, value: Some(value) }, move |_| text.clone()));
    }
    let part = value.to_lowercase();
    let similar: Vec<&str> = all.clone().filter(|choice| choice.to_lowercase().contains(&part)).collect();
    let unknown = format!("There is no {} {}.", words.noun, quoted(&value, TYPED));
    let (now, choices) = match similar.is_empty() {
        true => (unknown, all.collect()),
        false => (format!("{unknown} These have that in their name."), similar),
    };
    let offer = Offer { now, choices, chosen: None, holds, words };
    Ok(offer.plan(shared, row))
}

/// What holds in a conversation, and whether it was chosen there. `gone` is a sentence about a choice that is not offered any
/// more.
fn now(status: &OptionStatus, words: Words, gone: &str) -> String {
    let Words { one, command, .. } = words;
    match &status.value {
        Some(value) if status.chosen => format!(
            "{one}: {}. Send /{command} {DEFAULT} to leave the choice to the configuration.",
            quoted(value, TYPED)
        ),
        Some(value) => {
            format!("{gone}{one}: {}, as configured for the agent or its role.", quoted(value, TYPED))
        }
        None => format!("{gone}{one}: as configured for the agent or its role."),
    }
}

/// The choices as a person gets them.
struct Offer<'o> {
    /// The first sentence.
    now: String,
    choices: Vec<&'o str>,
    /// What was chosen before, and can be taken back.
    chosen: Option<&'o str>,
    /// What holds now.
    holds: Option<&'o str>,
    words: Words,
}

impl Offer<'_> {
    /// The first choices as buttons, where the platform has them; and how the others are chosen.
    fn plan(self, shared: &Shared, row: &InboundRow) -> Plan {
        let Self { now, choices, chosen, holds, words } = self;
        let command = words.command;
        let list = listed(&choices, SHOWN, usize::MAX);
        let told = Plan::say(format!(
            "{now}\n\nChoose with /{command} and one of: {list}{}",
            more(choices.len().saturating_sub(SHOWN), command)
        ));
        if !has_buttons(shared, row) {
            return told;
        }
        let back = chosen.filter(|_| !choices.contains(&DEFAULT)).map(|_| DEFAULT);
        let shown = labels(choices.iter().copied(), back);
        let others: Vec<&str> = choices.iter().copied().filter(|choice| !shown.contains(choice)).collect();
        let listed = listed(&others, SHOWN, OTHERS);
        let how = match others.is_empty() {
            true => String::new(),
            false => {
                format!(
                    "\n\nOr send /{command} and one of: {listed}\nA part of a name shows those that have it."
                )
            }
        };
        let button = |label: &str| MenuButton {
            label: label.to_owned(),
            command: format!("/{command} {label}"),
            holds: holds == Some(label),
        };
        let buttons = shown.iter().copied().chain(back).map(button).collect();
        menu(shared, row, told, &format!("{now}{how}"), buttons)
    }
}

/// How an option is called in replies.
#[derive(Clone, Copy)]
struct Words {
    command: &'static str,
    one: &'static str,
    noun: &'static str,
    several: &'static str,
}

impl Words {
    fn of(option: SessionOption) -> Self {
        match option {
            SessionOption::Model => Self { command: "model", one: "Model", noun: "model", several: "models" },
            SessionOption::Thinking => Self {
                command: "thinking",
                one: "Thinking",
                noun: "level of thinking",
                several: "levels of thinking",
            },
        }
    }
}

/// How the choices are found that a list leaves out.
fn more(left_out: usize, command: &str) -> String {
    match left_out {
        0 => String::new(),
        more => {
            format!(
                "\nThere are {more} more: send /{command} and a part of a name to see those that have it."
            )
        }
    }
}

/// The first choices, as a sentence ends.
fn listed(choices: &[&str], most: usize, bytes: usize) -> String {
    let mut left = bytes;
    let fits = |choice: &&&str| match left.checked_sub(choice.len() + 4) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let mut shown: Vec<String> =
        choices.iter().take(most).take_while(fits).map(|choice| format!("`{choice}`")).collect();
    if choices.len() > shown.len() {
        shown.push("…".to_owned());
        return shown.join(", ");
    }
    shown.join(", ") + "."
}
