//! What a connection needs, and what it shares with deliveries.

use std::sync::Arc;

use frontdesk_core::port::Inbox;
use frontdesk_kit::timer::Timer;

use crate::config::Account;
use crate::inbound::Bot;
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
}
