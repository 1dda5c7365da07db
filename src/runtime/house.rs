//! What every part of the runtime shares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

use crate::AgentEntry;
use crate::adapters::Adapters;
use crate::cancel::Cancels;
use crate::config::{Config, ResetRules, Routing};
use crate::hooks::Hooks;
use crate::lanes::Lanes;
use crate::limits::Limits;
use crate::recent::Recent;

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
    pub(crate) cancels: Cancels,
    /// Events of a moment ago.
    pub(crate) recent: Recent,
    /// Set when nothing is taken any more.
    pub(crate) closing: Stop,
    /// Set when running turns must be given back.
    pub(crate) drain: Stop,
    pub(crate) storage: StorageHealth,
}

/// Whether the database takes writes, for `/health`.
#[derive(Default)]
pub(crate) struct StorageHealth {
    fault: Mutex<Option<String>>,
    /// The same, for a look that costs one load.
    fails: AtomicBool,
}

impl House {
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
            self.cancels.cancel(*turn, self.clock.mono());
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
        self.storage.note(error);
    }
}

impl StorageHealth {
    fn note(&self, error: Option<&StoreError>) {
        match error {
            None if !self.fails.load(Ordering::Relaxed) => {}
            None => {
                self.fails.store(false, Ordering::Relaxed);
                *self.lock() = None;
                tracing::info!("the database takes writes again");
            }
            // One request was at fault, not the database.
            Some(StoreError::Invalid(_)) => {}
            Some(error) => {
                *self.lock() = Some(error.to_string());
                if !self.fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the database does not take writes");
                }
            }
        }
    }

    /// Why the database does not take writes, while it does not.
    pub(crate) fn fault(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
