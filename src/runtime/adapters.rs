//! The accounts of all platforms: keeps each one connected, and knows which of them hear their platform.

mod hold;
mod pace;
mod shown;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::act::{Act, Bucket, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, AdapterError, Clock, Inbox, Mono, Stop};
use frontdesk_core::retry::Backoff;
use futures_util::FutureExt;
use pace::Pace;
use shown::{Shown, Shows};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};
use tokio::task::JoinSet;

use crate::handle::Account;

/// How long a refused credential, or a platform that is set up wrongly, is left alone: an operator must act. Some
/// platforms take a token back that is tried a thousand times a day.
const OPERATOR_PAUSE: Duration = Duration::from_secs(120);
/// So many chats are remembered before those that are at rest are forgotten.
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
    /// Chats in which something is being shown right now.
    chats: Mutex<HashMap<Address, Weak<AsyncMutex<()>>>>,
    /// The database's name, which goes before every key.
    shared: String,
    /// What chats show of answers in progress.
    shown: Shown,
    /// Who disconnected it, while it is. What is on its way to it is sent all the same.
    stopped: watch::Sender<Option<String>>,
}

struct State {
    /// When the platform was last heard from. Sending says nothing about it.
    heard: Option<(Mono, DateTime<Utc>)>,
    connected: Option<(Mono, DateTime<Utc>)>,
    since: DateTime<Utc>,
    was_ready: bool,
    /// Why there is no connection; ends with the next sign of life.
    error: Option<String>,
    /// Why nothing can be sent until an operator acts; ends with the next delivery.
    shut_out: Option<String>,
    /// The platform refused our token when we asked for news; ends with the next sign of life.
    refused: bool,
    /// Nothing is sent before this time: the platform has said so, or refuses our token.
    hold: Mono,
    /// How often in a row there was no connection to send on.
    offline: u32,
    /// When somebody may look again whether there is a connection, after a send that found none.
    probe: Mono,
}

impl Adapters {
    pub(crate) fn new(adapters: Vec<Arc<dyn Adapter>>, shared: &str, clock: Arc<dyn Clock>) -> Self {
        let accounts = adapters
            .into_iter()
            .map(|adapter| {
                let name = adapter.account().clone();
                (name, Arc::new(Connection::new(adapter, shared, &clock)))
            })
            .collect();
        Self { clock, accounts }
    }

    /// The account that an address belongs to.
    pub(crate) fn at(&self, address: &Address) -> Option<&Arc<Connection>> {
        self.get(address.account())
    }

    pub(crate) fn get(&self, account: &AccountId) -> Option<&Arc<Connection>> {
        self.accounts.get(account)
    }

    /// The platform has shown that it speaks to us.
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

    /// The accounts of a channel, or the one that is named with it: `telegram`, `telegram@work`.
    pub(crate) fn named(&self, what: &str) -> Vec<AccountId> {
        let Ok(named) = what.parse::<AccountId>() else { return Vec::new() };
        let is_one = what.contains('@');
        let is_meant = |id: &AccountId| *id == named || (!is_one && id.channel() == named.channel());
        self.ids().into_iter().filter(is_meant).collect()
    }

    /// Disconnects those accounts that somebody is named for, and connects the others.
    pub(crate) fn switch(&self, stopped_by: impl Fn(&AccountId) -> Option<String>) {
        for (account, connection) in &self.accounts {
            let by = stopped_by(account);
            connection.stopped.send_if_modified(|known| {
                let changed = *known != by;
                *known = by;
                changed
            });
        }
    }

    /// Every account, and whether it hears its platform.
    pub(crate) fn list(&self) -> Vec<Account> {
        let mut list: Vec<Account> =
            self.accounts.values().map(|connection| connection.account(&self.clock)).collect();
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list
    }

    /// Carries out something that may be lost: a delta, a sign of typing, a line that readers fetch again.
    pub(crate) async fn show(&self, to: &Address, act: Act) {
        if let Some(connection) = self.at(to)
            && let Err(error) = connection.send(&self.clock, to, act).await
        {
            tracing::debug!(channel = to.channel(), %error, "something fleeting was not shown");
        }
    }

    /// Keeps every account connected until `stop`.
    pub(crate) async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) {
        let mut tasks = JoinSet::new();
        for connection in self.accounts.values() {
            let (connection, inbox) = (connection.clone(), inbox.clone());
            let (clock, stop) = (self.clock.clone(), stop.clone());
            tasks.spawn(async move { connection.supervise(inbox, clock, stop).await });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the supervision of an account ended");
            }
        }
        // A house without any account is a quiet one, not a broken one.
        stop.cancelled().await;
    }
}

impl Connection {
    fn new(adapter: Arc<dyn Adapter>, shared: &str, clock: &Arc<dyn Clock>) -> Self {
        let pace = Pace::new(adapter.profile().pacing, clock);
        let state = State {
            heard: None,
            connected: None,
            since: clock.wall(),
            was_ready: false,
            error: None,
            shut_out: None,
            refused: false,
            hold: Mono::default(),
            offline: 0,
            probe: Mono::default(),
        };
        let stopped = watch::Sender::new(None);
        Self {
            adapter,
            state: Mutex::new(state),
            pace,
            chats: Mutex::default(),
            shown: Shown::default(),
            shared: shared.to_owned(),
            stopped,
        }
    }

    /// Whether a chat has pace to spare: a notice that goes there now delays nothing that follows at once.
    pub(crate) fn is_calm(&self, clock: &Arc<dyn Clock>, to: &Address) -> bool {
        self.pace.is_calm(to, clock.mono())
    }

    /// Waits until nobody else changes what this chat shows, and keeps others from it meanwhile. An answer in
    /// progress and its end go out by different ways; without this a late edit could replace the last word.
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

    /// Carries out one act. A panic in the adapter costs that act alone, and what the platform says about the
    /// whole account is remembered for everyone who sends. While the platform wants nothing for this chat or account,
    /// nothing leaves, whatever it is.
    pub(crate) async fn send(
        &self,
        clock: &Arc<dyn Clock>,
        to: &Address,
        act: Act,
    ) -> Result<Receipt, SendError> {
        if self.shown.is_said(to, &act) {
            let Act::Edit { target, .. } = act else { return Ok(Receipt::default()) };
            return Ok(Receipt { message: Some(target) });
        }
        if let Some(held) = self.held(to, clock.mono()) {
            return Err(held);
        }
        let shows = Shows::of(&act);
        let act = self.keyed(act);
        let sent = AssertUnwindSafe(self.adapter.send(to, act)).catch_unwind().await;
        let sent = sent.unwrap_or_else(|_| Err(SendError::Refused("the adapter panicked".to_owned())));
        if let Some(shows) = shows {
            self.shown.note(to, shows, &sent);
        }
        match &sent {
            Err(SendError::Offline) => self.offline(clock),
            _ => self.online(),
        }
        match &sent {
            Ok(_) => self.state().shut_out = None,
            Err(SendError::Later { after: Some(pause), scope: Bucket::Account, .. }) => {
                self.hold(clock, *pause)
            }
            Err(SendError::Later { after: Some(pause), scope: Bucket::Chat, .. }) => {
                self.pace.hold(to, *pause, clock.mono());
            }
            Err(SendError::Credentials(detail)) => self.shut_out(clock, detail),
            Err(_) => {}
        }
        sent
    }

    /// Keys are counted anew in every database, and a platform may know them for a while.
    fn keyed(&self, mut act: Act) -> Act {
        if let Act::Post(post) | Act::Edit { post, .. } | Act::Media { post, .. } = &mut act {
            post.key = format!("{}/{}", self.shared, post.key);
        }
        act
    }

    /// Tells who has disconnected it, whenever that changes.
    pub(crate) fn switch(&self) -> watch::Receiver<Option<String>> {
        self.stopped.subscribe()
    }

    fn account(&self, clock: &Arc<dyn Clock>) -> Account {
        let profile = self.adapter.profile();
        let now = clock.mono();
        let mut state = self.state();
        let refused = state.refused || state.shut_out.is_some();
        let stopped = self.stopped.borrow().clone();
        let ready = stopped.is_none()
            && !refused
            && match (profile.patience, state.heard, state.connected) {
                (Some(patience), Some((heard, _)), _) => now.since(heard) <= patience,
                (Some(_), None, _) => false,
                (None, _, connected) => connected.is_some(),
            };
        if ready != state.was_ready {
            state.was_ready = ready;
            state.since = clock.wall();
        }
        Account {
            id: self.adapter.account().clone(),
            ready,
            since: state.since,
            last_heard: state.heard.map(|(_, wall)| wall),
            stopped,
            error: state.shut_out.clone().or_else(|| state.error.clone()),
            refused,
        }
    }

    /// Keeps it connected until `stop`, except while somebody has disconnected it.
    async fn supervise(&self, inbox: Arc<dyn Inbox>, clock: Arc<dyn Clock>, stop: Stop) {
        let mut switch = self.stopped.subscribe();
        while !stop.is_cancelled() {
            let by = switch.borrow_and_update().clone();
            let until = match by {
                Some(_) => None,
                None => Some(stop.child_token()),
            };
            let connected = async {
                match &until {
                    Some(until) => self.stay(&inbox, &clock, until).await,
                    None => stop.cancelled().await,
                }
            };
            tokio::pin!(connected);
            tokio::select! {
                () = &mut connected => {}
                // The sender is ours, so the channel does not close.
                _ = switch.changed() => {
                    if let Some(until) = &until {
                        until.cancel();
                    }
                    let (channel, account) = (self.adapter.profile().channel, self.adapter.account());
                    let connects = switch.borrow().is_none();
                    tracing::info!(channel, %account, connects, "an admin has switched an account");
                    if until.is_some() {
                        connected.await;
                    }
                }
            }
        }
    }

    /// Connects, and connects again, until `stop`.
    async fn stay(&self, inbox: &Arc<dyn Inbox>, clock: &Arc<dyn Clock>, stop: &Stop) {
        let (channel, account) = (self.adapter.profile().channel, self.adapter.account());
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
            // Only real traffic ends a series of failures: a connection that is accepted and dropped does not.
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
