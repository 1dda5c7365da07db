//! The chat platforms: their fakes, how the gateway is configured for each, how people write and how bots answer.

use std::net::SocketAddr;

use clap::ValueEnum;

/// The number of people who write.
pub const CHATS: u64 = 50;
/// The token of the bot that each fake knows.
const TELEGRAM: &str = "123456:TEST-token";
const DISCORD: &str = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.test.token";
const SLACK: &str = "xoxb-1-first-test";
const SLACK_APP: &str = "xapp-1-A0000FRONT-1-test";

/// A platform of which the repository has a fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    Telegram,
    Discord,
    Slack,
}

/// A POST of a bot.
pub struct Post {
    pub path: String,
    /// The value of the header, where the token is not part of the path.
    pub authorization: String,
    pub body: String,
}

impl Platform {
    pub const ALL: [Self; 3] = [Self::Telegram, Self::Discord, Self::Slack];

    pub fn name(self) -> &'static str {
        match self {
            Self::Telegram => "Telegram",
            Self::Discord => "Discord",
            Self::Slack => "Slack",
        }
    }

    /// The package and program of the fake.
    pub fn fake(self) -> &'static str {
        match self {
            Self::Telegram => "frontdesk-botapi",
            Self::Discord => "frontdesk-fakediscord",
            Self::Slack => "frontdesk-fakeslack",
        }
    }

    /// The gateway's section for one bot at this address, without pacing and with access for everybody.
    pub fn section(self, api: SocketAddr) -> String {
        let (section, own) = match self {
            Self::Telegram => (
                "telegram",
                format!(
                    "token = \"{TELEGRAM}\"\napi_url = \"http://{api}\"\nper_group_ms = 0\nper_account_ms = 0\n"
                ),
            ),
            Self::Discord => (
                "discord",
                format!("token = \"{DISCORD}\"\napi_url = \"http://{api}/api\"\nper_account_ms = 0\n"),
            ),
            Self::Slack => (
                "slack",
                format!(
                    "token = \"{SLACK}\"\napp_token = \"{SLACK_APP}\"\napi_url = \"http://{api}/api/\"\n"
                ),
            ),
        };
        format!("[channels.{section}]\n{own}dm_policy = \"open\"\nstreaming = \"off\"\nper_chat_ms = 0\n")
    }

    /// The id of the person who sends message `n`.
    fn person(self, n: u64) -> String {
        let person = 1000 + n % CHATS;
        match self {
            Self::Slack => format!("\"U0000{person}\""),
            _ => person.to_string(),
        }
    }

    /// The body of the control action `user`, which creates the person.
    pub fn user(self, n: u64) -> String {
        format!(r#"{{"id":{},"name":"P{n}"}}"#, self.person(n))
    }

    /// The body of the control action `say`: the person of message `n` writes it to the bot.
    pub fn say(self, n: u64) -> String {
        let (person, text) = (self.person(n), text(n));
        match self {
            Self::Telegram => format!(r#"{{"chat":{person},"from":{person},"text":"{text}"}}"#),
            Self::Discord => format!(r#"{{"user":{person},"content":"{text}"}}"#),
            Self::Slack => format!(r#"{{"channel":{person},"user":{person},"text":"{text}"}}"#),
        }
    }

    /// The POST with which a bot answers message `n` in this chat.
    pub fn reply(self, chat: &str, n: u64) -> Post {
        let text = text(n);
        match self {
            Self::Telegram => telegram("sendMessage", format!(r#"{{"chat_id":{chat},"text":"{text}"}}"#)),
            Self::Discord => Post {
                path: format!("/api/v10/channels/{chat}/messages"),
                authorization: format!("Bot {DISCORD}"),
                body: format!(r#"{{"content":"{text}"}}"#),
            },
            Self::Slack => Post {
                path: "/api/chat.postMessage".to_owned(),
                authorization: format!("Bearer {SLACK}"),
                body: format!(r#"{{"channel":"{chat}","text":"{text}"}}"#),
            },
        }
    }
}

/// A call of the Bot API.
pub fn telegram(method: &str, body: String) -> Post {
    Post { path: format!("/bot{TELEGRAM}/{method}"), authorization: String::new(), body }
}

/// The request for the address of a socket of Slack's.
pub fn slack_socket() -> Post {
    Post {
        path: "/api/apps.connections.open".to_owned(),
        authorization: format!("Bearer {SLACK_APP}"),
        body: "{}".to_owned(),
    }
}

/// The first frame to Discord's gateway. The intents are those of the daemon.
pub fn discord_identify() -> String {
    format!(
        r#"{{"op":2,"d":{{"token":"{DISCORD}","intents":46593,"properties":{{"os":"linux","browser":"x","device":"x"}}}}}}"#
    )
}

/// The length of a mark: `-`, eight digits and `-`. It looks the same in JSON and in forms.
pub const MARK: usize = 10;

fn text(n: u64) -> String {
    format!("hello, this is message -{n:08}- of a load")
}

/// The number of the mark at the beginning of the bytes.
pub fn mark(bytes: &[u8]) -> Option<u64> {
    let mark = bytes.get(..MARK).filter(|mark| mark[0] == b'-' && mark[MARK - 1] == b'-')?;
    std::str::from_utf8(&mark[1..MARK - 1]).ok()?.parse().ok()
}

/// The numbers of all marks in a text.
pub fn marks(text: &str) -> impl Iterator<Item = u64> {
    text.match_indices('-').filter_map(|(at, _)| mark(&text.as_bytes()[at..]))
}
