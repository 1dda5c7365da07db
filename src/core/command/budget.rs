//! What admins can write after `/gateway budget`.
//!
//! ```text
//! request = "" | subject [ change [ "for" span ] ]
//! subject = "person" CHANNEL USER | "chat" ( "here" | ADDRESS ) | "agent" NAME
//! change  = "turns" N | "tokens" N | "cost" AMOUNT | "warn" PERCENT | "lift" | "default"
//! span    = 2h, 3d, 1d12h
//! ```
//!
//! Without a change it shows what the subject has used and its limits.

use chrono::TimeDelta;

use crate::budget::{BudgetOverride, Most};
use crate::schedule::Schedule;

/// A request about one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRequest {
    /// Whose.
    pub subject: BudgetSubject,
    /// What is to change; `None` shows it.
    pub change: Option<BudgetChange>,
}

/// Whose budget, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetSubject {
    /// One person.
    Person {
        /// The channel, with its account unless that is the default one.
        channel: String,
        /// The person's id there.
        user: String,
    },
    /// One chat; `None` is the one where this is written.
    Chat(Option<String>),
    /// One agent.
    Agent(String),
}

/// A change of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetChange {
    /// These limits hold.
    Set {
        /// The limits.
        set: BudgetOverride,
        /// For how long; `None` until it is changed.
        span: Option<TimeDelta>,
    },
    /// The configured limits hold again.
    Default,
}

/// The largest limit that can be written: beyond it a number is a typing mistake.
const MOST: u64 = 1_000_000_000_000;

impl BudgetRequest {
    /// Parses the words behind `budget`; there must be some.
    pub(super) fn parse(words: &[&str]) -> Option<Self> {
        let (subject, rest) = match words {
            [what, channel, user, rest @ ..] if is(what, "person") => {
                (BudgetSubject::Person { channel: (*channel).to_owned(), user: (*user).to_owned() }, rest)
            }
            [what, here, rest @ ..] if is(what, "chat") && is(here, "here") => {
                (BudgetSubject::Chat(None), rest)
            }
            [what, chat, rest @ ..] if is(what, "chat") => {
                (BudgetSubject::Chat(Some((*chat).to_owned())), rest)
            }
            [what, name, rest @ ..] if is(what, "agent") => (BudgetSubject::Agent((*name).to_owned()), rest),
            _ => return None,
        };
        let change = if rest.is_empty() { None } else { Some(BudgetChange::parse(rest)?) };
        Some(Self { subject, change })
    }
}

impl BudgetChange {
    fn parse(words: &[&str]) -> Option<Self> {
        let none = BudgetOverride::default();
        let (set, rest) = match words {
            [what] if is(what, "default") => return Some(BudgetChange::Default),
            [what, rest @ ..] if is(what, "lift") => (BudgetOverride::LIFTED, rest),
            [what, n, rest @ ..] if is(what, "turns") => {
                (BudgetOverride { turns: Some(count(n)?), ..none }, rest)
            }
            [what, n, rest @ ..] if is(what, "tokens") => {
                (BudgetOverride { tokens: Some(count(n)?), ..none }, rest)
            }
            [what, n, rest @ ..] if is(what, "cost") => {
                (BudgetOverride { cost_micro: Some(cost(n)?), ..none }, rest)
            }
            [what, n, rest @ ..] if is(what, "warn") => {
                let percent =
                    super::number(n.strip_suffix('%').unwrap_or(n)).filter(|percent| *percent <= 100)?;
                (BudgetOverride { warn_percent: Some(percent), ..none }, rest)
            }
            _ => return None,
        };
        let span = match rest {
            [] => None,
            [word, span] if is(word, "for") => Some(self::span(span)?),
            _ => return None,
        };
        Some(BudgetChange::Set { set, span })
    }
}

fn is(word: &str, name: &str) -> bool {
    word.eq_ignore_ascii_case(name)
}

/// A number, which may end in `k` or `m`.
fn count(written: &str) -> Option<Most> {
    let lower = written.to_ascii_lowercase();
    let (digits, times) = match lower.strip_suffix('k') {
        Some(digits) => (digits, 1_000),
        None => lower.strip_suffix('m').map_or((lower.as_str(), 1), |digits| (digits, 1_000_000)),
    };
    let n = super::number::<u64>(digits)?.checked_mul(times)?;
    (1..=MOST).contains(&n).then_some(Most::At(n))
}

/// An amount with at most six digits behind the point, in millionths.
fn cost(written: &str) -> Option<Most> {
    let (units, rest) = written.split_once('.').unwrap_or((written, "0"));
    let (units, digits): (u64, u64) = (super::number(units)?, super::number(rest)?);
    let shift = 6_u32.checked_sub(u32::try_from(rest.len()).ok()?)?;
    let micro = units.checked_mul(1_000_000)?.checked_add(digits.checked_mul(10_u64.pow(shift))?)?;
    (1..=MOST * 1000).contains(&micro).then_some(Most::At(micro))
}

fn span(written: &str) -> Option<TimeDelta> {
    match Schedule::every(&written.to_ascii_lowercase()) {
        Ok(Schedule::Every(span)) => Some(span),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<BudgetRequest> {
        BudgetRequest::parse(&text.split_whitespace().collect::<Vec<_>>())
    }

    fn set(set: BudgetOverride, span: Option<TimeDelta>) -> Option<BudgetChange> {
        Some(BudgetChange::Set { set, span })
    }

    #[test]
    fn a_request_names_whose_budget_it_is_and_what_changes() {
        let none = BudgetOverride::default();
        let anna = BudgetSubject::Person { channel: "telegram".into(), user: "7".into() };
        for (text, subject, change) in [
            ("person telegram 7", anna.clone(), None),
            (
                "Person telegram 7 turns 50",
                anna.clone(),
                set(BudgetOverride { turns: Some(Most::At(50)), ..none }, None),
            ),
            (
                "chat here tokens 2M for 3d",
                BudgetSubject::Chat(None),
                set(BudgetOverride { tokens: Some(Most::At(2_000_000)), ..none }, Some(TimeDelta::days(3))),
            ),
            (
                "chat telegram:-100 cost 1.5",
                BudgetSubject::Chat(Some("telegram:-100".into())),
                set(BudgetOverride { cost_micro: Some(Most::At(1_500_000)), ..none }, None),
            ),
            (
                "agent main lift for 2h",
                BudgetSubject::Agent("main".into()),
                set(BudgetOverride::LIFTED, Some(TimeDelta::hours(2))),
            ),
            (
                "agent main warn 50%",
                BudgetSubject::Agent("main".into()),
                set(BudgetOverride { warn_percent: Some(50), ..none }, None),
            ),
            ("agent main default", BudgetSubject::Agent("main".into()), Some(BudgetChange::Default)),
        ] {
            assert_eq!(parse(text), Some(BudgetRequest { subject, change }), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_request() {
        for text in [
            "",
            "person",
            "person telegram",
            "chat",
            "agent",
            "agent main turns",
            "agent main turns 0",
            "agent main turns -1",
            "agent main turns ten",
            "agent main cost 0",
            "agent main cost 1.2345678",
            "agent main cost 1,5",
            "agent main warn 101",
            "agent main lift for",
            "agent main lift 2h",
            "agent main lift for ever",
            "agent main default for 2h",
            "agent main turns 5 now",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
