//! The state of a conversation, read once for everybody who shows it: `/status`, the API and the agents' tool.

use chrono::{DateTime, Utc};
use frontdesk_core::agent::{Capabilities, SessionOption, SessionOptions, TurnRole};
use frontdesk_core::failover::Failover;
use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_store::StoreError;
use frontdesk_store::row::{EpochUsage, SessionRow};

use crate::shared::Shared;

/// The state of a session and of its current conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStatus {
    /// The session.
    pub session: SessionRow,
    /// When the conversation began.
    pub started: DateTime<Utc>,
    /// The model that answers next.
    pub model: OptionStatus,
    /// How much it thinks.
    pub thinking: OptionStatus,
    /// What the answers have used.
    pub usage: EpochUsage,
    /// The models or agents that may answer, and the one that does; `None` if the agent answers alone.
    pub failover: Option<Failover>,
    /// How its messages wait.
    pub queue_mode: QueueMode,
}

/// A model or a level of thinking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionStatus {
    /// The value; `None` if only the agent knows.
    pub value: Option<String>,
    /// Whether it was chosen in the chat. Otherwise it is the role's or the agent's configuration.
    pub chosen: bool,
    /// What was chosen in the chat and does not hold, because the agent does not offer it any more.
    pub gone: Option<String>,
}

impl Shared {
    /// The state of a session, as it is for a message in this role; `None` if there is no such session.
    pub(crate) async fn session_status(
        &self,
        key: &SessionKey,
        role: Option<&TurnRole>,
    ) -> Result<Option<SessionStatus>, StoreError> {
        let Some(session) = self.store.session(key).await? else { return Ok(None) };
        let settings = self.settings();
        let begun = self.store.epochs(key, Some(session.epoch + 1), 1).await?;
        let agent = settings.agents.get(key.agent()).map(|entry| &entry.agent);
        let capabilities = agent.map(|agent| agent.capabilities()).unwrap_or_default();
        let option = |option| OptionStatus::of(option, &session.options, role, &capabilities);
        let held = session.options.held_by(&capabilities, role);
        Ok(Some(SessionStatus {
            started: begun.first().map_or(session.created, |epoch| epoch.started),
            model: option(SessionOption::Model),
            thinking: option(SessionOption::Thinking),
            usage: self.store.usage(key, session.epoch).await?,
            failover: agent.and_then(|agent| agent.failover(Some((key, &held)))),
            queue_mode: session.queue_mode.unwrap_or_else(|| self.queue_mode(&settings, key)),
            session,
        }))
    }
}

impl OptionStatus {
    pub(crate) fn of(
        option: SessionOption,
        chosen: &SessionOptions,
        role: Option<&TurnRole>,
        capabilities: &Capabilities,
    ) -> Self {
        let held = chosen.held_by(capabilities, role);
        let value = held.get(option).or(capabilities.default_of(option)).map(str::to_owned);
        let is_offered = |value: &&str| capabilities.choices(option).iter().any(|offered| offered == value);
        let chosen = chosen.get(option);
        Self {
            value,
            chosen: chosen.is_some_and(|value| is_offered(&value)),
            gone: chosen.filter(|value| !is_offered(value)).map(str::to_owned),
        }
    }
}
