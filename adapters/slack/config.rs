//! The configuration of one account.

use std::collections::BTreeSet;
use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Albums, Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use frontdesk_kit::settings::{pace, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inbound::DmSessions;
use crate::{CHANNEL, inbound, markup, own_blocks};

/// Maximum number of suggested prompts (Slack).
const PROMPTS: usize = 4;

/// One app in one workspace.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's name in keys and addresses; `default` is never written there.
    pub name: String,
    /// The bot's token, which begins with `xoxb-`.
    pub token: Secret,
    /// How its events arrive.
    pub events: Events,
    /// The teams and user groups whose members the access rules name, as they are written there: `team:T1`, `usergroup:S1`.
    pub memberships: BTreeSet<String>,
    /// All other settings.
    pub settings: Settings,
}

/// How the events of an app arrive.
#[derive(Debug, Clone)]
pub enum Events {
    /// The gateway connects to Slack.
    SocketMode {
        /// The app's own token, which begins with `xapp-`.
        app_token: Secret,
    },
    /// Slack sends them to the gateway's public address.
    Http {
        /// The secret with which Slack signs its requests.
        signing_secret: Secret,
    },
}

impl Events {
    /// The secret that belongs to it, which is the app's alone.
    pub fn secret(&self) -> &Secret {
        match self {
            Events::SocketMode { app_token: secret } | Events::Http { signing_secret: secret } => secret,
        }
    }
}

impl Account {
    /// An app with default settings.
    pub fn new(name: impl Into<String>, token: impl Into<String>, events: Events) -> Self {
        let (memberships, settings) = (BTreeSet::new(), Settings::default());
        Self { name: name.into(), token: Secret::new(token), events, memberships, settings }
    }

    /// Checks what the types cannot express. No error contains a secret.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.name.is_empty() {
            return Err(ConfigError::new("name", "an account needs a name"));
        }
        if !is_bot_token(&self.token) {
            let problem = match is_app_token(&self.token) {
                true => {
                    "this is the app-level token (xapp-): write it into `app_token` (or SLACK_APP_TOKEN), and the bot's token, \
                         which begins with xoxb-, here (or into SLACK_BOT_TOKEN)"
                }
                false => {
                    "this is not a bot's token; it begins with xoxb- and stands on the app's page under \
                          \"OAuth & Permissions\""
                }
            };
            return Err(ConfigError::new("token", problem));
        }
        match &self.events {
            Events::SocketMode { app_token } if is_bot_token(app_token) => {
                let problem = "this is a bot's token (xoxb-): the app-level token begins with xapp- and stands on the app's page \
                               under \"Basic Information\"";
                Err(ConfigError::new("app_token", problem))
            }
            Events::SocketMode { app_token } if !is_app_token(app_token) => {
                let problem = "this is not an app-level token; it begins with xapp-, needs the scope connections:write \
                               and stands on the app's page under \"Basic Information\"";
                Err(ConfigError::new("app_token", problem))
            }
            Events::Http { signing_secret } if signing_secret.expose().trim().is_empty() => {
                let problem = "it is empty; it stands on the app's page under \"Basic Information\"";
                Err(ConfigError::new("signing_secret", problem))
            }
            _ => self.settings.check(),
        }
    }
}

/// Whether a secret looks like a bot's token.
pub(crate) fn is_bot_token(token: &Secret) -> bool {
    is_token(token.expose(), "xoxb-")
}

/// Whether a secret looks like the app's own token.
pub(crate) fn is_app_token(token: &Secret) -> bool {
    is_token(token.expose(), "xapp-")
}

fn is_token(token: &str, begins: &str) -> bool {
    let is_plain = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    token.strip_prefix(begins).is_some_and(is_plain)
}

/// The settings of an account besides its secrets. The default limits are Slack's own or slightly lower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// The URL of the Web API, for tests.
    pub api_url: Option<String>,
    /// How an answer is shown while the agent is still writing it: `partial` is one message that grows, `block` is the
    /// same by whole paragraphs, `native` is Slack's own form of it in the threads of private chats and like `partial`
    /// elsewhere, `off` is not at all.
    pub streaming: Streaming,
    /// Minimum time between two edits of an answer in progress, in milliseconds; with `native` between two pieces.
    pub edit_ms: u64,
    /// The emoji with which the app reacts to a message while it waits for its answer, such as "👀". Unset, it does not
    /// react.
    pub acknowledge: Option<String>,
    /// Whether people of other organisations may reach the gateway from channels that are shared with them. They still
    /// need to be allowed like everybody else.
    pub externals: bool,
    /// Whether guests of the workspace may reach the gateway. They still need to be allowed like everybody else.
    pub guests: bool,
    /// What counts as one conversation in a private chat. With `auto` it is what Slack shows as one: a thread if the app has an
    /// agent view or an assistant, otherwise the chat. With `chat` it is the whole chat. With `thread` it is each thread, and
    /// each message at the top opens one.
    pub dm_sessions: DmSessions,
    /// Up to four prompts that Slack suggests to people who begin to write to the app as an agent or an assistant. Each has a
    /// `title`, which people see, and a `message`, which is sent when they choose it.
    pub prompts: Vec<SuggestedPrompt>,
    /// Whether blocks that programs send (`POST /api/send`) may notify people and whole channels. Otherwise mentions in them
    /// are shown as text.
    pub blocks_notify: bool,
    /// Whether Slack shows a preview of links in answers.
    pub link_previews: bool,
    /// Maximum length of one message, in characters including its formatting.
    pub text_limit: usize,
    /// Maximum size of a file that is sent, in bytes.
    pub max_upload_bytes: u64,
    /// Maximum size of a file that is downloaded, in bytes.
    pub max_download_bytes: u64,
    /// Minimum time between two messages to one channel, in milliseconds.
    pub per_chat_ms: u64,
    /// Maximum number of messages per channel that are read after an interruption, the newest ones; 0 reads none.
    pub missed_messages: usize,
    /// Maximum seconds to open a connection.
    pub connect_seconds: u64,
    /// Maximum seconds for a call of the Web API.
    pub request_seconds: u64,
    /// Maximum seconds to upload or download a file.
    pub transfer_seconds: u64,
    /// Seconds without a sign of life from Slack after which the connection counts as lost.
    pub patience_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_url: None,
            streaming: Streaming::default(),
            // Slack's page on chat.update advises at least three seconds between two updates.
            edit_ms: 3000,
            acknowledge: None,
            externals: false,
            guests: false,
            dm_sessions: DmSessions::default(),
            prompts: Vec::new(),
            blocks_notify: false,
            link_previews: false,
            // chat.update refuses a text of more than 4,000 characters, and each answer may be edited.
            text_limit: 4000,
            // Slack: 1 GB for a file.
            max_upload_bytes: 1_000_000_000,
            max_download_bytes: 100_000_000,
            // Slack, "Rate limits": one message a second in a channel.
            per_chat_ms: 1000,
            missed_messages: 200,
            connect_seconds: 10,
            request_seconds: 20,
            transfer_seconds: 300,
            // Slack pings more often than that; its own SDK gives up after 30 s.
            patience_seconds: 30,
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
    /// As a message that Slack shows as growing.
    Native,
}

/// A prompt that Slack suggests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SuggestedPrompt {
    /// What people see.
    pub title: String,
    /// What is sent in their name when they choose it.
    pub message: String,
}

impl Settings {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(emoji) = &self.acknowledge
            && inbound::emoji::name(emoji).is_none()
        {
            let problem = format!(
                "the name that Slack has for {emoji:?} is not known; write it between colons, as :eyes:"
            );
            return Err(ConfigError::new("acknowledge", problem));
        }
        if self.prompts.len() > PROMPTS {
            return Err(ConfigError::new("prompts", format!("Slack shows at most {PROMPTS} of them")));
        }
        let is_empty = |text: &str| text.trim().is_empty();
        if let Some(n) =
            self.prompts.iter().position(|prompt| is_empty(&prompt.title) || is_empty(&prompt.message))
        {
            return Err(ConfigError::new(format!("prompts[{n}]"), "a prompt needs a title and a message"));
        }
        within("text_limit", self.text_limit, 100..=4000)?;
        within("edit_ms", self.edit_ms, 20..=60_000)?;
        within("per_chat_ms", self.per_chat_ms, 0..=60_000)?;
        within("connect_seconds", self.connect_seconds, 1..=600)?;
        within("request_seconds", self.request_seconds, 1..=600)?;
        within("transfer_seconds", self.transfer_seconds, 1..=86_400)?;
        within("patience_seconds", self.patience_seconds, 10..=3600)
    }

    /// Slack's capabilities and limits with these settings.
    pub fn profile(&self) -> Profile {
        let every = Duration::from_millis(self.edit_ms);
        Profile {
            channel: CHANNEL.to_owned(),
            limit: Limit { max: self.text_limit, unit: Unit::Characters },
            caption: self.text_limit,
            dialect: &markup::DIALECT,
            flow: match self.streaming {
                Streaming::Off => Flow::Whole,
                Streaming::Partial | Streaming::Native => Flow::Edits { every },
                Streaming::Block => Flow::Blocks { every },
            },
            receipt: ReceiptRule::Platform,
            // assistant.threads.setStatus: a status is shown for two minutes.
            typing: Some(Duration::from_secs(60)),
            threads: true,
            media: Some(self.max_upload_bytes),
            // files.completeUploadExternal shows several files in one message.
            albums: Some(Albums { max: 10, together: vec![FileKind::ALL.to_vec()] }),
            // The adapter opens the private chat of a person that an address names like this.
            person_chat: Some("@".to_owned()),
            operator_chat: None,
            ends: true,
            buttons: true,
            changes: MessageChanges { edit: true, delete: true, react: true, pin: true },
            waiting_marks: self.acknowledge.is_some(),
            private_posts: true,
            command_mark: '!',
            native: Some(if self.blocks_notify { own_blocks::as_given } else { own_blocks::quiet }),
            idempotent: None,
            pacing: Pacing { per_chat: pace(self.per_chat_ms), ..Pacing::default() },
            max_silence: Some(Duration::from_secs(self.patience_seconds)),
        }
    }
}
