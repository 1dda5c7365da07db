//! Logs events that could not be read: the first of each kind, then at most one an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::message::{RawEvent, Source};
use frontdesk_core::port::{Clock, Mono};

/// How long no further event of a kind is logged.
const QUIET: Duration = Duration::from_secs(3600);
/// Maximum number of kinds that are tracked. Events of further kinds are counted and stored, but not logged.
const KINDS: usize = 256;

/// The kinds that were logged, by source and kind.
#[derive(Default)]
pub(crate) struct UnreadableEvents(Mutex<HashMap<(String, String), Logged>>);

struct Logged {
    at: Mono,
    /// Events since then that were not logged.
    unlogged: u64,
}

impl UnreadableEvents {
    /// An event was kept as a dead letter.
    pub(crate) fn note(&self, clock: &Arc<dyn Clock>, source: &Source, event: &str, raw: &RawEvent) {
        metrics::counter!("frontdesk_dead_letters_total", "channel" => source.account.channel().to_owned())
            .increment(1);
        let kind = &raw.kind;
        if let Some(unlogged) = self.due(&source.id, kind, clock.mono()) {
            tracing::warn!(
                channel = source.account.channel(),
                account = %source.account,
                kind,
                event,
                reason = raw.reason,
                others_since = unlogged,
                "an event could not be read; it is kept: see `frontdesk dead-letters`"
            );
        }
    }

    /// `Some` if an event of this kind is to be logged, with the number of those that were not logged before it.
    fn due(&self, source: &str, kind: &str, now: Mono) -> Option<u64> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= KINDS {
            logged.retain(|_, logged| now.since(logged.at) < QUIET);
        }
        let full = logged.len() >= KINDS;
        match logged.get_mut(&(source.to_owned(), kind.to_owned())) {
            Some(known) if now.since(known.at) < QUIET => {
                known.unlogged += 1;
                None
            }
            Some(known) => {
                known.at = now;
                Some(std::mem::take(&mut known.unlogged))
            }
            None if full => None,
            None => {
                logged.insert((source.to_owned(), kind.to_owned()), Logged { at: now, unlogged: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    #[test]
    fn a_kind_is_logged_once_and_then_counted_for_an_hour() {
        let events = UnreadableEvents::default();
        assert_eq!(events.due("telegram:1", "hologram", at(0)), Some(0));
        assert_eq!(events.due("telegram:1", "hologram", at(1)), None);
        assert_eq!(events.due("telegram:1", "message", at(1)), Some(0), "another kind");
        assert_eq!(events.due("telegram:2", "hologram", at(1)), Some(0), "another account");
        assert_eq!(events.due("telegram:1", "hologram", at(3599)), None);
        assert_eq!(events.due("telegram:1", "hologram", at(3600)), Some(2));
    }

    #[test]
    fn the_number_of_logged_kinds_is_bounded() {
        let events = UnreadableEvents::default();
        let logged = (0..10 * KINDS).filter(|n| events.due("a", &n.to_string(), at(0)).is_some()).count();
        assert_eq!(logged, KINDS);
        assert_eq!(events.due("a", "later", at(3600)), Some(0));
    }
}
