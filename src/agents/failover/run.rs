//! One turn of several models or agents: who is asked, and what becomes of the text of one that failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::circuit::{Choice, CircuitFailure, Readiness, choose};
use frontdesk_core::delta::{AgentError, AnswererChange, Delta, TakeOver};
use frontdesk_core::port::{Prompt, Turn};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::Chain;
use super::providers::{SharedCircuit, Stay, Ticket};
use crate::random::random;
use crate::reports::Reports;
use crate::responder::{Attempt, Broken, Patience, Verdict};
use crate::running_turns::lock;

/// How long a turn waits for a model that has asked for time, or for the end of a probe, if nobody else can be asked.
const WAIT: Duration = Duration::from_secs(30);
/// How often a turn that waits shows a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A running turn, so that a steer or an abort reaches the one that answers it.
#[derive(Default)]
pub(super) struct Running {
    pub(super) aborted: CancellationToken,
    /// The one that is asked at the moment.
    asked: Mutex<Option<usize>>,
    /// The messages that were taken into the turn: the next one that is asked gets them with the others.
    steered: Mutex<Vec<Prompt>>,
}

impl Running {
    /// The one that is asked at the moment.
    pub(super) fn asked(&self) -> Option<usize> {
        *lock(&self.asked)
    }

    /// A message was taken into the turn.
    pub(super) fn note_steered(&self, prompt: &Prompt) {
        lock(&self.steered).push(prompt.clone());
    }
}

/// One turn.
pub(super) struct Run {
    pub(super) chain: Arc<Chain>,
    pub(super) turn: Turn,
    pub(super) reports: Reports<AgentError>,
    pub(super) running: Arc<Running>,
    /// Those that may still be asked, in the order of preference.
    pub(super) left: Vec<usize>,
    pub(super) shown: Shown,
    /// What failed so far: who, how it is shown, and the error.
    pub(super) failures: Vec<(String, AgentError)>,
}

/// The text in the chat that belongs to an attempt.
#[derive(Default)]
pub(super) struct Shown {
    /// Whether there is any.
    any: bool,
    /// Whether the attempt that wrote it has failed: it goes when another one begins to write.
    is_old: bool,
    /// How the answer ends if it stays.
    end: Option<AnswerEnd>,
}

/// How an attempt ended without an answer.
enum End {
    /// A person stopped it.
    Aborted,
    Broken(Broken),
}

/// What comes next of an attempt.
enum Report {
    Next(Result<Delta, Broken>),
    End,
    /// Nothing, for this long.
    Silent(Duration),
}

/// How long an attempt that has shown and done nothing may be silent while another one can answer: a little less than after
/// what the turn itself is ended.
fn silence(turn: &Turn) -> Duration {
    turn.progress_timeout.mul_f64(0.75)
}

/// Whether a report is more than a sign of life.
fn shows_or_does(report: &Result<Delta, Broken>) -> bool {
    !matches!(report, Ok(Delta::Progress | Delta::Step(_) | Delta::Usage(_) | Delta::Session(_)))
}

/// What follows from a silence. Each one is minutes in which another one could answer, so it begins a pause at once.
fn hangs(time: Duration) -> Broken {
    let kind = format!("no sign of life for {} s", time.as_secs());
    let verdict = Verdict::Failed(CircuitFailure::Down { retry_after: None });
    Broken { verdict, kind: kind.clone(), ..AgentError::Unavailable(Cause::plain(kind)).into() }
}

impl Run {
    /// Asks one after the other until one answers.
    pub(super) async fn run(mut self) -> Result<(), AgentError> {
        loop {
            let Some((index, ticket)) = self.next().await else {
                return if self.running.aborted.is_cancelled() { Ok(()) } else { self.nobody().await };
            };
            let target = self.circuit(index).target.id;
            // Never the same model twice, also not under another name.
            let (chain, options) = (&self.chain, &self.turn.options);
            self.left.retain(|other| chain.circuit(*other, options).target.id != target);
            let patience = self.patience(&ticket);
            match self.attempt(index, patience).await {
                Ok(done) => {
                    ticket.succeeded();
                    self.answered(index).await;
                    self.reports.send(done).await;
                    return Ok(());
                }
                Err(End::Aborted) => return Ok(()),
                Err(End::Broken(broken)) => {
                    if let Verdict::Failed(failure) = broken.verdict {
                        ticket.failed(failure, &broken.kind, self.chain.cooldown);
                    }
                    let goes_on = broken.verdict != Verdict::Final && !self.left.is_empty();
                    let goes_on = goes_on && self.may_be_taken_over().await;
                    self.note_failure(index, broken, goes_on);
                    if !goes_on {
                        return self.nobody().await;
                    }
                }
            }
        }
    }

    /// Who is asked next, with the right to ask.
    async fn next(&self) -> Option<(usize, Ticket)> {
        let clock = &self.chain.clock;
        let deadline = clock.mono() + WAIT;
        let mut changes = self.chain.providers.follow();
        while !self.running.aborted.is_cancelled() {
            changes.borrow_and_update();
            let now = clock.mono();
            let until = match choose(&self.readiness(), now) {
                Choice::Nobody => return None,
                Choice::Ask(index) => match self.circuit(index).begin(clock) {
                    Some(ticket) => return Some((index, ticket)),
                    // Somebody else was faster.
                    None => continue,
                },
                Choice::Wait(until) => until.unwrap_or(deadline),
            };
            if now >= deadline || until > deadline {
                return None;
            }
            let pulse = until.min(now + HEARTBEAT);
            tokio::select! {
                () = self.running.aborted.cancelled() => return None,
                () = clock.sleep_until(pulse) => {}
                // The sender lives as long as the chain.
                _ = changes.changed() => {}
            }
            self.reports.send(Delta::Progress).await;
        }
        None
    }

    fn circuit(&self, index: usize) -> &Arc<SharedCircuit> {
        self.chain.circuit(index, &self.turn.options)
    }

    fn readiness(&self) -> Vec<(usize, Readiness)> {
        self.chain.readiness(&self.left, &self.turn.options)
    }

    fn patience(&self, ticket: &Ticket) -> Patience {
        let is_ready =
            |(_, readiness): &(usize, Readiness)| matches!(readiness, Readiness::Closed | Readiness::Due);
        match self.readiness().iter().any(is_ready) {
            false => Patience::Alone,
            true if ticket.is_probe => Patience::Probe,
            true => Patience::Replaceable,
        }
    }

    /// Lets one answer. Returns the last report of a whole answer.
    async fn attempt(&mut self, index: usize, patience: Patience) -> Result<Delta, End> {
        let responder = &self.chain.responders[index];
        let mut turn = self.turn.clone();
        turn.options = turn.options.held_by(&responder.agent().capabilities(), turn.role.as_deref());
        if index > 0 {
            // The name of the conversation is the first one's.
            turn.agent_ref = None;
        }
        turn.prompt.extend(lock(&self.running.steered).iter().cloned());
        *lock(&self.running.asked) = Some(index);
        let mut stream = responder.attempt(turn, patience);
        let mut silence = (!self.left.is_empty()).then(|| silence(&self.turn));
        loop {
            let report = match self.report_within(&mut stream, silence).await {
                Report::Next(report) => report,
                Report::End => break,
                Report::Silent(_) if !self.may_be_taken_over().await => {
                    silence = None;
                    continue;
                }
                Report::Silent(time) => return Err(End::Broken(hangs(time))),
            };
            if shows_or_does(&report) {
                silence = None;
            }
            match report {
                Err(broken) => return Err(End::Broken(broken)),
                Ok(Delta::Session(_)) if index > 0 => self.reports.send(Delta::Progress).await,
                Ok(done @ Delta::Done { .. }) => {
                    self.clear_old().await;
                    return Ok(done);
                }
                Ok(delta) => self.pass_on(delta).await,
            }
        }
        match self.running.aborted.is_cancelled() {
            true => Err(End::Aborted),
            false => Err(End::Broken(Broken {
                verdict: Verdict::Elsewhere,
                kind: "it ended without an answer".to_owned(),
                ..AgentError::Died("it ended without an answer".into()).into()
            })),
        }
    }

    /// The next report of an attempt, if it comes within this time.
    async fn report_within(&self, stream: &mut Attempt, silence: Option<Duration>) -> Report {
        let clock = &self.chain.clock;
        let deadline = silence.map(|time| (clock.mono() + time, time));
        let late = async {
            match deadline {
                Some((deadline, time)) => {
                    clock.sleep_until(deadline).await;
                    time
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            report = stream.next() => report.map_or(Report::End, Report::Next),
            time = late => Report::Silent(time),
        }
    }

    async fn pass_on(&mut self, delta: Delta) {
        match &delta {
            Delta::Restart => self.shown = Shown::default(),
            Delta::Text(text) if text.is_empty() => {}
            Delta::Text(_) | Delta::Media { .. } => {
                self.clear_old().await;
                self.shown.any = true;
            }
            Delta::ToolStart(_) | Delta::Ask(_) => self.clear_old().await,
            _ => {}
        }
        self.reports.send(delta).await;
    }

    /// Takes back what an attempt has shown that failed: another one begins to answer.
    async fn clear_old(&mut self) {
        if self.shown.is_old {
            self.shown = Shown::default();
            self.reports.send(Delta::Restart).await;
        }
    }

    /// Asks whether another one may begin from the start.
    async fn may_be_taken_over(&self) -> bool {
        let (question, decision) = TakeOver::channel();
        self.reports.send(Delta::TakeOver(question)).await;
        decision.await.unwrap_or(false)
    }

    fn note_failure(&mut self, index: usize, broken: Broken, goes_on: bool) {
        let target = &self.circuit(index).target;
        if goes_on {
            let (agent, model) = (&self.chain.name, &target.place);
            let (turn, session) = (self.turn.id, &self.turn.session);
            tracing::warn!(agent, model, %turn, %session, failure = broken.kind, "it cannot answer; the next one is asked");
            metrics::counter!("frontdesk_failovers_total", "agent" => agent.clone()).increment(1);
        }
        self.failures.push((target.name.clone(), broken.error));
        self.shown.end = broken.end.or(self.shown.end);
        self.shown.is_old = self.shown.any;
    }

    /// Nobody has given a whole answer: what was shown stays, or the turn fails.
    async fn nobody(mut self) -> Result<(), AgentError> {
        if let Some(end) = self.shown.end.filter(|_| self.shown.any) {
            self.reports.send(Delta::Done { text: None, end }).await;
            return Ok(());
        }
        if self.failures.len() == 1 && self.left.is_empty() {
            return self.failures.pop().map_or(Ok(()), |(_, error)| Err(error));
        }
        Err(self.all_failed())
    }

    fn all_failed(&self) -> AgentError {
        if let [(_, error)] = self.failures.as_slice() {
            return error.clone();
        }
        let now = self.chain.clock.mono();
        let paused = self.left.iter().map(|index| {
            let circuit = self.circuit(*index);
            (circuit.target.name.clone(), Cause::plain(super::in_words(&circuit.shown(now).0)))
        });
        let failed = self.failures.iter().map(|(name, error)| (name.clone(), error.clone().into_cause()));
        let causes: Vec<_> = failed.chain(paused).collect();
        let joined = |part: fn(&Cause) -> &str| {
            let parts = causes.iter().map(|(name, cause)| (name, part(cause)));
            let parts = parts.filter(|(_, part)| !part.is_empty());
            parts.map(|(name, part)| format!("{name}: {part}")).collect::<Vec<_>>().join("; ")
        };
        AgentError::Unavailable(Cause::quoting(joined(Cause::for_log), joined(Cause::foreign)))
    }

    /// Notes who has answered, and says so if it is another one than before.
    async fn answered(&self, index: usize) {
        let chain = &self.chain;
        let known = chain.providers.stay(&self.turn.session);
        let before = chain.place_of(known, &self.turn.options);
        if index != before {
            let name = |index| self.circuit(index).target.name.clone();
            let change = AnswererChange { before: name(before), now: name(index), is_return: index < before };
            self.reports.send(Delta::AnsweredBy(change)).await;
            // Not all conversations return at the same moment.
            let until = chain.clock.mono() + chain.dwell.mul_f64(1.0 + 0.25 * random());
            let target = self.circuit(index).target.id;
            chain.providers.note_stay(&self.turn.session, (index > 0).then_some(Stay { target, until }));
        }
    }
}
