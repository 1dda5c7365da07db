//! Groups and channels as their platforms describe them, for the people who configure which of them are served.

use thiserror::Error;

/// A group or channel that the bot can see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Its stable id: the one by which the configuration names it.
    pub id: String,
    /// Its name. It may change, and others may have the same one.
    pub name: String,
    /// The platform's word for its kind, such as `private channel` or `forum`.
    pub kind: &'static str,
    /// The name of what it is in, such as a server of Discord.
    pub within: Option<String>,
    /// What its members say it is about.
    pub topic: Option<String>,
    /// The number of its members.
    pub members: Option<u64>,
    /// Whether the bot is in it and gets its messages; `None` if the platform does not say.
    pub joined: Option<bool>,
    /// Whether nobody can write there any more.
    pub archived: bool,
}

/// A part of the list of groups, in the platform's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupPage {
    /// The groups. There may be none although there is a next part.
    pub groups: Vec<Group>,
    /// Where the next part begins; `None` after the last one.
    pub next: Option<String>,
}

/// Why a platform does not describe a group, or does not list them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LookupError {
    /// A later attempt may succeed.
    #[error("the platform does not say it now: {0}")]
    Later(String),
    /// There is no such group, or the bot cannot see it. A private chat is none either.
    #[error("the bot sees no such group")]
    NoSuchGroup,
    /// The platform refuses it, and an operator may be able to change that.
    #[error("the platform refuses it: {0}")]
    Refused(String),
    /// The platform offers nothing of the kind.
    #[error("this platform does not list the groups of a bot")]
    Unsupported,
}
