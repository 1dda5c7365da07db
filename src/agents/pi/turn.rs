//! The task that drives pi through one run. It owns the process, and outlives the turn's stream by the time that an abort
//! takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall};
use frontdesk_core::port::{Clock, Mono};
use frontdesk_core::tool::Tools;
use frontdesk_core::visible;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use super::answer::Report;
use super::fault;
use super::machine::{Act, End, Machine, Note};
use super::permits::Decided;
use super::policy::Policy;
use super::pool::{Pool, Slot};
use super::process::{PiProcess, Read};
use super::wire::Image;
use crate::process::{Reusable, SessionEpoch};

/// How often a run that says nothing for long shows that pi is at work.
pub(super) const PULSE: Duration = Duration::from_secs(20);
/// How many reports may wait for the gateway before no further line is read.
const MAX_REPORTS: usize = 64;
/// How many notes of a turn are logged.
const MAX_NOTES: usize = 50;

pub(super) type DeltaResult = Result<Delta, AgentError>;

/// What other calls want of a run.
pub(super) enum Control {
    Steer {
        text: String,
        images: Vec<Image>,
        taken: oneshot::Sender<bool>,
    },
    /// Dropped when the run has ended.
    Abort(oneshot::Sender<()>),
}

/// What a run needs besides its process.
pub(super) struct Context {
    pub(super) pool: Arc<Pool>,
    pub(super) session_epoch: SessionEpoch,
    /// The conversation has ended meanwhile, so the process is not kept.
    pub(super) forgotten: Arc<AtomicBool>,
    pub(super) policy: Policy,
    pub(super) tools: Arc<dyn Tools>,
    /// Whether the chat is the private chat of an admin.
    pub(super) trusted: bool,
    pub(super) max_answer: usize,
    pub(super) reports: mpsc::Sender<DeltaResult>,
    pub(super) control: mpsc::UnboundedReceiver<Control>,
}

/// How the run goes on.
enum Step {
    Continue,
    /// It is over, and pi can take another one.
    Over,
    /// pi cannot be used any more.
    Broken,
}

pub(super) struct Run {
    pub(super) context: Context,
    process: PiProcess,
    pub(super) machine: Machine,
    /// Reports that the gateway has not read yet.
    pub(super) waiting: VecDeque<DeltaResult>,
    pub(super) decisions: FuturesUnordered<BoxFuture<'static, Decided>>,
    steers: Vec<(u64, oneshot::Sender<bool>)>,
    steer_count: u64,
    /// Those that wait for the end of an aborted run.
    aborts: Vec<oneshot::Sender<()>>,
    answer_bytes: usize,
    notes: usize,
    pulse: Mono,
}

/// What can happen next.
enum Event {
    /// Nobody reads the reports any more.
    Dropped,
    Control(Control),
    Reported,
    Decided(Decided),
    Due,
    Read(Read),
}

impl Run {
    pub(super) fn new(context: Context, process: PiProcess, machine: Machine) -> Self {
        Self {
            context,
            process,
            machine,
            waiting: VecDeque::new(),
            decisions: FuturesUnordered::new(),
            steers: Vec::new(),
            steer_count: 0,
            aborts: Vec::new(),
            answer_bytes: 0,
            notes: 0,
            pulse: Mono::default(),
        }
    }

    /// Reports the conversation's name for pi first, then all that the run reports. `early` came before there was a
    /// process.
    pub(super) async fn run(mut self, slot: Slot, early: Vec<Control>) {
        let clock = self.context.pool.launch.processes.clock().clone();
        self.waiting.push_back(Ok(Delta::Session(self.process.session_id.clone())));
        self.pulse = clock.mono() + PULSE;
        let acts = self.machine.start(clock.mono());
        let mut step = self.perform(acts);
        for control in early {
            if let Step::Continue = step {
                step = self.control(control, clock.mono());
            }
        }
        while let Step::Continue = step {
            step = match self.event(&*clock).await {
                Event::Dropped => Step::Broken,
                Event::Reported => Step::Continue,
                Event::Control(control) => self.control(control, clock.mono()),
                Event::Decided(decided) => {
                    let acts = self.decided(decided);
                    self.perform(acts)
                }
                Event::Due => self.tick(clock.mono()),
                Event::Read(Read::Line(line)) => {
                    let acts = self.machine.line(line, clock.mono());
                    self.perform(acts)
                }
                Event::Read(Read::Skipped) => Step::Continue,
                Event::Read(Read::Garbage(why)) => self.broken(AgentError::Died(Cause::plain(why))),
                Event::Read(Read::End) => self.output_ended().await,
            };
        }
        self.finish(step, slot).await;
    }

    async fn event(&mut self, clock: &dyn Clock) -> Event {
        let pulse = self.machine.is_working().then_some(self.pulse);
        let due = [self.machine.due(), pulse].into_iter().flatten().min();
        let alarm = async {
            match due {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let Context { reports, control, .. } = &mut self.context;
        let aborting = !self.aborts.is_empty();
        tokio::select! {
            biased;
            Some(control) = control.recv() => Event::Control(control),
            () = reports.closed(), if !aborting => Event::Dropped,
            permit = reports.reserve(), if !self.waiting.is_empty() && !aborting => match permit {
                Ok(permit) => {
                    if let Some(report) = self.waiting.pop_front() {
                        permit.send(report);
                    }
                    Event::Reported
                }
                Err(_) => Event::Dropped,
            },
            Some(decided) = self.decisions.next() => Event::Decided(decided),
            () = alarm => Event::Due,
            read = self.process.read(), if self.waiting.len() < MAX_REPORTS => Event::Read(read),
        }
    }

    fn tick(&mut self, now: Mono) -> Step {
        if self.pulse <= now {
            self.pulse = now + PULSE;
            self.waiting.push_back(Ok(Delta::Progress));
        }
        let acts = self.machine.tick(now);
        self.perform(acts)
    }

    fn control(&mut self, control: Control, now: Mono) -> Step {
        let acts = match control {
            Control::Steer { text, images, taken } => {
                self.steer_count += 1;
                self.steers.push((self.steer_count, taken));
                self.machine.steer(self.steer_count, text, images, now)
            }
            Control::Abort(ended) => {
                self.aborts.push(ended);
                self.decisions.clear();
                self.waiting.clear();
                self.machine.abort(now)
            }
        };
        self.perform(acts)
    }

    fn perform(&mut self, acts: Vec<Act>) -> Step {
        for act in acts {
            match act {
                Act::Write(line) if self.process.write(&line).is_err() => {
                    return self.broken(AgentError::Died("pi does not read its stdin".into()));
                }
                Act::Write(_) => {}
                Act::Report(report) => {
                    if let Some(over) = self.report(report) {
                        return over;
                    }
                }
                Act::Ask(dialog) => self.ask(&dialog),
                Act::Call { dialog, name, params } => self.call(dialog, name, params),
                Act::Permit { dialog, call, ours } => {
                    let acts = self.permit(dialog, call, ours);
                    if let step @ (Step::Over | Step::Broken) = self.perform(acts) {
                        return step;
                    }
                }
                Act::Steered(number, taken) => {
                    let at = self.steers.iter().position(|(known, _)| *known == number);
                    let asker = at.map(|at| self.steers.swap_remove(at).1);
                    if asker.is_some_and(|asker| asker.send(taken).is_err()) {
                        debug!(number, taken, "nobody waits for the answer to a steer any more");
                    }
                }
                Act::Note(note) => self.note(note),
                Act::End(end) => return self.end(end),
            }
        }
        Step::Continue
    }

    /// The step is set if the run is over because of this.
    fn report(&mut self, report: Report) -> Option<Step> {
        let delta = match report {
            Report::Text(text) => {
                self.answer_bytes = self.answer_bytes.saturating_add(text.len());
                if self.answer_bytes > self.context.max_answer {
                    let most = self.context.max_answer;
                    let why = Cause::plain(format!("its answer is longer than {most} bytes (max_answer)"));
                    return Some(self.broken(AgentError::Failed(why)));
                }
                Delta::Text(text)
            }
            Report::Restart => {
                self.answer_bytes = 0;
                Delta::Restart
            }
            Report::ToolBegun { id, name } => {
                let approval = ToolApproval::not_awaited();
                Delta::ToolStart(ToolCall { id, name, params: Value::Null, approval })
            }
            Report::ToolEnd { id, name, result, failed } => Delta::ToolEnd { id, name, result, failed },
            Report::Usage(usage) => Delta::Usage(usage),
            Report::Compacting => Delta::Compacting,
            Report::Compacted { summary, tokens } => {
                Delta::Compacted(Compacted { summary, tokens, usage: None })
            }
            Report::Progress if matches!(self.waiting.back(), Some(Ok(Delta::Progress))) => return None,
            Report::Progress => Delta::Progress,
        };
        self.waiting.push_back(Ok(delta));
        None
    }

    fn note(&mut self, note: Note) {
        self.notes += 1;
        if self.notes > MAX_NOTES {
            return;
        }
        let agent = &self.context.pool.launch.processes.name;
        let session = &self.context.session_epoch.0;
        match note {
            Note::Notification { kind, text } => {
                if matches!(kind.as_str(), "warning" | "error") {
                    warn!(agent, %session, kind, "an extension of pi reports a problem; the debug log has its text");
                }
                debug!(agent, %session, kind, "pi: {}", visible::escaped(&text, 500));
            }
            Note::ExtensionError { path, event, error } => {
                let path = visible::escaped(&path, 200);
                warn!(agent, %session, path, event = visible::escaped(&event, 50), "an extension of pi failed");
                debug!(agent, %session, "pi: {}", visible::escaped(&error, 500));
            }
            Note::CommandFailed { command, error } => {
                warn!(agent, %session, command, "pi did not do what it was told");
                debug!(agent, %session, "pi: {}", visible::escaped(&error, 500));
            }
        }
    }

    fn end(&mut self, end: End) -> Step {
        let result = match end {
            End::Broken(why) => return self.broken(AgentError::Died(Cause::plain(why))),
            End::Answered(text) => Ok(Delta::Done { text, end: AnswerEnd::Whole }),
            End::Compacted { summary, tokens } => {
                self.waiting.push_back(Ok(Delta::Compacted(Compacted { summary, tokens, usage: None })));
                Ok(Delta::Done { text: None, end: AnswerEnd::Whole })
            }
            End::Failed(why) => Err(AgentError::Failed(why.into())),
            End::Unavailable(why) => Err(AgentError::Unavailable(fault::cause(why))),
            End::Aborted | End::Ready => return Step::Over,
        };
        self.waiting.push_back(result);
        Step::Over
    }

    fn broken(&mut self, error: AgentError) -> Step {
        self.waiting.push_back(Err(error));
        Step::Broken
    }

    /// The output has ended before the run did.
    async fn output_ended(&mut self) -> Step {
        let process = &self.process.process;
        // It may have closed its stdout and still run. Its output could not be read then.
        process.kill();
        let failure = process.failure().await;
        let error = if self.context.pool.launch.processes.stop.is_cancelled() {
            AgentError::Died("it was stopped with the gateway".into())
        } else if self.machine.settings().is_none() {
            self.context.pool.launch.processes.spawn_failed();
            let why = failure.after("pi ended before it was ready");
            // With a wrong configuration it ends by itself, and would do so again.
            if process.was_killed() { AgentError::Died(why) } else { AgentError::Unavailable(why) }
        } else {
            AgentError::Died(failure.after("pi ended in the middle of the turn"))
        };
        self.broken(error)
    }

    /// Gives the process back or ends it, and then reports what is left: the next turn must find the process.
    async fn finish(self, step: Step, slot: Slot) {
        let Run { context, mut process, mut machine, mut waiting, decisions, steers, aborts, .. } = self;
        drop((decisions, steers));
        let keep = matches!(step, Step::Over)
            && !machine.is_unclean()
            && !context.forgotten.load(Ordering::Relaxed)
            && !context.pool.launch.processes.stop.is_cancelled();
        if keep {
            process.settings = machine.settings().cloned();
            context.pool.put(context.session_epoch, process, slot);
        } else {
            for act in machine.cancel_dialogs() {
                if let Act::Write(line) = act
                    && process.write(&line).is_err()
                {
                    break;
                }
            }
            process.retire();
            drop(slot);
        }
        if aborts.is_empty() {
            while let Some(report) = waiting.pop_front() {
                if context.reports.send(report).await.is_err() {
                    break;
                }
            }
        }
    }
}
