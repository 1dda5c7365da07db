//! The state of an account as `/ready` shows it.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;

/// One account of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Which account.
    pub id: AccountId,
    /// Whether the platform has been heard from recently.
    pub ready: bool,
    /// When `ready` last changed.
    pub since: DateTime<Utc>,
    /// When the platform was last heard from.
    pub last_heard: Option<DateTime<Utc>>,
    /// The admin who disconnected it; an account that is disconnected is not ready, and that is no fault.
    pub stopped: Option<String>,
    /// The last error of its connection.
    pub error: Option<String>,
    /// Whether the platform refuses its token, so that an operator must act.
    pub refused: bool,
}
