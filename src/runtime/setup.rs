//! Builds the shared state of a gateway from its setup.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use frontdesk_core::account::AccountId;
use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::log_limit::LogLimit;
use frontdesk_core::port::{Adapter, Clock};
use frontdesk_store::row::OutboxRow;
use frontdesk_store::{Options, Store};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use tokio_util::task::TaskTracker;

use crate::access::{Access, AccessRules};
use crate::activity::ActivityLog;
use crate::adapters::Adapters;
use crate::announcer::Announcer;
use crate::asks::Asks;
use crate::client_tools::OfferedTools;
use crate::config::{JoinedSessions, ResetRules};
use crate::failures::TurnFailures;
use crate::health::StorageHealth;
use crate::hooks::Hooks;
use crate::inbound::Inbound;
use crate::instructions::Instructions;
use crate::lanes::{Class, LaneLimits, Lanes};
use crate::last_check::LastCheck;
use crate::limits::Limits;
use crate::media::Media;
use crate::minutes::Minutes;
use crate::process::Process;
use crate::renderer::ProfileRenderer;
use crate::running_turns::RunningTurns;
use crate::scheduler::Scheduler;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::task_changes::TaskChanges;
use crate::time::Time;
use crate::voice::ActiveTranscriber;
use crate::waiting_marks::{Markable, WaitingMarks};
use crate::work::Work;
use crate::{Setup, StartError};

/// Maximum number of concurrent requests to one platform. One that hangs delays only its own chat.
const SENDS: usize = 64;
/// Number of read connections beside the writer.
const READERS: usize = 2;

/// The receiving ends of the channels between the parts of the runtime.
pub(crate) struct Receivers {
    /// Outgoing rows, in the order of commit.
    pub(crate) rows: mpsc::UnboundedReceiver<OutboxRow>,
    pub(crate) commands: mpsc::UnboundedReceiver<MessageId>,
    pub(crate) hook_events: mpsc::Receiver<HookEvent>,
    /// Messages that may have to wait.
    pub(crate) accepted: mpsc::UnboundedReceiver<Markable>,
}

pub(crate) async fn build(setup: Setup) -> Result<(Arc<Shared>, Receivers), StartError> {
    setup.config.check()?;
    let settings = settings(&setup)?;
    settings.check()?;
    let Setup {
        database, boot, clock, adapters, channels, media, hooks, obeys_admins, tool_endpoints, ..
    } = setup;
    let profiles = channels.into_iter().chain(adapters.iter().map(|adapter| adapter.profile().clone()));
    let (hooks, hook_events) = Hooks::new(hooks, clock.clone());
    let renderer = Arc::new(ProfileRenderer::new(profiles, hooks.any(HookPoint::MessageSending)));
    let access = Arc::new(Access::new(&clock));
    let asks = Arc::new(Asks::default());
    let (announcer, rows) = Announcer::new(access.clone(), asks.clone());
    let listener = Arc::new(announcer);
    let now = clock.wall();
    let last_check = LastCheck::beside(&database);
    let options = Options {
        path: database,
        boot: boot.clone(),
        now,
        renderer: renderer.clone(),
        listener,
        readers: READERS,
    };
    let store = Store::open(options).await?;
    let (commands, waiting_commands) = mpsc::unbounded_channel();
    let (marks, accepted) = WaitingMarks::new();
    access.replace(store.access_state().await?);
    let jobs = Scheduler::new(setup.operator, setup.webhooks);
    let work = work(&clock, &settings, &adapters, (commands, marks, asks, jobs));
    let adapters = Adapters::new(adapters, &store.database_name().await?, &access, &clock);
    let shared = Shared {
        process: Process::new(boot.to_string(), clock.wall(), obeys_admins, tool_endpoints),
        inbound: Inbound::default(),
        media: Media::open(&media, settings.config.media.clone()).map_err(StartError::Media)?,
        time: Time::new(clock, store.believed_date().await?),
        health: StorageHealth::default(),
        minutes: Minutes::default(),
        last_check,
        instructions: Instructions::new(setup.instructions),
        renderer,
        reloading: AsyncMutex::new(()),
        snapshot: ArcSwap::from_pointee(settings),
        store,
        access,
        work,
        adapters,
        hooks,
    };
    Ok((Arc::new(shared), Receivers { rows, commands: waiting_commands, hook_events, accepted }))
}

/// The first settings.
fn settings(setup: &Setup) -> Result<Settings, StartError> {
    let Setup { config, clock, adapters, routing, .. } = setup;
    let access = AccessRules::new(setup.access.clone());
    let connected = adapters.iter().map(|adapter| adapter.account().clone()).collect();
    Ok(Settings {
        resets: ResetRules::parse(&config.sessions.reset, routing, setup.timezone)?,
        joined: JoinedSessions::parse(&config.sessions.shared)?,
        machine_zone: setup.timezone,
        limits: Limits::new(&config.limits, routing, None, clock),
        config: config.clone(),
        routing: routing.clone(),
        access_when_connected: access.when_connected(&AccessRules::default(), &connected),
        access,
        agents: setup.agents.iter().map(|(name, entry)| (name.clone(), entry.clone().into())).collect(),
        default_agent: setup.default_agent.clone(),
        voice: setup.transcriber.clone().map(ActiveTranscriber::from),
        grant_rule: setup.grant_rule.clone(),
        pairing_secret: setup.secret,
        problems: setup.problems.clone(),
        shown: Arc::new(setup.shown.clone()),
    })
}

/// No work yet.
fn work(
    clock: &Arc<dyn Clock>,
    settings: &Settings,
    adapters: &[Arc<dyn Adapter>],
    (commands, marks, asks, jobs): (mpsc::UnboundedSender<MessageId>, WaitingMarks, Arc<Asks>, Scheduler),
) -> Work {
    let sends = send_limits(adapters.iter().map(|adapter| adapter.account()));
    Work {
        activity: ActivityLog::default(),
        turns: Lanes::new(clock.clone(), settings.turn_limits(), |session| session.agent(), class_of),
        running: RunningTurns::default(),
        failures: TurnFailures::default(),
        outbox: Lanes::new(clock.clone(), sends, |address| address.channel(), |_| Class::People),
        postponed: LogLimit::default(),
        part_ended: Notify::new(),
        commands,
        marks,
        asks,
        tasks: TaskChanges::default(),
        jobs,
        client_tools: OfferedTools::default(),
        background: TaskTracker::new(),
    }
}

/// Whether people wait for the turns of a session.
fn class_of(session: &SessionKey) -> Class {
    if session.scope().is_background() { Class::Background } else { Class::People }
}

/// How many requests may be made at once to the platforms of these accounts.
pub(crate) fn send_limits<'a>(accounts: impl Iterator<Item = &'a AccountId>) -> LaneLimits {
    let channels: BTreeSet<&str> = accounts.map(AccountId::channel).collect();
    LaneLimits {
        total: SENDS * channels.len().max(1),
        groups: channels.into_iter().map(|channel| (channel.to_owned(), SENDS)).collect(),
    }
}
