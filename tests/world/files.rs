//! Files on the fake platform: what a download returns, and how it fails.

use std::collections::{BTreeMap, VecDeque};

use frontdesk_core::port::{Bytes, FetchError};
use futures_util::StreamExt;
use futures_util::stream;

/// How one download goes.
#[derive(Debug, Clone)]
pub enum Fetch {
    /// It returns these bytes.
    Bytes(Vec<u8>),
    /// It is refused for now.
    Later,
    /// It is refused for good.
    Refused,
    /// A few bytes, and then it hangs.
    Stuck,
    /// Bytes without end.
    Endless,
    /// A few bytes, and then the connection breaks.
    Cut,
    /// The adapter panics.
    Panic,
}

/// The downloads by file reference: one after another, the last one again and again.
#[derive(Default)]
pub(crate) struct Files {
    answers: BTreeMap<String, VecDeque<Fetch>>,
    asked: Vec<String>,
}

impl Files {
    pub(crate) fn set(&mut self, reference: &str, answers: impl IntoIterator<Item = Fetch>) {
        self.answers.insert(reference.to_owned(), answers.into_iter().collect());
    }

    /// Every reference that was requested, in order.
    pub(crate) fn asked(&self) -> &[String] {
        &self.asked
    }

    pub(crate) fn answer(&mut self, reference: &str) -> Option<Fetch> {
        self.asked.push(reference.to_owned());
        let answers = self.answers.get_mut(reference)?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}

/// The download as the adapter returns it.
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
        Some(Fetch::Panic) => panic!("scripted"),
    }
}
