//! The audit of changes.

use chrono::{DateTime, Utc};

/// Who makes a change, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The principal's text form, `cli`, `program`, `api:` with the token's id, or what made the gateway act by itself:
    /// `SIGHUP`, `watch`.
    pub name: String,
    /// The interface: `chat`, `cli`, `api`, `signal`, `file`; `program` where the library is used.
    pub via: &'static str,
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number, growing.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// The interface.
    pub via: String,
    /// The action: `approve`, `grant`, `revoke`, `gateway stop`.
    pub action: String,
    /// About whom or what.
    pub subject: String,
    /// The outcome: `done`, `unchanged`, `refused:not_admin`, `refused:locked`.
    pub outcome: String,
}
