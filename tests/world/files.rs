//! Files on the platform: what it hands out when it is asked, and how that goes wrong.

use std::collections::{BTreeMap, VecDeque};

use frontdesk_core::port::{Bytes, FetchError};
use futures_util::StreamExt;
use futures_util::stream;

/// What comes back when a file is asked for.
#[derive(Debug, Clone)]
pub enum Fetch {
    /// These bytes.
    Bytes(Vec<u8>),
    /// "Not now."
    Later,
    /// "No."
    Refused,
    /// A few bytes, and then nothing any more.
    Stuck,
    /// Bytes without end.
    Endless,
    /// A few bytes, and then the connection is gone.
    Cut,
    /// The adapter panics over it.
    Panic,
}

/// What the platform holds, by reference: one answer after another, the last one for ever.
#[derive(Default)]
pub(crate) struct Files {
    held: BTreeMap<String, VecDeque<Fetch>>,
    asked: Vec<String>,
}

impl Files {
    pub(crate) fn hold(&mut self, reference: &str, answers: impl IntoIterator<Item = Fetch>) {
        self.held.insert(reference.to_owned(), answers.into_iter().collect());
    }

    /// Every reference that was asked for, in order.
    pub(crate) fn asked(&self) -> &[String] {
        &self.asked
    }

    pub(crate) fn answer(&mut self, reference: &str) -> Option<Fetch> {
        self.asked.push(reference.to_owned());
        let answers = self.held.get_mut(reference)?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}

/// The answer as an adapter gives it.
pub(crate) fn given(answer: Option<Fetch>) -> Result<Bytes, FetchError> {
    let some = || stream::iter([Ok(b"some".to_vec())]);
    match answer {
        None | Some(Fetch::Refused) => Err(FetchError::Refused("no such file".to_owned())),
        Some(Fetch::Later) => Err(FetchError::Later("too many requests".to_owned())),
        Some(Fetch::Bytes(bytes)) => {
            let pieces: Vec<_> = bytes.chunks(1000).map(|piece| Ok(piece.to_vec())).collect();
            Ok(stream::iter(pieces).boxed())
        }
        Some(Fetch::Stuck) => Ok(some().chain(stream::pending()).boxed()),
        Some(Fetch::Endless) => Ok(stream::repeat_with(|| Ok(vec![0; 64 * 1024])).boxed()),
        Some(Fetch::Cut) => {
            Ok(some().chain(stream::iter([Err(FetchError::Later("cut off".to_owned()))])).boxed())
        }
        Some(Fetch::Panic) => panic!("as told"),
    }
}
