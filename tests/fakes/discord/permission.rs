//! Who may do what where: roles, and what a channel adds or takes away.

use serde_json::{Value, json};

use crate::guild::{Channel, Guild};
use crate::id::Id;

pub const ADD_REACTIONS: u64 = 1 << 6;
const ADMINISTRATOR: u64 = 1 << 3;
pub const VIEW_CHANNEL: u64 = 1 << 10;
pub const SEND_MESSAGES: u64 = 1 << 11;
pub const MANAGE_MESSAGES: u64 = 1 << 13;
pub const EMBED_LINKS: u64 = 1 << 14;
pub const ATTACH_FILES: u64 = 1 << 15;
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub const MENTION_EVERYONE: u64 = 1 << 17;
pub const MANAGE_THREADS: u64 = 1 << 34;
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
pub const PIN_MESSAGES: u64 = 1 << 51;

/// What everybody may do in a new guild, among other things.
pub const EVERYONE: u64 = ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS;

/// What a channel changes for a role or a member.
#[derive(Debug, Clone)]
pub struct Overwrite {
    pub target: Id,
    /// Whether the target is a member and no role.
    pub member: bool,
    pub allow: u64,
    pub deny: u64,
}

impl Overwrite {
    pub fn to_json(&self) -> Value {
        let (allow, deny) = (self.allow.to_string(), self.deny.to_string());
        json!({"id": self.target, "type": u8::from(self.member), "allow": allow, "deny": deny})
    }
}

/// What somebody may do in a guild, before its channels add and take away.
pub fn in_guild(guild: &Guild, user: Id) -> u64 {
    let Some(member) = guild.members.get(&user) else { return 0 };
    let has = |role: &Id| *role == guild.id || member.roles.contains(role);
    let base = guild.roles.iter().filter(|role| has(&role.id)).fold(0, |all, role| all | role.permissions);
    if guild.owner == user || base & ADMINISTRATOR != 0 { u64::MAX } else { base }
}

/// What somebody may do in a channel. `channel` is the parent of a thread.
pub fn of(guild: &Guild, channel: &Channel, user: Id) -> u64 {
    let Some(member) = guild.members.get(&user) else { return 0 };
    let base = in_guild(guild, user);
    if base == u64::MAX {
        return base;
    }
    let change = |may: u64, overwrites: &[&Overwrite]| {
        let deny = overwrites.iter().fold(0, |all, overwrite| all | overwrite.deny);
        let allow = overwrites.iter().fold(0, |all, overwrite| all | overwrite.allow);
        may & !deny | allow
    };
    let pick = |wanted: &dyn Fn(&Overwrite) -> bool| -> Vec<&Overwrite> {
        channel.overwrites.iter().filter(|overwrite| wanted(overwrite)).collect()
    };
    let everyone = change(base, &pick(&|overwrite| !overwrite.member && overwrite.target == guild.id));
    let roles = pick(&|overwrite| {
        !overwrite.member && overwrite.target != guild.id && member.roles.contains(&overwrite.target)
    });
    let may =
        change(change(everyone, &roles), &pick(&|overwrite| overwrite.member && overwrite.target == user));
    // Without a view of a channel nothing can be done in it.
    if may & VIEW_CHANNEL == 0 { 0 } else { may }
}
