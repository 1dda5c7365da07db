//! The accounts of all platforms: keeps each one connected, and knows which of them are ready.

mod pace;
mod pauses;
mod requests;
mod shown_texts;
mod status;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Post, Signal};
use frontdesk_core::port::{Adapter, AdapterError, Clock, Inbox, Mono, Stop};
use frontdesk_core::retry::Backoff;
use futures_util::FutureExt;
use pace::Pace;
use shown_texts::ShownTexts;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};
use tokio::task::JoinSet;

use crate::access::Access;
pub use status::Account;

/// Pause after a refused credential or a wrong setup, which an operator must mend. Some platforms revoke a token that is
/// tried a thousand times a day.
const OPERATOR_PAUSE: Duration = Duration::from_secs(120);
/// Number of chats from which idle ones are forgotten.
const CHATS: usize = 1024;

pub(crate) struct Adapters {
    clock: Arc<dyn Clock>,
    accounts: HashMap<AccountId, Arc<Connection>>,
}

/// One account.
pub(crate) struct Connection {
    pub(crate) adapter: Arc<dyn Adapter>,
    state: Mutex<State>,
    pace: Pace,
    /// Locks of the chats in which something is being sent.
    chats: Mutex<HashMap<Address, Weak<AsyncMutex<()>>>>,
    clock: Arc<dyn Clock>,
    /// The database's name, the prefix of every key: keys are numbered anew in every database, and a platform may
    /// remember them for a while.
    key_prefix: String,
    shown_texts: ShownTexts,
    /// The admin who disconnected the account. Outgoing messages are sent also while it is disconnected.
    stopped: watch::Receiver<Option<String>>,
}

struct State {
    /// When the platform was last heard from. A successful send does not count.
    heard: Option<(Mono, DateTime<Utc>)>,
    connected: Option<(Mono, DateTime<Utc>)>,
    since: DateTime<Utc>,
    was_ready: bool,
    /// Why there is no connection; cleared when the platform is heard from.
    error: Option<String>,
    /// Why nothing can be sent until an operator acts; cleared by the next delivery.
    send_refused: Option<String>,
    /// Whether the platform refused the token while receiving; cleared when the platform is heard from.
    refused: bool,
    /// Nothing is sent before this time, because the platform asked for a pause or refuses the token.
    paused_until: Mono,
    /// Number of consecutive sends that found no connection.
    offline: u32,
    /// When the next send may try whether there is a connection again.
    retry_at: Mono,
}

impl Adapters {
    pub(crate) fn new(
        adapters: Vec<Arc<dyn Adapter>>,
        key_prefix: &str,
        access: &Access,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let accounts = adapters
            .into_iter()
            .map(|adapter| {
                let account = adapter.account().clone();
                let stopped = access.switch(&account);
                (account, Arc::new(Connection::new(adapter, key_prefix, stopped, clock)))
            })
            .collect();
        Self { clock: clock.clone(), accounts }
    }

    /// The account that an address belongs to.
    pub(crate) fn at(&self, address: &Address) -> Option<&Arc<Connection>> {
        self.get(address.account())
    }

    pub(crate) fn get(&self, account: &AccountId) -> Option<&Arc<Connection>> {
        self.accounts.get(account)
    }

    /// Records that the platform was heard from.
    pub(crate) fn heard(&self, account: &AccountId) {
        if let Some(connection) = self.get(account) {
            let mut state = connection.state();
            state.heard = Some((self.clock.mono(), self.clock.wall()));
            state.error = None;
            state.refused = false;
        }
    }

    /// Every account, in order.
    pub(crate) fn ids(&self) -> Vec<AccountId> {
        let mut ids: Vec<_> = self.accounts.keys().cloned().collect();
        ids.sort();
        ids
    }

    /// The accounts of a channel (`telegram`), or one of them (`telegram@work`).
    pub(crate) fn named(&self, what: &str) -> Vec<AccountId> {
        let Ok(named) = what.parse::<AccountId>() else { return Vec::new() };
        let is_one = what.contains('@');
        let is_meant = |id: &AccountId| *id == named || (!is_one && id.channel() == named.channel());
        self.ids().into_iter().filter(is_meant).collect()
    }

    /// The state of every account.
    pub(crate) fn list(&self) -> Vec<Account> {
        let mut list: Vec<Account> = self.accounts.values().map(|connection| connection.account()).collect();
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list
    }

    /// Shows a row that counts as sent to connected readers, who fetch it by its number if they miss it.
    pub(crate) async fn show(&self, to: &Address, post: Post) {
        let Some(connection) = self.at(to) else { return };
        if let Err(error) = connection.deliver(to, Delivery::Post(post)).await {
            tracing::debug!(channel = to.channel(), %error, "a row was not shown to its readers");
        }
    }

    /// See [`Connection::show`].
    pub(crate) async fn signal(&self, to: &Address, signal: Signal) {
        if let Some(connection) = self.at(to) {
            connection.show(to, signal).await;
        }
    }

    /// Keeps every account connected until `stop`.
    pub(crate) async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) {
        let mut tasks = JoinSet::new();
        for connection in self.accounts.values() {
            let (connection, inbox) = (connection.clone(), inbox.clone());
            let stop = stop.clone();
            tasks.spawn(async move { connection.supervise(inbox, stop).await });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the supervision of an account ended");
            }
        }
        // A gateway without any account is not a broken one.
        stop.cancelled().await;
    }
}

impl Connection {
    fn new(
        adapter: Arc<dyn Adapter>,
        key_prefix: &str,
        stopped: watch::Receiver<Option<String>>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let pace = Pace::new(adapter.profile().pacing, clock);
        let state = State {
            heard: None,
            connected: None,
            since: clock.wall(),
            was_ready: false,
            error: None,
            send_refused: None,
            refused: false,
            paused_until: Mono::default(),
            offline: 0,
            retry_at: Mono::default(),
        };
        Self {
            adapter,
            state: Mutex::new(state),
            pace,
            chats: Mutex::default(),
            clock: clock.clone(),
            key_prefix: key_prefix.to_owned(),
            shown_texts: ShownTexts::default(),
            stopped,
        }
    }

    /// Whether most of a chat's send rate is unused, so that a notice sent now delays no answer.
    pub(crate) fn is_calm(&self, to: &Address) -> bool {
        self.pace.is_calm(to, self.clock.mono())
    }

    /// Takes the chat's lock. An answer in progress and its final version are sent by different tasks; without the lock
    /// a late edit could replace the final text.
    pub(crate) async fn alone_in(&self, chat: &Address) -> OwnedMutexGuard<()> {
        let lock = {
            let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
            match chats.get(chat).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    if chats.len() >= CHATS {
                        chats.retain(|_, lock| lock.strong_count() > 0);
                    }
                    let lock = Arc::new(AsyncMutex::new(()));
                    chats.insert(chat.clone(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }

    /// Follows which admin has disconnected the account; `None` while it is connected.
    pub(crate) fn switch(&self) -> watch::Receiver<Option<String>> {
        self.stopped.clone()
    }

    fn account(&self) -> Account {
        let profile = self.adapter.profile();
        let now = self.clock.mono();
        let mut state = self.state();
        let refused = state.refused || state.send_refused.is_some();
        let stopped = self.stopped.borrow().clone();
        let ready = stopped.is_none()
            && !refused
            && match (profile.max_silence, state.heard, state.connected) {
                (Some(patience), Some((heard, _)), _) => now.since(heard) <= patience,
                (Some(_), None, _) => false,
                (None, _, connected) => connected.is_some(),
            };
        if ready != state.was_ready {
            state.was_ready = ready;
            state.since = self.clock.wall();
        }
        Account {
            id: self.adapter.account().clone(),
            ready,
            since: state.since,
            last_heard: state.heard.map(|(_, wall)| wall),
            stopped,
            error: state.send_refused.clone().or_else(|| state.error.clone()),
            refused,
        }
    }

    /// Keeps the account connected until `stop`, except while an admin has disconnected it.
    async fn supervise(&self, inbox: Arc<dyn Inbox>, stop: Stop) {
        let mut switch = self.switch();
        while !stop.is_cancelled() {
            let by = switch.borrow_and_update().clone();
            let until = match by {
                Some(_) => None,
                None => Some(stop.child_token()),
            };
            let connected = async {
                match &until {
                    Some(until) => self.stay_connected(&inbox, until).await,
                    None => stop.cancelled().await,
                }
            };
            tokio::pin!(connected);
            tokio::select! {
                () = &mut connected => {}
                // The sender belongs to [`Access`], which lives as long as the accounts, so the channel does not close.
                _ = switch.changed() => {
                    if let Some(until) = &until {
                        until.cancel();
                    }
                    let (channel, account) = (self.adapter.profile().channel.as_str(), self.adapter.account());
                    let connects = switch.borrow().is_none();
                    tracing::info!(channel, %account, connects, "an admin has connected or disconnected an account");
                    if until.is_some() {
                        connected.await;
                    }
                }
            }
        }
    }

    /// Connects, and reconnects, until `stop`.
    async fn stay_connected(&self, inbox: &Arc<dyn Inbox>, stop: &Stop) {
        let clock = &self.clock;
        let (channel, account) = (self.adapter.profile().channel.as_str(), self.adapter.account());
        let backoff = Backoff::default();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let begun = clock.mono();
            self.state().connected = Some((begun, clock.wall()));
            let run = AssertUnwindSafe(self.adapter.run(inbox.clone(), stop.clone())).catch_unwind();
            let error = match run.await {
                Ok(Ok(())) if stop.is_cancelled() => return self.state().connected = None,
                Ok(Ok(())) => AdapterError::Lost("the adapter returned".into()),
                Ok(Err(error)) => error,
                Err(_) => AdapterError::Lost("the adapter panicked".into()),
            };
            // Only traffic ends a series of failures: a connection that is accepted and dropped does not.
            let traffic = {
                let mut state = self.state();
                state.connected = None;
                state.error = Some(error.to_string());
                state.refused = matches!(error, AdapterError::Credentials(_));
                state.heard.is_some_and(|(heard, _)| heard > begun)
            };
            failures = if traffic { 1 } else { failures + 1 };
            let pause = backoff.delay(failures, crate::random::fraction());
            let pause = match error {
                AdapterError::Lost(_) => pause,
                AdapterError::Later { after, .. } => pause.max(after),
                AdapterError::Credentials(_) | AdapterError::Setup(_) => OPERATOR_PAUSE,
            };
            tracing::warn!(channel, %account, %error, pause_ms = pause.as_millis(), "connection ended");
            tokio::select! {
                () = clock.sleep_until(clock.mono() + pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
