//! A process per conversation, which speaks JSON lines.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::idle_pool::{IdlePool, IdleProcess, Life};
use super::input::Input;
use super::lines::Lines;
use super::process_host::ProcessHost;
use super::talk::Talk;
use super::{Config, permission, wire};
use crate::running::{Running, Seat, lock};

/// So long a program may take to say whether it takes a steer; one that knows no steer never says.
const STEER: Duration = Duration::from_secs(5);

pub(super) struct Lasting {
    shop: Arc<ProcessHost>,
    idle_pool: Arc<IdlePool>,
    running: Running<Call>,
}

/// What others may do to a running turn.
pub(super) struct Call {
    life: Life,
    pub(super) aborted: CancellationToken,
    /// The conversation has ended meanwhile: the program is not kept.
    pub(super) forgotten: AtomicBool,
    /// The program's stdin, once it has the prompt.
    pub(super) input: OnceLock<Input>,
    /// Who waits for a `steered`, in the order of their steers; `None` once the turn takes no more.
    pub(super) steers: Mutex<Option<VecDeque<oneshot::Sender<bool>>>>,
}

impl Lasting {
    pub(super) fn new(shop: Arc<ProcessHost>, config: &Config) -> Self {
        let idle = Duration::from_secs(config.idle_timeout);
        let idle_pool = Arc::new(IdlePool::new(shop.clone(), idle, config.max_idle));
        Self { shop, idle_pool, running: Running::default() }
    }
}

#[async_trait]
impl Agent for Lasting {
    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let aborted = CancellationToken::new();
        let seat = self.running.begin(
            turn.id,
            Call {
                life: (turn.session.clone(), turn.epoch),
                aborted: aborted.clone(),
                forgotten: AtomicBool::new(false),
                input: OnceLock::new(),
                steers: Mutex::new(Some(VecDeque::new())),
            },
        );
        let (shop, idle_pool) = (self.shop.clone(), self.idle_pool.clone());
        let ask = shop.ask;
        let run = async move {
            if seat.aborted.is_cancelled() {
                return stream::empty().boxed();
            }
            match begin(shop, idle_pool, seat, &turn).await {
                Ok(talk) => {
                    stream::unfold(talk, |mut talk| async { talk.next().await.map(|said| (said, talk)) })
                        .boxed()
                }
                Err(why) => stream::iter([Err(why)]).boxed(),
            }
        }
        .flatten_stream()
        .boxed();
        if ask { permission::ask_first(run, aborted) } else { run }
    }

    /// To be awaited beside the turn's stream, not instead of it: the answer comes through the stream.
    async fn steer(&self, turn: TurnId, said: &Prompt) -> Result<bool, AgentError> {
        let answer = {
            let Some(call) = self.running.find(turn) else { return Ok(false) };
            let Some(input) = call.input.get() else { return Ok(false) };
            // Sent under the lock, so that the answers come in the order of those who wait.
            let mut waiting = lock(&call.steers);
            let Some(steers) = waiting.as_mut() else { return Ok(false) };
            if input.send(wire::steer(turn, said)).is_err() {
                return Ok(false);
            }
            let (sender, answer) = oneshot::channel();
            steers.push_back(sender);
            answer
        };
        let clock = &self.shop.clock;
        tokio::select! {
            taken = answer => Ok(taken.unwrap_or(false)),
            () = clock.sleep_until(clock.mono() + STEER) => Ok(false),
        }
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(call) = self.running.find(turn) {
            call.aborted.cancel();
        }
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        let life = (session.clone(), epoch);
        self.running.each(|call| {
            if call.life == life {
                call.forgotten.store(true, Ordering::Relaxed);
            }
        });
        self.idle_pool.forget(&life);
    }

    async fn stop(&self) {
        self.shop.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.shop.program.problem()
    }
}

/// Hands the prompt to the program that knows the conversation, or to a new one.
async fn begin(
    shop: Arc<ProcessHost>,
    idle_pool: Arc<IdlePool>,
    seat: Seat<Call>,
    turn: &Turn,
) -> Result<Talk, AgentError> {
    let idle_process = match idle_pool.take(&seat.life).await {
        Some(idle_process) => {
            idle_process.process.stderr.begin(turn.id);
            idle_process
        }
        None => {
            let process = shop.start(turn, None, shop.stop.child_token()).await?;
            IdleProcess { process, lines: Lines::new(shop.max_line) }
        }
    };
    if let Some(input) = &idle_process.process.input
        && input.send(wire::prompt(turn)).is_ok()
    {
        seat.input.get_or_init(|| input.clone());
        return Ok(Talk::new(shop, idle_pool, seat, turn.id, idle_process));
    }
    Err(AgentError::Died("it does not read its stdin".into()))
}

impl Call {
    pub(super) fn life(&self) -> Life {
        self.life.clone()
    }
}
