//! Requests that come again under the same `Idempotency-Key`: they get the first answer.
//!
//! This memory is short and dies with the process. It serves actions that do no harm when they happen twice
//! (a reset, a stop, another try). What must never happen twice has its key in the database: a prompt's
//! event id, a part's key.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// How many answers are remembered,
const ANSWERS: usize = 1024;

/// and how many bytes of them.
const BYTES: usize = 4 * 1024 * 1024;

/// The answers that were given.
#[derive(Default)]
pub(crate) struct Repeats(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    known: HashMap<Key, Entry>,
    /// The keys with what their answers hold, the oldest first.
    order: VecDeque<(Key, usize)>,
    bytes: usize,
}

type Key = (String, String);

struct Entry {
    /// Of the path and the body: another request under the same key is a mistake of the client.
    request: [u8; 32],
    /// None while the first one is under way.
    answer: Option<(StatusCode, Value)>,
}

/// What to do with a request.
pub(crate) enum First<'a> {
    /// It is new: carry it out and say what was answered.
    Yes(Claim<'a>),
    /// It was answered already.
    No(StatusCode, Value),
}

/// A request that is being carried out. Dropping it without an answer forgets the key.
pub(crate) struct Claim<'a> {
    memory: &'a Repeats,
    key: Key,
    answered: bool,
}

impl Repeats {
    /// Whether a request is the first under its key.
    pub(crate) fn begin(
        &self,
        token: &str,
        key: &str,
        path: &str,
        body: &[u8],
    ) -> Result<First<'_>, ApiError> {
        let mut hash = Sha256::new();
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(body);
        let request = hash.finalize().into();
        let key = (token.to_owned(), key.to_owned());
        let mut memory = self.memory();
        match memory.known.get(&key) {
            Some(entry) if entry.request != request => Err(ApiError::new(
                StatusCode::CONFLICT,
                "conflict",
                "this Idempotency-Key was used for another request already: use a new one",
            )),
            Some(Entry { answer: Some((status, body)), .. }) => Ok(First::No(*status, body.clone())),
            Some(_) => Err(ApiError::new(
                StatusCode::CONFLICT,
                "in_progress",
                "the first request with this Idempotency-Key is still under way",
            )
            .after(std::time::Duration::from_secs(1))),
            None => {
                memory.known.insert(key.clone(), Entry { request, answer: None });
                Ok(First::Yes(Claim { memory: self, key, answered: false }))
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    /// Remembers the answer.
    pub(crate) fn answered(mut self, status: StatusCode, body: &Value) {
        self.answered = true;
        let mut memory = self.memory.memory();
        if let Some(entry) = memory.known.get_mut(&self.key) {
            entry.answer = Some((status, body.clone()));
        }
        let bytes = body.to_string().len();
        memory.order.push_back((self.key.clone(), bytes));
        memory.bytes += bytes;
        while (memory.order.len() > ANSWERS || memory.bytes > BYTES)
            && let Some((oldest, bytes)) = memory.order.pop_front()
        {
            memory.known.remove(&oldest);
            memory.bytes -= bytes;
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.memory.memory().known.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim<'a>(repeats: &'a Repeats, key: &str) -> Claim<'a> {
        match repeats.begin("cli", key, "/x", b"{}") {
            Ok(First::Yes(claim)) => claim,
            Ok(First::No(..)) => panic!("{key} was answered already"),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_repeated_request_gets_the_first_answer() {
        let repeats = Repeats::default();
        claim(&repeats, "k").answered(StatusCode::OK, &json!({"epoch": 2}));
        let again = repeats.begin("cli", "k", "/x", b"{}");
        assert!(matches!(again, Ok(First::No(StatusCode::OK, body)) if body == json!({"epoch": 2})));
        let other = repeats.begin("cli", "k", "/x", b"{1}").err().map(|error| error.code);
        assert_eq!(other, Some("conflict".into()));
        assert!(
            matches!(repeats.begin("other", "k", "/x", b"{1}"), Ok(First::Yes(_))),
            "keys are each token's own"
        );
    }

    #[test]
    fn a_request_that_failed_leaves_its_key_unused() {
        let repeats = Repeats::default();
        let first = claim(&repeats, "k");
        let meanwhile = repeats.begin("cli", "k", "/x", b"{}").err().map(|error| error.code);
        assert_eq!(meanwhile, Some("in_progress".into()));
        drop(first);
        drop(claim(&repeats, "k"));
    }

    #[test]
    fn the_memory_is_bounded() {
        let repeats = Repeats::default();
        for n in 0..5 * ANSWERS {
            claim(&repeats, &n.to_string()).answered(StatusCode::OK, &json!({}));
        }
        let memory = repeats.memory();
        assert_eq!((memory.known.len(), memory.order.len()), (ANSWERS, ANSWERS));
        drop(memory);
        for n in 0..100 {
            let large = json!({"parts": "x".repeat(1024 * 1024)});
            claim(&repeats, &format!("large {n}")).answered(StatusCode::OK, &large);
        }
        assert!(repeats.memory().known.len() < 5, "large answers are forgotten sooner");
    }
}
