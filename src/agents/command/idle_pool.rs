//! Persistent programs between two turns.
//!
//! A program has one owner at a time: the running turn, or the task here that waits until the program is needed again,
//! is forgotten, has been idle too long or is broken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Mono;
use tokio::sync::oneshot;
use tracing::{debug, info};

use super::lines::Lines;
use super::process::Process;
use super::process_host::ProcessHost;
use crate::running_turns::lock;

/// One epoch of a conversation: the unit that a program keeps its context for.
pub(super) type SessionEpoch = (SessionKey, u64);

/// A persistent program without a turn.
pub(super) struct IdleProcess {
    pub(super) process: Process,
    pub(super) lines: Lines,
}

pub(super) struct IdlePool {
    host: Arc<ProcessHost>,
    idle_timeout: Duration,
    max_idle: usize,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_session: HashMap<SessionEpoch, Slot>,
    /// The number of programs that were ever added.
    count: u64,
}

/// Dropping it ends the program with SIGTERM.
struct Slot {
    number: u64,
    request: oneshot::Sender<oneshot::Sender<IdleProcess>>,
}

impl IdlePool {
    pub(super) fn new(host: Arc<ProcessHost>, idle_timeout: Duration, max_idle: usize) -> Self {
        Self { host, idle_timeout, max_idle, slots: Mutex::default() }
    }

    /// Returns the program that has the context of this epoch, if it still runs.
    pub(super) async fn take(&self, session_epoch: &SessionEpoch) -> Option<IdleProcess> {
        let slot = lock(&self.slots).by_session.remove(session_epoch)?;
        let (sender, receiver) = oneshot::channel();
        slot.request.send(sender).ok()?;
        // If the program has just died, its task drops the sender and this returns `None`.
        let mut idle_process = receiver.await.ok()?;
        // Output that the program wrote before it gets the prompt cannot be an answer to it, so it is discarded.
        let max = self.host.max_answer;
        match idle_process.lines.discard(&mut idle_process.process.output, max) {
            Ok(Some(bytes)) if bytes <= max && !idle_process.process.has_gone() => Some(idle_process),
            other => {
                info!(agent = self.host.name, session = %session_epoch.0, result = ?other, "an idle program cannot be used any more");
                None
            }
        }
    }

    /// Keeps a program for its next turn.
    pub(super) fn put(self: &Arc<Self>, session_epoch: SessionEpoch, idle_process: IdleProcess) {
        let (request, requested) = oneshot::channel();
        let due = self.host.clock.mono() + self.idle_timeout;
        let number = {
            let mut slots = lock(&self.slots);
            slots.count += 1;
            let number = slots.count;
            slots.by_session.insert(session_epoch.clone(), Slot { number, request });
            if slots.by_session.len() > self.max_idle {
                let oldest = slots.by_session.iter().min_by_key(|(_, slot)| slot.number);
                if let Some(oldest) = oldest.map(|(session_epoch, _)| session_epoch.clone()) {
                    slots.by_session.remove(&oldest);
                }
            }
            number
        };
        let idle_pool = self.clone();
        self.host.tasks.spawn(async move {
            idle_pool.watch(idle_process, &session_epoch, number, due, requested).await
        });
    }

    /// Ends the program of this epoch, if it is in the pool.
    pub(super) fn forget(&self, session_epoch: &SessionEpoch) {
        lock(&self.slots).by_session.remove(session_epoch);
    }

    async fn watch(
        &self,
        mut idle_process: IdleProcess,
        session_epoch: &SessionEpoch,
        number: u64,
        due: Mono,
        mut requested: oneshot::Receiver<oneshot::Sender<IdleProcess>>,
    ) {
        let mut bytes_outside_turn = 0;
        let fault = loop {
            tokio::select! {
                biased;
                caller = &mut requested => {
                    match caller {
                        // If the caller is gone, dropping the program ends it.
                        Ok(caller) => drop(caller.send(idle_process)),
                        Err(_) => idle_process.process.retire(),
                    }
                    return;
                }
                () = self.host.stop.cancelled() => return idle_process.process.retire(),
                () = self.host.clock.sleep_until(due) => {
                    self.clear(session_epoch, number);
                    return idle_process.process.retire();
                }
                line = idle_process.lines.next(&mut idle_process.process.output) => match line {
                    Ok(Some(line)) => bytes_outside_turn += line.len() + 1,
                    Ok(None) => break "it has ended".to_owned(),
                    Err(why) => break why.to_string(),
                },
            }
            debug!(agent = self.host.name, session = %session_epoch.0, "dropped a line outside a turn");
            if bytes_outside_turn > self.host.max_answer {
                break "it writes too much output without a turn".to_owned();
            }
        };
        self.clear(session_epoch, number);
        info!(agent = self.host.name, session = %session_epoch.0, fault, "an idle program has ended");
    }

    fn clear(&self, session_epoch: &SessionEpoch, number: u64) {
        let mut slots = lock(&self.slots);
        if slots.by_session.get(session_epoch).is_some_and(|slot| slot.number == number) {
            slots.by_session.remove(session_epoch);
        }
    }
}
