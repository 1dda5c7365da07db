//! Connections that have not shown a token yet. There may only be a few, so that a program without a token cannot keep the
//! agents' programs away: a further one takes the place of the oldest.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// Maximum number of connections without a token. A program sends its token with its first bytes, so a connection is one of
/// these only for a moment.
pub(super) const MAX_UNKNOWN: usize = 32;

/// The connections without a token, the oldest first.
#[derive(Default)]
pub(super) struct UnknownConnections(Mutex<VecDeque<Arc<CancellationToken>>>);

/// The place of one of them. Dropping it frees the place for another.
pub(super) struct UnknownPlace {
    all: Arc<UnknownConnections>,
    displaced: Arc<CancellationToken>,
}

impl UnknownConnections {
    /// A place for a new connection. If there is none, the oldest connection loses its own.
    pub(super) fn enter(self: &Arc<Self>) -> UnknownPlace {
        let displaced = Arc::new(CancellationToken::new());
        let mut places = self.places();
        while places.len() >= MAX_UNKNOWN
            && let Some(oldest) = places.pop_front()
        {
            oldest.cancel();
        }
        places.push_back(displaced.clone());
        UnknownPlace { all: self.clone(), displaced }
    }

    fn places(&self) -> MutexGuard<'_, VecDeque<Arc<CancellationToken>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnknownPlace {
    /// Cancelled when a newer connection has taken the place.
    pub(super) fn displaced(&self) -> Arc<CancellationToken> {
        self.displaced.clone()
    }
}

impl Drop for UnknownPlace {
    fn drop(&mut self) {
        self.all.places().retain(|place| !Arc::ptr_eq(place, &self.displaced));
    }
}
