//! Starts a gateway, recovers what an earlier process left, and stops it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::hook::HookEvent;
use frontdesk_core::port::{Adapter, Inbox, Stop};
use frontdesk_store::Store;
use frontdesk_store::row::{Recovered, Recovery};
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::adapters::Login;
use crate::config::Ambiguous;
use crate::gate::{ALBUM, GateInbox};
use crate::handle::GatewayHandle;
use crate::setup::{Receivers, build};
use crate::shared::Shared;
use crate::waiting_marks::Markable;
use crate::{
    Setup, StartError, ask_deadlines, commands, jobs, logins, marking, outbox, sweep, tasks, turn, watchdog,
};

/// Maximum duration of each of the last steps of an orderly stop.
const LAST_STEPS: Duration = Duration::from_secs(2);

/// A running gateway. Dropping it without [`Running::stop`] is like a crash, which loses nothing.
pub struct Running {
    shared: Arc<Shared>,
    handle: GatewayHandle,
    /// Ends the outbox, the commands, the sweeps and the observing hooks.
    stop_services: Stop,
    /// Ends the announcer once it has announced every committed row.
    stop_announcer: Stop,
    /// The part that has ended before it was stopped.
    ended_early: watch::Sender<Option<&'static str>>,
    turns: JoinSet<()>,
    announcer: JoinSet<()>,
    adapters: JoinSet<()>,
    services: JoinSet<()>,
}

impl Running {
    /// Opens the database, recovers what an earlier process left, and begins to receive.
    pub async fn start(setup: Setup) -> Result<Running, StartError> {
        let (shared, receivers) = build(setup).await?;
        let connections: Vec<_> =
            shared.adapters.ids().iter().filter_map(|account| shared.adapters.get(account)).collect();
        let adapters = connections.iter().map(|connection| connection.adapter()).collect();
        let logins = logins::compared(&shared, adapters).await?;
        for connection in &connections {
            connection.set_login(logins.get(connection.id()).copied().unwrap_or(Login::Noted));
        }
        let recovered = shared.store.recover(recovery(&shared)).await?;
        jobs::sync(&shared).await?;
        // Before anything is sent: an answer that became too old while the gateway was down must not be sent.
        sweep::expire(&shared).await?;
        let mut running = Running {
            handle: GatewayHandle(shared.clone()),
            stop_services: Stop::new(),
            stop_announcer: Stop::new(),
            ended_early: watch::Sender::new(None),
            turns: JoinSet::new(),
            announcer: JoinSet::new(),
            adapters: JoinSet::new(),
            services: JoinSet::new(),
            shared,
        };
        let left = marking::left(&running.shared).await?;
        running.spawn(receivers, left);
        running.resume(recovered);
        for problem in running.shared.unreachable_chats(&running.shared.settings()) {
            tracing::warn!("{problem}");
        }
        if let Err(error) = running.handle.begin_start_task().await {
            tracing::warn!(%error, "the agent was not given the file for starts");
        }
        let config = running.shared.settings().shown.clone();
        running.shared.hooks.tell(HookEvent::GatewayStart { config });
        Ok(running)
    }

    /// The database, for whoever started the gateway.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The handle for the API, the library and the command line.
    pub fn handle(&self) -> &GatewayHandle {
        &self.handle
    }

    /// Resolves with the cause when the gateway cannot go on: the database is broken, or a part of the runtime
    /// has ended.
    pub async fn failed(&self) -> String {
        let mut ended_early = self.ended_early.subscribe();
        tokio::select! {
            cause = self.shared.store.fatal() => cause,
            // The sender belongs to this value, so the channel does not close.
            Ok(what) = ended_early.wait_for(Option::is_some) => {
                format!("{} ended unexpectedly", what.unwrap_or("a part of the gateway"))
            }
        }
    }

    /// Stops taking messages, gives running turns `turns.drain_seconds`, and closes. What did not end is
    /// resumed at the next start.
    pub async fn stop(mut self) {
        let shared = self.shared.clone();
        shared.hooks.tell(HookEvent::GatewayStop);
        shared.process.closing.cancel();
        // A reload that began before is waited for; later ones are refused.
        drop(shared.reloading.lock().await);
        let deadline = shared.time.mono() + Duration::from_secs(shared.settings().config.turns.drain_seconds);
        tokio::select! {
            () = drained(&mut self.turns) => {}
            () = shared.time.sleep_until(deadline) => {
                shared.process.drain.cancel();
                let last = shared.time.mono() + LAST_STEPS;
                tokio::select! {
                    () = drained(&mut self.turns) => {}
                    () = shared.time.sleep_until(last) => tracing::warn!("turns did not end in time; they are resumed at the next start"),
                }
            }
        }
        self.stop_announcer.cancel();
        let last = shared.time.mono() + LAST_STEPS;
        tokio::select! {
            () = async { drained(&mut self.announcer).await; shared.work.outbox.at_rest().await; } => {}
            () = shared.time.sleep_until(last) => tracing::info!("some parts were not sent in time; they are sent at the next start"),
        }
        self.stop_services.cancel();
        let last = shared.time.mono() + LAST_STEPS;
        tokio::select! {
            () = async {
                drained(&mut self.adapters).await;
                drained(&mut self.services).await;
                shared.work.background.close();
                shared.work.background.wait().await;
            } => {}
            () = shared.time.sleep_until(last) => tracing::warn!("a part of the runtime did not stop in time"),
        }
        shared.process.drain.cancel();
        let last = shared.time.mono() + LAST_STEPS;
        tokio::select! {
            () = stopped(&shared) => {}
            () = shared.time.sleep_until(last) => tracing::warn!("a program did not stop in time"),
        }
        shared.store.close().await;
    }

    /// Spawns every task of the runtime.
    fn spawn(&mut self, receivers: Receivers, left: Vec<Markable>) {
        let (h, stop) = (self.shared.clone(), self.shared.process.closing.clone());
        self.turns.spawn(self.watched("the turns' lanes", async move {
            let work = h.clone();
            h.work.turns.run(stop, move |session| turn::run(work.clone(), session)).await;
        }));
        let (h, stop) = (self.shared.clone(), self.stop_services.clone());
        self.services.spawn(self.watched("the outbox's lanes", async move {
            let work = h.clone();
            h.work.outbox.run(stop, move |address| outbox::send_next(work.clone(), address)).await;
        }));
        let announce = outbox::announce(self.shared.clone(), receivers.rows, self.stop_announcer.clone());
        self.announcer.spawn(self.watched("the announcer", announce));
        let commands = commands::run(self.shared.clone(), receivers.commands, self.stop_services.clone());
        self.services.spawn(self.watched("the commands", commands));
        let asks = ask_deadlines::run(self.shared.clone(), self.stop_services.clone());
        self.services.spawn(self.watched("the questions' deadlines", asks));
        let marks = marking::run(self.shared.clone(), receivers.accepted, left, self.stop_services.clone());
        self.services.spawn(self.watched("the marks of messages that wait", marks));
        let tasks = tasks::run(self.shared.clone(), self.shared.process.closing.clone());
        self.services.spawn(self.watched("the background tasks", tasks));
        let jobs = jobs::run(self.shared.clone(), self.shared.process.closing.clone());
        self.services.spawn(self.watched("the scheduled jobs", jobs));
        let posts = jobs::post_results(self.shared.clone(), self.stop_services.clone());
        self.services.spawn(self.watched("the posts of jobs' results", posts));
        let sweep = sweep::run(self.shared.clone(), self.stop_services.clone());
        self.services.spawn(self.watched("the sweeps", sweep));
        let watchdog = watchdog::run(self.shared.clone(), self.stop_services.clone());
        self.services.spawn(self.watched("the watchdog", watchdog));
        let (h, stop) = (self.shared.clone(), self.stop_services.clone());
        let hooks = async move { h.hooks.run(receivers.hook_events, stop).await };
        self.services.spawn(self.watched("the observing hooks", hooks));
        let (h, stop) = (self.shared.clone(), self.shared.process.closing.clone());
        self.adapters.spawn(self.watched("the adapters", async move {
            let gate = h.clone();
            let inbox = move |adapter: &Arc<dyn Adapter>| -> Arc<dyn Inbox> {
                Arc::new(GateInbox { shared: gate.clone(), adapter: adapter.clone() })
            };
            h.adapters.run(Arc::new(inbox), stop).await;
        }));
    }

    /// Ends the gateway if a part of the runtime ends before it was stopped: a gateway without that part would look
    /// healthy, and a restart loses nothing.
    fn watched(
        &self,
        what: &'static str,
        part: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (shared, ended_early) = (self.shared.clone(), self.ended_early.clone());
        async move {
            let ended = AssertUnwindSafe(part).catch_unwind().await;
            if ended.is_err() || !shared.process.closing.is_cancelled() {
                tracing::error!(part = what, panicked = ended.is_err(), "a part of the gateway has ended");
                ended_early.send_replace(Some(what));
            }
        }
    }

    /// Resumes what an earlier process left.
    fn resume(&self, found: Recovered) {
        if found.resumed + found.interrupted + found.dead + found.left_behind + found.parts > 0 {
            tracing::info!(
                resumed = found.resumed,
                interrupted = found.interrupted,
                dead = found.dead,
                left_behind = found.left_behind,
                parts = found.parts,
                "recovered unfinished work"
            );
        }
        for session in &found.sessions {
            match found.albums.contains(session) {
                true => self.shared.work.turns.wake_after(session, ALBUM),
                false => self.shared.work.turns.wake(session),
            }
        }
        let commands = self.shared.process.earlier_commands.get_or_init(|| found.commands);
        for &command in commands {
            if self.shared.work.commands.send(command).is_err() {
                tracing::error!(%command, "a waiting command could not be passed on; it runs at the next start");
            }
        }
        for address in &found.addresses {
            self.shared.work.outbox.wake(address);
        }
    }
}

/// Ends every process. All at once: one that takes its time must not cost the others theirs.
async fn stopped(shared: &Shared) {
    let settings = shared.settings();
    let agents = join_all(settings.agents.values().map(|entry| entry.agent.stop()));
    let voice = async {
        if let Some(voice) = &settings.voice {
            voice.stop().await;
        }
    };
    tokio::join!(agents, voice);
}

async fn drained(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the runtime was aborted");
        }
    }
}

fn recovery(shared: &Shared) -> Recovery {
    Recovery {
        now: shared.time.wall(),
        max_deaths: shared.settings().config.turns.max_attempts,
        resend: shared.settings().config.delivery.on_ambiguous == Ambiguous::Resend,
    }
}
