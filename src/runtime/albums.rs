//! The rate limits count an album that somebody sends as one message, although each of its pieces is an event.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::message::Event;
use frontdesk_core::port::Mono;

/// How long after its first piece an album is remembered. A platform delivers the pieces together.
const KNOWN_FOR: Duration = Duration::from_secs(60);
/// Maximum number of pieces that count as one message; no platform's albums are longer.
const MAX_PIECES: u32 = 20;

/// Whether the first piece of each recent album was within the limits.
#[derive(Default)]
pub(crate) struct Albums(Mutex<HashMap<(Principal, String), Counted>>);

struct Counted {
    is_allowed: bool,
    at: Mono,
    pieces: u32,
}

impl Albums {
    /// Whether an event is within the limits: `count` asks them, once for all pieces of an album.
    pub(crate) fn allows(&self, event: &Event, now: Mono, count: impl FnOnce() -> bool) -> bool {
        let Some(album) = &event.album else { return count() };
        let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let album = (event.from.id.clone(), album.clone());
        if let Some(counted) = albums.get_mut(&album)
            && now.since(counted.at) < KNOWN_FOR
            && counted.pieces < MAX_PIECES
        {
            counted.pieces += 1;
            return counted.is_allowed;
        }
        let is_allowed = count();
        albums.insert(album, Counted { is_allowed, at: now, pieces: 1 });
        is_allowed
    }

    pub(crate) fn sweep(&self, now: Mono) {
        let mut albums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        albums.retain(|_, counted| now.since(counted.at) < KNOWN_FOR);
    }
}
