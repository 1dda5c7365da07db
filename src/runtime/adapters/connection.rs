//! The connection of one account: its adapter, which a reload can replace, and what must outlive it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, Clock, Mono};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use super::Account;
use super::pace::Pace;
use super::shown_texts::ShownTexts;

/// Number of chats from which idle ones are forgotten.
const CHATS: usize = 1024;

/// One account.
pub(crate) struct Connection {
    id: AccountId,
    /// How the account is connected, or was when it was last configured.
    wiring: watch::Sender<Wiring>,
    state: Mutex<State>,
    pub(super) pace: Pace,
    /// Locks of the chats in which something is being sent.
    chats: Mutex<HashMap<Address, Weak<AsyncMutex<()>>>>,
    pub(super) clock: Arc<dyn Clock>,
    /// The database's name, the prefix of every key: keys are numbered anew in every database, and a platform may
    /// remember them for a while.
    pub(super) key_prefix: String,
    pub(super) shown_texts: ShownTexts,
    /// The admin who disconnected the account. Outgoing messages are sent also while it is disconnected.
    stopped: watch::Receiver<Option<String>>,
}

/// How an account is connected.
#[derive(Clone)]
pub(super) struct Wiring {
    pub(super) adapter: Arc<dyn Adapter>,
    /// Whether the configuration still has the account.
    pub(super) configured: bool,
}

/// Whether the platform has accepted the login that the account connects as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    /// It has, or the adapter does not know its login.
    Noted,
    /// Not yet. The account has not been connected before.
    First,
    /// Not yet. It is another login than before, so nothing is sent until then: the ids in what is to be sent belong to the
    /// one before.
    Another,
}

pub(super) struct State {
    pub(super) login: Login,
    /// When the platform was last heard from. A successful send does not count.
    pub(super) heard: Option<(Mono, DateTime<Utc>)>,
    pub(super) connected: Option<(Mono, DateTime<Utc>)>,
    /// Whether there is a pause before the next connection that is longer than the platform may be silent.
    pub(super) is_paused: bool,
    pub(super) since: DateTime<Utc>,
    pub(super) was_ready: bool,
    /// Why there is no connection; cleared when the platform is heard from.
    pub(super) error: Option<String>,
    /// Why nothing can be sent until an operator acts; cleared by the next delivery.
    pub(super) send_refused: Option<String>,
    /// Whether the platform refused the token while receiving; cleared when the platform is heard from.
    pub(super) refused: bool,
    /// Nothing is sent before this time, because the platform asked for a pause or refuses the token.
    pub(super) paused_until: Mono,
    /// Number of consecutive sends that found no connection.
    pub(super) offline: u32,
    /// When the next send may try whether there is a connection again.
    pub(super) retry_at: Mono,
}

impl Connection {
    /// `key_prefix` is the database's name.
    pub(super) fn new(
        adapter: Arc<dyn Adapter>,
        key_prefix: &str,
        stopped: watch::Receiver<Option<String>>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let pace = Pace::new(adapter.profile().pacing);
        let state = State {
            login: Login::Noted,
            heard: None,
            connected: None,
            is_paused: false,
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
            id: adapter.account().clone(),
            wiring: watch::Sender::new(Wiring { adapter, configured: true }),
            state: Mutex::new(state),
            pace,
            chats: Mutex::default(),
            clock: clock.clone(),
            key_prefix: key_prefix.to_owned(),
            shown_texts: ShownTexts::default(),
            stopped,
        }
    }

    /// Which account this is.
    pub(crate) fn id(&self) -> &AccountId {
        &self.id
    }

    /// The adapter that is in use now. A caller that makes several calls takes it once.
    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        self.wiring.borrow().adapter.clone()
    }

    /// Whether the configuration has the account. Nothing is sent to one that it has not.
    pub(crate) fn is_configured(&self) -> bool {
        self.wiring.borrow().configured
    }

    /// Whether the platform has accepted the login.
    pub(crate) fn login(&self) -> Login {
        self.state().login
    }

    pub(crate) fn set_login(&self, login: Login) {
        self.state().login = login;
    }

    /// Follows how the account is connected.
    pub(super) fn wiring(&self) -> watch::Receiver<Wiring> {
        self.wiring.subscribe()
    }

    /// Connects the account by another adapter. What the platform said about the old credentials is forgotten.
    pub(super) fn attach(&self, adapter: Arc<dyn Adapter>, login: Login) {
        self.pace.set(adapter.profile().pacing);
        if self.adapter().login() != adapter.login() {
            self.shown_texts.forget();
        }
        {
            let mut state = self.state();
            (state.login, state.error, state.send_refused, state.refused) = (login, None, None, false);
            (state.paused_until, state.offline, state.retry_at) = (Mono::default(), 0, Mono::default());
        }
        self.wiring.send_replace(Wiring { adapter, configured: true });
    }

    /// Disconnects the account, which is not configured any more.
    pub(super) fn detach(&self) {
        self.wiring.send_modify(|wiring| wiring.configured = false);
    }

    /// Records that the platform was heard from.
    pub(super) fn heard(&self) {
        let mut state = self.state();
        state.heard = Some((self.clock.mono(), self.clock.wall()));
        state.error = None;
        state.refused = false;
    }

    /// A new connection has to prove itself, whatever the one before has heard.
    pub(super) fn unheard(&self) {
        let mut state = self.state();
        (state.heard, state.error, state.refused, state.is_paused) = (None, None, false, false);
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

    pub(super) fn account(&self) -> Account {
        let adapter = self.adapter();
        let profile = adapter.profile();
        let now = self.clock.mono();
        let mut state = self.state();
        let refused = state.refused || state.send_refused.is_some();
        let stopped = self.stopped.borrow().clone();
        let ready = stopped.is_none()
            && !refused
            && !state.is_paused
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
            id: self.id.clone(),
            ready,
            since: state.since,
            last_heard: state.heard.map(|(_, wall)| wall),
            stopped,
            error: state.send_refused.clone().or_else(|| state.error.clone()),
            refused,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
