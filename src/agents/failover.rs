//! Failover: an agent that has fallbacks. If the first choice fails, the next one answers from the beginning.
//!
//! Whether a model or an agent works is remembered in a circuit that all conversations share, and who is asked is decided
//! from that ([`frontdesk_core::circuit`]).

mod config;
mod providers;
mod run;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::circuit::{Choice, CircuitFailure, Readiness, choose, preference};
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::{Candidate, CandidateState, Failover};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Clock, Prompt, Turn};
use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::reports::reported;
use crate::responder::Responder;
use crate::running_turns::RunningTurns;
use providers::{SharedCircuit, Stay};
use run::{Run, Running, Shown};

pub use config::{Config, Fallback, ModelFallback};
pub use providers::Providers;

/// The first choice and its fallbacks.
struct Chain {
    name: String,
    responders: Vec<Box<dyn Responder>>,
    /// The circuits of everything that the responders may ask, in their order. They are kept as long as the chain lives.
    circuits: Vec<Vec<Arc<SharedCircuit>>>,
    providers: Arc<Providers>,
    clock: Arc<dyn Clock>,
    cooldown: Duration,
    dwell: Duration,
}

/// An agent with fallbacks.
struct WithFallbacks {
    chain: Arc<Chain>,
    running: RunningTurns<Arc<Running>>,
}

/// The agent that asks `responders` in this order. There is at least one.
pub(crate) fn build(
    name: &str,
    responders: Vec<Box<dyn Responder>>,
    config: &Config,
    providers: &Arc<Providers>,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Agent> {
    let circuits = responders
        .iter()
        .map(|responder| responder.targets().iter().map(|target| providers.circuit(target)).collect());
    let chain = Chain {
        name: name.to_owned(),
        circuits: circuits.collect(),
        responders,
        providers: providers.clone(),
        clock: clock.clone(),
        cooldown: Duration::from_secs(config.cooldown),
        dwell: Duration::from_secs(config.dwell),
    };
    Arc::new(WithFallbacks { chain: Arc::new(chain), running: RunningTurns::default() })
}

impl Chain {
    /// The circuit of what a responder asks for a session with these options.
    fn circuit(&self, index: usize, options: &SessionOptions) -> &Arc<SharedCircuit> {
        let (target, known) = (self.responders[index].target(options), &self.circuits[index]);
        known.iter().find(|circuit| circuit.target.id == target.id).unwrap_or(&known[0])
    }

    /// The responder at which a conversation stays; the first one if that is not known any more.
    fn place_of(&self, stay: Option<Stay>, options: &SessionOptions) -> usize {
        let is_it =
            |index: &usize| stay.is_some_and(|stay| self.circuit(*index, options).target.id == stay.target);
        (0..self.responders.len()).find(is_it).unwrap_or(0)
    }

    /// Everyone that may be asked, in the order of preference of a conversation.
    fn preference(&self, session: Option<&SessionKey>, options: &SessionOptions) -> Vec<usize> {
        let stay = session.and_then(|session| self.providers.stay(session));
        let stay = stay.filter(|stay| stay.until > self.clock.mono());
        preference(self.responders.len(), stay.map(|stay| self.place_of(Some(stay), options)))
    }

    fn readiness(&self, of: &[usize], options: &SessionOptions) -> Vec<(usize, Readiness)> {
        let now = self.clock.mono();
        of.iter().map(|index| (*index, self.circuit(*index, options).readiness(now))).collect()
    }

    /// Compacts with the first that can, of those that know the conversation.
    async fn compact(&self, turn: &Turn, instructions: Option<&str>) -> Result<Compacted, AgentError> {
        let mut left = self.preference(Some(&turn.session), &turn.options);
        let all_know = self.responders[0].reads_history();
        left.retain(|index| if all_know { self.responders[*index].reads_history() } else { *index == 0 });
        let mut last = AgentError::Unavailable("nobody can compact at the moment".into());
        while let Choice::Ask(index) = choose(&self.readiness(&left, &turn.options), self.clock.mono()) {
            left.retain(|other| *other != index);
            let Some(ticket) = self.circuit(index, &turn.options).begin(&self.clock) else { continue };
            let agent = self.responders[index].agent();
            let mut turn = turn.clone();
            turn.options = turn.options.held_by(&agent.capabilities(), turn.role.as_deref());
            match agent.compact(turn, instructions.map(str::to_owned)).await {
                Err(error @ AgentError::Unavailable(_)) => {
                    let down = CircuitFailure::Down { retry_after: None };
                    ticket.failed(down, "a compaction failed", self.cooldown);
                    last = error;
                }
                Ok(compacted) => {
                    ticket.succeeded();
                    return Ok(compacted);
                }
                ended => return ended,
            }
        }
        Err(last)
    }
}

/// The state of a model or agent that does not work, for an error.
fn in_words(state: &CandidateState) -> String {
    match state {
        CandidateState::Working => "it was not asked".to_owned(),
        CandidateState::Paused { why, left } => format!("left alone for {} s after: {why}", left.as_secs()),
        CandidateState::Probing { why } => format!("being tried again after: {why}"),
    }
}

#[async_trait]
impl Agent for WithFallbacks {
    fn capabilities(&self) -> Capabilities {
        let all = |can: fn(&Capabilities) -> bool| {
            self.chain.responders.iter().all(|responder| can(&responder.agent().capabilities()))
        };
        let client_tools = all(|capabilities| capabilities.client_tools);
        Capabilities { client_tools, ..self.chain.responders[0].agent().capabilities() }
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let running = self.running.begin(turn.id, Arc::default());
        let (chain, of_run) = (self.chain.clone(), Arc::clone(&running));
        let reports = reported(|reports| {
            let left = chain.preference(Some(&turn.session), &turn.options);
            let (shown, failures) = (Shown::default(), Vec::new());
            Run { chain, turn, reports, running: of_run, left, shown, failures }.run()
        });
        // The turn counts as running as long as the stream exists.
        stream::unfold((running, reports), |(running, mut reports)| async move {
            reports.next().await.map(|report| (report, (running, reports)))
        })
        .boxed()
    }

    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        let Some(running) = self.running.find(turn) else { return Ok(false) };
        let Some(index) = running.asked() else { return Ok(false) };
        let taken = self.chain.responders[index].agent().steer(turn, prompt).await?;
        if taken {
            running.note_steered(prompt);
        }
        Ok(taken)
    }

    async fn abort(&self, turn: TurnId) {
        let running = self.running.find(turn);
        if let Some(running) = &running {
            running.aborted.cancel();
        }
        // A compaction is not known here, so everyone is told.
        match running.and_then(|running| running.asked()) {
            Some(index) => self.chain.responders[index].agent().abort(turn).await,
            None => {
                let all = self.chain.responders.iter().map(|responder| responder.agent().abort(turn));
                join_all(all).await;
            }
        }
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        self.chain.compact(&turn, instructions.as_deref()).await
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        let all = self.chain.responders.iter().map(|responder| responder.agent().forget(session, epoch));
        join_all(all).await;
    }

    async fn stop(&self) {
        join_all(self.chain.responders.iter().map(|responder| responder.agent().stop())).await;
    }

    /// Only if none of them can answer.
    fn problem(&self) -> Option<String> {
        let problems = self.chain.responders.iter().map(|responder| responder.agent().problem());
        let problems: Option<Vec<String>> = problems.collect();
        problems.and_then(|problems| problems.into_iter().next())
    }

    fn failover(&self, of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        let chain = &self.chain;
        let options = of.map(|(_, options)| options.held_by(&self.capabilities(), None)).unwrap_or_default();
        let session = of.map(|(session, _)| session);
        let order = chain.preference(session, &options);
        let answering = match choose(&chain.readiness(&order, &options), chain.clock.mono()) {
            Choice::Ask(index) => index,
            Choice::Wait(_) | Choice::Nobody => order.first().copied().unwrap_or(0),
        };
        let candidates = (0..chain.responders.len()).map(|index| {
            let circuit = chain.circuit(index, &options);
            let (state, pauses) = circuit.shown(chain.clock.mono());
            let (name, place) = (circuit.target.name.clone(), circuit.target.place.clone());
            let client_tools = chain.responders[index].agent().capabilities().client_tools;
            Candidate { name, place, client_tools, state, pauses }
        });
        Some(Failover { candidates: candidates.collect(), answering })
    }
}
