//! The accounts of all platforms: keeps each one connected, and knows which of them are ready.

mod connection;
mod pace;
mod pauses;
mod requests;
mod shown_texts;
mod status;
mod supervision;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Post, Signal};
use frontdesk_core::port::{Adapter, Clock, Inbox, Stop};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::access::Access;
pub(crate) use connection::{Connection, Login};
pub use status::Account;

/// Pause after a refused credential or a wrong setup, which an operator must mend. Some platforms revoke a token that is
/// tried a thousand times a day.
const OPERATOR_PAUSE: Duration = Duration::from_secs(120);

/// The inbox that an adapter gets.
pub(crate) type InboxOf = Arc<dyn Fn(&Arc<dyn Adapter>) -> Arc<dyn Inbox> + Send + Sync>;

/// The adapters of all accounts, each with the connection that outlives it.
pub(crate) struct Adapters {
    clock: Arc<dyn Clock>,
    /// See [`Connection::new`].
    key_prefix: String,
    /// Every account that was configured at some time since the start. One that is not configured any more keeps its
    /// locks and pauses, so that it can come back while an answer to it is being written.
    accounts: ArcSwap<BTreeMap<AccountId, Arc<Connection>>>,
    /// Told when an account is added.
    added: Notify,
}

impl Adapters {
    pub(crate) fn new(
        adapters: Vec<Arc<dyn Adapter>>,
        key_prefix: &str,
        access: &Access,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let all = Self {
            clock: clock.clone(),
            key_prefix: key_prefix.to_owned(),
            accounts: ArcSwap::default(),
            added: Notify::new(),
        };
        for adapter in adapters {
            all.configure(adapter, Login::Noted, access);
        }
        all
    }

    /// Connects an account by this adapter. An account that is connected by another one is disconnected first; requests
    /// that are under way over the old adapter end there.
    pub(crate) fn configure(&self, adapter: Arc<dyn Adapter>, login: Login, access: &Access) {
        let id = adapter.account().clone();
        let known = self.accounts.load_full();
        match known.get(&id) {
            Some(connection) => connection.attach(adapter, login),
            None => {
                let stopped = access.switch(&id);
                let connection = Connection::new(adapter, &self.key_prefix, stopped, &self.clock);
                connection.set_login(login);
                let mut accounts = BTreeMap::clone(&known);
                accounts.insert(id, Arc::new(connection));
                self.accounts.store(Arc::new(accounts));
                self.added.notify_one();
            }
        }
    }

    /// Disconnects an account that is not configured any more. Requests that are under way end.
    pub(crate) fn remove(&self, account: &AccountId) {
        if let Some(connection) = self.get(account) {
            connection.detach();
        }
    }

    /// The configured account that an address belongs to.
    pub(crate) fn at(&self, address: &Address) -> Option<Arc<Connection>> {
        self.get(address.account())
    }

    /// Whether messages in this chat can be marked as waiting.
    pub(crate) fn marks(&self, address: &Address) -> bool {
        self.at(address).is_some_and(|to| to.adapter().profile().waiting_marks)
    }

    pub(crate) fn get(&self, account: &AccountId) -> Option<Arc<Connection>> {
        self.accounts.load().get(account).filter(|connection| connection.is_configured()).cloned()
    }

    /// Whether a reload has removed an account.
    pub(crate) fn is_removed(&self, account: &AccountId) -> bool {
        self.accounts.load().get(account).is_some_and(|connection| !connection.is_configured())
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        let accounts = self.accounts.load();
        accounts.values().filter(|connection| connection.is_configured()).cloned().collect()
    }

    /// Records that the platform was heard from.
    pub(crate) fn heard(&self, account: &AccountId) {
        if let Some(connection) = self.get(account) {
            connection.heard();
        }
    }

    /// Every account, in order.
    pub(crate) fn ids(&self) -> Vec<AccountId> {
        self.all().iter().map(|connection| connection.id().clone()).collect()
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
        self.all().iter().map(|connection| connection.account()).collect()
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

    /// Keeps every configured account connected until `stop`.
    pub(crate) async fn run(&self, inbox: InboxOf, stop: Stop) {
        let mut tasks = JoinSet::new();
        let mut supervised = BTreeSet::new();
        // A gateway without any account is not a broken one.
        while !stop.is_cancelled() {
            for (id, connection) in self.accounts.load_full().iter() {
                if supervised.insert(id.clone()) {
                    let (connection, inbox, stop) = (connection.clone(), inbox.clone(), stop.clone());
                    tasks.spawn(async move { connection.supervise(inbox, stop).await });
                }
            }
            tokio::select! {
                () = self.added.notified() => {}
                () = stop.cancelled() => {}
            }
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the supervision of an account ended");
            }
        }
    }
}
