//! The processes of one agent: at most so many, each for one conversation at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::delta::AgentError;
use frontdesk_core::port::Turn;
use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::launch::{Launch, random};
use super::process::PiProcess;
use super::prompt::{is_session_id, session_id};
use crate::process::{IdlePool, IdleSettings, Reusable, SessionEpoch};
use crate::running_turns::lock;

/// The pool of an agent.
pub(super) struct Pool {
    pub(super) launch: Arc<Launch>,
    idle: Arc<IdlePool<PiProcess>>,
    /// One permit for each process that may be at work. Waiting turns get one in the order in which they came.
    slots: Arc<Semaphore>,
    max: usize,
    waiting: AtomicUsize,
    live: Arc<Live>,
}

/// The processes that run, by the ids of their sessions. pi does not lock a session: two processes would both write it.
#[derive(Default)]
struct Live(Mutex<HashMap<String, CancellationToken>>);

impl Live {
    /// Waits until no process has this session.
    async fn free(&self, session_id: &str) {
        let gone = lock(&self.0).get(session_id).cloned();
        if let Some(gone) = gone {
            gone.cancelled().await;
        }
    }

    fn add(&self, process: &PiProcess) {
        let mut live = lock(&self.0);
        live.retain(|_, gone| !gone.is_cancelled());
        live.insert(process.session_id.clone(), process.process.gone());
    }
}

/// The right to have a process at work.
pub(super) struct Slot {
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.pool.limit();
        self.pool.measure();
    }
}

/// Counts a turn that waits, also if it gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(launch: Arc<Launch>, config: &Config) -> Self {
        let settings = IdleSettings {
            min: config.ahead(),
            max: config.pool.max,
            timeout: Duration::from_secs(config.pool.idle_timeout),
        };
        let live = Arc::<Live>::default();
        let (starter, started) = (launch.clone(), live.clone());
        let start_ahead = move || {
            let (launch, live) = (starter.clone(), started.clone());
            async move {
                let id = random().map_err(|why| launch.processes.not_started(None, &why))?;
                let given = launch.given(None)?;
                let mut process = launch.start(None, &format!("fd-ahead-{id:016x}"), given).await?;
                live.add(&process);
                process.ready(&**launch.processes.clock()).await?;
                Ok(process)
            }
            .boxed()
        };
        Self {
            idle: Arc::new(IdlePool::new(launch.processes.clone(), settings, start_ahead)),
            slots: Arc::new(Semaphore::new(config.pool.max)),
            max: config.pool.max,
            waiting: AtomicUsize::new(0),
            launch,
            live,
        }
    }

    /// Waits for the right to have a process at work.
    pub(super) async fn slot(self: &Arc<Self>) -> Result<Slot, AgentError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        self.measure();
        let permit = self.slots.clone().acquire_owned().await;
        drop(waiting);
        let permit = permit.map_err(|_| AgentError::Unavailable("the gateway stops".into()))?;
        self.limit();
        Ok(Slot { pool: self.clone(), permit: Some(permit) })
    }

    /// The process that has this conversation, or a new one for it. One that was given something else at its start, as in
    /// another role, is ended first.
    pub(super) async fn take(
        &self,
        turn: &Turn,
        session_epoch: &SessionEpoch,
    ) -> Result<PiProcess, AgentError> {
        // Before any process is started, those ahead of a conversation included.
        self.launch.offers(&*turn.tools);
        let own = turn.agent_ref.as_deref().filter(|id| is_session_id(id));
        // A turn that was cut off may be known to pi under the name that is made from the key.
        let given = self.launch.given(Some(turn))?;
        let new = own.is_none() && !turn.resumed && given == self.launch.given(None)?;
        let process = match self.idle.take(session_epoch, new).await {
            Some(process) if process.given == given => {
                process.process.stderr.begin(turn);
                process
            }
            other => {
                if let Some(other) = other {
                    other.retire();
                }
                let id = own.map_or_else(|| session_id(&turn.session, turn.epoch), str::to_owned);
                self.live.free(&id).await;
                let process = self
                    .launch
                    .start(Some(turn), &id, given)
                    .await
                    .inspect_err(|_| self.launch.processes.spawn_failed())?;
                self.live.add(&process);
                process
            }
        };
        self.measure();
        Ok(process)
    }

    /// Keeps a process for the next turn of its conversation.
    pub(super) fn put(&self, session_epoch: SessionEpoch, process: PiProcess, slot: Slot) {
        drop(slot);
        self.idle.put(session_epoch, process);
        self.measure();
    }

    /// Ends the idle process of a conversation.
    pub(super) fn forget(&self, session_epoch: &SessionEpoch) {
        self.idle.forget(session_epoch);
    }

    /// Those that are idle and those that are at work are together not more than there may be.
    fn limit(&self) {
        self.idle.set_max(self.max.saturating_sub(self.busy()));
    }

    fn busy(&self) -> usize {
        self.max.saturating_sub(self.slots.available_permits())
    }

    fn measure(&self) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        // Those that are idle count themselves.
        for (state, count) in [("busy", self.busy()), ("waiting", waiting)] {
            let agent = self.launch.processes.name.clone();
            metrics::gauge!("frontdesk_agent_processes", "agent" => agent, "state" => state)
                .set(count as f64);
        }
    }
}
