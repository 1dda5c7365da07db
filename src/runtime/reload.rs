//! Takes over another configuration while the gateway runs.
//!
//! The snapshot is replaced as a whole. Accounts and agents that stay the same keep their connections, their processes and
//! what runs on them; turns keep the snapshot with which they began.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::config::ConfigError;
use frontdesk_core::port::{Adapter, Agent};
use frontdesk_core::voice::Transcriber;
use frontdesk_store::StoreError;

use crate::AgentEntry;
use crate::access::AccessRules;
use crate::active_agents::{ActiveAgent, ActiveAgents};
use crate::adapters::Login;
use crate::config::{Config, JoinedSessions, ResetRules, Routing};
use crate::jobs;
use crate::limits::Limits;
use crate::logins;
use crate::settings::Settings;
use crate::setup::send_limits;
use crate::shared::Shared;

/// What a reload does with one part of the gateway.
#[derive(Debug, Clone)]
pub enum Part<T> {
    /// It goes on as it is.
    Kept,
    /// It is new, or replaces the one of the same name.
    New(T),
}

/// One agent of the next configuration.
pub struct NextAgent {
    /// The agent.
    pub agent: Part<Arc<dyn Agent>>,
    /// How many of its turns may run at once.
    pub max_turns: Option<usize>,
}

/// The configuration that replaces the present one. Agents and accounts that it does not name are removed.
pub struct Next {
    /// The runtime's configuration.
    pub config: Config,
    /// The agents, by name. One that is replaced or removed ends its running turns first.
    pub agents: BTreeMap<String, NextAgent>,
    /// The agent of chats that name none.
    pub default_agent: String,
    /// What transcribes recordings. One that is replaced or removed ends what it does first.
    pub transcriber: Option<Part<Arc<dyn Transcriber>>>,
    /// The accounts. One that is replaced reconnects.
    pub accounts: BTreeMap<AccountId, Part<Arc<dyn Adapter>>>,
    /// Where messages go, by account.
    pub routing: BTreeMap<AccountId, Routing>,
    /// Who may write, by account. What people have open who are not named any more ends, as at a revocation; what belongs to
    /// accounts that are not connected waits.
    pub access: BTreeMap<AccountId, ChannelAccess>,
    /// Problems of the configuration, one sentence each, for the status.
    pub problems: Vec<String>,
    /// The configuration without secrets, which hooks are given.
    pub shown: serde_json::Value,
}

/// Why a configuration was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration is wrong. The present one stays in use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The gateway is stopping.
    #[error("the gateway is stopping, so the configuration is not reloaded")]
    Stopping,
    /// The database failed. The present configuration stays in use.
    #[error(
        "the database failed, so the configuration was not applied and the previous one stays in use; reload again: {0}"
    )]
    Store(#[from] StoreError),
}

/// A configuration was applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct TakenOver {
    /// What could not be done after that, because the database failed, one sentence each. The health shows it until the
    /// next reload that misses nothing.
    pub unfinished: Vec<String>,
}

/// Takes over a configuration. Nothing has changed if this fails.
pub(crate) async fn take_over(shared: &Arc<Shared>, next: Next) -> Result<TakenOver, ReloadError> {
    let _alone = shared.reloading.lock().await;
    if shared.process.closing.is_cancelled() {
        return Err(ReloadError::Stopping);
    }
    let before = shared.settings();
    let (after, accounts) = settings(shared, &before, next)?;
    let after = Arc::new(after);
    let new = accounts.values().filter_map(|part| match part {
        Part::New(adapter) => Some(adapter.clone()),
        Part::Kept => None,
    });
    let logins = logins::compared(shared, new.collect()).await?;
    let added = replace(shared, &after, accounts, &logins);
    shared.access.rules_changed();
    for (_, agent) in
        before.agents.iter().filter(|(name, old)| after.agents.get(*name).is_none_or(|new| !new.is(old)))
    {
        shared.work.background.spawn(agent.clone().retire());
    }
    if let Some(old) = &before.voice
        && after.voice.as_ref().is_none_or(|new| !new.is(old))
    {
        shared.work.background.spawn(old.clone().retire());
    }
    let mut unfinished = Vec::new();
    if let Err(error) =
        shared.end_lost_access(&before.access_when_connected, &after.access_when_connected).await
    {
        unfinished.push(format!(
            "what people have open who lost access was not ended; their waiting messages are refused when their turn \
             comes: {error}"
        ));
    }
    if let Err(error) = jobs::sync(shared).await {
        unfinished.push(format!(
            "the scheduled jobs are still those of the previous configuration; reload again: {error}"
        ));
    }
    if let Err(error) = wake(shared, &added).await {
        unfinished.push(format!(
            "what waits on accounts that are connected again may go on waiting; reload again: {error}"
        ));
    }
    shared.process.reload_unfinished.send_replace(unfinished.clone());
    Ok(TakenOver { unfinished })
}

type Accounts = BTreeMap<AccountId, Part<Arc<dyn Adapter>>>;

/// The next snapshot, checked.
fn settings(shared: &Shared, before: &Settings, next: Next) -> Result<(Settings, Accounts), ConfigError> {
    next.config.check()?;
    let Next { config, agents, default_agent, transcriber, accounts, routing, access, problems, shown } =
        next;
    let known = shared.adapters.ids();
    if let Some((account, _)) =
        accounts.iter().find(|(id, part)| matches!(part, Part::Kept) && !known.contains(id))
    {
        return Err(ConfigError::new(
            "channels",
            format!("the account {account} is not connected, so it cannot stay"),
        ));
    }
    let access = AccessRules::new(access);
    let connected = accounts.keys().cloned().collect();
    let settings = Settings {
        resets: ResetRules::parse(&config.sessions.reset, &routing, before.machine_zone)?,
        joined: JoinedSessions::parse(&config.sessions.shared)?,
        machine_zone: before.machine_zone,
        limits: Limits::new(&config.limits, &routing, Some(&before.limits), shared.time.clock()),
        config,
        routing,
        access_when_connected: access.when_connected(&before.access_when_connected, &connected),
        access,
        agents: active(&before.agents, agents)?,
        default_agent,
        voice: match transcriber {
            Some(Part::New(transcriber)) => Some(transcriber.into()),
            Some(Part::Kept) => before.voice.clone(),
            None => None,
        },
        grant_rule: before.grant_rule.clone(),
        pairing_secret: before.pairing_secret,
        problems,
        shown: Arc::new(shown),
    };
    settings.check()?;
    Ok((settings, accounts))
}

fn active(before: &ActiveAgents, next: BTreeMap<String, NextAgent>) -> Result<ActiveAgents, ConfigError> {
    let one = |(name, next): (String, NextAgent)| {
        let agent: ActiveAgent = match next.agent {
            Part::New(agent) => AgentEntry { agent, max_turns: next.max_turns }.into(),
            Part::Kept => match before.get(&name) {
                Some(known) => known.with_limit(next.max_turns),
                None => {
                    return Err(ConfigError::new(
                        "agents",
                        format!("the agent {name} does not run, so it cannot stay"),
                    ));
                }
            },
        };
        Ok((name, agent))
    };
    next.into_iter().map(one).collect()
}

/// Replaces the snapshot and the connections; returns the accounts to which nothing could be sent before.
fn replace(
    shared: &Shared,
    settings: &Arc<Settings>,
    accounts: Accounts,
    logins: &BTreeMap<AccountId, Login>,
) -> BTreeSet<AccountId> {
    let known = shared.adapters.ids();
    let could_send = |id: &AccountId| {
        shared.adapters.get(id).is_some_and(|connection| connection.login() != Login::Another)
    };
    // Before the snapshot: an account that is gone takes no event, and the next snapshot would deny every one.
    for gone in known.iter().filter(|id| !accounts.contains_key(id)) {
        shared.adapters.remove(gone);
    }
    let new = accounts.values().filter_map(|part| match part {
        Part::New(adapter) => Some(adapter.profile().clone()),
        Part::Kept => None,
    });
    shared.renderer.learn(new);
    shared.media.set_limits(settings.config.media.clone());
    shared.snapshot.store(settings.clone());
    shared.work.turns.set_limits(settings.turn_limits());
    shared.work.tasks.note();
    shared.work.outbox.set_limits(send_limits(accounts.keys()));
    let mut added = BTreeSet::new();
    for (id, part) in accounts {
        if let Part::New(adapter) = part {
            let could_send = could_send(&id);
            let login = logins.get(&id).copied().unwrap_or(Login::Noted);
            shared.adapters.configure(adapter, login, &shared.access);
            if !could_send {
                added.insert(id);
            }
        }
    }
    added
}

/// Wakes what waits on accounts that are connected again, and after a reload that could not do so what waits anywhere.
async fn wake(shared: &Shared, added: &BTreeSet<AccountId>) -> Result<(), StoreError> {
    let was_unfinished = !shared.process.reload_unfinished.borrow().is_empty();
    if added.is_empty() && !was_unfinished {
        return Ok(());
    }
    let is_meant = |account: &AccountId| was_unfinished || added.contains(account);
    let (sessions, addresses) = shared.store.lanes_with_work().await?;
    for session in sessions.iter().filter(|session| is_meant(session.account())) {
        shared.work.turns.wake(session);
    }
    for address in addresses.iter().filter(|address| is_meant(address.account())) {
        shared.work.outbox.wake(address);
    }
    Ok(())
}
