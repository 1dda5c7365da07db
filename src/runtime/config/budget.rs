//! Budgets of a day, and the prices of models.

use std::collections::BTreeMap;

use frontdesk_core::budget::DayLimits;
use frontdesk_core::config::{ConfigError, join};
use frontdesk_core::delta::Usage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest cost and the largest price that can be configured.
const MOST: f64 = 1e9;
/// Millionths of a unit of the currency.
const MICRO: f64 = 1e6;

/// How much people, chats and agents may use in one day. A day ends at midnight in the chat's time zone, which
/// `/timezone` and the rules for resets choose; the day of an agent ends in the gateway's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Budgets {
    /// The percentage of a budget at which the chat gets a warning, once a day. 0 means no warning.
    pub warn_percent: u8,
    /// Limits for one person; their background tasks count too.
    pub person: DayBudget,
    /// What all people of one chat may use together.
    pub chat: DayBudget,
    /// What all people may use together of one agent.
    pub agent: DayBudget,
    /// Limits for a person who is answered in this role. They replace those of `person`.
    pub role: BTreeMap<String, DayBudget>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            warn_percent: 80,
            person: DayBudget::default(),
            chat: DayBudget::default(),
            agent: DayBudget::default(),
            role: BTreeMap::new(),
        }
    }
}

/// A budget for one day. A limit of 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DayBudget {
    /// Maximum number of answers that are begun; 0 means no limit.
    pub turns: u64,
    /// Maximum number of input and output tokens together, as far as agents report them; 0 means no limit.
    pub tokens: u64,
    /// Maximum cost, in the currency of the prices; 0 means no limit.
    pub cost: f64,
}

impl DayBudget {
    /// The limits.
    pub(crate) fn limits(&self) -> DayLimits {
        let limit = |n: u64| (n > 0).then_some(n);
        DayLimits {
            turns: limit(self.turns),
            tokens: limit(self.tokens),
            cost_micro: limit(micro(self.cost)).or((self.cost > 0.0).then_some(1)),
        }
    }
}

impl Budgets {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.warn_percent > 100 {
            return Err(ConfigError::new("limits.budget.warn_percent", "must be between 0 and 100"));
        }
        let roles = self.role.iter().map(|(name, budget)| (join("role", name), budget));
        let others = [("person", &self.person), ("chat", &self.chat), ("agent", &self.agent)];
        for (name, budget) in others.map(|(name, budget)| (name.to_owned(), budget)).into_iter().chain(roles)
        {
            if !(0.0..=MOST).contains(&budget.cost) {
                let path = format!("limits.budget.{name}.cost");
                return Err(ConfigError::new(path, "must be between 0 and 1000000000"));
            }
        }
        Ok(())
    }
}

/// The prices of one model for a million tokens, where its agent reports no cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Price {
    /// Input tokens.
    pub input: f64,
    /// Output tokens.
    pub output: f64,
    /// Input tokens that are read from the provider's cache. Unset means the price of `input`.
    pub cache_read: Option<f64>,
    /// Input tokens that are written to it. Unset means the price of `input`.
    pub cache_write: Option<f64>,
}

impl Price {
    pub(super) fn check(&self, model: &str) -> Result<(), ConfigError> {
        let prices = [Some(self.input), Some(self.output), self.cache_read, self.cache_write];
        if prices.into_iter().flatten().all(|price| (0.0..=MOST).contains(&price)) {
            return Ok(());
        }
        Err(ConfigError::new(join("prices", model), "a price must be between 0 and 1000000000"))
    }

    /// The cost in millionths; `None` if no tokens are reported. What was read from the cache or written to it is a part
    /// of the input.
    fn cost(&self, usage: &Usage) -> Option<u64> {
        usage.input.or(usage.output)?;
        let tokens = |n: Option<u64>| n.unwrap_or(0) as f64;
        let (read, written) = (tokens(usage.cache_read), tokens(usage.cache_write));
        let plain = (tokens(usage.input) - read - written).max(0.0);
        // A price for a million tokens is one in millionths for a token.
        let cost = plain * self.input
            + read * self.cache_read.unwrap_or(self.input)
            + written * self.cache_write.unwrap_or(self.input)
            + tokens(usage.output) * self.output;
        Some(micro(cost / MICRO))
    }
}

/// The usage with its cost, if the agent has named none and its model has a price.
pub(crate) fn priced(prices: &BTreeMap<String, Price>, usage: Usage) -> Usage {
    let price = || prices.get(usage.model.as_deref()?)?.cost(&usage);
    Usage { cost_micro: usage.cost_micro.or_else(price), ..usage }
}

/// Millionths, rounded; at most [`MOST`] units.
fn micro(units: f64) -> u64 {
    (units.clamp(0.0, MOST) * MICRO).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_with_a_price_has_a_cost_unless_the_agent_names_one() {
        let price = Price { input: 2.0, output: 10.0, cache_read: Some(0.5), cache_write: None };
        let prices = BTreeMap::from([("m".to_owned(), price)]);
        let usage = |model: &str| Usage {
            model: Some(model.to_owned()),
            input: Some(1000),
            output: Some(100),
            cache_read: Some(400),
            cache_write: Some(100),
            ..Usage::default()
        };
        assert_eq!(priced(&prices, usage("m")).cost_micro, Some(500 * 2 + 200 + 100 * 2 + 1000));
        assert_eq!(priced(&prices, usage("other")).cost_micro, None);
        let named = Usage { cost_micro: Some(7), ..usage("m") };
        assert_eq!(priced(&prices, named).cost_micro, Some(7));
        let silent = Usage { model: Some("m".to_owned()), ..Usage::default() };
        assert_eq!(priced(&prices, silent).cost_micro, None);
    }

    #[test]
    fn a_limit_of_0_is_none_and_a_tiny_one_is_one() {
        let budget = DayBudget { turns: 3, tokens: 0, cost: 1e-9 };
        let limits = DayLimits { turns: Some(3), tokens: None, cost_micro: Some(1) };
        assert_eq!(budget.limits(), limits);
        assert_eq!(DayBudget::default().limits(), DayLimits::default());
    }

    #[test]
    fn odd_numbers_are_refused_with_their_key() {
        let budget = DayBudget { cost: f64::NAN, ..DayBudget::default() };
        let budgets = Budgets { role: BTreeMap::from([("guest".into(), budget)]), ..Budgets::default() };
        assert_eq!(budgets.check().unwrap_err().path, "limits.budget.role.guest.cost");
        assert!(Budgets { warn_percent: 101, ..Budgets::default() }.check().is_err());
        let negative = Price { input: -1.0, ..Price::default() };
        assert_eq!(negative.check("a.b").unwrap_err().path, "prices.\"a.b\"");
    }
}
