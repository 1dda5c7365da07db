//! An agent that is a model behind an OpenAI-compatible API: OpenAI itself, OpenRouter, LiteLLM, vLLM, llama.cpp, Ollama and
//! many others.
//!
//! It has no state of its own: what was said is read from the gateway's history at each turn, so a conversation survives
//! every restart, and each conversation is separate.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::config::ConfigError;
use frontdesk_core::delta::{AgentError, Compacted, Delta, Usage};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::Host;
use crate::reports::reported;
use crate::responder::{Attempt, Broken, Patience, Responder, Target};
use crate::running_turns::RunningTurns;
use answer::Answer;
use model::Model;

pub use config::{Config, Price};
pub(crate) use fault::Report;
pub(crate) use probe::probe;
pub(crate) use retry::after as retry_after;

mod answer;
mod calls;
mod chunk;
mod compaction;
mod config;
mod fallback;
mod fault;
mod images;
mod memory;
mod messages;
mod model;
mod probe;
mod provider;
mod reply;
mod retry;
mod sink;
mod sse;

/// The agent.
pub(crate) struct OpenAi {
    model: Arc<Model>,
    running: RunningTurns<CancellationToken>,
}

pub(crate) fn build(name: &str, config: &Config, host: &Host) -> Result<OpenAi, ConfigError> {
    let model = Arc::new(Model::new(name, config, host)?);
    Ok(OpenAi { model, running: RunningTurns::default() })
}

impl Responder for OpenAi {
    fn targets(&self) -> Vec<Target> {
        let config = &self.model.config;
        std::iter::once(&config.model).chain(&config.models).map(|model| config.target(model)).collect()
    }

    fn target(&self, options: &SessionOptions) -> Target {
        self.model.config.target(options.model.as_ref().unwrap_or(&self.model.config.model))
    }

    fn reads_history(&self) -> bool {
        true
    }

    fn attempt(&self, turn: Turn, patience: Patience) -> Attempt {
        let running = self.running.begin(turn.id, CancellationToken::new());
        let model = self.model.clone();
        let answer = reported(|reports| {
            let (refused, summarized) = (None, Usage::default());
            Answer { model, turn, reports, patience, refused, summarized }.run()
        });
        let aborted = CancellationToken::clone(&running);
        let answer = Box::pin(answer.take_until(aborted.cancelled_owned()));
        // The turn counts as running as long as the stream exists.
        stream::unfold((running, answer), |(running, mut answer)| async move {
            answer.next().await.map(|delta| (delta, (running, answer)))
        })
        .boxed()
    }

    fn agent(&self) -> &dyn Agent {
        self
    }
}

#[async_trait]
impl Agent for OpenAi {
    fn capabilities(&self) -> Capabilities {
        let capabilities = self.model.config.capabilities();
        Capabilities { client_tools: capabilities.client_tools && self.model.takes_tools(), ..capabilities }
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        // An answer that broke off is not taken back: the chat keeps the text that it has shown.
        let ended = |report: Result<Delta, Broken>| match report {
            Ok(delta) => Ok(delta),
            Err(Broken { end: Some(end), .. }) => Ok(Delta::Done { text: None, end }),
            Err(broken) => Err(broken.error),
        };
        self.attempt(turn, Patience::Alone).map(ended).boxed()
    }

    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(aborted) = self.running.find(turn) {
            aborted.cancel();
        }
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        let aborted = self.running.begin(turn.id, CancellationToken::new());
        tokio::select! {
            biased;
            () = aborted.cancelled() => Err(AgentError::Failed("the compaction was stopped".into())),
            compacted = self.model.compact(&turn, instructions.as_deref()) => compacted,
        }
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.model.forget(session, epoch);
    }

    // There is no process to end. A request ends when the stream of its turn is dropped.
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        self.model.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}
