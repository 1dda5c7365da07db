//! What an agent can do, what a session has chosen of it, and what began a turn.

use std::time::Duration;

/// How long an agent may think about a message for the turn that runs, before the sender is told that it is answered next.
pub const STEER_TIMEOUT: Duration = Duration::from_secs(5);

/// What an agent can do besides answering.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// It can take a message into a turn that runs.
    pub steer: bool,
    /// It can compact its context of a conversation when it is asked to.
    pub compact: bool,
    /// It can call tools that the client of a message carries out.
    pub client_tools: bool,
    /// The models that a session may choose between; empty if there is no choice.
    pub models: Vec<String>,
    /// The levels of thinking that a session may choose between; empty if there is no choice.
    pub thinking: Vec<String>,
}

impl Capabilities {
    /// The values that a session may choose for an option.
    pub fn choices(&self, option: SessionOption) -> &[String] {
        match option {
            SessionOption::Model => &self.models,
            SessionOption::Thinking => &self.thinking,
        }
    }
}

/// Something that is chosen for a session and survives resets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionOption {
    /// The model that answers.
    Model,
    /// How much the model thinks before it answers.
    Thinking,
}

/// What is chosen for a session; the agent's own configuration decides about the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionOptions {
    /// The model.
    pub model: Option<String>,
    /// The level of thinking.
    pub thinking: Option<String>,
}

impl SessionOptions {
    /// The value of one option.
    pub fn get(&self, option: SessionOption) -> Option<&str> {
        match option {
            SessionOption::Model => self.model.as_deref(),
            SessionOption::Thinking => self.thinking.as_deref(),
        }
    }

    /// The options whose values the agent still offers.
    pub fn offered(self, capabilities: &Capabilities) -> Self {
        Self {
            model: self.model.filter(|model| capabilities.models.contains(model)),
            thinking: self.thinking.filter(|level| capabilities.thinking.contains(level)),
        }
    }
}

/// What began a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A message of a person.
    Message,
    /// A background task.
    Task,
    /// A run of a scheduled job.
    Job,
    /// The heartbeat.
    Heartbeat,
    /// An event of another system.
    Event,
}

impl Origin {
    /// All variants.
    pub const ALL: [Origin; 5] =
        [Origin::Message, Origin::Task, Origin::Job, Origin::Heartbeat, Origin::Event];

    /// The name in the database and for agents.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Message => "message",
            Origin::Task => "task",
            Origin::Job => "job",
            Origin::Heartbeat => "heartbeat",
            Origin::Event => "event",
        }
    }

    /// The origin with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_origin_has_a_name_of_its_own() {
        for origin in Origin::ALL {
            assert_eq!(Origin::named(origin.name()), Some(origin));
        }
        assert_eq!(Origin::named(""), None);
    }

    #[test]
    fn a_choice_that_is_no_longer_offered_is_left_out() {
        let chosen = SessionOptions { model: Some("large".into()), thinking: Some("high".into()) };
        let offers = Capabilities { models: vec!["large".into()], ..Capabilities::default() };
        assert_eq!(chosen.offered(&offers), SessionOptions { model: Some("large".into()), thinking: None });
    }
}
