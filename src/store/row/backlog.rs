//! What has waited or run for too long.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;

/// What has waited or run for too long.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Backlog {
    /// When the oldest message came that waits for an answer; those of tasks and jobs do not count.
    pub oldest_message: Option<DateTime<Utc>>,
    /// Parts that should have been sent long ago, by account.
    pub late_parts: Vec<LateParts>,
    /// Parts that were given up within the last hour.
    pub failed_parts: u64,
    /// Turns that run beyond their limit.
    pub stuck: Vec<StuckTurn>,
}

/// Parts of one account that should have been sent long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateParts {
    /// The account.
    pub account: AccountId,
    /// When the oldest was made.
    pub oldest: DateTime<Utc>,
    /// How many there are.
    pub parts: u64,
}

/// A turn that runs beyond its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckTurn {
    /// The turn.
    pub turn: TurnId,
    /// Its session.
    pub session: SessionKey,
    /// When it began.
    pub since: DateTime<Utc>,
}
