//! One process per conversation, which speaks JSON lines.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolDecision};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::idle_process::IdleProcess;
use super::persistent_turn::PersistentTurn;
use super::steers::Steers;
use super::turn_host::TurnHost;
use super::{Config, approval, wire};
use crate::process::{IdlePool, IdleSettings, Input, SessionEpoch, Start};
use crate::running_turns::{RunningTurn, RunningTurns};

pub(super) struct Persistent {
    host: Arc<TurnHost>,
    idle_pool: Arc<IdlePool<IdleProcess>>,
    running: RunningTurns<TurnControl>,
}

/// How the agent's other methods reach a running turn.
pub(super) struct TurnControl {
    session_epoch: SessionEpoch,
    pub(super) aborted: CancellationToken,
    /// The conversation has ended meanwhile, so the program is not kept.
    pub(super) forgotten: AtomicBool,
    /// The program's stdin, once it has been sent the prompt.
    pub(super) input: OnceLock<Input>,
    pub(super) steers: Steers,
}

impl Persistent {
    pub(super) fn new(host: Arc<TurnHost>, config: &Config) -> Self {
        let settings = IdleSettings {
            min: config.min_idle,
            max: config.max_idle,
            timeout: Duration::from_secs(config.idle_timeout),
        };
        let starter = host.clone();
        let start_ahead = move || {
            let host = starter.clone();
            async move { start(&host, None).await }.boxed()
        };
        let idle_pool = Arc::new(IdlePool::new(host.processes.clone(), settings, start_ahead));
        Self { host, idle_pool, running: RunningTurns::default() }
    }
}

#[async_trait]
impl Agent for Persistent {
    fn capabilities(&self) -> Capabilities {
        self.host.capabilities.clone()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let running = self.running.begin(turn.id, TurnControl::new(&turn));
        let aborted = running.aborted.clone();
        let (host, idle_pool) = (self.host.clone(), self.idle_pool.clone());
        let ask = host.ask;
        let run = async move {
            if running.aborted.is_cancelled() {
                return stream::empty().boxed();
            }
            let line = wire::prompt(&turn);
            match begin(host, idle_pool, running, turn, line).await {
                Ok(turn) => {
                    stream::unfold(turn, |mut turn| async { turn.next().await.map(|result| (result, turn)) })
                        .boxed()
                }
                Err(why) => stream::iter([Err(why)]).boxed(),
            }
        }
        .flatten_stream()
        .boxed();
        if ask { approval::ask_first(run, aborted) } else { run }
    }

    /// The caller must keep polling the turn's stream meanwhile, because the program's answer is read there.
    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        let answer = {
            let Some(call) = self.running.find(turn) else { return Ok(false) };
            let Some(input) = call.input.get() else { return Ok(false) };
            let now = self.host.processes.clock().mono();
            call.steers.ask(now, || input.send(wire::steer(turn, prompt)).is_ok())
        };
        match answer {
            Some(answer) => Ok(answer.await.unwrap_or(false)),
            None => Ok(false),
        }
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(call) = self.running.find(turn) {
            call.aborted.cancel();
        }
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        let running = self.running.begin(turn.id, TurnControl::new(&turn));
        let (host, idle_pool) = (self.host.clone(), self.idle_pool.clone());
        let line = wire::compact(&turn, instructions.as_deref());
        let mut run = begin(host, idle_pool, running, turn, line).await?;
        let mut compacted = None;
        while let Some(delta) = run.next().await {
            match delta? {
                Delta::Compacted(summary) => compacted = Some(summary),
                Delta::ToolStart(call) => {
                    call.approval.decide(ToolDecision::Deny("the context is being compacted".into()));
                }
                _ => {}
            }
        }
        compacted.ok_or_else(|| {
            AgentError::Failed("it has ended the compaction without a `compacted` line".into())
        })
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        let session_epoch = (session.clone(), epoch);
        self.running.each(|call| {
            if call.session_epoch == session_epoch {
                call.forgotten.store(true, Ordering::Relaxed);
            }
        });
        self.idle_pool.forget(&session_epoch);
    }

    async fn stop(&self) {
        self.host.processes.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.host.processes.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

/// Starts a program for a turn, or ahead of one.
async fn start(host: &TurnHost, turn: Option<&Turn>) -> Result<IdleProcess, AgentError> {
    let start = Start { turn, ..Start::default() };
    let process = host.processes.start(start, host.processes.stop.child_token()).await?;
    Ok(IdleProcess::new(process, host))
}

/// Sends the first line of a turn to the program that has the context of the conversation, or to a new program.
async fn begin(
    host: Arc<TurnHost>,
    idle_pool: Arc<IdlePool<IdleProcess>>,
    running: RunningTurn<TurnControl>,
    turn: Turn,
    line: Vec<u8>,
) -> Result<PersistentTurn, AgentError> {
    let idle_process = match idle_pool.take(&running.session_epoch, true).await {
        Some(idle_process) => {
            idle_process.process.stderr.begin(&turn);
            idle_process
        }
        None => start(&host, Some(&turn)).await?,
    };
    if let Some(input) = &idle_process.process.input
        && input.send(line).is_ok()
    {
        running.input.get_or_init(|| input.clone());
        return Ok(PersistentTurn::new(host, idle_pool, running, &turn, idle_process));
    }
    Err(AgentError::Died("it does not read its stdin".into()))
}

impl TurnControl {
    fn new(turn: &Turn) -> Self {
        Self {
            session_epoch: (turn.session.clone(), turn.epoch),
            aborted: CancellationToken::new(),
            forgotten: AtomicBool::new(false),
            input: OnceLock::new(),
            steers: Steers::default(),
        }
    }

    pub(super) fn session_epoch(&self) -> SessionEpoch {
        self.session_epoch.clone()
    }
}
