//! Lasting programs between two turns.
//!
//! A program belongs to one owner at a time: to the turn that runs, or to the task that sits with it here
//! until it is wanted again, forgotten, idle for too long or broken.

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
use crate::running::lock;

/// A conversation's life: what a program keeps its context for.
pub(super) type Life = (SessionKey, u64);

/// A lasting program.
pub(super) struct IdleProcess {
    pub(super) process: Process,
    pub(super) lines: Lines,
}

pub(super) struct IdlePool {
    shop: Arc<ProcessHost>,
    idle_timeout: Duration,
    max_idle: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    by_life: HashMap<Life, Place>,
    /// How many were ever put here.
    count: u64,
}

/// Dropping it ends the program politely.
struct Place {
    number: u64,
    wanted: oneshot::Sender<oneshot::Sender<IdleProcess>>,
}

impl IdlePool {
    pub(super) fn new(shop: Arc<ProcessHost>, idle_timeout: Duration, max_idle: usize) -> Self {
        Self { shop, idle_timeout, max_idle, places: Mutex::default() }
    }

    /// The program that knows this life, if it still runs.
    pub(super) async fn take(&self, life: &Life) -> Option<IdleProcess> {
        let place = lock(&self.places).by_life.remove(life)?;
        let (sender, receiver) = oneshot::channel();
        place.wanted.send(sender).ok()?;
        // It may have died just now; then nobody answers.
        let mut idle_process = receiver.await.ok()?;
        // Whatever it has written by now is no answer to a prompt that it has not seen.
        let most = self.shop.max_answer;
        match idle_process.lines.discard(&mut idle_process.process.output, most) {
            Ok(Some(bytes)) if bytes <= most && !idle_process.process.has_gone() => Some(idle_process),
            heard => {
                info!(agent = self.shop.name, session = %life.0, ?heard, "an idle program is of no more use");
                None
            }
        }
    }

    /// Keeps a program for its next turn.
    pub(super) fn put(self: &Arc<Self>, life: Life, idle_process: IdleProcess) {
        let (wanted, asked) = oneshot::channel();
        let due = self.shop.clock.mono() + self.idle_timeout;
        let number = {
            let mut places = lock(&self.places);
            places.count += 1;
            let number = places.count;
            places.by_life.insert(life.clone(), Place { number, wanted });
            if places.by_life.len() > self.max_idle {
                let oldest = places.by_life.iter().min_by_key(|(_, place)| place.number);
                if let Some(oldest) = oldest.map(|(life, _)| life.clone()) {
                    places.by_life.remove(&oldest);
                }
            }
            number
        };
        let idle_pool = self.clone();
        self.shop
            .tasks
            .spawn(async move { idle_pool.sit_with(idle_process, &life, number, due, asked).await });
    }

    /// Ends the program of this life, if it is here.
    pub(super) fn forget(&self, life: &Life) {
        lock(&self.places).by_life.remove(life);
    }

    async fn sit_with(
        &self,
        mut idle_process: IdleProcess,
        life: &Life,
        number: u64,
        due: Mono,
        mut asked: oneshot::Receiver<oneshot::Sender<IdleProcess>>,
    ) {
        let mut idle_talk = 0;
        let fault = loop {
            tokio::select! {
                biased;
                caller = &mut asked => {
                    match caller {
                        // If the caller has gone meanwhile, the program goes as well.
                        Ok(caller) => drop(caller.send(idle_process)),
                        Err(_) => idle_process.process.retire(),
                    }
                    return;
                }
                () = self.shop.stop.cancelled() => return idle_process.process.retire(),
                () = self.shop.clock.sleep_until(due) => {
                    self.clear(life, number);
                    return idle_process.process.retire();
                }
                line = idle_process.lines.next(&mut idle_process.process.output) => match line {
                    Ok(Some(line)) => idle_talk += line.len() + 1,
                    Ok(None) => break "it has ended".to_owned(),
                    Err(why) => break why.to_string(),
                },
            }
            debug!(agent = self.shop.name, session = %life.0, "dropped a line outside a turn");
            if idle_talk > self.shop.max_answer {
                break "it talks on without a turn".to_owned();
            }
        };
        self.clear(life, number);
        info!(agent = self.shop.name, session = %life.0, fault, "an idle program is gone");
    }

    fn clear(&self, life: &Life, number: u64) {
        let mut places = lock(&self.places);
        if places.by_life.get(life).is_some_and(|place| place.number == number) {
            places.by_life.remove(life);
        }
    }
}
