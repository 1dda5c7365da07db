//! The configuration of one account.

use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Albums, Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use frontdesk_kit::http;
use frontdesk_kit::settings::{pace, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CHANNEL, emoji, markup};

/// One bot.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's name in keys and addresses; `default` is never written there.
    pub name: String,
    /// The bot's token, from the developer portal.
    pub token: Secret,
    /// All other settings.
    pub settings: Settings,
}

impl Account {
    /// A bot with default settings.
    pub fn new(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self { name: name.into(), token: Secret::new(token), settings: Settings::default() }
    }

    /// Checks what the types cannot express. No error contains a secret.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(ConfigError::new("name", "an account needs a name"));
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let token = self.token.expose();
        if token.split('.').count() != 3 || token.split('.').any(str::is_empty) || !token.bytes().all(letter)
        {
            let problem = "this is not a bot's token; it has three parts with dots between them and comes from the \
                           developer portal, Bot, Reset Token";
            return Err(ConfigError::new("token", problem));
        }
        self.settings.check()
    }
}

/// The settings of an account besides its token. The default limits are Discord's own or slightly lower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// The URL of Discord's API, if requests go through a proxy of your own.
    pub api_url: Option<String>,
    /// How an answer is shown while the agent is still writing it: `partial` is one message that grows, `block` is the
    /// same by whole paragraphs, `off` is not at all.
    pub streaming: Streaming,
    /// Minimum time between two edits of an answer in progress, in milliseconds.
    pub edit_ms: u64,
    /// The emoji with which the bot reacts to a message while it waits for its answer, such as "👀", or "name:id" for one of
    /// your server. Unset, it does not react.
    pub acknowledge: Option<String>,
    /// Whether a mention of the bot in a channel opens a thread for its answer, which is a session of its own. The bot needs
    /// the permission Create Public Threads; without it, it answers in the channel.
    pub answer_in_threads: bool,
    /// Whether Discord shows a preview of links in answers.
    pub link_previews: bool,
    /// Whether the gateway registers its commands, so that Discord offers them when somebody types `/`.
    pub commands: bool,
    /// Maximum length of one message, in characters.
    pub text_limit: usize,
    /// Maximum size of a file that is sent, in bytes.
    pub max_upload_bytes: u64,
    /// Maximum size of a file that is downloaded, in bytes.
    pub max_download_bytes: u64,
    /// Minimum time between two messages to one channel, in milliseconds.
    pub per_chat_ms: u64,
    /// Minimum average time between two messages of the bot, in milliseconds.
    pub per_account_ms: u64,
    /// Seconds between two "typing" actions while an answer is written.
    pub typing_seconds: u64,
    /// Maximum number of messages per channel that are read after an interruption, the newest ones; 0 reads none.
    pub missed_messages: usize,
    /// Milliseconds to wait before events that could not be stored are stored again.
    pub busy_ms: u64,
    /// Seconds after which the position in the stream of events is stored, if no event has stored it.
    pub position_seconds: u64,
    /// Maximum seconds to open a connection.
    pub connect_seconds: u64,
    /// Maximum seconds for a call of Discord's API.
    pub request_seconds: u64,
    /// Maximum seconds to upload or download a file.
    pub transfer_seconds: u64,
    /// Seconds without a sign of life from Discord after which the account counts as not ready.
    pub patience_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_url: None,
            streaming: Streaming::default(),
            // Not documented; about five requests in five seconds per channel are seen in practice, and posts need some
            // of them.
            edit_ms: 1500,
            acknowledge: None,
            answer_in_threads: false,
            link_previews: false,
            commands: true,
            // Discord's documentation, Create Message: content has up to 2000 characters.
            text_limit: 2000,
            // Discord's documentation, Uploading Files: 10 MiB.
            max_upload_bytes: 10 << 20,
            max_download_bytes: 25 << 20,
            per_chat_ms: 1000,
            // Discord's documentation, Rate Limits: 50 requests a second.
            per_account_ms: 20,
            // Discord's documentation, Trigger Typing Indicator: it ends after 10 seconds.
            typing_seconds: 8,
            missed_messages: 200,
            busy_ms: 500,
            position_seconds: 5,
            connect_seconds: 10,
            request_seconds: 20,
            transfer_seconds: 300,
            // A heartbeat is acknowledged every 41 s. A second one that is not ends the connection only after up to 82 s, and
            // /ready should tell of a silent gateway within a minute.
            patience_seconds: 55,
        }
    }
}

/// How an answer is shown while the agent is still writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Streaming {
    /// Not at all: the answer is sent when it is complete.
    Off,
    /// As a message that is edited while it grows.
    #[default]
    Partial,
    /// As a message that is edited when a paragraph is complete.
    Block,
}

impl Settings {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.api_url.as_deref().is_some_and(|url| http::base_url(url).is_none()) {
            // The address is not repeated: it may have come from a variable that holds a secret.
            let problem = "this is not the address of Discord's API; write one like https://discord.com/api: http or \
                           https, a host, and nothing behind the path";
            return Err(ConfigError::new("api_url", problem));
        }
        if self.acknowledge.as_deref().is_some_and(|written| !emoji::is_emoji(written)) {
            let problem = "write one emoji, such as \"👀\", or \"name:id\" for one of your server";
            return Err(ConfigError::new("acknowledge", problem));
        }
        // Some bots may write 4000.
        within("text_limit", self.text_limit, 100..=4000)?;
        within("edit_ms", self.edit_ms, 20..=60_000)?;
        within("per_chat_ms", self.per_chat_ms, 0..=60_000)?;
        within("per_account_ms", self.per_account_ms, 0..=60_000)?;
        within("typing_seconds", self.typing_seconds, 1..=60)?;
        within("missed_messages", self.missed_messages, 0..=10_000)?;
        within("busy_ms", self.busy_ms, 1..=60_000)?;
        within("position_seconds", self.position_seconds, 1..=60)?;
        within("connect_seconds", self.connect_seconds, 1..=600)?;
        within("request_seconds", self.request_seconds, 1..=600)?;
        within("transfer_seconds", self.transfer_seconds, 1..=86_400)?;
        // A healthy account must not count as not ready between two heartbeats.
        within("patience_seconds", self.patience_seconds, 50..=3600)
    }

    /// Discord's capabilities and limits with these settings.
    pub fn profile(&self) -> Profile {
        let every = Duration::from_millis(self.edit_ms);
        Profile {
            channel: CHANNEL.to_owned(),
            // The unit is not documented; emoji outside the basic plane count once in practice.
            limit: Limit { max: self.text_limit, unit: Unit::Characters },
            caption: self.text_limit,
            dialect: &markup::DIALECT,
            flow: match self.streaming {
                Streaming::Off => Flow::Whole,
                Streaming::Partial => Flow::Edits { every },
                Streaming::Block => Flow::Blocks { every },
            },
            receipt: ReceiptRule::Platform,
            typing: Some(Duration::from_secs(self.typing_seconds)),
            threads: true,
            media: Some(self.max_upload_bytes),
            // Discord's documentation, Create Message: up to 10 files of any kind in one message.
            albums: Some(Albums { max: 10, together: vec![FileKind::ALL.to_vec()] }),
            // The adapter opens the chat: a private chat has an id of its own.
            person_chat: Some("@".to_owned()),
            operator_chat: None,
            // An unanswered command shows "thinking" until it is told that there is no answer.
            ends: true,
            buttons: true,
            changes: MessageChanges { edit: true, delete: true, react: true, pin: true },
            waiting_marks: self.acknowledge.is_some(),
            // An answer to an interaction; a message of a channel is for everybody.
            private_posts: true,
            command_mark: '/',
            native: None,
            // Discord's documentation, enforce_nonce: "in the past few minutes".
            idempotent: Some(Duration::from_secs(120)),
            pacing: Pacing {
                per_chat: pace(self.per_chat_ms),
                per_group: None,
                per_account: pace(self.per_account_ms),
            },
            max_silence: Some(Duration::from_secs(self.patience_seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_used() {
        assert_eq!(Account::new("default", "MTAw.abc-DE.f_gh").check(), Ok(()));
        frontdesk_conformance::profile::check(&Settings::default().profile());
    }

    #[test]
    fn a_token_that_is_none_is_refused_and_not_shown() {
        for token in ["", "MTAw", "MTAw.abc", "MTAw..abc", "Bot MTAw.a.b", "MTAw.a/../b.c", "MTAw.a.b.c"] {
            let error = Account::new("default", token).check().unwrap_err();
            assert_eq!(error.path, "token");
            assert!(token.is_empty() || !error.to_string().contains(token), "{error}");
        }
    }

    #[test]
    fn a_number_out_of_bounds_is_refused_by_its_name() {
        assert_eq!(Settings { text_limit: 4000, ..Settings::default() }.check(), Ok(()));
        let settings = Settings { text_limit: 5000, ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().path, "text_limit");
        let settings = Settings { api_url: Some("discord.com".into()), ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().path, "api_url");
        let settings = Settings { acknowledge: Some(":eyes:".into()), ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().path, "acknowledge");
    }

    #[test]
    fn a_silent_gateway_counts_as_not_ready_within_a_minute_and_not_between_two_heartbeats() {
        let silence = Settings::default().profile().max_silence.unwrap();
        let (heartbeat, margin) = (Duration::from_millis(41_250), Duration::from_secs(10));
        assert!(silence > heartbeat + margin && silence < Duration::from_secs(60), "{silence:?}");
    }

    #[test]
    fn streaming_decides_the_flow() {
        let flow = |streaming| Settings { streaming, ..Settings::default() }.profile().flow;
        let every = Duration::from_millis(1500);
        assert_eq!(flow(Streaming::Off), Flow::Whole);
        assert_eq!(flow(Streaming::Partial), Flow::Edits { every });
        assert_eq!(flow(Streaming::Block), Flow::Blocks { every });
    }
}
