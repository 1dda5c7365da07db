//! Tools that clients carry out themselves: offered with a message, and called by the agent at the end of its answer.
//!
//! They exist in memory only, as long as the client waits for the answer. A turn that runs again after a restart has no
//! client any more, and no tools of one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::key::SessionKey;
use frontdesk_core::tool::{ClientCall, ClientTools};

/// What the clients of running requests offer, by the session that each request has for itself. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct OfferedTools(Arc<Mutex<HashMap<SessionKey, Offer>>>);

struct Offer {
    tools: ClientTools,
    calls: Vec<ClientCall>,
}

impl OfferedTools {
    /// What is offered in a session.
    pub(crate) fn of(&self, session: &SessionKey) -> ClientTools {
        self.offers().get(session).map(|offer| offer.tools.clone()).unwrap_or_default()
    }

    /// Replaces the calls of a session. Without a client nobody could carry them out.
    pub(crate) fn call(&self, session: &SessionKey, calls: Vec<ClientCall>) {
        if let Some(offer) = self.offers().get_mut(session) {
            offer.calls = calls;
        }
    }

    /// Whether the agent has called any.
    pub(crate) fn are_called(&self, session: &SessionKey) -> bool {
        self.offers().get(session).is_some_and(|offer| !offer.calls.is_empty())
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<SessionKey, Offer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The offer of one request. Dropping it withdraws the tools.
pub struct ClientOffer {
    offered: OfferedTools,
    session: SessionKey,
}

impl ClientOffer {
    /// Offers tools to the turns of a session. It must belong to one request alone.
    pub(crate) fn new(offered: &OfferedTools, session: SessionKey, tools: ClientTools) -> Self {
        let offer = Offer { tools, calls: Vec::new() };
        offered.offers().insert(session.clone(), offer);
        Self { offered: offered.clone(), session }
    }

    /// The calls with which the answer ended; empty if it ended without any.
    pub fn calls(&self) -> Vec<ClientCall> {
        let offers = self.offered.offers();
        offers.get(&self.session).map(|offer| offer.calls.clone()).unwrap_or_default()
    }
}

impl Drop for ClientOffer {
    fn drop(&mut self) {
        self.offered.offers().remove(&self.session);
    }
}
