//! A reload of the gateway's configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::port::{Adapter, Agent};
use frontdesk_core::voice::Transcriber;
use frontdesk_runtime::{GatewayHandle, Next, NextAgent, Part, ReloadError, TakenOver};

use crate::agent::{AgentHandle, ScriptedAgent};
use crate::platform::{FakeAdapter, Platform};
use crate::setup::Plan;
use crate::transcriber::ScriptedTranscriber;
use crate::world::World;

/// The next configuration of a world. What a test does not change stays as it is.
pub struct Reload {
    plan: Plan,
    agent_name: String,
    agent: Part<Arc<dyn Agent>>,
    /// What transcribes now.
    transcriber: Option<Arc<ScriptedTranscriber>>,
    /// Names of the other agents that run.
    known: Vec<String>,
    accounts: BTreeMap<AccountId, Part<Arc<dyn Adapter>>>,
    /// Accounts that are not connected and have the default rules, as a platform has whose section is gone.
    off: Vec<AccountId>,
}

impl World {
    /// The next configuration, which is the present one until a test changes it.
    pub fn reload(&self) -> Reload {
        let connected = self.handle().accounts().into_iter().map(|account| (account.id, Part::Kept));
        Reload {
            plan: self.plan.clone(),
            agent_name: self.agent_name.clone(),
            agent: Part::Kept,
            transcriber: self.plan.transcriber.clone(),
            known: self.plan.more_agents.keys().cloned().collect(),
            accounts: connected.collect(),
            off: Vec::new(),
        }
    }
}

impl Reload {
    /// Changes the settings.
    #[must_use]
    pub fn plan(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.plan = change(self.plan);
        self
    }

    /// Adds an account, or connects it anew.
    #[must_use]
    pub fn account(mut self, platform: &Arc<Platform>) -> Self {
        let adapter: Arc<dyn Adapter> = Arc::new(FakeAdapter(platform.clone()));
        self.accounts.insert(platform.account().clone(), Part::New(adapter));
        self
    }

    /// Removes an account.
    #[must_use]
    pub fn without(mut self, account: &AccountId) -> Self {
        self.accounts.remove(account);
        self
    }

    /// Removes an account of which the configuration still knows the platform.
    #[must_use]
    pub fn off(mut self, account: &AccountId) -> Self {
        self.off.push(account.clone());
        self.without(account)
    }

    /// Replaces the agent.
    #[must_use]
    pub fn agent(mut self, agent: &Arc<ScriptedAgent>) -> Self {
        self.agent = Part::New(Arc::new(AgentHandle(agent.clone())));
        self
    }

    /// Replaces the agent by one of another name.
    #[must_use]
    pub fn agent_named(mut self, name: &str, agent: &Arc<ScriptedAgent>) -> Self {
        name.clone_into(&mut self.agent_name);
        self.agent(agent)
    }

    /// Has the gateway take it over. Further reloads begin with its settings.
    pub async fn apply(self, world: &mut World) -> Result<(), ReloadError> {
        let (plan, agent_name) = (self.plan.clone(), self.agent_name.clone());
        let taken_over = self.give_to(world.handle()).await?;
        assert_eq!(taken_over, TakenOver::default());
        (world.plan, world.agent_name) = (plan, agent_name);
        Ok(())
    }

    /// Has a gateway take it over.
    pub async fn give_to(self, handle: &GatewayHandle) -> Result<TakenOver, ReloadError> {
        let Reload { plan, agent_name, agent, transcriber, known, accounts, off } = self;
        let same = match (&transcriber, &plan.transcriber) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        let ids = || accounts.keys().cloned();
        let others = plan.more_agents.iter().map(|(name, agent)| {
            let agent: Part<Arc<dyn Agent>> = match known.contains(name) {
                true => Part::Kept,
                false => Part::New(Arc::new(AgentHandle(agent.clone()))),
            };
            (name.clone(), NextAgent { agent, max_turns: None })
        });
        let main = (agent_name.clone(), NextAgent { agent, max_turns: plan.agent_turns });
        let next = Next {
            config: plan.config.clone(),
            agents: others.chain([main]).collect(),
            default_agent: agent_name,
            transcriber: plan.transcriber.clone().map(|scripted| match same {
                true => Part::Kept,
                false => Part::New(scripted as Arc<dyn Transcriber>),
            }),
            routing: ids().map(|id| (id, plan.routing.clone())).collect(),
            access: ids()
                .map(|id| (id, plan.access.clone()))
                .chain(off.into_iter().map(|id| (id, ChannelAccess::default())))
                .collect(),
            accounts,
            problems: Vec::new(),
            shown: serde_json::Value::Null,
        };
        handle.reload(next).await
    }
}
