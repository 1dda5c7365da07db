//! Budgets: how much a person, a chat or an agent may use in one day.

mod day;
mod told;

pub use day::Day;
pub use told::{NearlyUsedUp, UsedUp, cost};

/// Whose use a budget limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetScope {
    /// One person, in all chats of their account.
    Person,
    /// Everybody in one chat, with all its topics.
    Chat,
    /// Everybody whom one agent answers.
    Agent,
}

impl BudgetScope {
    /// All variants.
    pub const ALL: [BudgetScope; 3] = [BudgetScope::Person, BudgetScope::Chat, BudgetScope::Agent];

    /// The name in the database, in the configuration and in commands.
    pub fn name(self) -> &'static str {
        match self {
            BudgetScope::Person => "person",
            BudgetScope::Chat => "chat",
            BudgetScope::Agent => "agent",
        }
    }

    /// The scope with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Runs of agents.
    Turns,
    /// Input and output tokens together.
    Tokens,
    /// Millionths of the currency of the price table.
    Cost,
}

impl Measure {
    /// All variants, in the order in which they are named to people.
    pub const ALL: [Measure; 3] = [Measure::Turns, Measure::Tokens, Measure::Cost];
}

/// What was used on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Runs of agents that have begun.
    pub turns: u64,
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Millionths of the currency.
    pub cost_micro: u64,
}

impl Spent {
    /// How much of this was used.
    pub fn of(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Turns => self.turns,
            Measure::Tokens => self.input.saturating_add(self.output),
            Measure::Cost => self.cost_micro,
        }
    }
}

/// How much may be used on one day; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayLimits {
    /// Runs of agents.
    pub turns: Option<u64>,
    /// Input and output tokens together.
    pub tokens: Option<u64>,
    /// Millionths of the currency.
    pub cost_micro: Option<u64>,
}

impl DayLimits {
    /// The limit of one measure.
    pub fn of(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Turns => self.turns,
            Measure::Tokens => self.tokens,
            Measure::Cost => self.cost_micro,
        }
    }

    /// Whether anything is limited.
    pub fn any(&self) -> bool {
        Measure::ALL.iter().any(|measure| self.of(*measure).is_some())
    }
}

/// The budget of one subject for one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose it is.
    pub scope: BudgetScope,
    /// The principal, the chat's address without a thread, or the name of the agent.
    pub subject: String,
    /// The day.
    pub day: Day,
    /// How much may be used.
    pub limits: DayLimits,
    /// At how many percent of a limit the chat gets a warning; `None` for no warning.
    pub warn_percent: Option<u8>,
}

impl Budget {
    /// The first measure whose limit is reached: nothing more may begin.
    pub fn used_up(&self, spent: &Spent) -> Option<UsedUp> {
        let reached =
            |measure: &Measure| self.limits.of(*measure).is_some_and(|most| spent.of(*measure) >= most);
        let measure = Measure::ALL.into_iter().find(reached)?;
        let most = self.limits.of(measure)?;
        Some(UsedUp { scope: self.scope, measure, most, day: self.day })
    }

    /// The measure of which the largest share is used, once that deserves a warning.
    pub fn nearly_used_up(&self, spent: &Spent) -> Option<NearlyUsedUp> {
        let warn = u64::from(self.warn_percent?);
        let used = |measure: Measure| {
            let most = self.limits.of(measure).filter(|most| *most > 0)?;
            let used = spent.of(measure);
            let percent = u64::try_from(u128::from(used) * 100 / u128::from(most)).unwrap_or(u64::MAX);
            let (scope, day) = (self.scope, self.day);
            (percent >= warn).then_some(NearlyUsedUp { scope, measure, used, most, percent, day })
        };
        Measure::ALL.into_iter().filter_map(used).max_by_key(|nearly| nearly.percent)
    }
}

/// What an admin has set for one subject in place of the configuration. `None` leaves a limit as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BudgetOverride {
    /// Runs of agents.
    pub turns: Option<Most>,
    /// Input and output tokens together.
    pub tokens: Option<Most>,
    /// Millionths of the currency.
    pub cost_micro: Option<Most>,
    /// At how many percent the chat gets a warning.
    pub warn_percent: Option<u8>,
}

/// A limit as an admin sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// No limit.
    Unlimited,
    /// At most this.
    At(u64),
}

impl BudgetOverride {
    /// No limits at all.
    pub const LIFTED: BudgetOverride = BudgetOverride {
        turns: Some(Most::Unlimited),
        tokens: Some(Most::Unlimited),
        cost_micro: Some(Most::Unlimited),
        warn_percent: None,
    };

    /// This one, where `later` changes nothing.
    pub fn and_then(self, later: BudgetOverride) -> BudgetOverride {
        BudgetOverride {
            turns: later.turns.or(self.turns),
            tokens: later.tokens.or(self.tokens),
            cost_micro: later.cost_micro.or(self.cost_micro),
            warn_percent: later.warn_percent.or(self.warn_percent),
        }
    }

    /// The limits that hold where these are configured.
    pub fn over(&self, configured: DayLimits) -> DayLimits {
        let of = |set: Option<Most>, configured: Option<u64>| match set {
            None => configured,
            Some(Most::Unlimited) => None,
            Some(Most::At(most)) => Some(most),
        };
        DayLimits {
            turns: of(self.turns, configured.turns),
            tokens: of(self.tokens, configured.tokens),
            cost_micro: of(self.cost_micro, configured.cost_micro),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn budget(limits: DayLimits) -> Budget {
        let now: DateTime<Utc> = "2026-03-28T22:30:00Z".parse().unwrap();
        let day = Day::at(chrono_tz::Europe::Berlin, now);
        Budget {
            scope: BudgetScope::Person,
            subject: "telegram:1".into(),
            day,
            limits,
            warn_percent: Some(80),
        }
    }

    #[test]
    fn a_budget_is_used_up_when_any_limit_is_reached() {
        let limits = DayLimits { turns: Some(10), tokens: Some(1000), cost_micro: None };
        let used_up = |turns, input, output| {
            let spent = Spent { turns, input, output, cost_micro: u64::MAX };
            budget(limits).used_up(&spent).map(|used_up| used_up.measure)
        };
        assert_eq!(used_up(9, 500, 499), None);
        assert_eq!(used_up(10, 0, 0), Some(Measure::Turns));
        assert_eq!(used_up(9, 500, 500), Some(Measure::Tokens));
        assert_eq!(used_up(9, u64::MAX, u64::MAX), Some(Measure::Tokens), "nothing overflows");
        assert_eq!(budget(DayLimits::default()).used_up(&Spent { turns: 99, ..Spent::default() }), None);
    }

    #[test]
    fn a_warning_names_what_is_nearest_to_its_limit() {
        let limits = DayLimits { turns: Some(10), tokens: Some(1000), cost_micro: None };
        let nearly = |turns, input| {
            let spent = Spent { turns, input, ..Spent::default() };
            budget(limits).nearly_used_up(&spent).map(|nearly| (nearly.measure, nearly.percent))
        };
        assert_eq!(nearly(7, 799), None);
        assert_eq!(nearly(8, 0), Some((Measure::Turns, 80)));
        assert_eq!(nearly(8, 950), Some((Measure::Tokens, 95)));
        let silent = Budget { warn_percent: None, ..budget(limits) };
        assert_eq!(silent.nearly_used_up(&Spent { turns: 9, ..Spent::default() }), None);
    }

    #[test]
    fn an_admin_raises_lifts_and_takes_back_single_limits() {
        let configured = DayLimits { turns: Some(10), tokens: Some(1000), cost_micro: None };
        let raised = BudgetOverride { turns: Some(Most::At(50)), ..BudgetOverride::default() };
        assert_eq!(raised.over(configured), DayLimits { turns: Some(50), ..configured });
        assert_eq!(BudgetOverride::LIFTED.over(configured), DayLimits::default());
        let both =
            raised.and_then(BudgetOverride { tokens: Some(Most::Unlimited), ..BudgetOverride::default() });
        assert_eq!(both.over(configured), DayLimits { turns: Some(50), tokens: None, cost_micro: None });
        assert_eq!(BudgetOverride::default().over(configured), configured);
    }

    #[test]
    fn every_scope_has_a_name_of_its_own() {
        for scope in BudgetScope::ALL {
            assert_eq!(BudgetScope::named(scope.name()), Some(scope));
        }
        assert_eq!(BudgetScope::named(""), None);
    }
}
