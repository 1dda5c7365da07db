//! The access rule: one decision for every channel, deny by default.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Principal;
use crate::message::{Sender, SenderKind};

/// An action that needs permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write to the agent.
    Write,
    /// Change the conversation that several people share, for all of them: in a group that names moderators only they may.
    ChangeConversation,
    /// Stop what other people asked for in the chat.
    Moderate,
    /// Change how the service runs, or see other people's conversations.
    Administer,
}

/// Where the action takes place. A grant for one context is not valid in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context<'a> {
    /// In a private chat.
    Dm,
    /// In the group with this id.
    Group(&'a str),
}

/// The result of an access check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Allowed.
    Allow,
    /// Unknown, and the channel offers pairing: the person gets a code.
    Pair,
    /// Denied.
    Deny(DenyReason),
}

/// Why access was denied: for counters and the audit log. Never shown to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// The person has no access.
    NotAllowed,
    /// The channel accepts no private messages.
    Disabled,
    /// The group is not listed.
    UnknownGroup,
    /// The action is for admins only.
    NotAdmin,
    /// The action is for moderators of the group only.
    NotModerator,
    /// The sender is a program that is not listed.
    Bot,
    /// The sender is a chat that posts in its own name, which has no person's rights.
    NotAPerson,
    /// An admin has blocked the sender.
    Blocked,
}

impl DenyReason {
    /// The name in metrics and in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            DenyReason::NotAllowed => "not_allowed",
            DenyReason::Disabled => "disabled",
            DenyReason::UnknownGroup => "unknown_group",
            DenyReason::NotAdmin => "not_admin",
            DenyReason::NotModerator => "not_moderator",
            DenyReason::Bot => "bot",
            DenyReason::NotAPerson => "not_a_person",
            DenyReason::Blocked => "blocked",
        }
    }
}

/// Who may write in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DmPolicy {
    /// Unknown senders get a pairing code, and an admin decides.
    #[default]
    Pairing,
    /// Only people on the list; unknown senders get no answer.
    Allowlist,
    /// Everybody.
    Open,
    /// Nobody: no private messages are accepted.
    Disabled,
}

/// The access rules that the operator configured for one account of a channel. All ids are the platform's stable ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelAccess {
    /// Who may write in private.
    pub dm_policy: DmPolicy,
    /// People who may write in private.
    pub allow: BTreeSet<String>,
    /// Teams and user groups, as in [`Sender::roles`], whose members may write in private.
    pub allow_roles: BTreeSet<String>,
    /// People who may administer.
    pub admins: BTreeSet<String>,
    /// The groups that are served, and who may write in each.
    pub groups: BTreeMap<String, GroupAccess>,
    /// Programs that may write where a person may. A rule that admits everyone does not include programs.
    pub bots: BTreeSet<String>,
}

/// Who may write in a group: every member, unless it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupAccess {
    /// Whether only the members below may write.
    pub closed: bool,
    /// Those who may.
    pub members: Members,
    /// Those who may change the conversation that all share. Where there are none, everybody may.
    pub moderators: Members,
}

/// Some of the people in a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// People, by their ids.
    pub people: BTreeSet<String>,
    /// Roles in that group, teams and user groups, as in [`Sender::roles`]. None of them makes an admin.
    pub roles: BTreeSet<String>,
}

impl Members {
    /// Whether somebody is named, or has a role that is named.
    fn include(&self, who: Requester<'_>) -> bool {
        self.people.contains(who.principal.id()) || who.roles.iter().any(|role| self.roles.contains(role))
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.roles.is_empty()
    }
}

/// What admins decided at run time about a principal in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// May do nothing anywhere, whatever else is granted or configured.
    pub blocked: bool,
    /// May write in private.
    pub dm: bool,
    /// May write in the group in question.
    pub group: bool,
    /// May administer.
    pub admin: bool,
    /// The group in question is served.
    pub here: bool,
}

/// The person or program that wants to do something.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// Their stable id.
    pub principal: &'a Principal,
    /// The kind of account.
    pub sender_kind: SenderKind,
    /// Their roles in the group in question, and their teams and user groups.
    pub roles: &'a [String],
}

impl<'a> Requester<'a> {
    /// The sender of a message.
    pub fn of(sender: &'a Sender) -> Self {
        Requester { principal: &sender.id, sender_kind: sender.kind, roles: &sender.roles }
    }

    /// A person without roles.
    pub fn person(principal: &'a Principal) -> Self {
        Requester { principal, sender_kind: SenderKind::Person, roles: &[] }
    }
}

/// The access rule. `grants` are those of `requester` in `context`. Whatever is not allowed is denied.
pub fn decide(
    rules: &ChannelAccess,
    grants: Grants,
    who: Requester<'_>,
    context: Context<'_>,
    action: Action,
) -> Decision {
    if grants.blocked {
        return Decision::Deny(DenyReason::Blocked);
    }
    let id = who.principal.id();
    let admin = who.sender_kind == SenderKind::Person && (grants.admin || rules.admins.contains(id));
    match (action, who.sender_kind) {
        (Action::Administer | Action::Moderate | Action::ChangeConversation, _) if admin => Decision::Allow,
        (Action::Administer, SenderKind::Person) => Decision::Deny(DenyReason::NotAdmin),
        (Action::Administer, _) => Decision::Deny(DenyReason::NotAPerson),
        (Action::Moderate, sender_kind) => moderates(rules, who, context, sender_kind == SenderKind::Person),
        (Action::ChangeConversation, sender_kind) => {
            let has_moderators =
                |group| rules.groups.get(group).is_some_and(|named| !named.moderators.is_empty());
            match context {
                Context::Group(group) if has_moderators(group) => {
                    moderates(rules, who, context, sender_kind == SenderKind::Person)
                }
                _ => Decision::Allow,
            }
        }
        (Action::Write, SenderKind::Bot) if !rules.bots.contains(id) => Decision::Deny(DenyReason::Bot),
        (Action::Write, _) => match context {
            Context::Dm => in_private(rules, admin || grants.dm, who),
            Context::Group(group) => in_group(rules, grants, admin, who, group),
        },
    }
}

/// Who may write is asked before: a moderator need not be named among the members.
fn moderates(rules: &ChannelAccess, who: Requester<'_>, context: Context<'_>, is_person: bool) -> Decision {
    let named = match context {
        Context::Dm => None,
        Context::Group(group) => rules.groups.get(group),
    };
    match is_person && named.is_some_and(|named| named.moderators.include(who)) {
        true => Decision::Allow,
        false => Decision::Deny(DenyReason::NotModerator),
    }
}

fn in_private(rules: &ChannelAccess, granted: bool, who: Requester<'_>) -> Decision {
    let is_person = who.sender_kind == SenderKind::Person;
    let is_member = is_person && who.roles.iter().any(|role| rules.allow_roles.contains(role));
    match rules.dm_policy {
        DmPolicy::Disabled => Decision::Deny(DenyReason::Disabled),
        _ if granted || is_member || rules.allow.contains(who.principal.id()) => Decision::Allow,
        DmPolicy::Open => Decision::Allow,
        DmPolicy::Pairing if is_person => Decision::Pair,
        DmPolicy::Pairing | DmPolicy::Allowlist => Decision::Deny(DenyReason::NotAllowed),
    }
}

fn in_group(rules: &ChannelAccess, grants: Grants, admin: bool, who: Requester<'_>, group: &str) -> Decision {
    let named = rules.groups.get(group);
    if named.is_none() && !grants.here && !grants.group {
        return Decision::Deny(DenyReason::UnknownGroup);
    }
    let everyone = named.map_or(grants.here, |named| !named.closed);
    let listed = named.is_some_and(|named| named.members.include(who));
    match everyone || listed || grants.group || admin {
        true => Decision::Allow,
        false => Decision::Deny(DenyReason::NotAllowed),
    }
}

#[cfg(test)]
mod tests;
