//! The life of a gateway: start, recover, stop.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::config::ConfigError;
use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_core::id::MessageId;
use frontdesk_core::port::Stop;
use frontdesk_core::time::{CautiousCalendar, Steady};
use frontdesk_store::row::{OutboxRow, Recovered, Recovery};
use frontdesk_store::{Options, Store};
use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::adapters::Adapters;
use crate::cancel::Cancels;
use crate::causes::Causes;
use crate::config::{Ambiguous, ResetRules};
use crate::gate::{ALBUM, GateInbox};
use crate::handle::GatewayHandle;
use crate::hooks::Hooks;
use crate::lanes::{Caps, Lanes};
use crate::limits::Limits;
use crate::media::Media;
use crate::recent::Recent;
use crate::shared::{Shared, StorageHealth};
use crate::speech::{Announcer, ProfileRenderer};
use crate::unread::Unread;
use crate::{Setup, StartError, commands, outbox, sweep, turn};

/// How many requests to one platform may be on their way at once: one that hangs keeps nobody else waiting.
const SENDS: usize = 64;
/// Connections that read beside the writer.
const READERS: usize = 2;
/// How long a gateway may have been down without a doubt about the date: a long weekend.
const LIKELY_REST: chrono::Duration = chrono::Duration::days(4);
/// How long the last steps of an orderly stop may take each.
const LAST_STEPS: Duration = Duration::from_secs(2);

/// A gateway at work. Dropping it without [`Running::stop`] is a crash, and as harmless.
pub struct Running {
    shared: Arc<Shared>,
    handle: GatewayHandle,
    /// Ends those who look after the rest: the outbox, the commands, the sweeps.
    quiet: Stop,
    /// Ends the one who makes new rows known, when all are.
    told: Stop,
    /// Which part has ended before it was told to.
    fallen: watch::Sender<Option<&'static str>>,
    turns: JoinSet<()>,
    announcer: JoinSet<()>,
    receivers: JoinSet<()>,
    keepers: JoinSet<()>,
}

/// The ends of the channels on which the house's parts hear of each other.
struct Ends {
    rows: mpsc::UnboundedReceiver<OutboxRow>,
    commands: mpsc::UnboundedReceiver<MessageId>,
    moments: mpsc::Receiver<HookEvent>,
}

impl Running {
    /// Opens the database, recovers what an earlier life left, and begins to receive.
    pub async fn start(setup: Setup) -> Result<Running, StartError> {
        let (shared, ends) = build(setup).await?;
        let recovered = shared.store.recover(recovery(&shared)).await?;
        // Before anything is sent: an answer that grew stale while we were down must not go out.
        sweep::expire(&shared).await?;
        let mut running = Running {
            handle: GatewayHandle(shared.clone()),
            quiet: Stop::new(),
            told: Stop::new(),
            fallen: watch::Sender::new(None),
            turns: JoinSet::new(),
            announcer: JoinSet::new(),
            receivers: JoinSet::new(),
            keepers: JoinSet::new(),
            shared,
        };
        running.spawn(ends);
        running.resume(recovered);
        running.shared.hooks.tell(HookEvent::at(HookPoint::GatewayStart, None));
        Ok(running)
    }

    /// The handle for everyone else.
    pub fn handle(&self) -> &GatewayHandle {
        &self.handle
    }

    /// Resolves with the cause when the gateway cannot go on: the database is broken, or a part of the runtime
    /// has ended.
    pub async fn failed(&self) -> String {
        let mut fallen = self.fallen.subscribe();
        tokio::select! {
            cause = self.shared.store.fatal() => cause,
            // The sender is ours, so the channel does not close.
            Ok(what) = fallen.wait_for(Option::is_some) => {
                format!("{} ended unexpectedly", what.unwrap_or("a part of the gateway"))
            }
        }
    }

    /// Stops taking messages, gives running turns `turns.drain_seconds`, and closes. What did not end is
    /// resumed at the next start.
    pub async fn stop(mut self) {
        let shared = self.shared.clone();
        shared.hooks.tell(HookEvent::at(HookPoint::GatewayStop, None));
        shared.closing.cancel();
        let deadline = shared.clock.mono() + Duration::from_secs(shared.config.turns.drain_seconds);
        tokio::select! {
            () = drained(&mut self.turns) => {}
            () = shared.clock.sleep_until(deadline) => {
                shared.drain.cancel();
                let last = shared.clock.mono() + LAST_STEPS;
                tokio::select! {
                    () = drained(&mut self.turns) => {}
                    () = shared.clock.sleep_until(last) => tracing::warn!("turns did not end in time; they are resumed at the next start"),
                }
            }
        }
        self.told.cancel();
        let last = shared.clock.mono() + LAST_STEPS;
        tokio::select! {
            () = async { drained(&mut self.announcer).await; shared.outbox.at_rest().await; } => {}
            () = shared.clock.sleep_until(last) => tracing::info!("some parts were not sent in time; they are sent at the next start"),
        }
        self.quiet.cancel();
        let last = shared.clock.mono() + LAST_STEPS;
        tokio::select! {
            () = async {
                drained(&mut self.receivers).await;
                drained(&mut self.keepers).await;
                shared.background.close();
                shared.background.wait().await;
            } => {}
            () = shared.clock.sleep_until(last) => tracing::warn!("something did not stop in time"),
        }
        shared.drain.cancel();
        let last = shared.clock.mono() + LAST_STEPS;
        tokio::select! {
            () = async { for entry in shared.agents.values() { entry.agent.stop().await; } } => {}
            () = shared.clock.sleep_until(last) => tracing::warn!("an agent did not stop in time"),
        }
        shared.store.close().await;
    }

    /// Everything that runs. Each has its parent here.
    fn spawn(&mut self, ends: Ends) {
        let (h, stop) = (self.shared.clone(), self.shared.closing.clone());
        self.turns.spawn(self.watched("the turns' lanes", async move {
            let work = h.clone();
            h.turns.run(stop, move |session| turn::run(work.clone(), session)).await;
        }));
        let (h, stop) = (self.shared.clone(), self.quiet.clone());
        self.keepers.spawn(self.watched("the outbox's lanes", async move {
            let work = h.clone();
            h.outbox.run(stop, move |address| outbox::send_next(work.clone(), address)).await;
        }));
        let announce = outbox::announce(self.shared.clone(), ends.rows, self.told.clone());
        self.announcer.spawn(self.watched("the announcer", announce));
        let commands = commands::run(self.shared.clone(), ends.commands, self.quiet.clone());
        self.keepers.spawn(self.watched("the commands", commands));
        let sweep = sweep::run(self.shared.clone(), self.quiet.clone());
        self.keepers.spawn(self.watched("the sweeps", sweep));
        let (h, stop) = (self.shared.clone(), self.quiet.clone());
        let hooks = async move { h.hooks.run(ends.moments, stop).await };
        self.keepers.spawn(self.watched("the onlooking hooks", hooks));
        let (h, stop) = (self.shared.clone(), self.shared.closing.clone());
        self.receivers.spawn(self.watched("the adapters", async move {
            let inbox = Arc::new(GateInbox(h.clone()));
            h.adapters.run(inbox, stop).await;
        }));
    }

    /// A part of the runtime that ends before it was told to takes the gateway with it: half a gateway looks
    /// healthy and is not, and a restart loses nothing.
    fn watched(
        &self,
        what: &'static str,
        part: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (shared, fallen) = (self.shared.clone(), self.fallen.clone());
        async move {
            let ended = AssertUnwindSafe(part).catch_unwind().await;
            if ended.is_err() || !shared.closing.is_cancelled() {
                tracing::error!(part = what, panicked = ended.is_err(), "a part of the gateway has ended");
                fallen.send_replace(Some(what));
            }
        }
    }

    /// Goes on with what an earlier life left.
    fn resume(&self, found: Recovered) {
        if found.resumed + found.interrupted + found.dead + found.parts > 0 {
            tracing::info!(
                resumed = found.resumed,
                interrupted = found.interrupted,
                dead = found.dead,
                parts = found.parts,
                "recovered from an unfinished life"
            );
        }
        for session in &found.sessions {
            match found.albums.contains(session) {
                true => self.shared.turns.wake_after(session, ALBUM),
                false => self.shared.turns.wake(session),
            }
        }
        for command in found.commands {
            if self.shared.commands.send(command).is_err() {
                tracing::error!(%command, "a waiting command found nobody to run it");
            }
        }
        for address in &found.addresses {
            self.shared.outbox.wake(address);
        }
    }
}

async fn drained(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the runtime was aborted");
        }
    }
}

async fn build(setup: Setup) -> Result<(Arc<Shared>, Ends), StartError> {
    check(&setup)?;
    let resets = ResetRules::parse(&setup.config.sessions.reset, &setup.routing, setup.timezone)?;
    let channels: BTreeSet<String> =
        setup.adapters.iter().map(|adapter| adapter.profile().channel.to_owned()).collect();
    let renderer = ProfileRenderer::new(setup.adapters.iter().map(|adapter| adapter.profile().clone()));
    let (announcer, rows) = Announcer::new();
    let store = Store::open(Options {
        path: setup.database,
        boot: setup.boot.clone(),
        renderer: Arc::new(renderer),
        listener: Arc::new(announcer),
        readers: READERS,
    })
    .await?;
    let media = Media::open(&setup.media, setup.config.media.clone()).map_err(StartError::Media)?;
    let (commands, waiting_commands) = mpsc::unbounded_channel();
    let (hooks, moments) = Hooks::new(setup.hooks, setup.clock.clone());
    let groups =
        setup.agents.iter().filter_map(|(name, entry)| Some((name.clone(), entry.max_turns?))).collect();
    let turns = Caps { total: setup.config.turns.max, groups };
    let sends = Caps {
        total: SENDS * channels.len().max(1),
        groups: channels.into_iter().map(|channel| (channel, SENDS)).collect(),
    };
    let access = Access::new(setup.access, store.access_state().await?, &setup.clock);
    let adapters = Adapters::new(setup.adapters, &store.house_name().await?, setup.clock.clone());
    adapters.switch(|place| access.stopped(place).map(|row| row.by));
    let zone = resets.zone();
    let (wall, elapsed) = (setup.clock.wall(), setup.clock.elapsed());
    // What a wrong clock deletes is gone: a date far ahead of the last one that was believed is believed after a day.
    let likely = store.believed_date().await?.and_then(|believed| believed.checked_add_signed(LIKELY_REST));
    let shared = Shared {
        boot: setup.boot.to_string(),
        started: wall,
        steady: Steady::begun(wall, elapsed),
        ages: Mutex::new(CautiousCalendar::begun(wall, elapsed)),
        purges: Mutex::new(CautiousCalendar::begun(likely.map_or(wall, |likely| likely.min(wall)), elapsed)),
        store,
        resets,
        zone,
        limits: Limits::new(&setup.config.limits, &setup.routing, &setup.clock),
        adapters,
        turns: Lanes::new(setup.clock.clone(), turns, |session| session.agent()),
        outbox: Lanes::new(setup.clock.clone(), sends, |address| address.channel()),
        hooks,
        commands,
        clock: setup.clock,
        config: setup.config,
        routing: setup.routing,
        access,
        problems: setup.problems,
        grant_rule: setup.grant_rule,
        secret: setup.secret,
        media,
        agents: setup.agents,
        default_agent: setup.default_agent,
        cancels: Cancels::default(),
        unread: Unread::default(),
        causes: Causes::default(),
        recent: Recent::default(),
        closing: Stop::new(),
        drain: Stop::new(),
        storage: StorageHealth::default(),
        background: TaskTracker::new(),
        lifecycle: watch::Sender::new(None),
    };
    Ok((Arc::new(shared), Ends { rows, commands: waiting_commands, moments }))
}

/// What no part can check alone.
fn check(setup: &Setup) -> Result<(), ConfigError> {
    setup.config.check()?;
    let known = |path: String, agent: &str| match setup.agents.contains_key(agent) || setup.agents.is_empty()
    {
        true => Ok(()),
        false => {
            let names: Vec<&str> = setup.agents.keys().map(String::as_str).collect();
            let problem = format!("there is no agent `{agent}`; there are: {}", names.join(", "));
            Err(ConfigError::new(path, problem))
        }
    };
    known("default_agent".to_owned(), &setup.default_agent)?;
    for (account, routing) in &setup.routing {
        let channel = account.channel();
        if let Some(agent) = &routing.agent {
            known(format!("channels.{channel}.agent"), agent)?;
        }
        for (id, chat) in &routing.chats {
            if let Some(agent) = &chat.agent {
                known(format!("channels.{channel}.chats.\"{id}\".agent"), agent)?;
            }
        }
    }
    Ok(())
}

fn recovery(shared: &Shared) -> Recovery {
    Recovery {
        now: shared.clock.wall(),
        max_deaths: shared.config.turns.max_attempts,
        resend: shared.config.delivery.on_ambiguous == Ambiguous::Resend,
    }
}
