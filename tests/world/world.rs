//! The gateway and everything around it.

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
use frontdesk_runtime::{AgentEntry, GatewayHandle, Running, Setup, StartError};
use frontdesk_store::row::{HistoryRow, OutboxRow, Scope, SessionRow};
use tempfile::TempDir;

use crate::agent::{Held, ScriptedAgent};
use crate::clock::ManualClock;
use crate::patience::{soon, until};
use crate::platform::{CHANNEL, FakeAdapter, Platform};
use crate::setup::{Plan, plan};
use crate::user::User;

/// See the crate.
pub struct World {
    plan: Plan,
    home: TempDir,
    clock: Arc<ManualClock>,
    agent: Arc<ScriptedAgent>,
    platform: Arc<Platform>,
    running: Option<Running>,
    boots: u64,
    agent_name: String,
    beats: AtomicUsize,
}

impl World {
    /// A world without wishes, at work.
    pub async fn new() -> World {
        World::with(plan()).await
    }

    /// A world as wished, at work.
    pub async fn with(plan: Plan) -> World {
        let mut world = World {
            home: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(&plan.start)),
            agent: Arc::default(),
            platform: Platform::new(plan.flow, plan.pacing, plan.media, &crate::dialect::DIALECT),
            running: None,
            boots: 0,
            agent_name: "main".to_owned(),
            beats: AtomicUsize::new(0),
            plan,
        };
        world.start().await.unwrap();
        world
    }

    /// Starts the gateway, on the same disk.
    pub async fn start(&mut self) -> Result<(), StartError> {
        self.boots += 1;
        let agent =
            AgentEntry { agent: Arc::new(Held(self.agent.clone())), max_turns: self.plan.agent_turns };
        let account = AccountId::default_of(CHANNEL);
        let setup = Setup {
            config: self.plan.config.clone(),
            database: self.home.path().join("frontdesk.db"),
            boot: BootId::from_bits(self.boots),
            timezone: Tz::UTC,
            clock: self.clock.clone(),
            agents: BTreeMap::from([(self.agent_name.clone(), agent)]),
            default_agent: self.agent_name.clone(),
            adapters: vec![Arc::new(FakeAdapter(self.platform.clone())) as Arc<dyn Adapter>],
            media: self.home.path().join("media"),
            secret: [7; 32],
            routing: BTreeMap::from([(account.clone(), self.plan.routing.clone())]),
            access: BTreeMap::from([(account, self.plan.access.clone())]),
            problems: Vec::new(),
            grant_rule: only_people,
            hooks: self.plan.hooks.clone(),
        };
        self.running = Some(Running::start(setup).await?);
        Ok(())
    }

    /// The process dies here, and nothing is put in order.
    pub async fn crash(&mut self) {
        let store = self.handle().store().clone();
        self.running = None;
        // In one process the writer's thread outlives its owner; wait until the file is free again.
        soon("the database is let go", store.close()).await;
    }

    /// An orderly stop.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            soon("the gateway stops", running.stop()).await;
        }
    }

    /// The handle on the gateway.
    pub fn handle(&self) -> &GatewayHandle {
        self.running.as_ref().expect("the gateway runs").handle()
    }

    /// The gateway itself.
    pub fn running(&mut self) -> Running {
        self.running.take().expect("the gateway runs")
    }

    /// Time.
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

    /// The database's folder.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// The folder for files.
    pub fn media(&self) -> std::path::PathBuf {
        self.home.path().join("media")
    }

    /// Somebody with a private chat.
    pub fn user(&self, name: &str) -> User {
        User { platform: self.platform.clone(), name: name.to_owned(), read: AtomicUsize::new(0) }
    }

    /// The key of somebody's private chat.
    pub fn key(&self, name: &str) -> SessionKey {
        format!("agent:main:{CHANNEL}:dm:{name}").parse().unwrap()
    }

    /// Somebody's session as it stands.
    pub async fn session(&self, name: &str) -> SessionRow {
        self.handle().store().session(&self.key(name)).await.unwrap().expect("there is such a session")
    }

    /// Somebody's history, oldest first.
    pub async fn history(&self, name: &str) -> Vec<HistoryRow> {
        let mut rows = self.handle().store().history(&self.key(name), None, None, 1000).await.unwrap();
        rows.sort_by_key(|row| row.message.id);
        rows
    }

    /// How a message stands.
    pub async fn message(&self, id: MessageId) -> HistoryRow {
        self.handle().store().message(id).await.unwrap().expect("there is such a message")
    }

    /// Waits until a message has come to its end, and returns how.
    pub async fn ended(&self, id: MessageId) -> HistoryRow {
        until(&format!("{id} comes to its end"), || async {
            let row = self.message(id).await;
            (!matches!(row.message.state.as_str(), "waiting" | "in_turn")).then_some(row)
        })
        .await
    }

    /// The outbox, oldest first.
    pub async fn outbox(&self) -> Vec<OutboxRow> {
        let mut rows = self.handle().store().parts(None, None, 1000).await.unwrap();
        rows.sort_by_key(|row| row.post.out);
        rows
    }

    /// Waits until somebody sleeps until exactly `time` from now: a deadline was set.
    pub async fn asleep(&self, time: Duration) {
        until(&format!("somebody sleeps for {time:?}"), || async {
            self.clock.has_sleeper(time).then_some(())
        })
        .await;
    }

    /// Returns when a message of somebody else has gone all the way through the house: whatever had been made
    /// ready before it has had its turn. No time passes.
    pub async fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        let beat = self.user(&format!("beat{}", self.beats.load(Ordering::Relaxed)));
        beat.says("/whoami").await;
        beat.hears().await;
    }

    /// From the next start on the only agent has this name.
    pub fn rename_agent(&mut self, name: &str) {
        name.clone_into(&mut self.agent_name);
    }

    /// Waits until nothing waits and nothing is on its way; the end of a scenario.
    pub async fn at_rest(&self) {
        until("the house is at rest", || async {
            let totals = self.handle().store().totals().await.unwrap();
            (totals.waiting == 0 && totals.running == 0 && totals.outbox == 0).then_some(())
        })
        .await;
    }
}

/// The platform's rule for grants: its groups begin with a dash, and its names with an at sign.
fn only_people(principal: &Principal, _: &Scope) -> Result<(), String> {
    match principal.id().starts_with(['-', '@']) {
        true => Err("this names nobody".to_owned()),
        false => Ok(()),
    }
}
