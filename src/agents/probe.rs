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
    /// The URL that a program asks for its answers, if it tells it and uses the proxy for agents where there is one.
    pub endpoint: Option<String>,
}

impl Probe {
    /// Something that is as it should be.
    pub(crate) fn seen(what: impl Into<String>) -> Self {
        Self { seen: vec![what.into()], ..Self::default() }
    }

    /// Something that has to be mended.
    pub(crate) fn failed(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::default() }
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
