//! Failover, as the status shows it: the models or agents that may answer for an agent. Which one is asked is decided in
//! [`crate::circuit`].

use std::time::Duration;

/// The models or agents that may answer for an agent, and the one that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// In the order in which they are asked.
    pub candidates: Vec<Candidate>,
    /// The place of the one that answers the next message, as far as it is known now.
    pub answering: usize,
}

impl Failover {
    /// The one that answers.
    pub fn answering(&self) -> Option<&Candidate> {
        self.candidates.get(self.answering)
    }
}

/// A model or an agent that may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What people call it: the name of the model or of the agent.
    pub name: String,
    /// The same with the host of the provider, for operators.
    pub place: String,
    /// Whether it calls tools that the client of a message carries out.
    pub client_tools: bool,
    /// Whether it works.
    pub state: CandidateState,
    /// Number of pauses since the start.
    pub pauses: u64,
}

/// Whether a model or an agent works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidateState {
    /// It takes every request.
    Working,
    /// It has failed and is left alone.
    Paused {
        /// How it failed, without any text of a provider.
        why: String,
        /// How long it is still left alone; zero if the next request tries it.
        left: Duration,
    },
    /// It has failed, and a request tries it at the moment.
    Probing {
        /// How it failed.
        why: String,
    },
}

impl CandidateState {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            CandidateState::Working => "working",
            CandidateState::Paused { .. } => "paused",
            CandidateState::Probing { .. } => "probing",
        }
    }
}
