//! What a connection needs, and what it shares with deliveries.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_core::port::Inbox;
use frontdesk_kit::timer::Timer;

use crate::config::Account;
use crate::inbound::{Bot, ParsedDispatch};
use crate::interactions::Interactions;
use crate::rest::Rest;

/// What a connection needs.
#[derive(Clone)]
pub(crate) struct Context {
    pub rest: Arc<Rest>,
    pub account: Arc<Account>,
    pub timer: Timer,
    pub bot: Arc<Bot>,
    pub inbox: Arc<dyn Inbox>,
    pub interactions: Arc<Interactions>,
    pub received: Arc<Received>,
    pub failed: Arc<FailedConnections>,
}

/// What a connection has received and not stored when it ended, apart from messages that the history has. The next one gets it again if
/// it takes the session up.
#[derive(Debug, Default)]
pub(crate) struct Received(Mutex<Vec<ParsedDispatch>>);

impl Received {
    pub(crate) fn add(&self, received: Vec<ParsedDispatch>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(received);
    }

    pub(crate) fn take(&self) -> Vec<ParsedDispatch> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The number of connections in a row that ended before their session had begun or gone on.
#[derive(Debug, Default)]
pub(crate) struct FailedConnections(AtomicU32);

impl FailedConnections {
    /// How many there were.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// A connection is opened, which counts as failed until its session is confirmed.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Discord has confirmed a session.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}
