//! How outgoing messages are delivered.

use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::config::{ConfigError, join};
use frontdesk_core::quiet::QuietError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAX_HOURS, QuietHours};

/// The delivery of outgoing messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Delivery {
    /// Hours after which an answer that could not be delivered is dropped; the chat is told.
    pub ttl_hours: u64,
    /// What to do with a message of which is unknown whether it arrived, on platforms that do not recognise a repetition:
    /// `resend` sends it again (it may arrive twice), `hold` keeps it for the operator (it may never arrive).
    pub on_ambiguous: Ambiguous,
    /// The hours in which messages that nobody has asked for wait: those of operators and programs, of events and of
    /// scheduled jobs, and results of background tasks. Answers, replies to commands and questions are sent all the same.
    /// Equal times mean none.
    pub quiet_hours: QuietHours,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { ttl_hours: 24, on_ambiguous: Ambiguous::Resend, quiet_hours: QuietHours::default() }
    }
}

impl Delivery {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=MAX_HOURS).contains(&self.ttl_hours) {
            return Err(ConfigError::new("delivery.ttl_hours", "must be between 1 and 87600 (ten years)"));
        }
        let wrong = |error: QuietError| {
            ConfigError::new(format!("delivery.quiet_hours.{}", error.key), error.problem)
        };
        self.quiet_hours.check().map_err(wrong)
    }
}

/// Chats that get the same messages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BroadcastList {
    /// Their addresses, such as `telegram:123456789`.
    pub to: Vec<String>,
}

impl BroadcastList {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        let wrong = |error: AddressError| {
            ConfigError::new(format!("{}.to", join("broadcast", name)), error.to_string())
        };
        self.addresses().map(drop).map_err(wrong)
    }

    /// The chats.
    pub(crate) fn addresses(&self) -> Result<Vec<Address>, AddressError> {
        self.to.iter().map(|to| to.parse()).collect()
    }
}

/// What to do with a part of which is unknown whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ambiguous {
    /// Send it again: it may arrive twice.
    Resend,
    /// Hold it for the operator: it may never arrive.
    Hold,
}
