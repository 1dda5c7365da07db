//! `/gateway budget`: shows budgets, and sets them for one person, chat or agent.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::address::Address;
use frontdesk_core::budget::{BudgetOverride, BudgetScope, Day, DayLimits, Measure, Most};
use frontdesk_core::command::Gateway;
use frontdesk_core::command::gateway::{BudgetChange, BudgetRequest, BudgetSubject};
use frontdesk_core::span;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, BudgetRow, InboundRow};

use super::people::{first, person};
use super::{changing, note};
use crate::commands::Plan;
use crate::config::Budgets;
use crate::shared::Shared;

/// How many of the budgets that admins have set are listed.
const LISTED: usize = 20;

const HOW: &str = "To change one: `/gateway budget person CHANNEL USER turns 50`, `… chat here tokens 200k for 3d`, \
                   `… agent NAME cost 5.00`, `… lift for 2h`, `… default`.";

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    budget: Option<&BudgetRequest>,
) -> Result<Plan, StoreError> {
    let Some(BudgetRequest { subject, change }) = budget else {
        return Ok(note(row, request, "done", all(shared)));
    };
    let (scope, subject) = match named(shared, row, subject) {
        Ok(named) => named,
        Err(problem) => return Ok(note(row, request, "refused:no_subject", problem)),
    };
    let now = shared.time.wall();
    let before = shared.access.budget(scope, &subject, now);
    let (set, until) = match change {
        None => {
            return Ok(note(row, request, "done", shown(shared, scope, &subject, before.as_ref()).await?));
        }
        Some(BudgetChange::Default) => (None, None),
        Some(BudgetChange::Set { set, span }) => {
            let until = span.and_then(|span| now.checked_add_signed(span));
            // What holds for a time takes the place of what was set before.
            let lasting = before.filter(|before| before.until.is_none() && until.is_none());
            (Some(lasting.map_or(*set, |before| before.set.and_then(*set))), until)
        }
    };
    let of = format!("The budget of {}", shown_subject(scope, &subject));
    let text = match &set {
        None => format!("{of} is as configured again."),
        Some(set) => format!("{of}: {}{}.", limits(set), for_how_long(until, now)),
    };
    let change = AccessChange::Budget { scope, subject, set, until };
    Ok(changing(row, change, move |_| text.clone()))
}

/// Whose budget somebody means.
fn named(
    shared: &Shared,
    row: &InboundRow,
    subject: &BudgetSubject,
) -> Result<(BudgetScope, String), String> {
    Ok(match subject {
        BudgetSubject::Person { channel, user } => {
            (BudgetScope::Person, person(shared, channel, user)?.as_str().to_owned())
        }
        BudgetSubject::Chat(None) => match first(row) {
            Some(chat) => (BudgetScope::Chat, chat.as_str().to_owned()),
            None => return Err("This chat has no budget of its own.".to_owned()),
        },
        BudgetSubject::Chat(Some(written)) => {
            let chat = written.parse::<Address>().ok().and_then(|chat| shared.first_address(&chat));
            let Some(chat) = chat else {
                return Err(format!(
                    "{} is no chat. Write `here`, or the channel and the id with a colon between them.",
                    quoted_label(written)
                ));
            };
            (BudgetScope::Chat, chat.as_str().to_owned())
        }
        BudgetSubject::Agent(name) => {
            let settings = shared.settings();
            if !settings.agents.contains_key(name) {
                let names: Vec<&str> = settings.agents.keys().map(String::as_str).collect();
                let there = names.join(", ");
                return Err(format!("There is no agent {}. There are: {there}.", quoted_label(name)));
            }
            (BudgetScope::Agent, name.clone())
        }
    })
}

/// The configured budgets, what admins have set, and how that is done.
fn all(shared: &Shared) -> String {
    let (settings, now) = (shared.settings(), shared.time.wall());
    let Budgets { person, chat, agent, role, .. } = &settings.config.limits.budget;
    let mut lines = vec!["Budgets for one day, as configured:".to_owned()];
    let named = [("each person", person), ("each chat", chat), ("each agent", agent)];
    lines.extend(named.iter().map(|(who, budget)| format!("- {who}: {}", configured(budget.limits()))));
    let of_roles = role.iter();
    lines.extend(of_roles.map(|(name, budget)| {
        format!("- each person in the role {}: {}", quoted_label(name), configured(budget.limits()))
    }));
    let set = shared.access.budgets(now);
    if !set.is_empty() {
        lines.push("Set by admins:".to_owned());
    }
    lines.extend(set.iter().take(LISTED).map(|row| format!("- {}", line(row, now))));
    if set.len() > LISTED {
        lines.push(format!("and {} more.", set.len() - LISTED));
    }
    lines.push(HOW.to_owned());
    lines.join("\n")
}

/// One budget: what was used of it today, and its limits.
async fn shown(
    shared: &Shared,
    scope: BudgetScope,
    subject: &str,
    set: Option<&BudgetRow>,
) -> Result<String, StoreError> {
    let (settings, now) = (shared.settings(), shared.time.wall());
    let day = Day::at(zone(shared, scope, subject).unwrap_or(settings.resets.zone()), now);
    let spent = shared.store.spent(scope, subject, day.number).await?;
    let used: Vec<String> =
        Measure::ALL.into_iter().map(|measure| measure.amount(spent.of(measure))).collect();
    let limits = match set {
        Some(row) => format!("An admin has set {}.", line(row, now)),
        None => "Its limits are as configured.".to_owned(),
    };
    Ok(format!(
        "Today {} has used {} (the day in {}). {limits}",
        shown_subject(scope, subject),
        used.join(", "),
        day.zone.name()
    ))
}

/// The time zone that was chosen in the chat, or in the private chat of the person.
fn zone(shared: &Shared, scope: BudgetScope, subject: &str) -> Option<Tz> {
    let chat: Address = subject.parse().ok().filter(|_| scope != BudgetScope::Agent)?;
    shared.access.zone(chat.account(), chat.chat())
}

fn line(row: &BudgetRow, now: DateTime<Utc>) -> String {
    let (subject, limits) = (shown_subject(row.scope, &row.subject), limits(&row.set));
    format!("{subject}: {limits}{} (by {})", for_how_long(row.until, now), quoted_label(&row.by))
}

fn shown_subject(scope: BudgetScope, subject: &str) -> String {
    format!("{} {}", scope.name(), quoted_label(subject))
}

fn for_how_long(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    until.map(|until| format!(" for {}", span::length(until - now))).unwrap_or_default()
}

fn configured(limits: DayLimits) -> String {
    let one = |measure: Measure| Some(measure.amount(limits.of(measure)?));
    listed(Measure::ALL.into_iter().filter_map(one).collect())
}

fn limits(set: &BudgetOverride) -> String {
    if (BudgetOverride { warn_percent: None, ..*set }) == BudgetOverride::LIFTED {
        return "no limit".to_owned();
    }
    let of = |measure, most: Option<Most>| match most? {
        Most::Unlimited => Some(match measure {
            Measure::Turns => "any number of answers".to_owned(),
            Measure::Tokens => "any number of tokens".to_owned(),
            Measure::Cost => "any cost".to_owned(),
        }),
        Most::At(most) => Some(measure.amount(most)),
    };
    let limits =
        [(Measure::Turns, set.turns), (Measure::Tokens, set.tokens), (Measure::Cost, set.cost_micro)];
    let warning = set.warn_percent.map(|percent| match percent {
        0 => "no warning".to_owned(),
        percent => format!("a warning at {percent} %"),
    });
    listed(limits.into_iter().filter_map(|(measure, most)| of(measure, most)).chain(warning).collect())
}

fn listed(limits: Vec<String>) -> String {
    if limits.is_empty() { "no limit".to_owned() } else { limits.join(", ") }
}
