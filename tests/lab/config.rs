//! The keys of `[channels.lab]`.

use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CHANNEL;

/// Where the test platform is. Exists in test builds only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// `host:port` of the test platform; empty means that the channel is off.
    pub address: String,
    /// The account's name.
    pub account: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { address: String::new(), account: DEFAULT_ACCOUNT.to_owned() }
    }
}

impl Config {
    /// The account.
    pub(crate) fn id(&self) -> AccountId {
        AccountId::new(CHANNEL, Some(&self.account)).unwrap_or_else(|_| AccountId::default_of(CHANNEL))
    }
}
