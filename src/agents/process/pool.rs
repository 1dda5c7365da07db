//! Persistent programs between two turns.
//!
//! A program has one owner at a time: the running turn, or a task here that waits until the program is needed again, is
//! forgotten, has been idle too long or is broken. A program that has served a conversation serves only that one. Some
//! more can be started ahead, which wait for a conversation that has no program yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::delta::AgentError;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Mono;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::host::ProcessHost;
use crate::running_turns::lock;

/// One epoch of a conversation: the unit that a program keeps its context for.
pub type SessionEpoch = (SessionKey, u64);

/// A program that can be kept between turns, with what its protocol remembers about it. Dropping it kills the program.
#[async_trait]
pub trait Reusable: Send + 'static {
    /// Reads what the program writes between turns. Returns only when the program cannot be kept, with the reason.
    /// Dropping the future must lose nothing.
    async fn idle(&mut self) -> String;

    /// Makes it ready for the next turn, or says why it cannot serve one.
    fn reuse(&mut self) -> Result<(), String>;

    /// Ends the program in the background.
    fn retire(self);
}

/// How many programs are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleSettings {
    /// The number of programs to start ahead of the conversations that will need them, from the first turn on.
    pub min: usize,
    /// Maximum number of idle programs, those that were started ahead included. Beyond it the program that is idle
    /// longest is ended.
    pub max: usize,
    /// The time without a turn after which a program that has served a conversation is ended.
    pub timeout: Duration,
}

/// Starts a program ahead of a conversation.
type StartAhead<T> = dyn Fn() -> BoxFuture<'static, Result<T, AgentError>> + Send + Sync;

/// The idle programs of one agent.
pub struct IdlePool<T> {
    host: Arc<ProcessHost>,
    settings: IdleSettings,
    start_ahead: Box<StartAhead<T>>,
    slots: Mutex<Slots<T>>,
}

struct Slots<T> {
    by_session: HashMap<SessionEpoch, Slot<T>>,
    /// Programs that have not served a conversation, by their number.
    ahead: HashMap<u64, Slot<T>>,
    /// How many are being started ahead.
    starting: usize,
    /// The number of programs that were ever added.
    count: u64,
    /// Maximum number of idle programs.
    max: usize,
}

/// Dropping it retires the program.
struct Slot<T> {
    number: u64,
    request: oneshot::Sender<oneshot::Sender<T>>,
}

/// Where a program waits.
#[derive(Clone)]
enum Place {
    Session(SessionEpoch),
    Ahead,
}

impl Place {
    /// The session for the log.
    fn session(&self) -> &str {
        match self {
            Place::Session((session, _)) => session.as_str(),
            Place::Ahead => "none",
        }
    }
}

impl<T: Reusable> IdlePool<T> {
    /// An empty pool. `start_ahead` is only called if `settings.min` is not zero.
    pub fn new(
        host: Arc<ProcessHost>,
        settings: IdleSettings,
        start_ahead: impl Fn() -> BoxFuture<'static, Result<T, AgentError>> + Send + Sync + 'static,
    ) -> Self {
        let slots = Slots {
            by_session: HashMap::new(),
            ahead: HashMap::new(),
            starting: 0,
            count: 0,
            max: settings.max,
        };
        Self { host, settings, start_ahead: Box::new(start_ahead), slots: Mutex::new(slots) }
    }

    /// Changes the maximum number of idle programs. Those beyond it are ended when the next one is taken or kept.
    pub fn set_max(&self, max: usize) {
        lock(&self.slots).max = max;
    }

    /// Reports how many programs are idle.
    fn measure(&self) {
        let agent = self.host.name.clone();
        metrics::gauge!("frontdesk_agent_processes", "agent" => agent, "state" => "idle")
            .set(self.len() as f64);
    }

    /// How many programs are idle.
    pub fn len(&self) -> usize {
        let slots = lock(&self.slots);
        slots.by_session.len() + slots.ahead.len()
    }

    /// Whether no program is idle.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the program that has the context of this epoch, or else, if the conversation is new, one that was started
    /// ahead. `None` means that the caller has to start one.
    pub async fn take(self: &Arc<Self>, session_epoch: &SessionEpoch, new: bool) -> Option<T> {
        let slot = lock(&self.slots).by_session.remove(session_epoch);
        if let Some(slot) = slot
            && let Some(program) = self.fetch(slot, session_epoch).await
        {
            self.measure();
            return Some(program);
        }
        let mut found = None;
        while new && found.is_none() {
            let Some(slot) = lock(&self.slots).take_ahead() else { break };
            found = self.fetch(slot, session_epoch).await;
        }
        self.top_up();
        self.measure();
        found
    }

    /// Keeps a program for its next turn.
    pub fn put(self: &Arc<Self>, session_epoch: SessionEpoch, program: T) {
        self.keep(Place::Session(session_epoch), program);
    }

    /// Ends the program of this epoch, if it is in the pool.
    pub fn forget(&self, session_epoch: &SessionEpoch) {
        lock(&self.slots).by_session.remove(session_epoch);
        self.measure();
    }

    /// Takes a program over from the task that watches it.
    async fn fetch(&self, slot: Slot<T>, session_epoch: &SessionEpoch) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        slot.request.send(sender).ok()?;
        // If the program has just died, its task drops the sender and this returns `None`.
        let mut program = receiver.await.ok()?;
        match program.reuse() {
            Ok(()) => Some(program),
            Err(reason) => {
                info!(agent = self.host.name, session = %session_epoch.0, reason, "an idle program cannot be used any more");
                None
            }
        }
    }

    /// Starts as many programs as are missing. A program that cannot be started is not tried again before the next
    /// turn, so that a broken one is not started without end.
    fn top_up(self: &Arc<Self>) {
        if self.host.stop.is_cancelled() {
            return;
        }
        let missing = {
            let mut slots = lock(&self.slots);
            let wanted = self.settings.min.min(slots.max);
            let missing = wanted.saturating_sub(slots.ahead.len() + slots.starting);
            slots.starting += missing;
            let starting = slots.starting;
            slots.shrink(starting);
            missing
        };
        for _ in 0..missing {
            let pool = self.clone();
            self.host.supervision.tasks.spawn(async move {
                match (pool.start_ahead)().await {
                    Ok(program) => pool.keep(Place::Ahead, program),
                    Err(error) => {
                        pool.host.spawn_failed();
                        warn!(agent = pool.host.name, %error, "no program was started ahead");
                    }
                }
                // Only now, so that it is never missing in both counts.
                lock(&pool.slots).starting -= 1;
            });
        }
    }

    fn keep(self: &Arc<Self>, place: Place, program: T) {
        let (request, requested) = oneshot::channel();
        let number = lock(&self.slots).add(&place, request);
        self.measure();
        let due = match place {
            Place::Session(_) => Some(self.host.clock().mono() + self.settings.timeout),
            Place::Ahead => None,
        };
        let pool = self.clone();
        self.host
            .supervision
            .tasks
            .spawn(async move { pool.watch(program, place, number, due, requested).await });
    }

    async fn watch(
        &self,
        mut program: T,
        place: Place,
        number: u64,
        due: Option<Mono>,
        requested: oneshot::Receiver<oneshot::Sender<T>>,
    ) {
        let clock = self.host.clock();
        let timeout = async {
            match due {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let fault = tokio::select! {
            biased;
            caller = requested => {
                match caller {
                    // If the caller is gone, dropping the program ends it.
                    Ok(caller) => drop(caller.send(program)),
                    Err(_) => program.retire(),
                }
                return;
            }
            () = self.host.stop.cancelled() => {
                self.clear(&place, number);
                return program.retire();
            }
            () = timeout => {
                self.clear(&place, number);
                return program.retire();
            }
            fault = program.idle() => fault,
        };
        self.clear(&place, number);
        info!(agent = self.host.name, session = place.session(), fault, "an idle program has ended");
    }

    fn clear(&self, place: &Place, number: u64) {
        lock(&self.slots).clear(place, number);
        self.measure();
    }
}

impl<T> Slots<T> {
    /// Adds a program and returns its number. Ends the one that has been idle longest if there are too many.
    fn add(&mut self, place: &Place, request: oneshot::Sender<oneshot::Sender<T>>) -> u64 {
        self.count += 1;
        let number = self.count;
        let slot = Slot { number, request };
        match place {
            Place::Session(session_epoch) => self.by_session.insert(session_epoch.clone(), slot),
            Place::Ahead => self.ahead.insert(number, slot),
        };
        self.shrink(0);
        number
    }

    /// Ends programs until there is space for so many more: first those that are idle longest, then those that were
    /// started ahead.
    fn shrink(&mut self, more: usize) {
        while self.by_session.len() + self.ahead.len() + more > self.max {
            let oldest = self.by_session.iter().min_by_key(|(_, slot)| slot.number);
            let ended = match oldest.map(|(session_epoch, _)| session_epoch.clone()) {
                Some(oldest) => self.by_session.remove(&oldest),
                None => self.take_ahead(),
            };
            if ended.is_none() {
                return;
            }
        }
    }

    fn take_ahead(&mut self) -> Option<Slot<T>> {
        let first = self.ahead.keys().min().copied()?;
        self.ahead.remove(&first)
    }

    fn clear(&mut self, place: &Place, number: u64) {
        match place {
            Place::Ahead => _ = self.ahead.remove(&number),
            Place::Session(session_epoch) => {
                if self.by_session.get(session_epoch).is_some_and(|slot| slot.number == number) {
                    self.by_session.remove(session_epoch);
                }
            }
        }
    }
}
