//! What a connection needs, and what it shares with deliveries.

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
}

/// What a connection has received and not stored when it ended, apart from what the history has. The next one gets it again if
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
