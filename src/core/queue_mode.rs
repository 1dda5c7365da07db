//! What happens to messages that arrive while the agent answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to messages that arrive while the agent is answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueueMode {
    /// They wait, and get one turn each, in order.
    Followup,
    /// They wait, and get one turn for all of them.
    Collect,
    /// The agent takes them into its answer, if it can; else they wait, and get one turn each.
    Steer,
    /// They stop the answer, and are answered instead.
    Interrupt,
}

impl QueueMode {
    /// All variants.
    pub const ALL: [QueueMode; 4] =
        [QueueMode::Followup, QueueMode::Collect, QueueMode::Steer, QueueMode::Interrupt];

    /// The name in chats, in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            QueueMode::Followup => "followup",
            QueueMode::Collect => "collect",
            QueueMode::Steer => "steer",
            QueueMode::Interrupt => "interrupt",
        }
    }

    /// The mode with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// What the mode does, for people.
    pub fn sentence(self) -> &'static str {
        match self {
            QueueMode::Followup => "While the agent answers, new messages wait and are answered one by one.",
            QueueMode::Collect => "While the agent answers, new messages wait and are answered together.",
            QueueMode::Steer => {
                "While the agent answers, it takes in new messages if it can; otherwise it answers them next."
            }
            QueueMode::Interrupt => "A new message stops the answer under way and is answered instead.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_one_name_everywhere() {
        for mode in QueueMode::ALL {
            assert_eq!(QueueMode::named(mode.name()), Some(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        assert_eq!(QueueMode::named("later"), None);
    }
}
