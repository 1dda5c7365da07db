//! A circuit: it remembers whether a model or an agent works, and decides when one that failed is asked again.
//!
//! A working one is *closed* and takes every request. One that fails is *paused*: nobody asks it until the pause is over.
//! Then one request, the *probe*, tries it, while all others go on without it. If the probe succeeds the circuit is closed
//! again; if it fails, a longer pause begins. [`choose`] picks one of several.

use std::time::Duration;

use crate::port::Mono;
use crate::retry::Backoff;

/// Number of odd failures in a row that begin a pause.
pub const ODD_FAILURES: u32 = 3;
/// The longest pause that comes from failures alone.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest pause that a provider can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitFailure {
    /// It does not work at present: the pause begins at once.
    Down {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Something went wrong that may concern this request only, such as an answer that broke off. A pause begins after
    /// [`ODD_FAILURES`] of them in a row.
    Odd,
}

/// Whether a circuit takes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It works.
    Closed,
    /// Its pause is over, so that the next request is the probe.
    Due,
    /// Its pause lasts until then.
    Paused {
        /// The end of the pause.
        until: Mono,
        /// The time before which it asked not to be tried.
        asked: Option<Mono>,
    },
    /// A probe is under way.
    Probing,
}

/// The right to send one request, and to report its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    generation: u64,
    /// Whether the request is the probe.
    pub is_probe: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Paused { until: Mono, asked: Option<Mono> },
    Probing { asked: Option<Mono> },
}

/// The circuit of one model or agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    state: State,
    /// Changes with the state. A result of a request that began under another state is too old to count.
    generation: u64,
    /// Odd failures since the last success.
    odd: u32,
    /// Number of pauses without a longer time of work between them, by which each pause is longer than the one before.
    strikes: u32,
    /// The length of the last pause.
    pause: Duration,
    /// When it was closed after the last pause.
    closed: Option<Mono>,
    /// Number of pauses so far.
    pauses: u64,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            state: State::Closed,
            generation: 0,
            odd: 0,
            strikes: 0,
            pause: Duration::ZERO,
            closed: None,
            pauses: 0,
        }
    }
}

impl Circuit {
    /// Whether it takes a request now.
    pub fn readiness(&self, now: Mono) -> Readiness {
        match self.state {
            State::Closed => Readiness::Closed,
            State::Paused { until, .. } if until <= now => Readiness::Due,
            State::Paused { until, asked } => Readiness::Paused { until, asked },
            State::Probing { .. } => Readiness::Probing,
        }
    }

    /// Number of pauses so far.
    pub fn pauses(&self) -> u64 {
        self.pauses
    }

    /// Begins a request. During a pause it is the probe, also before the pause is over: the caller decides whether it has
    /// another choice. `None` while a probe is under way.
    pub fn begin(&mut self) -> Option<Permit> {
        let is_probe = match self.state {
            State::Closed => false,
            State::Paused { asked, .. } => {
                self.enter(State::Probing { asked });
                true
            }
            State::Probing { .. } => return None,
        };
        Some(Permit { generation: self.generation, is_probe })
    }

    /// The request was answered.
    pub fn succeeded(&mut self, permit: Permit, now: Mono) {
        if permit.generation != self.generation {
            return;
        }
        self.odd = 0;
        if permit.is_probe {
            self.closed = Some(now);
            self.enter(State::Closed);
        }
    }

    /// The request failed. Returns whether a pause begins. `cooldown` is the length of a first pause, `random` is uniform
    /// in `0.0..1.0`.
    pub fn failed(
        &mut self,
        permit: Permit,
        failure: CircuitFailure,
        cooldown: Duration,
        now: Mono,
        random: f64,
    ) -> bool {
        if permit.generation != self.generation {
            return false;
        }
        let retry_after = match failure {
            CircuitFailure::Down { retry_after } => retry_after,
            CircuitFailure::Odd => {
                self.odd += 1;
                if self.odd < ODD_FAILURES && !permit.is_probe {
                    return false;
                }
                None
            }
        };
        // One that fails again soon after a pause has not recovered.
        let has_worked = self.closed.is_none_or(|closed| now.since(closed) > self.pause.saturating_mul(2));
        self.strikes = if has_worked && !permit.is_probe { 1 } else { self.strikes.saturating_add(1) };
        let backoff = Backoff { base: cooldown, factor: 2.0, jitter: 0.2, cap: LONGEST.max(cooldown) };
        self.pause = backoff.delay(self.strikes, random);
        let asked = retry_after.map(|asked| now + asked.min(LONGEST_ASKED));
        // Never earlier than asked for, and not everybody at the same moment.
        let latest = asked.map(|asked| asked + asked.since(now).mul_f64(0.1 * random));
        let until = (now + self.pause).max(latest.unwrap_or_default());
        self.odd = 0;
        self.pauses += 1;
        self.enter(State::Paused { until, asked });
        true
    }

    /// The request ended without a result, because a person stopped it or its failure says nothing about the model.
    pub fn released(&mut self, permit: Permit, now: Mono) {
        if let State::Probing { asked } = self.state
            && permit.generation == self.generation
        {
            self.enter(State::Paused { until: now, asked });
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }
}

/// Which one of several is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    Ask(usize),
    /// None at present: look again at this time, or when a probe has ended.
    Wait(Option<Mono>),
    /// There is none left.
    Nobody,
}

/// Chooses from `candidates`, which are in the order of preference. One that works, or whose pause is over, comes before
/// every one that is paused. If all are paused, the one whose pause ends first is tried all the same, because a person
/// waits for an answer; but never before the time that it has asked for itself.
pub fn choose(candidates: &[(usize, Readiness)], now: Mono) -> Choice {
    let ready = |readiness: &Readiness| matches!(readiness, Readiness::Closed | Readiness::Due);
    if let Some((index, _)) = candidates.iter().find(|(_, readiness)| ready(readiness)) {
        return Choice::Ask(*index);
    }
    let paused = candidates.iter().filter_map(|(index, readiness)| match readiness {
        Readiness::Paused { until, asked } => Some((*index, *until, asked.filter(|asked| *asked > now))),
        _ => None,
    });
    let paused: Vec<_> = paused.collect();
    let free = paused.iter().filter(|(_, _, asked)| asked.is_none());
    if let Some((index, ..)) = free.min_by_key(|(_, until, _)| *until) {
        return Choice::Ask(*index);
    }
    match candidates {
        [] => Choice::Nobody,
        _ => Choice::Wait(paused.iter().filter_map(|(_, _, asked)| *asked).min()),
    }
}

/// The order of preference: the one at which the conversation stays comes first, then all in their order.
pub fn preference(count: usize, stays: Option<usize>) -> Vec<usize> {
    let first = stays.filter(|at| *at < count);
    first.into_iter().chain((0..count).filter(|index| Some(*index) != first)).collect()
}

#[cfg(test)]
mod tests;
