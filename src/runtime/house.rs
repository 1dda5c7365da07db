//! What every part of the runtime shares.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use frontdesk_core::access::{self, Action, ChannelAccess, Context, Decision, DenyReason, Grants};
use frontdesk_core::act::{About, Act, Ending};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Clock, Stop};
use frontdesk_core::profile::Flow;
use frontdesk_store::{Store, StoreError};
use tokio::sync::mpsc;

use crate::adapters::Adapters;
use crate::config::{Config, ResetRules, Routing};
use crate::hooks::Hooks;
use crate::lanes::Lanes;
use crate::limits::Limits;
use crate::AgentEntry;

pub(crate) struct House {
    pub(crate) boot: String,
    pub(crate) started: DateTime<Utc>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) resets: ResetRules,
    pub(crate) routing: BTreeMap<String, Routing>,
    pub(crate) access: BTreeMap<(String, String), ChannelAccess>,
    pub(crate) agents: BTreeMap<String, AgentEntry>,
    pub(crate) default_agent: String,
    pub(crate) adapters: Adapters,
    pub(crate) hooks: Hooks,
    pub(crate) limits: Limits,
    /// Sessions with messages for the agent.
    pub(crate) turns: Lanes<SessionKey>,
    /// Addresses with parts to send.
    pub(crate) outbox: Lanes<Address>,
    /// Commands, in the order of acceptance.
    pub(crate) commands: mpsc::UnboundedSender<MessageId>,
    /// How to end the turns that run.
    pub(crate) running: Mutex<HashMap<TurnId, Stop>>,
    /// Set when nothing is taken any more.
    pub(crate) closing: Stop,
    /// Set when running turns must be given back.
    pub(crate) drain: Stop,
    storage_fault: Mutex<Option<String>>,
    storage_fails: AtomicBool,
}

/// The parts that are made before the house.
pub(crate) struct Parts {
    pub(crate) boot: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) resets: ResetRules,
    pub(crate) routing: BTreeMap<String, Routing>,
    pub(crate) access: BTreeMap<(String, String), ChannelAccess>,
    pub(crate) agents: BTreeMap<String, AgentEntry>,
    pub(crate) default_agent: String,
    pub(crate) adapters: Adapters,
    pub(crate) hooks: Hooks,
    pub(crate) limits: Limits,
    pub(crate) turns: Lanes<SessionKey>,
    pub(crate) outbox: Lanes<Address>,
    pub(crate) commands: mpsc::UnboundedSender<MessageId>,
}

impl House {
    pub(crate) fn new(parts: Parts) -> Arc<House> {
        Arc::new(House {
            boot: parts.boot,
            started: parts.clock.wall(),
            clock: parts.clock,
            store: parts.store,
            config: parts.config,
            resets: parts.resets,
            routing: parts.routing,
            access: parts.access,
            agents: parts.agents,
            default_agent: parts.default_agent,
            adapters: parts.adapters,
            hooks: parts.hooks,
            limits: parts.limits,
            turns: parts.turns,
            outbox: parts.outbox,
            commands: parts.commands,
            running: Mutex::default(),
            closing: Stop::new(),
            drain: Stop::new(),
            storage_fault: Mutex::default(),
            storage_fails: AtomicBool::new(false),
        })
    }

    /// Whether somebody may do something: the one rule, for every way in.
    pub(crate) fn authorize(&self, who: &Principal, context: Context<'_>, action: Action) -> Decision {
        match self.access.get(&(who.platform().to_owned(), who.account().to_owned())) {
            Some(rules) => access::decide(rules, Grants::default(), who, context, action),
            None => Decision::Deny(DenyReason::NotAllowed),
        }
    }

    /// The name of the agent that answers in a chat.
    pub(crate) fn agent_of(&self, channel: &str, chat: &str) -> &str {
        let routing = self.routing.get(channel);
        routing
            .and_then(|routing| routing.chats.get(chat).and_then(|chat| chat.agent.as_deref()))
            .or_else(|| routing.and_then(|routing| routing.agent.as_deref()))
            .unwrap_or(&self.default_agent)
    }

    /// Turns and messages of a session were cancelled in the database: tells the agents of those that run,
    /// and those who wait for the answers of the rest.
    pub(crate) async fn cancelled(
        &self,
        session: &SessionKey,
        address: &Address,
        turns: &[TurnId],
        waiting: Vec<MessageId>,
    ) {
        for turn in turns {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(stop) = running.get(turn) {
                stop.cancel();
            }
        }
        let live = self.adapters.at(address).is_some_and(|to| to.adapter.profile().flow == Flow::Live);
        if live && !waiting.is_empty() {
            let about = About { session: Some(session.clone()), messages: waiting };
            let end = Act::End { about, ending: Ending::Cancelled, usage: None };
            self.adapters.show(address, end).await;
        }
    }

    /// Remembers for `/health` whether the database takes writes.
    pub(crate) fn note_storage(&self, error: Option<&StoreError>) {
        match error {
            // The common case costs one load.
            None if !self.storage_fails.load(Ordering::Relaxed) => {}
            None => {
                self.storage_fails.store(false, Ordering::Relaxed);
                *self.fault() = None;
                tracing::info!("the database takes writes again");
            }
            Some(StoreError::Invalid(_)) => {}
            Some(error) => {
                *self.fault() = Some(error.to_string());
                if !self.storage_fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the database does not take writes");
                }
            }
        }
    }

    /// Why the database does not take writes, while it does not.
    pub(crate) fn storage_fault(&self) -> Option<String> {
        self.fault().clone()
    }

    fn fault(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.storage_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
