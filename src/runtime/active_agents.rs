//! The agents of one configuration, and the turns that use each, so that one that is replaced ends after its last turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::port::Agent;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::AgentEntry;
use crate::reported::Reported;

/// The agents by name. Clones of an entry are the same agent.
pub(crate) type ActiveAgents = BTreeMap<String, ActiveAgent>;

/// An agent that is in use.
#[derive(Clone)]
pub(crate) struct ActiveAgent {
    pub(crate) agent: Arc<dyn Agent>,
    /// How many of its turns may run at once.
    pub(crate) max_turns: Option<usize>,
    /// Closed once a reload has replaced or removed the agent.
    turns: TaskTracker,
}

impl ActiveAgent {
    /// The same agent with another limit.
    pub(crate) fn with_limit(&self, max_turns: Option<usize>) -> Self {
        Self { max_turns, ..self.clone() }
    }

    /// Begins a turn, which keeps the agent running; `None` if a reload has taken it out of use.
    pub(crate) fn begin_turn(&self) -> Option<TaskTrackerToken> {
        let token = self.turns.token();
        // Asked after the token was taken: whoever closes the tracker later waits for it.
        (!self.turns.is_closed()).then_some(token)
    }

    pub(crate) fn is(&self, other: &ActiveAgent) -> bool {
        Arc::ptr_eq(&self.agent, &other.agent)
    }

    /// Begins no further turn, and stops the agent when its last one has ended.
    pub(crate) async fn retire(self) {
        self.turns.close();
        self.turns.wait().await;
        self.agent.stop().await;
    }
}

impl From<AgentEntry> for ActiveAgent {
    fn from(entry: AgentEntry) -> Self {
        Self { agent: Arc::new(Reported(entry.agent)), max_turns: entry.max_turns, turns: TaskTracker::new() }
    }
}
