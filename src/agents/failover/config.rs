//! The table `failover` of an agent.

use std::collections::BTreeMap;

use frontdesk_core::config::{ConfigError, Secret};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Which models and agents answer when an agent cannot.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What answers instead, in this order: `{ model = "..." }` for another model of the same agent (kind `openai`), with
    /// `base_url` and `api_key` if another provider has it, or the name of another agent.
    pub fallbacks: Vec<Fallback>,
    /// Seconds that a model which has failed is left alone. Each time that it fails again they double, up to 15 minutes.
    pub cooldown: u64,
    /// Seconds that a chat at least stays with a fallback, so that models do not change with every message.
    pub dwell: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { fallbacks: Vec::new(), cooldown: 60, dwell: 300 }
    }
}

/// What answers instead of an agent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Fallback {
    /// Another agent.
    Agent(String),
    /// Another model of the same agent.
    Model(Box<ModelFallback>),
}

/// Another model of the same agent. What is not set is as in the agent.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFallback {
    /// The model, as its provider names it.
    pub model: String,
    /// The URL of another provider's API. The agent's key, headers and parameters are not sent there.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The key of that provider.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// Further headers of every request to it.
    #[serde(default)]
    pub headers: Option<BTreeMap<String, Secret>>,
    /// Further parameters of every request to it.
    #[serde(default)]
    pub parameters: Option<BTreeMap<String, Value>>,
    /// The size of the model's context window, in tokens.
    #[serde(default)]
    pub context_window: Option<u64>,
    /// Whether the model sees images.
    #[serde(default)]
    pub vision: Option<bool>,
}

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        if !(1..=24 * 3600).contains(&self.cooldown) {
            return wrong("failover.cooldown", "must be between 1 and 86400 seconds");
        }
        if self.dwell > 24 * 3600 {
            return wrong("failover.dwell", "must be at most 86400 seconds");
        }
        Ok(())
    }

    /// Checks that there is no model among the fallbacks, for agents whose models belong to somebody else.
    pub(crate) fn check_no_models(&self) -> Result<(), ConfigError> {
        match self.fallbacks.iter().position(|fallback| matches!(fallback, Fallback::Model(_))) {
            Some(index) => Err(ConfigError::new(
                Self::path(index),
                "must be the name of another agent: only an agent with kind = \"openai\" has further models",
            )),
            None => Ok(()),
        }
    }

    /// The other agents among the fallbacks, with their paths.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (String, &str)> {
        self.fallbacks.iter().enumerate().filter_map(|(index, fallback)| match fallback {
            Fallback::Agent(name) => Some((Self::path(index), name.as_str())),
            Fallback::Model(_) => None,
        })
    }

    /// The path of a fallback.
    pub(crate) fn path(index: usize) -> String {
        format!("failover.fallbacks[{index}]")
    }
}
