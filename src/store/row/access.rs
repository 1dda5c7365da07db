//! Who may speak, as it is stored: grants, pairing, chats and accounts as admins set them, quotas, the audit.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::pairing::{Code, Salt};

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// In private.
    Dm,
    /// In the group with this id.
    Group(String),
    /// Everywhere, with an admin's rights.
    Admin,
}

impl Scope {
    /// The text form: `dm`, `group:-100123`, `admin`.
    pub fn name(&self) -> String {
        match self {
            Scope::Dm => "dm".to_owned(),
            Scope::Group(chat) => format!("group:{chat}"),
            Scope::Admin => "admin".to_owned(),
        }
    }

    /// The one with this text form.
    pub fn named(name: &str) -> Option<Scope> {
        match name {
            "dm" => Some(Scope::Dm),
            "admin" => Some(Scope::Admin),
            _ => name
                .strip_prefix("group:")
                .filter(|chat| !chat.is_empty())
                .map(|chat| Scope::Group(chat.into())),
        }
    }
}

/// Something that an admin granted and nobody has taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantRow {
    /// To whom.
    pub principal: Principal,
    /// Where it holds.
    pub scope: Scope,
    /// How it came: `pairing`, `cli`, `api`, `chat`.
    pub source: String,
    /// Who granted it.
    pub by: String,
    /// How the person was shown then: display data.
    pub shown: Option<String>,
    /// When.
    pub created: DateTime<Utc>,
}

/// A chat as admins set it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRow {
    /// The chat, without a thread.
    pub chat: Address,
    /// Whether the group is served though the configuration does not name it.
    pub allowed: bool,
    /// Until when nothing is answered there.
    pub muted_until: Option<DateTime<Utc>>,
    /// When that was set.
    pub muted_at: Option<DateTime<Utc>>,
    /// Who changed it last.
    pub by: String,
    /// When.
    pub updated: DateTime<Utc>,
}

/// A chat that has another id now.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAlias {
    /// As its sessions, its rules and its grants know it.
    pub original: Address,
    /// As the platform knows it now.
    pub current: Address,
}

/// What a chat's move has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The chat, by its first id and by the one it has now.
    pub row: ChatAlias,
    /// Addresses as they are now that have something to send.
    pub wake: Vec<Address>,
}

/// An account that an admin has disconnected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedAccount {
    /// The account.
    pub account: AccountId,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Everything that is kept in memory to decide who may speak.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessState {
    /// Grants that hold.
    pub grants: Vec<GrantRow>,
    /// Chats that an admin has set.
    pub chats: Vec<ChatRow>,
    /// Chats that have moved.
    pub moved: Vec<ChatAlias>,
    /// Accounts that are disconnected.
    pub stopped: Vec<StoppedAccount>,
}

/// What the gate adds to the message of an unknown sender, so that it becomes a request for a pairing code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRequest {
    /// What the code follows from.
    pub salt: Salt,
    /// The code's salted hash.
    pub hash: [u8; 32],
    /// How many requests may be open for this account; beyond it the oldest one is deleted.
    pub most: u32,
    /// Whether a new request may be made now at all: too many unknown senders at once get no answer.
    pub open: bool,
    /// Where admins are told who asks.
    pub tell: Vec<Address>,
}

/// A request for a code.
#[derive(Debug, Clone, PartialEq)]
pub struct PairingRow {
    /// Its number: names it for those who may not know the code.
    pub id: i64,
    /// Who asks.
    pub principal: Principal,
    /// Where they are told.
    pub address: Address,
    /// How they are shown: display data.
    pub sender: Option<String>,
    /// When they asked.
    pub created: DateTime<Utc>,
    /// Until when the code can be used.
    pub expires: DateTime<Utc>,
}

/// A change of who may speak. The caller has asked whether its author may administer.
#[derive(Debug, Clone)]
pub enum AccessChange {
    /// Let in whoever has this code.
    Approve {
        /// The code.
        code: Code,
        /// Only if the request came through this account.
        account: Option<AccountId>,
    },
    /// Refuse whoever has this code.
    Deny {
        /// The code.
        code: Code,
        /// Only if the request came through this account.
        account: Option<AccountId>,
    },
    /// Grant something.
    Grant {
        /// To whom.
        principal: Principal,
        /// Where it holds.
        scope: Scope,
    },
    /// Take back what was granted; what still waits of this person is refused, what runs is cancelled.
    Revoke {
        /// From whom.
        principal: Principal,
        /// Where; `None` is everywhere.
        scope: Option<Scope>,
        /// Where nothing but this grant let the person speak, besides the place it names: an admin speaks in many.
        /// What is open there ends as well.
        also: Vec<Scope>,
        /// The person's private chat, where it is known: what is to be sent there is dropped.
        private: Option<Address>,
    },
    /// Serve a group, or serve it no more.
    Serve {
        /// The group, without a thread.
        chat: Address,
        /// Whether it is served.
        allowed: bool,
    },
    /// Answer nothing in a chat until then; `None` answers again.
    Mute {
        /// The chat, without a thread.
        chat: Address,
        /// Until when.
        until: Option<DateTime<Utc>>,
    },
    /// Disconnect accounts, or connect them again.
    Switch {
        /// Which ones.
        accounts: Vec<AccountId>,
        /// Whether they are to be disconnected.
        stopped: bool,
    },
    /// Nothing but the audit's row: a refusal in doubt, a command that only reads.
    Note {
        /// What was wanted.
        action: String,
        /// About whom or what.
        subject: String,
        /// What came of it.
        outcome: String,
    },
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessDone {
    /// Somebody was let in by a code, and told so.
    Approved(PairingRow),
    /// A request was refused.
    Denied(PairingRow),
    /// No open request has this code: wrong, used, denied or too old.
    NoSuchCode {
        /// How many more failures lock the author out.
        left: u32,
    },
    /// The author has failed too often.
    Locked {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Granted; `new` says whether it was not before.
    Granted {
        /// Whether it is new.
        new: bool,
    },
    /// Taken back.
    Revoked(Revoked),
    /// A group is served, or is not any more.
    Served {
        /// Whether that is new.
        new: bool,
        /// What ended with it.
        ended: Revoked,
    },
    /// Done, with nothing to add.
    Done,
}

/// What a revocation ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Revoked {
    /// How many grants.
    pub grants: u64,
    /// Turns that ran: their agents must be told.
    pub running: Vec<(SessionKey, Address, TurnId)>,
    /// Messages that waited.
    pub waiting: Vec<(SessionKey, Address, MessageId)>,
    /// How many outgoing messages were dropped.
    pub dropped: u64,
}

impl Revoked {
    /// Adds what ended somewhere else.
    pub fn extend(&mut self, more: Revoked) {
        self.grants += more.grants;
        self.running.extend(more.running);
        self.waiting.extend(more.waiting);
        self.dropped += more.dropped;
    }
}

/// Who changes something, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The principal's text form, `cli`, `program`, or `api:` with the token's id.
    pub name: String,
    /// The way in: `chat`, `cli`, `api`; `program` where the library is used.
    pub via: &'static str,
}

/// One line of the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number, growing.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// The way in.
    pub via: String,
    /// What: `approve`, `grant`, `revoke`, `gateway stop`.
    pub action: String,
    /// About whom or what.
    pub subject: String,
    /// What came of it: `done`, `unchanged`, `refused:not_admin`, `refused:locked`.
    pub outcome: String,
}

/// How many messages a person may send to agents on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// At most this many.
    pub limit: u32,
    /// The day, as days since 1970 in the operator's time zone.
    pub day: i64,
}
