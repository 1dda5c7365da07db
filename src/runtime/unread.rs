//! Says in the log that events could not be read: once per kind, then not again for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::message::Source;
use frontdesk_core::port::{Clock, Mono};
use frontdesk_store::row::DeadLetter;

/// How long nothing more is said about a kind of events.
const QUIET: Duration = Duration::from_secs(3600);
/// How many kinds are remembered. What else comes meanwhile is counted and kept, and not spoken of.
const KINDS: usize = 256;

/// The kinds that were spoken of.
#[derive(Default)]
pub(crate) struct Unread(Mutex<HashMap<(String, String), Said>>);

struct Said {
    at: Mono,
    since: u64,
}

impl Unread {
    /// An event was kept as a dead letter.
    pub(crate) fn note(&self, clock: &Arc<dyn Clock>, source: &Source, letter: &DeadLetter) {
        metrics::counter!("frontdesk_dead_letters_total", "channel" => source.account.channel().to_owned())
            .increment(1);
        let kind = &letter.raw.kind;
        if let Some(silent) = self.due(&source.id, kind, clock.mono()) {
            tracing::warn!(
                channel = source.account.channel(),
                account = %source.account,
                kind,
                event = letter.event_id,
                reason = letter.raw.reason,
                others_since = silent,
                "an event could not be read; it is kept: see `frontdesk dead-letters`"
            );
        }
    }

    /// Whether to speak of an event of this kind, and of how many nothing was said since the last time.
    fn due(&self, source: &str, kind: &str, now: Mono) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= KINDS {
            said.retain(|_, said| now.since(said.at) < QUIET);
        }
        let full = said.len() >= KINDS;
        match said.get_mut(&(source.to_owned(), kind.to_owned())) {
            Some(known) if now.since(known.at) < QUIET => {
                known.since += 1;
                None
            }
            Some(known) => {
                known.at = now;
                Some(std::mem::take(&mut known.since))
            }
            None if full => None,
            None => {
                said.insert((source.to_owned(), kind.to_owned()), Said { at: now, since: 0 });
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
    fn a_kind_is_spoken_of_once_and_then_counted_for_an_hour() {
        let unread = Unread::default();
        assert_eq!(unread.due("telegram:1", "hologram", at(0)), Some(0));
        assert_eq!(unread.due("telegram:1", "hologram", at(1)), None);
        assert_eq!(unread.due("telegram:1", "message", at(1)), Some(0), "another kind");
        assert_eq!(unread.due("telegram:2", "hologram", at(1)), Some(0), "another account");
        assert_eq!(unread.due("telegram:1", "hologram", at(3599)), None);
        assert_eq!(unread.due("telegram:1", "hologram", at(3600)), Some(2));
    }

    #[test]
    fn no_number_of_kinds_fills_the_log_or_the_memory() {
        let unread = Unread::default();
        let said = (0..10 * KINDS).filter(|n| unread.due("a", &n.to_string(), at(0)).is_some()).count();
        assert_eq!(said, KINDS);
        assert_eq!(unread.due("a", "later", at(3600)), Some(0));
    }
}
