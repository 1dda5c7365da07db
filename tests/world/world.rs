//! The gateway of a test with its clock, agent and platform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono_tz::Tz;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::id::{BootId, MessageId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Adapter;
use frontdesk_core::voice::Transcriber;
use frontdesk_runtime::{AgentEntry, GatewayHandle, Running, Setup, StartError};
use frontdesk_store::Store;
use frontdesk_store::row::{HistoryRow, OutboxRow, Scope, SessionRow};
use tempfile::TempDir;

use crate::agent::{AgentHandle, ScriptedAgent};
use crate::clock::ManualClock;
use crate::platform::{CHANNEL, FakeAdapter, Platform};
use crate::setup::{Plan, plan};
use crate::user::User;
use crate::wait::{soon, until};
use crate::web::WebServer;

/// A gateway with its clock, agent and platform.
pub struct World {
    pub(crate) plan: Plan,
    home: TempDir,
    clock: Arc<ManualClock>,
    pub(crate) agent: Arc<ScriptedAgent>,
    pub(crate) platform: Arc<Platform>,
    web: Arc<WebServer>,
    running: Option<Running>,
    boots: u64,
    pub(crate) agent_name: String,
    round_trips: AtomicUsize,
}

impl World {
    /// A world with the default settings, started.
    pub async fn new() -> World {
        World::with(plan()).await
    }

    /// A world with these settings, started.
    pub async fn with(plan: Plan) -> World {
        let mut world = World {
            home: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(&plan.start)),
            agent: Arc::default(),
            platform: Platform::new(&plan, &crate::dialect::DIALECT),
            web: Arc::default(),
            running: None,
            boots: 0,
            agent_name: "main".to_owned(),
            round_trips: AtomicUsize::new(0),
            plan,
        };
        world.start().await.unwrap();
        world
    }

    /// Starts the gateway on the same home folder.
    pub async fn start(&mut self) -> Result<(), StartError> {
        self.boots += 1;
        let agent =
            AgentEntry { agent: Arc::new(AgentHandle(self.agent.clone())), max_turns: self.plan.agent_turns };
        let account = AccountId::default_of(CHANNEL);
        let setup = Setup {
            config: self.plan.config.clone(),
            database: self.home.path().join("frontdesk.db"),
            boot: BootId::from_bits(self.boots),
            timezone: Tz::UTC,
            clock: self.clock.clone(),
            agents: [(self.agent_name.clone(), agent)].into_iter().chain(self.more_agents()).collect(),
            default_agent: self.agent_name.clone(),
            transcriber: self.plan.transcriber.clone().map(|scripted| scripted as Arc<dyn Transcriber>),
            adapters: vec![Arc::new(FakeAdapter(self.platform.clone())) as Arc<dyn Adapter>],
            channels: vec![FakeAdapter(self.platform.clone()).profile().clone()],
            media: self.home.path().join("media"),
            secret: [7; 32],
            routing: BTreeMap::from([(account.clone(), self.plan.routing.clone())]),
            access: BTreeMap::from([(account, self.plan.access.clone())]),
            problems: Vec::new(),
            grant_rule: Arc::new(only_people),
            shown: serde_json::json!({"gateway": {"port": 3847}}),
            hooks: self.plan.hooks.clone(),
            operator: Principal::new(CHANNEL, None, "root").unwrap(),
            instructions: vec![self.home.path().to_owned()],
            webhooks: self.web.clone(),
            obeys_admins: !self.plan.embedded,
            tool_endpoints: None,
        };
        self.running = Some(Running::start(setup).await?);
        Ok(())
    }

    fn more_agents(&self) -> impl Iterator<Item = (String, AgentEntry)> {
        self.plan.more_agents.iter().map(|(name, agent)| {
            (name.clone(), AgentEntry { agent: Arc::new(AgentHandle(agent.clone())), max_turns: None })
        })
    }

    /// The process dies here: nothing is shut down in order.
    pub async fn crash(&mut self) {
        let store = self.store().clone();
        self.running = None;
        // In one process the writer's thread outlives its owner; wait until it has closed the file.
        soon("the database is closed", store.close()).await;
    }

    /// Changes the settings with which the next start begins.
    pub fn change_plan(&mut self, change: impl FnOnce(Plan) -> Plan) {
        self.plan = change(self.plan.clone());
    }

    /// An orderly stop.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            soon("the gateway stops", running.stop()).await;
        }
    }

    /// The database, also for what no handle may do.
    pub fn store(&self) -> &Store {
        self.running.as_ref().expect("the gateway runs").store()
    }

    /// The handle on the gateway.
    pub fn handle(&self) -> &GatewayHandle {
        self.running.as_ref().expect("the gateway runs").handle()
    }

    /// The gateway itself.
    pub fn running(&mut self) -> Running {
        self.running.take().expect("the gateway runs")
    }

    /// The clock.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The agent.
    pub fn agent(&self) -> &ScriptedAgent {
        &self.agent
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The web server to which results are posted.
    pub fn web(&self) -> &WebServer {
        &self.web
    }

    /// The platform, for another adapter.
    pub fn shared_platform(&self) -> Arc<Platform> {
        self.platform.clone()
    }

    /// The database's folder.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// The folder for files.
    pub fn media(&self) -> std::path::PathBuf {
        self.home.path().join("media")
    }

    /// A person with a private chat.
    pub fn user(&self, name: &str) -> User {
        User { platform: self.platform.clone(), name: name.to_owned(), read: AtomicUsize::new(0) }
    }

    /// A person with a private chat on another account.
    pub fn user_of(&self, platform: &Arc<Platform>, name: &str) -> User {
        User { platform: platform.clone(), name: name.to_owned(), read: AtomicUsize::new(0) }
    }

    /// The session key of a person's private chat.
    pub fn key(&self, name: &str) -> SessionKey {
        format!("agent:main:{CHANNEL}:dm:{name}").parse().unwrap()
    }

    /// The session of a person's private chat.
    pub async fn session(&self, name: &str) -> SessionRow {
        self.handle().store().session(&self.key(name)).await.unwrap().expect("there is such a session")
    }

    /// The history of a person's private chat, oldest first.
    pub async fn history(&self, name: &str) -> Vec<HistoryRow> {
        let mut rows = self.handle().store().history(&self.key(name), None, None, 1000).await.unwrap();
        rows.sort_by_key(|row| row.message.id);
        rows
    }

    /// A message with its state.
    pub async fn message(&self, id: MessageId) -> HistoryRow {
        self.handle().store().message(id).await.unwrap().expect("there is such a message")
    }

    /// Waits until a message has reached a final state, and returns it.
    pub async fn ended(&self, id: MessageId) -> HistoryRow {
        until(&format!("{id} reaches a final state"), || async {
            let row = self.message(id).await;
            (!matches!(row.message.state.name(), "waiting" | "in_turn")).then_some(row)
        })
        .await
    }

    /// The outbox, oldest first.
    pub async fn outbox(&self) -> Vec<OutboxRow> {
        let mut rows = self.handle().store().parts(None, None, 1000).await.unwrap();
        rows.sort_by_key(|row| row.post.out);
        rows
    }

    /// Waits until a task sleeps until exactly `time` from now: a deadline was set.
    pub async fn asleep(&self, time: Duration) {
        until(&format!("a task sleeps for {time:?}"), || async {
            self.clock.has_sleeper(time).then_some(())
        })
        .await;
    }

    /// Sends a message of another person and waits for its reply, so that everything that was due before it has been
    /// handled. No time passes.
    pub async fn round_trip(&self) {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        let probe = self.user(&format!("probe{}", self.round_trips.load(Ordering::Relaxed)));
        probe.says("/whoami").await;
        probe.hears().await;
    }

    /// Renames the only agent from the next start on.
    pub fn rename_agent(&mut self, name: &str) {
        name.clone_into(&mut self.agent_name);
    }

    /// Waits until no message waits, no turn runs and the outbox is empty; the end of a scenario.
    pub async fn at_rest(&self) {
        until("nothing waits, runs or is in the outbox", || async {
            let totals = self.handle().store().totals().await.unwrap();
            (totals.waiting == 0 && totals.running == 0 && totals.outbox == 0).then_some(())
        })
        .await;
    }
}

/// The platform's rule for grants: ids of groups begin with a dash, and names with an at sign.
fn only_people(principal: &Principal, _: &Scope) -> Result<(), String> {
    match principal.id().starts_with(['-', '@']) {
        true => Err("this names nobody".to_owned()),
        false => Ok(()),
    }
}
