//! People, what they may do, and who changed it.

use frontdesk_core::address::Principal;
use frontdesk_runtime::{AccessView, AllowedAction, AllowedGroup};
use frontdesk_store::row::{self, AuditRow, ChatRow, PairingRow, Scope};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Person, Timestamp, escaped, maybe};

/// A pairing request, without its code.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PairingRequest {
    #[serde(flatten)]
    person: Person,
    id: i64,
    /// The name that the person shows, with characters escaped that would hide or reorder text.
    shown: Option<String>,
    /// The chat in which the person wrote.
    address: String,
    asked: Timestamp,
    expires: Timestamp,
}

impl From<&PairingRow> for PairingRequest {
    fn from(row: &PairingRow) -> Self {
        Self {
            person: (&row.principal).into(),
            id: row.id,
            shown: row.sender.as_deref().map(escaped),
            address: row.address.as_str().to_owned(),
            asked: row.created.into(),
            expires: row.expires.into(),
        }
    }
}

/// Who may do what.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccessList {
    /// People, from the configuration and from admins.
    access: Vec<AccessGrant>,
    /// What the configuration allows other than to single people to write.
    configured: Vec<ConfiguredAccess>,
    blocked: Vec<BlockedPerson>,
    /// Chats that admins have set.
    chats: Vec<ChatSetting>,
    /// Accounts that admins have disconnected.
    stopped: Vec<StoppedAccount>,
    next: Option<String>,
}

/// One permission of a person.
#[derive(Debug, Serialize, JsonSchema)]
struct AccessGrant {
    #[serde(flatten)]
    person: Person,
    /// `dm`, `admin` or `group:ID`.
    scope: String,
    /// Where the grant came from: `config`, `pairing`, `cli`, `api` or `chat`.
    source: String,
    by: Option<String>,
    /// The name that the person showed at that time.
    shown: Option<String>,
    created: Option<Timestamp>,
}

/// What the configuration allows.
#[derive(Debug, Serialize, JsonSchema)]
struct ConfiguredAccess {
    platform: String,
    account: String,
    #[schemars(extend("enum" = ["everybody", "role", "person", "bot"]))]
    who: &'static str,
    /// The role, the person or the bot.
    id: Option<String>,
    #[schemars(extend("enum" = ["write", "moderate"]))]
    may: &'static str,
    scope: Option<String>,
}

/// A person whom an admin has blocked.
#[derive(Debug, Serialize, JsonSchema)]
struct BlockedPerson {
    #[serde(flatten)]
    person: Person,
    source: String,
    by: String,
    created: Timestamp,
}

/// A chat that an admin has set.
#[derive(Debug, Serialize, JsonSchema)]
struct ChatSetting {
    chat: String,
    allowed: bool,
    muted_until: Option<Timestamp>,
    by: String,
    updated: Timestamp,
}

/// An account that an admin has disconnected.
#[derive(Debug, Serialize, JsonSchema)]
struct StoppedAccount {
    channel: String,
    account: String,
    by: String,
    at: Timestamp,
}

impl AccessList {
    /// `next` is the cursor of the next page.
    pub(crate) fn new(view: &AccessView, next: Option<String>) -> Self {
        let stopped = |row: &row::StoppedAccount| StoppedAccount {
            channel: row.account.channel().to_owned(),
            account: row.account.name().to_owned(),
            by: row.by.clone(),
            at: row.at.into(),
        };
        Self {
            access: view.entries.iter().map(AccessGrant::from).collect(),
            configured: view.configured.iter().map(ConfiguredAccess::from).collect(),
            blocked: view.blocked.iter().map(|row| blocked(&row.principal, row)).collect(),
            chats: view.chats.iter().map(ChatSetting::from).collect(),
            stopped: view.stopped.iter().map(stopped).collect(),
            next,
        }
    }
}

impl From<&frontdesk_runtime::AccessEntry> for AccessGrant {
    fn from(entry: &frontdesk_runtime::AccessEntry) -> Self {
        Self {
            person: (&entry.principal).into(),
            scope: entry.scope.name(),
            source: entry.source.clone(),
            by: entry.by.clone(),
            shown: entry.shown.as_deref().map(escaped),
            created: maybe(entry.created),
        }
    }
}

impl From<&frontdesk_runtime::ConfiguredAccess> for ConfiguredAccess {
    fn from(allowed: &frontdesk_runtime::ConfiguredAccess) -> Self {
        let (who, id) = match &allowed.who {
            AllowedGroup::Everybody => ("everybody", None),
            AllowedGroup::Role(role) => ("role", Some(role.clone())),
            AllowedGroup::Person(id) => ("person", Some(id.clone())),
            AllowedGroup::Bot(id) => ("bot", Some(id.clone())),
        };
        Self {
            platform: allowed.account.channel().to_owned(),
            account: allowed.account.name().to_owned(),
            who,
            id,
            may: match allowed.may {
                AllowedAction::Write => "write",
                AllowedAction::Moderate => "moderate",
            },
            scope: allowed.scope.as_ref().map(Scope::name),
        }
    }
}

fn blocked(principal: &Principal, row: &row::BlockRow) -> BlockedPerson {
    BlockedPerson {
        person: principal.into(),
        source: row.source.clone(),
        by: row.by.clone(),
        created: row.created.into(),
    }
}

impl From<&ChatRow> for ChatSetting {
    fn from(row: &ChatRow) -> Self {
        Self {
            chat: row.chat.as_str().to_owned(),
            allowed: row.allowed,
            muted_until: maybe(row.muted_until),
            by: row.by.clone(),
            updated: row.updated.into(),
        }
    }
}

/// One change, and who made it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditEntry {
    id: i64,
    at: Timestamp,
    by: String,
    /// How the change was asked for, for example `api` or `cli`.
    via: String,
    action: String,
    subject: String,
    outcome: String,
}

impl From<&AuditRow> for AuditEntry {
    fn from(row: &AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at.into(),
            by: row.by.clone(),
            via: row.via.clone(),
            action: row.action.clone(),
            subject: escaped(&row.subject),
            outcome: row.outcome.clone(),
        }
    }
}
