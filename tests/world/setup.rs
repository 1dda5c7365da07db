//! What a world is made of, as a test wishes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::access::{ChannelAccess, DmPolicy, GroupAccess};
use frontdesk_core::hook::Hook;
use frontdesk_core::profile::{Flow, Pacing};
use frontdesk_runtime::config::{Chat, Config, QueueMode, Rate, ResetMode, Routing};

/// The wishes. Limits are off unless a test asks for them.
#[derive(Clone)]
pub struct Plan {
    pub(crate) config: Config,
    pub(crate) flow: Flow,
    pub(crate) pacing: Pacing,
    pub(crate) media: Option<u64>,
    pub(crate) start: String,
    pub(crate) hooks: Vec<Arc<dyn Hook>>,
    pub(crate) agent_turns: Option<usize>,
    pub(crate) access: ChannelAccess,
    pub(crate) routing: Routing,
}

/// A world without wishes.
pub fn plan() -> Plan {
    let mut config = Config::default();
    config.limits.user = Rate::default();
    config.limits.chat = Rate::default();
    config.sessions.reset.mode = ResetMode::None;
    Plan {
        config,
        flow: Flow::Whole,
        pacing: Pacing::default(),
        media: Some(100_000),
        start: "2026-03-28T12:00:00Z".to_owned(),
        hooks: Vec::new(),
        agent_turns: None,
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
    /// A new conversation each day at `hour` in `zone`.
    #[must_use]
    pub fn reset_daily(mut self, hour: u8, zone: &str) -> Self {
        let reset = &mut self.config.sessions.reset;
        reset.mode = ResetMode::Daily;
        reset.hour = hour;
        reset.timezone = Some(zone.to_owned());
        self
    }

    /// A new conversation after a silence.
    #[must_use]
    pub fn reset_idle(mut self, minutes: u32) -> Self {
        self.config.sessions.reset.mode = ResetMode::Idle;
        self.config.sessions.reset.idle_minutes = minutes;
        self
    }

    /// All that gathered in one turn.
    #[must_use]
    pub fn collect(mut self, debounce_ms: u64) -> Self {
        self.config.queue.mode = QueueMode::Collect;
        self.config.queue.debounce_ms = debounce_ms;
        self
    }

    /// Answers by edits.
    #[must_use]
    pub fn edits(mut self, every_ms: u64) -> Self {
        self.flow = Flow::Edits { every: Duration::from_millis(every_ms) };
        self
    }

    /// How answers arrive.
    #[must_use]
    pub fn flow(mut self, flow: Flow) -> Self {
        self.flow = flow;
        self
    }

    /// The largest file that the platform takes, in bytes.
    #[must_use]
    pub fn files_up_to(mut self, most: Option<u64>) -> Self {
        self.media = most;
        self
    }

    /// At most one message to a chat in this time.
    #[must_use]
    pub fn paced(mut self, per_chat: Duration) -> Self {
        self.pacing.per_chat = Some(per_chat);
        self
    }

    /// At most one message to a group in this time, after a few at once.
    #[must_use]
    pub fn paced_in_groups(mut self, per_group: Duration) -> Self {
        self.pacing.per_group = Some(per_group);
        self
    }

    /// What the calendar shows at the beginning.
    #[must_use]
    pub fn starting(mut self, wall: &str) -> Self {
        wall.clone_into(&mut self.start);
        self
    }

    /// The operator's own code.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// How many turns of the agent may run at once.
    #[must_use]
    pub fn agent_turns(mut self, turns: usize) -> Self {
        self.agent_turns = Some(turns);
        self
    }

    /// Who may speak. Without this everyone may in private and in group `-1`, and `root` is an admin.
    #[must_use]
    pub fn access(mut self, change: impl FnOnce(&mut ChannelAccess)) -> Self {
        change(&mut self.access);
        self
    }

    /// What holds in one chat.
    #[must_use]
    pub fn chat(mut self, id: &str, change: impl FnOnce(&mut Chat)) -> Self {
        change(self.routing.chats.entry(id.to_owned()).or_default());
        self
    }

    /// Anything else in the configuration.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }
}
