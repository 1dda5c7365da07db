//! `/model` and `/thinking`: shows or chooses what the agent offers, for this session.

use frontdesk_core::agent::SessionOption;
use frontdesk_core::visible::quoted;
use frontdesk_store::StoreError;
use frontdesk_store::row::{CommandEffect, InboundRow};

use super::{Plan, TYPED};
use crate::shared::Shared;

/// The word that leaves the choice to the agent's configuration.
const DEFAULT: &str = "default";
/// Maximum number of choices in a reply.
const SHOWN: usize = 50;

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
    if choices.is_empty() {
        return Ok(Plan::say(format!("This agent has no choice of {}.", words.several)));
    }
    let offers = format!("Choose with /{} and one of: {}.", words.command, listed(choices));
    let Some(value) = value else {
        let session = shared.store.session(&row.session).await?;
        let options = session.map(|session| session.options.offered(&capabilities)).unwrap_or_default();
        let now = match options.get(option) {
            Some(value) => format!(
                "{}: {value}. Send /{} {DEFAULT} to leave the choice to the agent.",
                words.one, words.command
            ),
            None => format!("{}: as the agent is configured.", words.one),
        };
        return Ok(Plan::say(format!("{now}\n\n{offers}")));
    };
    if value.eq_ignore_ascii_case(DEFAULT) && !choices.contains(&value) {
        let text = format!("{}: as the agent is configured, from the next message on.", words.one);
        return Ok(Plan::new(CommandEffect::Choose { option, value: None }, move |_| text.clone()));
    }
    let Some(value) = choices.iter().find(|choice| choice.eq_ignore_ascii_case(&value)).cloned() else {
        return Ok(Plan::say(format!("There is no {} {}. {offers}", words.noun, quoted(&value, TYPED))));
    };
    let text = format!("{}: {value}, from the next message on.", words.one);
    Ok(Plan::new(CommandEffect::Choose { option, value: Some(value) }, move |_| text.clone()))
}

/// How an option is called in replies.
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

fn listed(choices: &[String]) -> String {
    let mut shown: Vec<String> = choices.iter().take(SHOWN).map(|choice| format!("`{choice}`")).collect();
    if choices.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}
