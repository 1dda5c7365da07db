//! An agent that is pi, the coding agent, driven over its RPC mode (`pi --mode rpc`).
//!
//! One process serves one conversation at a time, and is kept for it until it is idle for too long or another
//! conversation needs its place in the pool. pi stores the conversation itself, so a new process goes on where the one
//! before it ended. What pi says and reads is in [`wire`]; when which command may be sent is decided by [`machine`],
//! which has no IO; [`turn`] connects the two with a process and with the gateway.

mod abilities;
mod answer;
mod config;
mod dialog;
mod fault;
mod given;
pub mod installed;
mod launch;
mod machine;
mod permits;
mod policy;
mod pool;
mod probe;
mod process;
mod prompt;
mod settings;
mod shown;
mod shut;
mod turn;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub use config::{Config, PoolConfig};
pub use policy::Policy;
pub(crate) use probe::{describe, probe};

use crate::Host;
use crate::process::SessionEpoch;
use crate::running_turns::{RunningTurn, RunningTurns};
use launch::Launch;
use machine::{Goal, Machine};
use pool::Pool;
use settings::Settings;
use turn::{Context, Control, DeltaResult, PULSE, Run};

/// How many reports may wait for the gateway.
const REPORTS: usize = 16;

struct Pi {
    pool: Arc<Pool>,
    config: Arc<Config>,
    running: RunningTurns<Running>,
    /// The tasks of all runs.
    tasks: TaskTracker,
}

/// How the agent's other methods reach a running turn.
struct Running {
    session_epoch: SessionEpoch,
    control: mpsc::UnboundedSender<Control>,
    /// The conversation has ended meanwhile, so the process is not kept.
    forgotten: Arc<AtomicBool>,
}

/// What a turn asks of pi.
enum Work {
    Answer,
    Compact(Option<String>),
}

pub(crate) fn build(name: &str, config: &Config, host: &Host) -> Arc<dyn Agent> {
    let launch = Arc::new(Launch::new(name, config, host));
    Arc::new(Pi {
        pool: Arc::new(Pool::new(launch, config)),
        config: Arc::new(config.clone()),
        running: RunningTurns::default(),
        tasks: TaskTracker::new(),
    })
}

impl Pi {
    /// Runs a turn in a task of its own.
    fn begin(&self, turn: Turn, work: Work) -> BoxStream<'static, DeltaResult> {
        let (reports, reported) = mpsc::channel(REPORTS);
        let (sender, control) = mpsc::unbounded_channel();
        let session_epoch = (turn.session.clone(), turn.epoch);
        let forgotten = Arc::new(AtomicBool::new(false));
        let running =
            Running { session_epoch: session_epoch.clone(), control: sender, forgotten: forgotten.clone() };
        let running = self.running.begin(turn.id, running);
        let context = Context {
            pool: self.pool.clone(),
            session_epoch,
            forgotten,
            policy: self.config.approvals.in_role(turn.role.as_deref()),
            trusted: turn.trusted,
            tools: turn.tools.clone(),
            max_answer: self.config.max_answer,
            reports,
            control,
        };
        self.tasks.spawn(run(context, self.config.clone(), turn, work));
        // The turn is known for as long as its stream is.
        let reported = (reported, running);
        stream::unfold(
            reported,
            |(mut reported, running): (mpsc::Receiver<DeltaResult>, RunningTurn<Running>)| async {
                let report = reported.recv().await?;
                Some((report, (reported, running)))
            },
        )
        .boxed()
    }
}

/// Waits for a process and lets it do the work.
async fn run(mut context: Context, config: Arc<Config>, turn: Turn, work: Work) {
    let pool = context.pool.clone();
    let clock = pool.launch.processes.clock().clone();
    let goal = match work {
        Work::Answer => Goal::Answer {
            text: prompt::text(&turn),
            images: prompt::images(&turn.prompt, config.max_image).await,
            facts: prompt::facts(&turn),
        },
        Work::Compact(instructions) => Goal::Compact(instructions),
    };
    let session_epoch = context.session_epoch.clone();
    let started = async {
        let slot = pool.slot().await?;
        let process = pool.take(&turn, &session_epoch).await?;
        Ok((slot, process))
    };
    tokio::pin!(started);
    let mut early = Vec::new();
    let (slot, process) = loop {
        tokio::select! {
            biased;
            started = &mut started => match started {
                Ok(started) => break started,
                Err(error) => {
                    // If nobody reads it, the turn has ended already.
                    drop(context.reports.send(Err(error)).await);
                    return;
                }
            },
            () = context.reports.closed() => return,
            Some(control) = context.control.recv() => match control {
                steer @ Control::Steer { .. } => early.push(steer),
                Control::Abort(_) => return,
            },
            () = clock.sleep_until(clock.mono() + PULSE) => {
                // The reports are few until now, so there is space for this one.
                drop(context.reports.try_send(Ok(Delta::Progress)));
            }
        }
    };
    let prefix = format!("{}-{}", turn.id, turn.attempt);
    let wanted = wanted(&config, &turn.options);
    let machine = Machine::new(prefix, goal, process.settings.clone(), wanted);
    Run::new(context, process, machine).run(slot, early).await;
}

/// The settings of a turn: what its chat has chosen, else what is configured, else what pi has.
fn wanted(config: &Config, options: &SessionOptions) -> Settings {
    let model = options.model.as_ref().or(config.model.as_ref());
    Settings {
        model: model.and_then(|model| config.named(model).ok()),
        thinking: options.thinking.clone().or(config.thinking.clone()),
        ..Settings::default()
    }
}

#[async_trait]
impl Agent for Pi {
    fn capabilities(&self) -> Capabilities {
        self.config.capabilities()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, DeltaResult> {
        self.begin(turn, Work::Answer)
    }

    /// The answer comes once the message became part of the run, or the run has ended without it.
    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        let Some(running) = self.running.find(turn) else { return Ok(false) };
        let images = prompt::images(std::slice::from_ref(prompt), self.config.max_image).await;
        let (taken, answer) = oneshot::channel();
        let steer = Control::Steer { text: prompt::text_of(prompt), images, taken };
        if running.control.send(steer).is_err() {
            return Ok(false);
        }
        drop(running);
        Ok(answer.await.unwrap_or(false))
    }

    async fn abort(&self, turn: TurnId) {
        let Some(running) = self.running.find(turn) else { return };
        let (ended, end) = oneshot::channel();
        if running.control.send(Control::Abort(ended)).is_ok() {
            drop(running);
            // An error means that the run has ended, which is what is waited for.
            drop(end.await);
        }
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        let mut run = self.begin(turn, Work::Compact(instructions));
        let mut compacted = None;
        while let Some(delta) = run.next().await {
            if let Delta::Compacted(summary) = delta? {
                compacted = Some(summary);
            }
        }
        compacted.ok_or_else(|| AgentError::Died("the compaction was cut off".into()))
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        let session_epoch = (session.clone(), epoch);
        self.running.each(|running| {
            if running.session_epoch == session_epoch {
                running.forgotten.store(true, Ordering::Relaxed);
            }
        });
        self.pool.forget(&session_epoch);
    }

    async fn stop(&self) {
        self.pool.launch.processes.close().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn problem(&self) -> Option<String> {
        self.pool.launch.processes.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}
