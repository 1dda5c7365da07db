//! The requests that admins can write after `/gateway`.
//!
//! ```text
//! status                    sessions        tasks           config
//! pair CODE                 deny CODE       allow CHANNEL USER [here]       revoke CHANNEL USER
//! block CHANNEL USER        unblock CHANNEL USER
//! allow-here                deny-here       mute [MINUTES]                  unmute
//! start [CHANNEL]           stop [CHANNEL]  reload          restart
//! budget [WHOSE [CHANGE]], see [`BudgetRequest`]
//! ```
//!
//! A request that would leave nobody who can manage the gateway from a chat needs `confirm` as its last word.
//!
//! CHANNEL is the name of a channel, with its account unless that is the default one: `telegram`, `telegram@work`.
//! USER is the platform's own id of a person, never a name.

pub use super::budget::{BudgetChange, BudgetRequest, BudgetSubject};
use crate::nearest::nearest;

/// One request of an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gateway {
    /// Show the state of the gateway.
    Status,
    /// List the latest sessions.
    Sessions,
    /// List background tasks.
    Tasks,
    /// Show the configuration, without secrets.
    Config,
    /// Give access to the person with this code.
    Pair {
        /// The code as it was written.
        code: String,
    },
    /// Refuse the person with this code.
    Deny {
        /// The code as it was written.
        code: String,
    },
    /// Give access to a person by their id.
    Allow {
        /// The channel, with its account unless that is the default one.
        channel: String,
        /// The person's id there.
        user: String,
        /// In the group where this is written, instead of in private.
        here: bool,
    },
    /// Take all access away from a person.
    Revoke {
        /// The channel, with its account unless that is the default one.
        channel: String,
        /// The person's id there.
        user: String,
        /// Whether to do it even if nobody could then manage the gateway from a chat.
        confirm: bool,
    },
    /// Let a person or a program write nowhere, whatever is granted to them.
    Block {
        /// The channel, with its account unless that is the default one.
        channel: String,
        /// The id there.
        user: String,
    },
    /// End that.
    Unblock {
        /// The channel, with its account unless that is the default one.
        channel: String,
        /// The id there.
        user: String,
    },
    /// Serve the group where this is written.
    AllowHere,
    /// Stop serving it.
    DenyHere,
    /// Do not answer in this chat for a while.
    Mute {
        /// How long; `None` means until it is unmuted.
        minutes: Option<u32>,
    },
    /// Answer again.
    Unmute,
    /// Start a channel that was stopped.
    Start {
        /// The channel or account; `None` means the gateway itself.
        what: Option<String>,
    },
    /// Stop a channel.
    Stop {
        /// The channel or account; `None` means the gateway itself.
        what: Option<String>,
        /// Whether to do it even if nobody could then start it again from a chat.
        confirm: bool,
    },
    /// Show or change budgets; `None` shows all.
    Budget(Option<BudgetRequest>),
    /// Read the configuration again.
    Reload,
    /// Restart the gateway.
    Restart,
}

/// One request as `/gateway` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The words that follow `/gateway`, with their arguments.
    pub words: &'static str,
    /// What it does.
    pub help: &'static str,
    place: Place,
}

/// Where a request can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    Group,
    Private,
}

/// The requests that can follow `/gateway` in a group or in a private chat, in the order in which it lists them.
pub fn usages(in_group: bool) -> impl Iterator<Item = &'static Usage> {
    USAGES.iter().filter(move |usage| match usage.place {
        Place::Anywhere => true,
        Place::Group => in_group,
        Place::Private => !in_group,
    })
}

const USAGES: [Usage; 19] = [
    anywhere("status", "show the state of the gateway"),
    anywhere("sessions", "list the latest sessions"),
    anywhere("config", "show the settings of this account"),
    anywhere("pair CODE", "allow the person who has this code"),
    anywhere("deny CODE", "refuse the person who has this code"),
    in_groups("allow CHANNEL USER [here]", "allow a person by their id; `here` means in this group"),
    in_private("allow CHANNEL USER", "allow a person by their id"),
    anywhere("revoke CHANNEL USER", "revoke a person's access"),
    anywhere("block CHANNEL USER", "ignore a person in every chat"),
    anywhere("unblock CHANNEL USER", "stop ignoring a person"),
    in_groups("allow-here", "answer everyone in this group"),
    in_groups("deny-here", "stop answering in this group"),
    anywhere("mute [MINUTES]", "stay silent in this chat"),
    anywhere("unmute", "answer in this chat again"),
    anywhere("budget", "show the budgets and how to change them"),
    anywhere("start CHANNEL", "start a channel that was stopped"),
    anywhere("stop [CHANNEL]", "stop a channel, or the whole gateway"),
    anywhere("reload", "read the configuration again"),
    anywhere("restart", "restart the gateway"),
];

/// Requests that are accepted and not listed.
const UNLISTED: [Usage; 1] = [anywhere("tasks", "list background tasks")];

const fn anywhere(words: &'static str, help: &'static str) -> Usage {
    Usage { words, help, place: Place::Anywhere }
}

const fn in_groups(words: &'static str, help: &'static str) -> Usage {
    Usage { words, help, place: Place::Group }
}

const fn in_private(words: &'static str, help: &'static str) -> Usage {
    Usage { words, help, place: Place::Private }
}

/// Why the words that follow `/gateway` are no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misuse<'t> {
    /// No request has this name.
    Unknown {
        /// The name as it was written.
        name: &'t str,
        /// The most similar name.
        nearest: Option<&'static str>,
    },
    /// An argument is missing.
    Missing {
        /// The argument, as the usage names it.
        argument: &'static str,
        /// The words of the request.
        usage: &'static str,
    },
    /// The request does not accept this word here.
    Wrong {
        /// The word; `None` if it may be a part of a pairing code, which is never repeated.
        word: Option<&'t str>,
        /// The words of the request.
        usage: &'static str,
    },
}

impl<'t> Misuse<'t> {
    /// Finds the error in a request that [`Gateway::parse`] does not accept. `in_group` says where it was sent.
    pub fn of(rest: &'t str, in_group: bool) -> Self {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let name = words.first().copied().unwrap_or_default();
        let of =
            |usage: &Usage| usage.words.split(' ').next().is_some_and(|verb| name.eq_ignore_ascii_case(verb));
        let Some(usage) =
            usages(in_group).chain(&USAGES).chain(&UNLISTED).find(|usage| of(usage)).map(|usage| usage.words)
        else {
            let names = usages(in_group).filter_map(|usage| usage.words.split(' ').next());
            return Misuse::Unknown { name, nearest: nearest(name, names) };
        };
        let required = || usage.split(' ').skip(1).filter(|argument| !argument.starts_with('['));
        if let Some(argument) = required().nth(words.len() - 1) {
            return Misuse::Missing { argument, usage };
        }
        // The first word with which the request is no longer accepted.
        let accepted = |count: &usize| Gateway::parse(&words[..*count].join(" ")).is_some();
        let wrong =
            (required().count() + 1..words.len()).find(|count| accepted(count) && !accepted(&(count + 1)));
        let word = words.get(wrong.unwrap_or(required().count().max(1))).copied();
        let is_secret = usage.ends_with("CODE");
        Misuse::Wrong { word: word.filter(|_| !is_secret), usage }
    }
}

/// The longest mute. A larger number is a typing mistake, or means "without an end".
const MOST_MINUTES: u32 = 60 * 24 * 366;

impl Gateway {
    /// Parses what follows `/gateway`; `None` if it is not a request, see [`Misuse`].
    pub fn parse(rest: &str) -> Option<Gateway> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let verb = words.first()?.to_ascii_lowercase();
        let own = |text: &&str| (*text).to_owned();
        Some(match (verb.as_str(), &words[1..]) {
            ("status", []) => Gateway::Status,
            ("sessions", []) => Gateway::Sessions,
            ("tasks", []) => Gateway::Tasks,
            ("config", []) => Gateway::Config,
            ("pair", [code]) => Gateway::Pair { code: own(code) },
            ("deny", [code]) => Gateway::Deny { code: own(code) },
            ("allow", [channel, user]) => {
                Gateway::Allow { channel: own(channel), user: own(user), here: false }
            }
            ("allow", [channel, user, here]) if here.eq_ignore_ascii_case("here") => {
                Gateway::Allow { channel: own(channel), user: own(user), here: true }
            }
            ("revoke", [channel, user]) => {
                Gateway::Revoke { channel: own(channel), user: own(user), confirm: false }
            }
            ("revoke", [channel, user, confirm]) if is_confirm(confirm) => {
                Gateway::Revoke { channel: own(channel), user: own(user), confirm: true }
            }
            ("block", [channel, user]) => Gateway::Block { channel: own(channel), user: own(user) },
            ("unblock", [channel, user]) => Gateway::Unblock { channel: own(channel), user: own(user) },
            ("allow-here", []) => Gateway::AllowHere,
            ("deny-here", []) => Gateway::DenyHere,
            ("mute", []) => Gateway::Mute { minutes: None },
            ("mute", [minutes]) => Gateway::Mute { minutes: Some(within(minutes)?) },
            ("unmute", []) => Gateway::Unmute,
            ("start", []) => Gateway::Start { what: None },
            ("start", [what]) => Gateway::Start { what: Some(own(what)) },
            ("stop", []) => Gateway::Stop { what: None, confirm: false },
            ("stop", [confirm]) if is_confirm(confirm) => Gateway::Stop { what: None, confirm: true },
            ("stop", [what]) => Gateway::Stop { what: Some(own(what)), confirm: false },
            ("stop", [what, confirm]) if is_confirm(confirm) => {
                Gateway::Stop { what: Some(own(what)), confirm: true }
            }
            ("budget", []) => Gateway::Budget(None),
            ("budget", words) => Gateway::Budget(Some(BudgetRequest::parse(words)?)),
            ("reload", []) => Gateway::Reload,
            ("restart", []) => Gateway::Restart,
            _ => return None,
        })
    }

    /// The action in the audit, the same whether it was done or refused. Never an argument, because some arguments are
    /// codes.
    pub fn action(&self) -> &'static str {
        match self {
            Gateway::Status => "gateway status",
            Gateway::Sessions => "gateway sessions",
            Gateway::Tasks => "gateway tasks",
            Gateway::Config => "gateway config",
            Gateway::Pair { .. } => "approve",
            Gateway::Deny { .. } => "deny",
            Gateway::Allow { .. } => "grant",
            Gateway::Revoke { .. } => "revoke",
            Gateway::Block { .. } => "block",
            Gateway::Unblock { .. } => "unblock",
            Gateway::AllowHere => "serve",
            Gateway::DenyHere => "unserve",
            Gateway::Mute { .. } => "mute",
            Gateway::Unmute => "unmute",
            Gateway::Start { what: Some(_) } => "start",
            Gateway::Stop { what: Some(_), .. } => "stop",
            Gateway::Start { what: None } => "gateway start",
            Gateway::Stop { what: None, .. } => "gateway stop",
            Gateway::Budget(None | Some(BudgetRequest { change: None, .. })) => "gateway budget",
            Gateway::Budget(Some(BudgetRequest { change: Some(BudgetChange::Default), .. })) => {
                "budget default"
            }
            Gateway::Budget(Some(_)) => "budget set",
            Gateway::Reload => "gateway reload",
            Gateway::Restart => "gateway restart",
        }
    }
}

fn is_confirm(word: &str) -> bool {
    word.eq_ignore_ascii_case("confirm")
}

fn within(minutes: &str) -> Option<u32> {
    super::number(minutes).filter(|minutes| (1..=MOST_MINUTES).contains(minutes))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("status", Gateway::Status)]
    #[case("  PAIR   abcd2345 ", Gateway::Pair { code: "abcd2345".into() })]
    #[case("allow telegram 12", Gateway::Allow { channel: "telegram".into(), user: "12".into(), here: false })]
    #[case("allow telegram 12 here", Gateway::Allow { channel: "telegram".into(), user: "12".into(), here: true })]
    #[case("block telegram 12", Gateway::Block { channel: "telegram".into(), user: "12".into() })]
    #[case("unblock telegram 12", Gateway::Unblock { channel: "telegram".into(), user: "12".into() })]
    #[case("Allow-Here", Gateway::AllowHere)]
    #[case("mute", Gateway::Mute { minutes: None })]
    #[case("mute 30", Gateway::Mute { minutes: Some(30) })]
    #[case("start 3847", Gateway::Start { what: Some("3847".into()) })]
    #[case("stop", Gateway::Stop { what: None, confirm: false })]
    #[case("stop confirm", Gateway::Stop { what: None, confirm: true })]
    #[case("stop web", Gateway::Stop { what: Some("web".into()), confirm: false })]
    #[case("stop web Confirm", Gateway::Stop { what: Some("web".into()), confirm: true })]
    #[case("revoke telegram 1", Gateway::Revoke { channel: "telegram".into(), user: "1".into(), confirm: false })]
    #[case("revoke telegram 1 confirm", Gateway::Revoke { channel: "telegram".into(), user: "1".into(), confirm: true })]
    fn a_request_is_what_it_says(#[case] rest: &str, #[case] expected: Gateway) {
        assert_eq!(Gateway::parse(rest), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("pair")]
    #[case("pair ABCD 2345")]
    #[case("allow telegram")]
    #[case("allow telegram 12 there")]
    #[case("block telegram")]
    #[case("unblock telegram 1 now")]
    #[case("allow-here now")]
    #[case("stop web now")]
    #[case("revoke telegram 1 now")]
    #[case("mute 0")]
    #[case("mute -3")]
    #[case("mute 99999999")]
    #[case("status please")]
    #[case("delete everything")]
    fn anything_else_is_no_request(#[case] rest: &str) {
        assert_eq!(Gateway::parse(rest), None);
    }

    #[rstest]
    #[case("statsu", Misuse::Unknown { name: "statsu", nearest: Some("status") })]
    #[case("[x](http://e.vil)", Misuse::Unknown { name: "[x](http://e.vil)", nearest: None })]
    #[case("pair", Misuse::Missing { argument: "CODE", usage: "pair CODE" })]
    #[case("pair ABCD 2345", Misuse::Wrong { word: None, usage: "pair CODE" })]
    #[case("allow telegram", Misuse::Missing { argument: "USER", usage: "allow CHANNEL USER" })]
    #[case("allow telegram 12 there", Misuse::Wrong { word: Some("there"), usage: "allow CHANNEL USER" })]
    #[case("revoke telegram 1 confirm now", Misuse::Wrong { word: Some("now"), usage: "revoke CHANNEL USER" })]
    #[case("revoke telegram 1 now", Misuse::Wrong { word: Some("now"), usage: "revoke CHANNEL USER" })]
    #[case("allow-here now", Misuse::Wrong { word: Some("now"), usage: "allow-here" })]
    #[case("stop web now", Misuse::Wrong { word: Some("now"), usage: "stop [CHANNEL]" })]
    #[case("start web now", Misuse::Wrong { word: Some("now"), usage: "start CHANNEL" })]
    #[case("mute 0", Misuse::Wrong { word: Some("0"), usage: "mute [MINUTES]" })]
    #[case("mute 5 6", Misuse::Wrong { word: Some("6"), usage: "mute [MINUTES]" })]
    #[case("tasks now", Misuse::Wrong { word: Some("now"), usage: "tasks" })]
    #[case("Status please", Misuse::Wrong { word: Some("please"), usage: "status" })]
    fn a_misuse_names_what_is_wrong(#[case] rest: &str, #[case] expected: Misuse<'_>) {
        assert_eq!(Misuse::of(rest, false), expected);
    }

    #[test]
    fn every_usage_is_read_and_here_is_offered_in_groups_only() {
        for in_group in [true, false] {
            for usage in usages(in_group) {
                let sample = usage
                    .words
                    .replace("[here]", "here")
                    .replace("[MINUTES]", "5")
                    .replace("[CHANNEL]", "telegram")
                    .replace("CHANNEL", "telegram")
                    .replace("CODE", "ABCD2345")
                    .replace("USER", "12");
                assert!(Gateway::parse(&sample).is_some(), "{usage:?}");
                assert!(in_group || !usage.words.contains("here"), "{usage:?}");
            }
        }
    }
}
