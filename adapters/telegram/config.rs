//! The configuration of one account.

use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Albums, Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use frontdesk_kit::settings::{pace, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CHANNEL, markup, reaction};

/// One bot.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's name in keys and addresses; `default` is never written there.
    pub name: String,
    /// The bot's token, from @BotFather.
    pub token: Secret,
    /// How Telegram delivers updates to this gateway. Without it the adapter polls for them; Telegram allows one of
    /// the two at a time.
    pub webhook: Option<WebhookAccess>,
    /// All other settings.
    pub settings: Settings,
}

impl Account {
    /// A bot with default settings that is polled.
    pub fn new(name: impl Into<String>, token: impl Into<String>) -> Self {
        Self { name: name.into(), token: Secret::new(token), webhook: None, settings: Settings::default() }
    }
}

/// Where Telegram delivers updates, and how it proves that it is Telegram.
#[derive(Debug, Clone)]
pub struct WebhookAccess {
    /// The whole public address, as Telegram reaches it.
    pub public_url: String,
    /// Sent by Telegram with every update: 1 to 256 of `A-Z a-z 0-9 _ -`.
    pub secret: Secret,
}

/// The settings of an account besides its secrets. The default limits are Telegram's own or slightly lower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// The URL of the Bot API, if you run a server of your own.
    pub api_url: Option<String>,
    /// How an answer is shown while the agent is still writing it: `partial` is one message that grows, `block` is the
    /// same by whole paragraphs, `draft` is a draft that the message replaces (private chats only), `off` is not at all.
    pub streaming: Streaming,
    /// Minimum time between two edits of an answer in progress, in milliseconds.
    pub edit_ms: u64,
    /// The emoji with which the bot reacts to a message while it waits for its answer, such as "👀"; unset, it does not
    /// react. Telegram lets bots use some emoji only, and groups can forbid them.
    pub acknowledge: Option<String>,
    /// Whether Telegram shows a preview of links in answers.
    pub link_previews: bool,
    /// Maximum length of one message, in UTF-16 units including its tags.
    pub text_limit: usize,
    /// Maximum length of a file's caption, in UTF-16 units including its tags.
    pub caption_limit: usize,
    /// Maximum size of a file that is sent, in bytes.
    pub max_upload_bytes: u64,
    /// Maximum size of an image that is sent as a photo, in bytes; larger ones are sent as a file.
    pub max_photo_bytes: u64,
    /// Maximum size of a file that is downloaded, in bytes. Telegram's own server hands out 20 MB at most, a server of your
    /// own more.
    pub max_download_bytes: u64,
    /// With `api_url`: whether files are read from the disk, where a Bot API server on this machine that runs with `--local`
    /// puts them.
    pub local_files: bool,
    /// Whether people without a user name (`@name`) are ignored.
    pub require_username: bool,
    /// Minimum time between two messages to one chat, in milliseconds.
    pub per_chat_ms: u64,
    /// Minimum average time between two messages to one group, in milliseconds.
    pub per_group_ms: u64,
    /// Minimum average time between two messages of the bot, in milliseconds.
    pub per_account_ms: u64,
    /// Seconds between two "typing" actions while an answer is written.
    pub typing_seconds: u64,
    /// Seconds that a long poll waits for updates.
    pub poll_seconds: u64,
    /// Seconds to wait beyond `poll_seconds` for a long poll to return before the connection is treated as lost.
    pub poll_grace_seconds: u64,
    /// Maximum number of updates per poll.
    pub poll_updates: u32,
    /// Hours without an update after which Telegram may number its updates anew.
    pub renumber_hours: u64,
    /// Milliseconds to wait before updates that could not be stored are requested again.
    pub busy_ms: u64,
    /// Seconds to wait before trying again when another program receives this bot's updates; doubled each time.
    pub conflict_seconds: u64,
    /// Maximum seconds to wait before trying again when another program receives this bot's updates.
    pub conflict_longest_seconds: u64,
    /// Seconds between two checks of the webhook.
    pub webhook_check_seconds: u64,
    /// Maximum seconds to open a connection.
    pub connect_seconds: u64,
    /// Maximum seconds for a call of the Bot API.
    pub request_seconds: u64,
    /// Maximum seconds to upload or download a file.
    pub transfer_seconds: u64,
    /// Seconds without an answer from Telegram after which the account counts as not ready.
    pub patience_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_url: None,
            streaming: Streaming::default(),
            // Not documented in the Bot API: faster edits of one message are answered with 429 in practice.
            edit_ms: 800,
            acknowledge: None,
            link_previews: false,
            // Bot API, sendMessage: 1 to 4096 characters "after entities parsing", counted in UTF-16 (Bot API,
            // MessageEntity). This counts the tags too and stays below the limit, because servers differ in what they
            // parse.
            text_limit: 4000,
            // Bot API, sendPhoto and its siblings: 0 to 1024 characters.
            caption_limit: 1024,
            // Bot API, "Sending files": 50 MB, photos 10 MB; getFile: 20 MB.
            max_upload_bytes: 50_000_000,
            max_photo_bytes: 10_000_000,
            max_download_bytes: 20_000_000,
            local_files: false,
            require_username: false,
            // Bot FAQ, "My bot is hitting limits": one message a second in a chat, 20 a minute in a group, about
            // 30 a second in all.
            per_chat_ms: 1000,
            per_group_ms: 3000,
            per_account_ms: 34,
            // Bot API, sendChatAction: the status is set for 5 seconds or less.
            typing_seconds: 4,
            poll_seconds: 25,
            poll_grace_seconds: 10,
            // Bot API, getUpdates: 1 to 100.
            poll_updates: 100,
            renumber_hours: 24,
            busy_ms: 500,
            conflict_seconds: 5,
            conflict_longest_seconds: 60,
            webhook_check_seconds: 20,
            connect_seconds: 10,
            request_seconds: 20,
            transfer_seconds: 300,
            // A healthy poll ends after 25 s; a connection without updates is noticed within a minute.
            patience_seconds: 50,
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
    /// As a draft that the message replaces, in private chats; elsewhere as a message that grows.
    Draft,
}

impl Account {
    /// Checks what the types cannot express. No error contains a secret.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(ConfigError::new("name", "an account needs a name"));
        }
        let token = self.token.expose();
        let (id, secret) = token.split_once(':').unwrap_or(("", ""));
        let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || secret.is_empty() || !is_url_safe(secret) {
            let problem =
                "this is not a bot's token; it looks like 123456789:AA... and comes from @BotFather";
            return Err(ConfigError::new("token", problem));
        }
        if let Some(WebhookAccess { public_url, secret }) = &self.webhook {
            if !public_url.starts_with("https://") && !public_url.starts_with("http://") {
                let problem = "write the whole public address that leads here, https:// included";
                return Err(ConfigError::new("webhook.public_url", problem));
            }
            let secret = secret.expose();
            if secret.is_empty() || secret.len() > 256 || !is_url_safe(secret) {
                let problem = "a webhook needs a secret of 1 to 256 letters, digits, `_` and `-`: without one \
                               anybody could send updates";
                return Err(ConfigError::new("webhook.secret", problem));
            }
        }
        self.settings.check()
    }
}

impl Settings {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.acknowledge.as_deref().is_some_and(|emoji| reaction::of(emoji).is_none()) {
            let problem = "Telegram has no such reaction; write one emoji that it offers, such as \"👀\"";
            return Err(ConfigError::new("acknowledge", problem));
        }
        if self.local_files && self.api_url.is_none() {
            let problem =
                "needs api_url: only a Bot API server of your own puts files on the disk of this machine";
            return Err(ConfigError::new("local_files", problem));
        }
        within("text_limit", self.text_limit, 100..=4096)?;
        within("caption_limit", self.caption_limit, 0..=4096)?;
        within("edit_ms", self.edit_ms, 20..=60_000)?;
        within("per_chat_ms", self.per_chat_ms, 0..=60_000)?;
        within("per_group_ms", self.per_group_ms, 0..=600_000)?;
        within("per_account_ms", self.per_account_ms, 0..=60_000)?;
        within("typing_seconds", self.typing_seconds, 1..=60)?;
        within("poll_seconds", self.poll_seconds, 0..=50)?;
        within("poll_grace_seconds", self.poll_grace_seconds, 1..=300)?;
        within("poll_updates", self.poll_updates, 1..=100)?;
        within("renumber_hours", self.renumber_hours, 0..=160)?;
        within("busy_ms", self.busy_ms, 1..=60_000)?;
        within("conflict_seconds", self.conflict_seconds, 1..=3600)?;
        within("conflict_longest_seconds", self.conflict_longest_seconds, self.conflict_seconds..=3600)?;
        within("webhook_check_seconds", self.webhook_check_seconds, 1..=3600)?;
        within("connect_seconds", self.connect_seconds, 1..=600)?;
        within("request_seconds", self.request_seconds, 1..=600)?;
        within("transfer_seconds", self.transfer_seconds, 1..=86_400)?;
        // A healthy account must not count as not ready between two polls or checks.
        let slowest = self.poll_seconds.max(self.webhook_check_seconds);
        within("patience_seconds", self.patience_seconds, slowest + 1..=3600)
    }

    /// Telegram's capabilities and limits with these settings.
    pub fn profile(&self) -> Profile {
        let every = Duration::from_millis(self.edit_ms);
        Profile {
            channel: CHANNEL.to_owned(),
            limit: Limit { max: self.text_limit, unit: Unit::Utf16 },
            caption: self.caption_limit,
            dialect: &markup::DIALECT,
            flow: match self.streaming {
                Streaming::Off => Flow::Whole,
                Streaming::Partial => Flow::Edits { every },
                Streaming::Block => Flow::Blocks { every },
                Streaming::Draft => Flow::Draft { every },
            },
            // Bot API, sendMessage: answers with the sent Message and its id.
            receipt: ReceiptRule::Platform,
            typing: Some(Duration::from_secs(self.typing_seconds)),
            // Bot API, sendMessage: `message_thread_id`, forum topics.
            threads: true,
            media: Some(self.max_upload_bytes),
            // Bot API, sendMediaGroup: 2 to 10 files.
            albums: Some(Albums {
                max: 10,
                together: vec![
                    vec![FileKind::Photo, FileKind::Video],
                    vec![FileKind::Document],
                    vec![FileKind::Audio],
                ],
            }),
            // Bot API, Chat: the id of a private chat is the person's.
            person_chat: Some(String::new()),
            operator_chat: None,
            ends: false,
            // Bot API, sendMessage: `reply_markup`, InlineKeyboardMarkup.
            buttons: true,
            // Bot API: editMessageText, deleteMessage, setMessageReaction, pinChatMessage.
            changes: MessageChanges { edit: true, delete: true, react: true, pin: true },
            // Bot API, setMessageReaction.
            waiting_marks: self.acknowledge.is_some(),
            private_posts: false,
            command_mark: '/',
            native: None,
            // Bot API: no method takes an idempotency key.
            idempotent: None,
            pacing: Pacing {
                per_chat: pace(self.per_chat_ms),
                per_group: pace(self.per_group_ms),
                per_account: pace(self.per_account_ms),
            },
            max_silence: Some(Duration::from_secs(self.patience_seconds)),
        }
    }
}

/// Whether a text consists of letters, digits, `_` and `-` only.
fn is_url_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::new("default", "123456:AAbb_cc-dd")
    }

    fn hooked(public_url: &str, secret: &str) -> Account {
        let webhook = WebhookAccess { public_url: public_url.into(), secret: Secret::new(secret) };
        Account { webhook: Some(webhook), ..account() }
    }

    #[test]
    fn the_defaults_can_be_used() {
        assert_eq!(account().check(), Ok(()));
    }

    #[test]
    fn a_token_that_is_none_is_refused_and_not_shown() {
        for token in ["", "AAbb", "x1:AAbb", "123456:", "123456:AA/../getMe", "123456:AA bb"] {
            let error = Account::new("default", token).check().unwrap_err();
            assert_eq!(error.path, "token");
            assert!(token.is_empty() || !error.to_string().contains(token), "{error}");
        }
    }

    #[test]
    fn a_webhook_without_a_proper_secret_is_refused() {
        for secret in ["", "with space", "ümlaut", &"x".repeat(257)] {
            let error = hooked("https://bot.example.org/tg", secret).check().unwrap_err();
            assert_eq!(error.path, "webhook.secret");
        }
        assert_eq!(hooked("bot.example.org", "s").check().unwrap_err().path, "webhook.public_url");
    }

    #[test]
    fn a_number_out_of_bounds_is_refused_by_its_name() {
        let settings = Settings { text_limit: 5000, ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().path, "text_limit");
        let settings = Settings { patience_seconds: 25, ..Settings::default() };
        assert_eq!(settings.check().unwrap_err().path, "patience_seconds");
    }

    #[test]
    fn only_a_reaction_of_telegram_marks_messages_that_wait() {
        let with = |emoji: &str| Settings { acknowledge: Some(emoji.into()), ..Settings::default() };
        assert_eq!((with("👀").check(), with("👀").profile().waiting_marks), (Ok(()), true));
        assert!(!Settings::default().profile().waiting_marks);
        assert_eq!(with("🦊").check().unwrap_err().path, "acknowledge");
    }

    #[test]
    fn nothing_that_is_printed_shows_a_secret() {
        let shown = format!("{:?}", hooked("https://h", "hook-secret"));
        assert!(!shown.contains("AAbb") && !shown.contains("hook-secret"), "{shown}");
    }

    #[test]
    fn streaming_decides_the_flow() {
        let flow = |streaming| Settings { streaming, ..Settings::default() }.profile().flow;
        let every = Duration::from_millis(800);
        assert_eq!(flow(Streaming::Off), Flow::Whole);
        assert_eq!(flow(Streaming::Partial), Flow::Edits { every });
        assert_eq!(flow(Streaming::Block), Flow::Blocks { every });
        assert_eq!(flow(Streaming::Draft), Flow::Draft { every });
    }
}
