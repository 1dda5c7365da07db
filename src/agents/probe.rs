//! What trying an agent out has shown.

use frontdesk_core::delta::AgentError;

/// What was seen when an agent's program was started, or its provider asked, without a message. The texts are for the
/// operator: they may quote what a program or a provider said, and contain no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// The findings, each a part of a sentence.
    pub seen: Vec<String>,
    /// What keeps the agent from answering, and what to do about it.
    pub problem: Option<String>,
}

impl Probe {
    /// Something that is as it should be.
    pub(crate) fn seen(what: impl Into<String>) -> Self {
        Self { seen: vec![what.into()], problem: None }
    }

    /// Something that has to be mended.
    pub(crate) fn failed(problem: impl Into<String>) -> Self {
        Self { seen: Vec::new(), problem: Some(problem.into()) }
    }

    /// Adds something that was seen.
    pub(crate) fn and(mut self, what: impl Into<String>) -> Self {
        self.seen.push(what.into());
        self
    }
}

/// Why a program did not start, without the introduction for the log.
pub(crate) fn detail(error: AgentError) -> String {
    error.into_cause().to_string()
}
