//! What people are told about budgets.

use chrono::{DateTime, TimeDelta, Utc};

use super::{BudgetScope, Day, Measure};
use crate::count::counted;
use crate::span;

/// A budget of which nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp {
    /// Whose it is.
    pub scope: BudgetScope,
    /// Which limit is reached.
    pub measure: Measure,
    /// The limit.
    pub most: u64,
    /// The day for which it is.
    pub day: Day,
}

/// A budget of which little is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearlyUsedUp {
    /// Whose it is.
    pub scope: BudgetScope,
    /// Which limit is near.
    pub measure: Measure,
    /// How much was used.
    pub used: u64,
    /// The limit.
    pub most: u64,
    /// The share that was used.
    pub percent: u64,
    /// The day for which it is.
    pub day: Day,
}

impl UsedUp {
    /// What happened, and when it is open again.
    pub fn sentence(&self, now: DateTime<Utc>) -> String {
        self.about(who(self.scope), now)
    }

    /// The same for people who read about a job, which may be somebody else's.
    pub fn sentence_of_job(&self, now: DateTime<Utc>) -> String {
        self.about(who_of_job(self.scope), now)
    }

    fn about(&self, who: &str, now: DateTime<Utc>) -> String {
        let (amount, opens) = (self.measure.amount(self.most), self.day.next_begins(now));
        format!("{who} used up today's budget ({amount}). It opens again {opens}.")
    }
}

impl NearlyUsedUp {
    /// How much is used, and when the next budget begins.
    pub fn sentence(&self, now: DateTime<Utc>) -> String {
        self.about(who(self.scope), now)
    }

    /// The same for people who read about a job, which may be somebody else's.
    pub fn sentence_of_job(&self, now: DateTime<Utc>) -> String {
        self.about(who_of_job(self.scope), now)
    }

    fn about(&self, who: &str, now: DateTime<Utc>) -> String {
        let used = self.measure.out_of(self.used, self.most);
        let (percent, opens) = (self.percent, self.day.next_begins(now));
        format!("{who} used {percent} % of today's budget ({used}). The next one begins {opens}.")
    }
}

impl Day {
    /// When the next day begins, as seen from `now`: `at 00:00 (Europe/Berlin), in 5 hours`.
    pub fn next_begins(&self, now: DateTime<Utc>) -> String {
        let left = span::length((self.ends - now).max(TimeDelta::zero()));
        let local = self.ends.with_timezone(&self.zone).format("%H:%M");
        format!("at {local} ({}), in {left}", self.zone.name())
    }
}

impl Measure {
    /// An amount with its unit: `10 answers`, `a cost of 5.00`.
    pub fn amount(self, n: u64) -> String {
        match self {
            Measure::Turns => counted(n, "answer"),
            Measure::Tokens => counted(n, "token"),
            Measure::Cost => format!("a cost of {}", cost(n)),
        }
    }

    /// An amount and its limit: `3 of 10 answers`, `a cost of 1.25 of 5.00`.
    pub fn out_of(self, used: u64, most: u64) -> String {
        match self {
            Measure::Turns | Measure::Tokens => format!("{used} of {}", self.amount(most)),
            Measure::Cost => format!("{} of {}", self.amount(used), cost(most)),
        }
    }
}

fn who(scope: BudgetScope) -> &'static str {
    match scope {
        BudgetScope::Person => "You have",
        BudgetScope::Chat => "This chat has",
        BudgetScope::Agent => "The agent here has",
    }
}

fn who_of_job(scope: BudgetScope) -> &'static str {
    match scope {
        BudgetScope::Person => "Its owner has",
        BudgetScope::Chat => "Its chat has",
        BudgetScope::Agent => "Its agent has",
    }
}

/// A cost in whole units of its currency, with two digits behind the point, or with all that it has: `5.00`, `0.0125`.
pub fn cost(micro: u64) -> String {
    let (units, rest) = (micro / 1_000_000, format!("{:06}", micro % 1_000_000));
    let digits = rest.trim_end_matches('0').len().max(2);
    format!("{units}.{}", &rest[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> (Day, DateTime<Utc>) {
        let now: DateTime<Utc> = "2026-03-28T17:30:00Z".parse().unwrap();
        (Day::at(chrono_tz::Europe::Berlin, now), now)
    }

    #[test]
    fn a_refusal_says_in_one_sentence_when_it_is_open_again() {
        let (day, now) = day();
        let used_up = UsedUp { scope: BudgetScope::Person, measure: Measure::Turns, most: 10, day };
        assert_eq!(
            used_up.sentence(now),
            "You have used up today's budget (10 answers). It opens again at 00:00 (Europe/Berlin), in 5 hours."
        );
        assert_eq!(
            used_up.sentence_of_job(now),
            "Its owner has used up today's budget (10 answers). It opens again at 00:00 (Europe/Berlin), in 5 hours."
        );
        let chat = UsedUp { scope: BudgetScope::Chat, measure: Measure::Cost, most: 5_000_000, ..used_up };
        assert!(chat.sentence(now).starts_with("This chat has used up today's budget (a cost of 5.00)."));
    }

    #[test]
    fn a_warning_says_how_much_is_used() {
        let (day, now) = day();
        let (scope, measure) = (BudgetScope::Person, Measure::Tokens);
        let nearly = NearlyUsedUp { scope, measure, used: 850, most: 1000, percent: 85, day };
        assert_eq!(
            nearly.sentence(now),
            "You have used 85 % of today's budget (850 of 1000 tokens). The next one begins at 00:00 \
             (Europe/Berlin), in 5 hours."
        );
    }

    #[test]
    fn a_cost_has_at_least_two_digits_behind_the_point() {
        for (micro, shown) in [(5_000_000, "5.00"), (12_500, "0.0125"), (1, "0.000001"), (0, "0.00")] {
            assert_eq!(cost(micro), shown);
        }
    }
}
