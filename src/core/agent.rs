//! What an agent can do, what a session has chosen of it, the role in which it answers, and what began a turn.

use std::time::Duration;

use crate::config::Role;

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
    /// The model that answers a session that has chosen none; `None` if the agent does not know.
    pub default_model: Option<String>,
    /// The same for the level of thinking.
    pub default_thinking: Option<String>,
}

impl Capabilities {
    /// The values that a session may choose for an option.
    pub fn choices(&self, option: SessionOption) -> &[String] {
        match option {
            SessionOption::Model => &self.models,
            SessionOption::Thinking => &self.thinking,
        }
    }

    /// The value of an option for a session that has chosen none, if the agent knows it.
    pub fn default_of(&self, option: SessionOption) -> Option<&str> {
        match option {
            SessionOption::Model => self.default_model.as_deref(),
            SessionOption::Thinking => self.default_thinking.as_deref(),
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

    /// The options that hold with an agent: what is chosen, else what the role says, each only if the agent still offers it.
    #[must_use]
    pub fn held_by(&self, capabilities: &Capabilities, role: Option<&TurnRole>) -> Self {
        let held = |option, of_role: Option<&String>| {
            let offered = capabilities.choices(option);
            let wanted = self.get(option).into_iter().chain(of_role.map(String::as_str));
            wanted.map(str::to_owned).find(|value| offered.contains(value))
        };
        let gives = role.map(|role| &role.gives);
        Self {
            model: held(SessionOption::Model, gives.and_then(|role| role.model.as_ref())),
            thinking: held(SessionOption::Thinking, gives.and_then(|role| role.thinking.as_ref())),
        }
    }
}

/// The role in which an agent answers. What of it an agent can use depends on the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRole {
    /// Its name in the configuration.
    pub name: String,
    /// What the agent is given.
    pub gives: Role,
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
    fn a_choice_of_the_chat_comes_before_the_role() {
        let set = |model: Option<&str>, thinking: Option<&str>| SessionOptions {
            model: model.map(str::to_owned),
            thinking: thinking.map(str::to_owned),
        };
        let gives = Role { model: Some("small".into()), thinking: Some("deep".into()), ..Role::default() };
        let role = TurnRole { name: "kids".into(), gives };
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let offers = Capabilities {
            models: list(&["small", "large"]),
            thinking: list(&["high"]),
            ..Capabilities::default()
        };
        for (chosen, in_role, alone) in [
            (set(None, None), set(Some("small"), None), set(None, None)),
            (
                set(Some("large"), Some("high")),
                set(Some("large"), Some("high")),
                set(Some("large"), Some("high")),
            ),
            // What is not offered any more leaves the decision to the role, and what that names is left out as well then.
            (set(Some("gone"), Some("gone")), set(Some("small"), None), set(None, None)),
        ] {
            assert_eq!(chosen.held_by(&offers, Some(&role)), in_role, "{chosen:?}");
            assert_eq!(chosen.held_by(&offers, None), alone, "{chosen:?}");
        }
    }
}
