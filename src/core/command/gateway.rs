//! The requests that admins can write after `/gateway`.
//!
//! ```text
//! status                    sessions        tasks           config
//! pair CODE                 deny CODE       allow PLATFORM USER [here]      revoke PLATFORM USER
//! allow-here                deny-here       mute [MINUTES]                  unmute
//! start [CHANNEL]           stop [CHANNEL]  restart
//! ```
//!
//! A request that would leave nobody who can manage the gateway from a chat needs `confirm` as its last word.
//!
//! PLATFORM is the name of a channel, with its account unless that is the default one: `telegram`, `telegram@work`.
//! USER is the platform's own id of a person, never a name.

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
        platform: String,
        /// The person's id there.
        user: String,
        /// In the group where this is written, instead of in private.
        here: bool,
    },
    /// Take all access away from a person.
    Revoke {
        /// The channel, with its account unless that is the default one.
        platform: String,
        /// The person's id there.
        user: String,
        /// Whether to do it even if nobody could then manage the gateway from a chat.
        confirm: bool,
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
    /// Whether it can only be used in a group.
    pub group: bool,
}

/// Every request that can follow `/gateway`, in the order in which it lists them.
pub const USAGES: [Usage; 14] = [
    anywhere("status", "show the state of the gateway"),
    anywhere("sessions", "list the latest sessions"),
    anywhere("config", "show the settings of this account"),
    anywhere("pair CODE", "allow the person who has this code"),
    anywhere("deny CODE", "refuse the person who has this code"),
    anywhere("allow PLATFORM USER [here]", "allow a person by their id; `here` means in this group"),
    anywhere("revoke PLATFORM USER", "revoke a person's access"),
    in_groups("allow-here", "answer everyone in this group"),
    in_groups("deny-here", "stop answering in this group"),
    anywhere("mute [MINUTES]", "stay silent in this chat"),
    anywhere("unmute", "answer in this chat again"),
    anywhere("start CHANNEL", "start a channel that was stopped"),
    anywhere("stop [CHANNEL]", "stop a channel, or the whole gateway"),
    anywhere("restart", "restart the gateway"),
];

const fn anywhere(words: &'static str, help: &'static str) -> Usage {
    Usage { words, help, group: false }
}

const fn in_groups(words: &'static str, help: &'static str) -> Usage {
    Usage { words, help, group: true }
}

/// The longest mute. A larger number is a typing mistake, or means "without an end".
const MOST_MINUTES: u32 = 60 * 24 * 366;

impl Gateway {
    /// Parses what follows `/gateway`; `None` if it is not one of [`USAGES`].
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
            ("allow", [platform, user]) => {
                Gateway::Allow { platform: own(platform), user: own(user), here: false }
            }
            ("allow", [platform, user, here]) if here.eq_ignore_ascii_case("here") => {
                Gateway::Allow { platform: own(platform), user: own(user), here: true }
            }
            ("revoke", [platform, user]) => {
                Gateway::Revoke { platform: own(platform), user: own(user), confirm: false }
            }
            ("revoke", [platform, user, confirm]) if is_confirm(confirm) => {
                Gateway::Revoke { platform: own(platform), user: own(user), confirm: true }
            }
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
            ("restart", []) => Gateway::Restart,
            _ => return None,
        })
    }

    /// The request's name, for the audit log. Never an argument, because some arguments are codes.
    pub fn name(&self) -> &'static str {
        match self {
            Gateway::Status => "status",
            Gateway::Sessions => "sessions",
            Gateway::Tasks => "tasks",
            Gateway::Config => "config",
            Gateway::Pair { .. } => "pair",
            Gateway::Deny { .. } => "deny",
            Gateway::Allow { .. } => "allow",
            Gateway::Revoke { .. } => "revoke",
            Gateway::AllowHere => "allow-here",
            Gateway::DenyHere => "deny-here",
            Gateway::Mute { .. } => "mute",
            Gateway::Unmute => "unmute",
            Gateway::Start { .. } => "start",
            Gateway::Stop { .. } => "stop",
            Gateway::Restart => "restart",
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
    #[case("allow telegram 12", Gateway::Allow { platform: "telegram".into(), user: "12".into(), here: false })]
    #[case("allow telegram 12 here", Gateway::Allow { platform: "telegram".into(), user: "12".into(), here: true })]
    #[case("Allow-Here", Gateway::AllowHere)]
    #[case("mute", Gateway::Mute { minutes: None })]
    #[case("mute 30", Gateway::Mute { minutes: Some(30) })]
    #[case("start 3847", Gateway::Start { what: Some("3847".into()) })]
    #[case("stop", Gateway::Stop { what: None, confirm: false })]
    #[case("stop confirm", Gateway::Stop { what: None, confirm: true })]
    #[case("stop web", Gateway::Stop { what: Some("web".into()), confirm: false })]
    #[case("stop web Confirm", Gateway::Stop { what: Some("web".into()), confirm: true })]
    #[case("revoke telegram 1", Gateway::Revoke { platform: "telegram".into(), user: "1".into(), confirm: false })]
    #[case("revoke telegram 1 confirm", Gateway::Revoke { platform: "telegram".into(), user: "1".into(), confirm: true })]
    fn a_request_is_what_it_says(#[case] rest: &str, #[case] expected: Gateway) {
        assert_eq!(Gateway::parse(rest), Some(expected));
    }

    #[rstest]
    #[case("")]
    #[case("pair")]
    #[case("pair ABCD 2345")]
    #[case("allow telegram")]
    #[case("allow telegram 12 there")]
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

    #[test]
    fn every_usage_begins_with_a_word_that_is_read() {
        for usage in USAGES {
            let sample = usage
                .words
                .replace("[here]", "here")
                .replace("[MINUTES]", "5")
                .replace("[CHANNEL]", "telegram")
                .replace("CHANNEL", "telegram")
                .replace("CODE", "ABCD2345")
                .replace("PLATFORM", "telegram")
                .replace("USER", "12");
            let read = Gateway::parse(&sample).map(|request| request.name());
            assert_eq!(read, usage.words.split(' ').next(), "{usage:?}");
        }
    }
}
