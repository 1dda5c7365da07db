//! Who may speak: one decision for every way in, deny by default.

use std::collections::BTreeSet;

use crate::address::Principal;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Talk to the agent.
    Speak,
    /// Change how the service runs, or see other people's conversations.
    Administer,
}

/// Where somebody wants to do it. A grant for one context says nothing about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context<'a> {
    /// In a private chat.
    Dm,
    /// In the group with this id.
    Group(&'a str),
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Unknown here, and the channel offers pairing: hand out a code.
    Pair,
    /// No.
    Deny(DenyReason),
}

/// Why not: for counters and the audit log, never for the stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// Nobody let this person in.
    NotAllowed,
    /// The channel takes no private messages.
    Disabled,
    /// The group is not on the list.
    UnknownGroup,
    /// Only admins may do this.
    NotAdmin,
}

impl DenyReason {
    /// The name in metrics and in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            DenyReason::NotAllowed => "not_allowed",
            DenyReason::Disabled => "disabled",
            DenyReason::UnknownGroup => "unknown_group",
            DenyReason::NotAdmin => "not_admin",
        }
    }
}

/// Who may write in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DmPolicy {
    /// Strangers get a code and an admin decides.
    #[default]
    Pairing,
    /// Only those on the list.
    Allowlist,
    /// Everyone. The operator said so in as many words.
    Open,
    /// Nobody.
    Disabled,
}

/// What the operator wrote about one account of one channel. Ids are the platform's stable ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelAccess {
    /// Who may write in private.
    pub dm_policy: DmPolicy,
    /// People who may write in private.
    pub allow: BTreeSet<String>,
    /// People who may administer.
    pub admins: BTreeSet<String>,
    /// Groups that are served, and who may speak in each; an empty set is everyone in that group.
    pub groups: std::collections::BTreeMap<String, BTreeSet<String>>,
}

/// What an admin granted at run time, looked up for this principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// May write in private.
    pub dm: bool,
    /// May speak in the group in question.
    pub group: bool,
    /// May administer.
    pub admin: bool,
}

/// The one rule. `grants` are those of `principal` in `context`; whatever is not allowed is denied.
pub fn decide(
    rules: &ChannelAccess,
    grants: Grants,
    principal: &Principal,
    context: Context<'_>,
    action: Action,
) -> Decision {
    let admin = grants.admin || rules.admins.contains(principal.id());
    match (action, context) {
        (Action::Administer, _) if admin => Decision::Allow,
        (Action::Administer, _) => Decision::Deny(DenyReason::NotAdmin),
        (Action::Speak, Context::Dm) => {
            if rules.dm_policy == DmPolicy::Disabled {
                Decision::Deny(DenyReason::Disabled)
            } else if admin || grants.dm || rules.allow.contains(principal.id()) {
                Decision::Allow
            } else {
                match rules.dm_policy {
                    DmPolicy::Open => Decision::Allow,
                    DmPolicy::Pairing => Decision::Pair,
                    DmPolicy::Allowlist | DmPolicy::Disabled => Decision::Deny(DenyReason::NotAllowed),
                }
            }
        }
        (Action::Speak, Context::Group(group)) => match rules.groups.get(group) {
            None if grants.group => Decision::Allow,
            None => Decision::Deny(DenyReason::UnknownGroup),
            Some(people) if people.is_empty() || people.contains(principal.id()) || grants.group => {
                Decision::Allow
            }
            Some(_) => Decision::Deny(DenyReason::NotAllowed),
        },
    }
}
