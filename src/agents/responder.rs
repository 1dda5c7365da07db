//! A model or an agent as one of several that may answer a turn.

use std::sync::Arc;

use frontdesk_core::agent::SessionOptions;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::circuit::CircuitFailure;
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::port::{Agent, Turn};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sha2::{Digest, Sha256};

/// What an attempt reports.
pub(crate) type Attempt = BoxStream<'static, Result<Delta, Broken>>;

/// One of several that may answer a turn.
pub(crate) trait Responder: Send + Sync {
    /// Everything that it may ask, depending on what is chosen for a session.
    fn targets(&self) -> Vec<Target>;
    /// What it asks for a session with these options.
    fn target(&self, options: &SessionOptions) -> Target;
    /// Whether it takes what was said before from the gateway's history. Otherwise it knows only what it has answered
    /// itself.
    fn reads_history(&self) -> bool;
    /// Runs a turn.
    fn attempt(&self, turn: Turn, patience: Patience) -> Attempt;
    /// The agent, for everything else.
    fn agent(&self) -> &dyn Agent;
}

/// What is asked: a model at a provider with one key, or another agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The same for the same model at the same address with the same key.
    pub(crate) id: [u8; 32],
    /// What people call it.
    pub(crate) name: String,
    /// The same with the host of the provider.
    pub(crate) place: String,
}

impl Target {
    /// A target that these texts identify. They may contain secrets, since only their hash is kept.
    pub(crate) fn of(texts: &[&str], name: &str, place: String) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        Self { id: hash.finalize().into(), name: name.to_owned(), place }
    }
}

/// How long an attempt is made before it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Nobody else can answer.
    Alone,
    /// Another one can answer, so long waits are not worth it.
    Replaceable,
    /// It has failed before and another one can answer: one request shows whether it works again.
    Probe,
}

/// Why an attempt has no whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// The error of the turn, if nobody else answers.
    pub(crate) error: AgentError,
    /// How the answer ends if the text that was shown until then stays; `None` if nothing was shown, or if the turn ends
    /// with the error all the same.
    pub(crate) end: Option<AnswerEnd>,
    /// What follows from it.
    pub(crate) verdict: Verdict,
    /// How it failed, for logs and the status: no text of a provider or an agent, which may quote what people wrote.
    pub(crate) kind: String,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is about the request, so nobody else is asked.
    Final,
    /// Another one may answer. It says nothing about the next request.
    Elsewhere,
    /// Another one may answer, and the failure counts.
    Failed(CircuitFailure),
}

impl From<AgentError> for Broken {
    /// What fails before anybody is asked.
    fn from(error: AgentError) -> Self {
        Self { error, end: None, verdict: Verdict::Final, kind: String::new() }
    }
}

/// A whole agent as one of several.
pub(crate) struct WholeAgent {
    pub(crate) agent: Arc<dyn Agent>,
    pub(crate) target: Target,
    pub(crate) reads_history: bool,
}

impl Responder for WholeAgent {
    fn targets(&self) -> Vec<Target> {
        let models = self.agent.capabilities().models;
        std::iter::once(None)
            .chain(models.into_iter().map(Some))
            .map(|model| self.with_model(model))
            .collect()
    }

    fn target(&self, options: &SessionOptions) -> Target {
        self.with_model(options.model.clone())
    }

    fn reads_history(&self) -> bool {
        self.reads_history
    }

    fn attempt(&self, turn: Turn, _patience: Patience) -> Attempt {
        self.agent.turn(turn).map(|report| report.map_err(broken)).boxed()
    }

    fn agent(&self) -> &dyn Agent {
        &*self.agent
    }
}

impl WholeAgent {
    /// The agent with the model that a chat has chosen. A model that does not work must not keep it from answering others.
    fn with_model(&self, model: Option<String>) -> Target {
        let Target { id, name, place } = &self.target;
        let Some(model) = model else { return self.target.clone() };
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Target::of(&[&id, &model], name, format!("{place} with {model}"))
    }
}

fn broken(error: AgentError) -> Broken {
    let (verdict, kind) = match &error {
        AgentError::Died(_) => (Verdict::Failed(CircuitFailure::Odd), "it died"),
        AgentError::Unavailable(_) => {
            (Verdict::Failed(CircuitFailure::Down { retry_after: None }), "it is not available")
        }
        // One message that an agent cannot answer must not keep it from answering others.
        AgentError::Failed(_) => (Verdict::Elsewhere, "it reported an error"),
        // The machine runs short: the turn waits, and nobody else would fare better.
        AgentError::Later(_) => (Verdict::Final, "the machine runs short"),
    };
    Broken { verdict, kind: kind.to_owned(), end: None, error }
}
