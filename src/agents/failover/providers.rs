//! What all conversations know of models and agents that may fail: their circuits, and where each conversation stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use frontdesk_core::circuit::{Circuit, CircuitFailure, Permit, Readiness};
use frontdesk_core::failover::CandidateState;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Clock, Mono};
use tokio::sync::watch;

use crate::random::random;
use crate::responder::Target;
use crate::running_turns::lock;

/// Maximum number of conversations whose place is remembered. More cannot stay anywhere at the same time in practice; the
/// one whose time ends first is forgotten.
const STAYS: usize = 10_000;

/// The circuits of all models and agents that have a fallback or are one. Agents with the same model at the same provider
/// share its circuit, and a reload keeps it.
#[derive(Debug, Default)]
pub struct Providers {
    circuits: Mutex<HashMap<[u8; 32], Weak<SharedCircuit>>>,
    stays: Mutex<HashMap<SessionKey, Stay>>,
    changed: watch::Sender<()>,
}

/// Where a conversation stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    /// The target that has answered last.
    pub(super) target: [u8; 32],
    /// Until when it is preferred.
    pub(super) until: Mono,
}

/// The circuit of one target.
#[derive(Debug)]
pub(super) struct SharedCircuit {
    pub(super) target: Target,
    circuit: Mutex<(Circuit, String)>,
    changed: watch::Sender<()>,
}

impl Providers {
    /// The circuit of a target, which lives as long as somebody holds it.
    pub(super) fn circuit(&self, target: &Target) -> Arc<SharedCircuit> {
        let mut circuits = lock(&self.circuits);
        circuits.retain(|_, circuit| circuit.strong_count() > 0);
        if let Some(known) = circuits.get(&target.id).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(SharedCircuit {
            target: target.clone(),
            circuit: Mutex::default(),
            changed: self.changed.clone(),
        });
        new.show_paused(false);
        circuits.insert(target.id, Arc::downgrade(&new));
        new
    }

    /// Sees the changes of all circuits from now on.
    pub(super) fn follow(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Where a conversation stays, or has stayed.
    pub(super) fn stay(&self, session: &SessionKey) -> Option<Stay> {
        lock(&self.stays).get(session).copied()
    }

    /// Notes that a conversation stays somewhere; `None` if it is back at its first choice.
    pub(super) fn note_stay(&self, session: &SessionKey, stay: Option<Stay>) {
        let mut stays = lock(&self.stays);
        let Some(stay) = stay else {
            stays.remove(session);
            return;
        };
        if stays.len() >= STAYS && !stays.contains_key(session) {
            let first = stays.iter().min_by_key(|(_, stay)| stay.until).map(|(session, _)| session.clone());
            first.map(|session| stays.remove(&session));
        }
        stays.insert(session.clone(), stay);
    }
}

impl SharedCircuit {
    pub(super) fn readiness(&self, now: Mono) -> Readiness {
        lock(&self.circuit).0.readiness(now)
    }

    /// Begins a request; `None` if somebody else probes meanwhile.
    pub(super) fn begin(self: &Arc<Self>, clock: &Arc<dyn Clock>) -> Option<Ticket> {
        let permit = lock(&self.circuit).0.begin()?;
        Some(Ticket {
            circuit: self.clone(),
            permit: Some(permit),
            is_probe: permit.is_probe,
            clock: clock.clone(),
        })
    }

    /// Whether it works, for the status, and how often it did not.
    pub(super) fn shown(&self, now: Mono) -> (CandidateState, u64) {
        let circuit = lock(&self.circuit);
        let (circuit, why) = &*circuit;
        let state = match circuit.readiness(now) {
            Readiness::Closed => CandidateState::Working,
            Readiness::Due => CandidateState::Paused { why: why.clone(), left: Duration::ZERO },
            Readiness::Paused { until, .. } => {
                CandidateState::Paused { why: why.clone(), left: until.since(now) }
            }
            Readiness::Probing => CandidateState::Probing { why: why.clone() },
        };
        (state, circuit.pauses())
    }

    fn show_paused(&self, paused: bool) {
        metrics::gauge!("frontdesk_model_paused", "model" => self.target.place.clone()).set(if paused {
            1.0
        } else {
            0.0
        });
    }
}

/// The right to send one request to a target. If it is dropped without a result, the request was stopped.
pub(super) struct Ticket {
    circuit: Arc<SharedCircuit>,
    permit: Option<Permit>,
    pub(super) is_probe: bool,
    clock: Arc<dyn Clock>,
}

impl Ticket {
    /// The request was answered.
    pub(super) fn succeeded(mut self) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.clock.mono();
        let closed = {
            let mut circuit = lock(&self.circuit.circuit);
            let before = circuit.0.readiness(now);
            circuit.0.succeeded(permit, now);
            before != circuit.0.readiness(now)
        };
        if closed {
            tracing::info!(model = self.circuit.target.place, "it works again");
            self.circuit.show_paused(false);
            self.circuit.changed.send_replace(());
        }
    }

    /// The request failed like this. `cooldown` is the length of a first pause.
    pub(super) fn failed(mut self, failure: CircuitFailure, kind: &str, cooldown: Duration) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.clock.mono();
        let pause = {
            let mut circuit = lock(&self.circuit.circuit);
            let (circuit, why) = &mut *circuit;
            let paused = circuit.failed(permit, failure, cooldown, now, random());
            if paused {
                kind.clone_into(why);
            }
            match circuit.readiness(now) {
                Readiness::Paused { until, .. } if paused => Some(until.since(now)),
                _ => None,
            }
        };
        if let Some(pause) = pause {
            let model = &self.circuit.target.place;
            tracing::warn!(
                model,
                failure = kind,
                seconds = pause.as_secs(),
                "it has failed and is left alone for a while"
            );
            metrics::counter!("frontdesk_model_pauses_total", "model" => model.clone()).increment(1);
            self.circuit.show_paused(true);
            self.circuit.changed.send_replace(());
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            lock(&self.circuit.circuit).0.released(permit, self.clock.mono());
            self.circuit.changed.send_replace(());
        }
    }
}
