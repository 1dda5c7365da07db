//! Rows and changes of access: grants, pairing requests, settings of chats and accounts, quotas, the audit.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::budget::{BudgetOverride, BudgetScope};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::pairing::Code;
use frontdesk_core::token::TokenName;

use super::{BudgetRow, LinkRow, NewBrowser, NewToken, PairingRow, TokenRow};

/// Where a grant is valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// In the private chat.
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

/// A valid grant.
#[derive(Debug, Clone, PartialEq)]
pub struct GrantRow {
    /// Who has it.
    pub principal: Principal,
    /// Where it is valid.
    pub scope: Scope,
    /// How it was granted: `pairing`, `cli`, `api`, `chat`.
    pub source: String,
    /// Who granted it.
    pub by: String,
    /// The person's display name at that time; never an identity.
    pub shown: Option<String>,
    /// When.
    pub created: DateTime<Utc>,
}

/// Somebody whom an admin has blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockRow {
    /// Who may not write anywhere.
    pub principal: Principal,
    /// How they were blocked: `cli`, `api`, `chat`.
    pub source: String,
    /// Who blocked them.
    pub by: String,
    /// When.
    pub created: DateTime<Utc>,
}

/// The settings of a chat that an admin made.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRow {
    /// The chat, without a thread.
    pub chat: Address,
    /// Whether the group is served although the configuration does not name it.
    pub allowed: bool,
    /// Until when nothing is answered there.
    pub muted_until: Option<DateTime<Utc>>,
    /// When that was set.
    pub muted_at: Option<DateTime<Utc>>,
    /// The IANA time zone of its people, if one was chosen there.
    pub zone: Option<String>,
    /// Who changed it last.
    pub by: String,
    /// When.
    pub updated: DateTime<Utc>,
}

/// A chat whose id has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAlias {
    /// The id that its sessions, rules and grants have.
    pub original: Address,
    /// The id that the platform uses now.
    pub current: Address,
}

/// The result of a change of a chat's id.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The first id and the current one.
    pub row: ChatAlias,
    /// The new addresses that have parts to be sent.
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

/// Everything that the decisions about access and budgets need in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessState {
    /// Valid grants.
    pub grants: Vec<GrantRow>,
    /// People and programs that may not write anywhere.
    pub blocked: Vec<BlockRow>,
    /// Settings of chats.
    pub chats: Vec<ChatRow>,
    /// Private chats that share the session of another one.
    pub links: Vec<LinkRow>,
    /// Chats whose id has changed.
    pub moved: Vec<ChatAlias>,
    /// Accounts that are disconnected.
    pub stopped: Vec<StoppedAccount>,
    /// Budgets that admins have set.
    pub budgets: Vec<BudgetRow>,
    /// Tokens of the API that were not revoked, but for the owner's.
    pub tokens: Vec<TokenRow>,
}

/// A change of access. The caller has checked that its author is an admin or an operator.
#[derive(Debug, Clone)]
pub enum AccessChange {
    /// Approve the request with this code.
    Approve {
        /// The code.
        code: Code,
        /// Only if the request came through this account.
        account: Option<AccountId>,
    },
    /// Deny the request with this code.
    Deny {
        /// The code.
        code: Code,
        /// Only if the request came through this account.
        account: Option<AccountId>,
    },
    /// Approve the request with this number, without its code. The caller has seen who asks.
    ApproveRequest(i64),
    /// Deny the request with this number.
    DenyRequest(i64),
    /// Grant access.
    Grant {
        /// To whom.
        principal: Principal,
        /// Where.
        scope: Scope,
    },
    /// Revoke grants. The person's waiting messages are refused, and running turns are cancelled.
    Revoke {
        /// From whom.
        principal: Principal,
        /// Where; `None` is everywhere.
        scope: Option<Scope>,
        /// Further scopes in which this grant alone gave access: an admin may write in many groups. What is open there
        /// ends as well.
        also: Vec<Scope>,
        /// The person's private chat, where it is known: parts that were not sent there are dropped.
        private: Option<Address>,
    },
    /// Block somebody: they may not write anywhere, whatever is granted to them. What they have open ends, as with a
    /// revocation.
    Block {
        /// Whom.
        principal: Principal,
        /// The person's private chat, where it is known: parts that were not sent there are dropped.
        private: Option<Address>,
    },
    /// End a block. What was granted before holds again.
    Unblock {
        /// Whose.
        principal: Principal,
    },
    /// Serve a group, or stop serving it.
    Serve {
        /// The group, without a thread.
        chat: Address,
        /// Whether it is served.
        allowed: bool,
    },
    /// Mute a chat until a time; `None` unmutes it.
    Mute {
        /// The chat, without a thread.
        chat: Address,
        /// Until when.
        until: Option<DateTime<Utc>>,
    },
    /// Choose the time zone of a chat's people; `None` leaves it to the configuration.
    Zone {
        /// The chat, without a thread.
        chat: Address,
        /// The zone's IANA name.
        zone: Option<String>,
    },
    /// Set limits in place of the configured ones.
    Budget {
        /// Whose budget.
        scope: BudgetScope,
        /// The principal, the chat's address without a thread, or the name of the agent.
        subject: String,
        /// The limits; `None` leaves them to the configuration.
        set: Option<BudgetOverride>,
        /// Until when; `None` until it is changed.
        until: Option<DateTime<Utc>>,
    },
    /// Disconnect accounts, or connect them again.
    Switch {
        /// Which ones.
        accounts: Vec<AccountId>,
        /// Whether they are to be disconnected.
        stopped: bool,
    },
    /// Make a token of the API.
    MakeToken(NewToken),
    /// Make the token of a browser that a login link has let in.
    LogIn(NewBrowser),
    /// Revoke the token of a browser.
    LogOut {
        /// Which one.
        name: TokenName,
    },
    /// Replace the secret of a token. The old one is refused from now on.
    RotateToken {
        /// Which one.
        name: TokenName,
        /// SHA-256 of the new secret.
        hash: [u8; 32],
        /// From when on it is refused.
        expires: Option<DateTime<Utc>>,
    },
    /// Revoke a token and everything that its holder was granted.
    RevokeToken {
        /// Which one.
        name: TokenName,
        /// The person of this name on the web channel.
        holder: Principal,
        /// The person's private chat, where it is known: parts that were not sent there are dropped.
        private: Option<Address>,
    },
    /// Only add a row to the audit: about a refusal, or a command that only reads.
    Note {
        /// What was requested.
        action: String,
        /// About whom or what.
        subject: String,
        /// The outcome.
        outcome: String,
    },
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessDone {
    /// A request was approved, and the person got a notice.
    Approved(PairingRow),
    /// A request was denied.
    Denied(PairingRow),
    /// No open request has this code: wrong, used, denied or too old.
    NoSuchCode {
        /// After how many more failures the author is locked out.
        left: u32,
    },
    /// No open request has this number.
    NoSuchRequest,
    /// The author has failed too often.
    Locked {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Granted.
    Granted {
        /// Whether there was no such grant before.
        new: bool,
    },
    /// Revoked.
    Revoked(Revoked),
    /// Somebody is blocked.
    Blocked {
        /// Whether that is a change.
        new: bool,
        /// What they had open.
        ended: Revoked,
    },
    /// Somebody is not blocked any more.
    Unblocked {
        /// Whether they were.
        before: bool,
    },
    /// A group is served, or is no longer served.
    Served {
        /// Whether that is a change.
        new: bool,
        /// What ended in the group.
        ended: Revoked,
    },
    /// Accounts are disconnected, or connected again.
    Switched {
        /// Those for which that is a change.
        changed: Vec<AccountId>,
    },
    /// A chat is muted, or is no longer muted.
    Muted {
        /// Whether it was muted before.
        before: bool,
    },
    /// The time zone of a chat's people is chosen, or left to the configuration.
    ZoneChosen,
    /// Limits are set, or left to the configuration.
    BudgetSet,
    /// A token was made, or its secret was replaced.
    TokenStored,
    /// There is or was a token of this name.
    TokenNameTaken,
    /// There is no such token, or it was revoked.
    NoSuchToken,
    /// A row was added to the audit.
    Noted,
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

/// Access that the configuration gave and does not give any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostAccess {
    /// A person may not write in this scope any more.
    Person {
        /// Who.
        principal: Principal,
        /// Where.
        scope: Scope,
        /// The person's private chat, where it is known.
        private: Option<Address>,
    },
    /// A group is not served any more.
    Group(Address),
}

/// How many messages a person may send to agents on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// At most this many.
    pub limit: u32,
    /// The day, as days since 1970 in the operator's time zone.
    pub day: i64,
}
