//! The settings of a world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::access::{ChannelAccess, DmPolicy, GroupAccess};
use frontdesk_core::hook::Hook;
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Albums, Flow, Pacing};
use frontdesk_runtime::config::{Chat, Config, QueueMode, Rate, ResetMode, Role, Routing};

use crate::agent::ScriptedAgent;
use crate::transcriber::ScriptedTranscriber;

/// The settings of a world. Limits are off unless a test sets them.
#[derive(Clone)]
pub struct Plan {
    pub(crate) config: Config,
    pub(crate) flow: Flow,
    pub(crate) pacing: Pacing,
    pub(crate) media: Option<u64>,
    pub(crate) albums: Option<Albums>,
    pub(crate) buttons: bool,
    pub(crate) marks: bool,
    pub(crate) keys: bool,
    pub(crate) embedded: bool,
    pub(crate) start: String,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) agent_turns: Option<usize>,
    pub(crate) more_agents: BTreeMap<String, Arc<ScriptedAgent>>,
    pub(crate) transcriber: Option<Arc<ScriptedTranscriber>>,
    pub(crate) access: ChannelAccess,
    pub(crate) routing: Routing,
}

/// The default settings.
pub fn plan() -> Plan {
    let mut config = Config::default();
    config.limits.user = Rate::default();
    config.limits.chat = Rate::default();
    config.sessions.reset.mode = ResetMode::None;
    config.watchdog.enabled = false;
    Plan {
        config,
        flow: Flow::Whole,
        pacing: Pacing::default(),
        media: Some(100_000),
        albums: None,
        buttons: false,
        marks: false,
        keys: false,
        embedded: false,
        start: "2026-03-28T12:00:00Z".to_owned(),
        hooks: Vec::new(),
        agent_turns: None,
        more_agents: BTreeMap::new(),
        transcriber: None,
        access: ChannelAccess {
            dm_policy: DmPolicy::Open,
            admins: BTreeSet::from(["root".to_owned()]),
            groups: BTreeMap::from([("-1".to_owned(), GroupAccess::default())]),
            ..ChannelAccess::default()
        },
        routing: Routing::default(),
    }
}

impl Plan {
    /// Resets conversations each day at `hour` in `zone`.
    #[must_use]
    pub fn reset_daily(mut self, hour: u8, zone: &str) -> Self {
        let reset = &mut self.config.sessions.reset;
        reset.mode = ResetMode::Daily;
        reset.hour = hour;
        reset.timezone = Some(zone.to_owned());
        self
    }

    /// Resets conversations after so many minutes without a message.
    #[must_use]
    pub fn reset_idle(mut self, minutes: u32) -> Self {
        self.config.sessions.reset.mode = ResetMode::Idle;
        self.config.sessions.reset.idle_minutes = minutes;
        self
    }

    /// Puts all waiting messages into one turn.
    #[must_use]
    pub fn collect(mut self, debounce_ms: u64) -> Self {
        self.config.queue.mode = QueueMode::Collect;
        self.config.queue.debounce_ms = debounce_ms;
        self
    }

    /// Shows answers by edits.
    #[must_use]
    pub fn edits(mut self, every_ms: u64) -> Self {
        self.flow = Flow::Edits { every: Duration::from_millis(every_ms) };
        self
    }

    /// How answers are shown.
    #[must_use]
    pub fn flow(mut self, flow: Flow) -> Self {
        self.flow = flow;
        self
    }

    /// The largest file that the platform accepts, in bytes.
    #[must_use]
    pub fn files_up_to(mut self, most: Option<u64>) -> Self {
        self.media = most;
        self
    }

    /// The platform shows up to this number of photos and videos, or documents, as one album.
    #[must_use]
    pub fn albums(mut self, max: usize) -> Self {
        let together = vec![vec![FileKind::Photo, FileKind::Video], vec![FileKind::Document]];
        self.albums = Some(Albums { max, together });
        self
    }

    /// The platform draws buttons.
    #[must_use]
    pub fn buttons(mut self) -> Self {
        self.buttons = true;
        self
    }

    /// The platform can mark a message that waits.
    #[must_use]
    pub fn marks(mut self) -> Self {
        self.marks = true;
        self
    }

    /// The platform remembers the keys of posts: one with a known key changes the message that is there.
    #[must_use]
    pub fn keys(mut self) -> Self {
        self.keys = true;
        self
    }

    /// The gateway is part of a program that does not do what admins ask of the whole process.
    #[must_use]
    pub fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// At most one message to a chat in this period.
    #[must_use]
    pub fn paced(mut self, per_chat: Duration) -> Self {
        self.pacing.per_chat = Some(per_chat);
        self
    }

    /// At most one message to a group in this period on average; a few may go at once.
    #[must_use]
    pub fn paced_in_groups(mut self, per_group: Duration) -> Self {
        self.pacing.per_group = Some(per_group);
        self
    }

    /// The time of the start, as RFC 3339.
    #[must_use]
    pub fn starting(mut self, wall: &str) -> Self {
        wall.clone_into(&mut self.start);
        self
    }

    /// Adds a hook.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// The agent's limit of concurrent turns.
    #[must_use]
    pub fn agent_turns(mut self, turns: usize) -> Self {
        self.agent_turns = Some(turns);
        self
    }

    /// Adds another agent.
    #[must_use]
    pub fn agent(mut self, name: &str, agent: &Arc<ScriptedAgent>) -> Self {
        self.more_agents.insert(name.to_owned(), agent.clone());
        self
    }

    /// Transcribes recordings with this.
    #[must_use]
    pub fn transcriber(mut self, transcriber: &Arc<ScriptedTranscriber>) -> Self {
        self.transcriber = Some(transcriber.clone());
        self
    }

    /// Transcribes no recordings.
    #[must_use]
    pub fn no_transcriber(mut self) -> Self {
        self.transcriber = None;
        self
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, name: &str, role: Role) -> Self {
        self.config.roles.insert(name.to_owned(), role);
        self
    }

    /// Changes who may write. By default everyone may in private and in group `-1`, and `root` is an admin.
    #[must_use]
    pub fn access(mut self, change: impl FnOnce(&mut ChannelAccess)) -> Self {
        change(&mut self.access);
        self
    }

    /// Changes the rules of one chat.
    #[must_use]
    pub fn chat(mut self, id: &str, change: impl FnOnce(&mut Chat)) -> Self {
        change(self.routing.chats.entry(id.to_owned()).or_default());
        self
    }

    /// Changes the account's routing.
    #[must_use]
    pub fn routing(mut self, change: impl FnOnce(&mut Routing)) -> Self {
        change(&mut self.routing);
        self
    }

    /// Changes anything else in the configuration.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }
}
