//! Repeated log lines: the first of each kind is written, then at most one an hour.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::port::Mono;

/// How long no further line of a kind is written.
const QUIET: Duration = Duration::from_secs(3600);
/// Maximum number of kinds that are tracked. Lines of further kinds are not written.
const KINDS: usize = 256;

/// Which lines were written lately. `K` is what makes two lines the same.
pub struct LogLimit<K>(Mutex<HashMap<K, Written>>);

struct Written {
    at: Mono,
    /// Lines since then that were not written.
    unwritten: u64,
}

impl<K> Default for LogLimit<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq> LogLimit<K> {
    /// `Some` if a line of this kind is to be written, with the number of those that were not written before it.
    pub fn due(&self, kind: K, now: Mono) -> Option<u64> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() >= KINDS {
            written.retain(|_, written| now.since(written.at) < QUIET);
        }
        let full = written.len() >= KINDS;
        match written.get_mut(&kind) {
            Some(known) if now.since(known.at) < QUIET => {
                known.unwritten += 1;
                None
            }
            Some(known) => {
                known.at = now;
                Some(std::mem::take(&mut known.unwritten))
            }
            None if full => None,
            None => {
                written.insert(kind, Written { at: now, unwritten: 0 });
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
        let lines = LogLimit::default();
        assert_eq!(lines.due("hologram", at(0)), Some(0));
        assert_eq!(lines.due("hologram", at(1)), None);
        assert_eq!(lines.due("message", at(1)), Some(0), "another kind");
        assert_eq!(lines.due("hologram", at(3599)), None);
        assert_eq!(lines.due("hologram", at(3600)), Some(2));
    }

    #[test]
    fn the_number_of_kinds_is_bounded() {
        let lines = LogLimit::default();
        let written = (0..10 * KINDS).filter(|n| lines.due(*n, at(0)).is_some()).count();
        assert_eq!(written, KINDS);
        assert_eq!(lines.due(10 * KINDS, at(3600)), Some(0));
    }
}
