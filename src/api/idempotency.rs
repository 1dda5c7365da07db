//! Answers repeated requests with the same `Idempotency-Key` as the first time.
//!
//! This cache is small and lost at a restart. It serves actions that do no harm when they happen twice (a reset, a
//! stop, another try). What must never happen twice has its key in the database: a prompt's event id, a part's key.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// Maximum number of stored answers.
const MAX_ANSWERS: usize = 1024;

/// Maximum bytes of all stored answers together.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The answers of recent requests by token and key.
#[derive(Default)]
pub(crate) struct IdempotencyCache(Mutex<CacheState>);

#[derive(Default)]
struct CacheState {
    known: HashMap<Key, Entry>,
    /// The keys with the size of their answers, the oldest first.
    order: VecDeque<(Key, usize)>,
    bytes: usize,
}

type Key = (String, String);

struct Entry {
    /// The hash of the path and the body, by which another request with the same key is detected.
    request: [u8; 32],
    /// `None` while the first request is in progress.
    answer: Option<(StatusCode, Value)>,
}

/// Whether a request is new.
pub(crate) enum Lookup<'a> {
    /// It is new: carry it out and store its answer.
    New(PendingRequest<'a>),
    /// It was answered already.
    Answered(StatusCode, Value),
}

/// A request in progress. Dropping it without an answer forgets the key, so that the request can be sent again.
pub(crate) struct PendingRequest<'a> {
    cache: &'a IdempotencyCache,
    key: Key,
    answered: bool,
}

impl IdempotencyCache {
    /// Looks up a request by its key. An error says that the key belongs to another request, or that the first request
    /// is in progress.
    pub(crate) fn begin(
        &self,
        token: &str,
        key: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Lookup<'_>, ApiError> {
        let mut hash = Sha256::new();
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(body);
        let request = hash.finalize().into();
        let key = (token.to_owned(), key.to_owned());
        let mut state = self.state();
        match state.known.get(&key) {
            Some(entry) if entry.request != request => Err(ApiError::new(
                StatusCode::CONFLICT,
                "conflict",
                "this Idempotency-Key was already used for a different request: use a new one",
            )),
            Some(Entry { answer: Some((status, body)), .. }) => Ok(Lookup::Answered(*status, body.clone())),
            Some(_) => Err(ApiError::new(
                StatusCode::CONFLICT,
                "in_progress",
                "the first request with this Idempotency-Key is still running: try again in a moment",
            )
            .after(std::time::Duration::from_secs(1))),
            None => {
                state.known.insert(key.clone(), Entry { request, answer: None });
                Ok(Lookup::New(PendingRequest { cache: self, key, answered: false }))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, CacheState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingRequest<'_> {
    /// Stores the answer.
    pub(crate) fn answered(mut self, status: StatusCode, body: &Value) {
        self.answered = true;
        let mut state = self.cache.state();
        if let Some(entry) = state.known.get_mut(&self.key) {
            entry.answer = Some((status, body.clone()));
        }
        let bytes = body.to_string().len();
        state.order.push_back((self.key.clone(), bytes));
        state.bytes += bytes;
        while (state.order.len() > MAX_ANSWERS || state.bytes > MAX_BYTES)
            && let Some((oldest, bytes)) = state.order.pop_front()
        {
            state.known.remove(&oldest);
            state.bytes -= bytes;
        }
    }
}

impl Drop for PendingRequest<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.cache.state().known.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pending<'a>(cache: &'a IdempotencyCache, key: &str) -> PendingRequest<'a> {
        match cache.begin("cli", key, "/x", b"{}") {
            Ok(Lookup::New(pending)) => pending,
            Ok(Lookup::Answered(..)) => panic!("{key} was answered already"),
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_repeated_request_gets_the_first_answer() {
        let cache = IdempotencyCache::default();
        pending(&cache, "k").answered(StatusCode::OK, &json!({"epoch": 2}));
        let again = cache.begin("cli", "k", "/x", b"{}");
        assert!(matches!(again, Ok(Lookup::Answered(StatusCode::OK, body)) if body == json!({"epoch": 2})));
        let other = cache.begin("cli", "k", "/x", b"{1}").err().map(|error| error.code);
        assert_eq!(other, Some("conflict".into()));
        assert!(
            matches!(cache.begin("other", "k", "/x", b"{1}"), Ok(Lookup::New(_))),
            "keys are each token's own"
        );
    }

    #[test]
    fn a_request_that_failed_leaves_its_key_unused() {
        let cache = IdempotencyCache::default();
        let first = pending(&cache, "k");
        let meanwhile = cache.begin("cli", "k", "/x", b"{}").err().map(|error| error.code);
        assert_eq!(meanwhile, Some("in_progress".into()));
        drop(first);
        drop(pending(&cache, "k"));
    }

    #[test]
    fn the_memory_is_bounded() {
        let cache = IdempotencyCache::default();
        for n in 0..5 * MAX_ANSWERS {
            pending(&cache, &n.to_string()).answered(StatusCode::OK, &json!({}));
        }
        let state = cache.state();
        assert_eq!((state.known.len(), state.order.len()), (MAX_ANSWERS, MAX_ANSWERS));
        drop(state);
        for n in 0..100 {
            let large = json!({"parts": "x".repeat(1024 * 1024)});
            pending(&cache, &format!("large {n}")).answered(StatusCode::OK, &large);
        }
        assert!(cache.state().known.len() < 5, "large answers are forgotten sooner");
    }
}
