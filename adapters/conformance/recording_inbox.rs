//! An inbox in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Event, Outcome, Source};
use frontdesk_core::port::{Busy, Inbox};
use tokio::sync::Notify;

/// An inbox in memory that records what is pushed, and refuses batches on request.
#[derive(Default)]
pub struct RecordingInbox {
    start: Option<Cursor>,
    pages: Mutex<Pages>,
    changed: Notify,
}

#[derive(Default)]
struct Pages {
    taken: Vec<(Vec<Event>, Option<Cursor>)>,
    sources: Vec<Source>,
    refusals: VecDeque<Busy>,
    outcomes: VecDeque<Outcome>,
    heard: usize,
}

impl RecordingInbox {
    /// An inbox that starts with this cursor.
    pub fn at(cursor: &str) -> Self {
        Self { start: Some(Cursor(cursor.to_owned())), ..Self::default() }
    }

    /// Refuses the next push with this error.
    pub fn refuses(&self, busy: Busy) {
        self.pages().refusals.push_back(busy);
    }

    /// The number of pushes that will be refused.
    pub fn refusals(&self) -> usize {
        self.pages().refusals.len()
    }

    /// Refuses nothing more.
    pub fn takes(&self) {
        self.pages().refusals.clear();
    }

    /// Gives the next event that has no outcome yet this outcome; events are accepted otherwise.
    pub fn gives(&self, outcome: Outcome) {
        self.pages().outcomes.push_back(outcome);
    }

    /// The batches that were accepted: the ids of their events, and their cursors.
    pub fn batches(&self) -> Vec<(Vec<String>, Option<String>)> {
        let pages = self.pages();
        let batch = |(events, cursor): &(Vec<Event>, Option<Cursor>)| {
            let ids = events.iter().map(|event| event.id.clone()).collect();
            (ids, cursor.as_ref().map(|cursor| cursor.0.clone()))
        };
        pages.taken.iter().map(batch).collect()
    }

    /// Every event that was accepted, in order.
    pub fn events(&self) -> Vec<Event> {
        self.pages().taken.iter().flat_map(|(events, _)| events.clone()).collect()
    }

    /// The sources of the batches.
    pub fn sources(&self) -> Vec<Source> {
        self.pages().sources.clone()
    }

    /// The number of calls of `heard`.
    pub fn heard(&self) -> usize {
        self.pages().heard
    }

    /// Waits until the condition holds, which is looked at after each batch.
    pub async fn until(&self, mut so: impl FnMut(&Self) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if so(self) {
                return;
            }
            changed.await;
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }
}

#[async_trait]
impl Inbox for RecordingInbox {
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy> {
        let mut pages = self.pages();
        if let Some(busy) = pages.refusals.pop_front() {
            return Err(busy);
        }
        let first = pages.taken.iter().map(|(events, _)| events.len()).sum::<usize>() + 1;
        let session: SessionKey = format!("agent:main:{}:dm:1", source.account.channel()).parse().unwrap();
        let accepted = |n| Outcome::Accepted {
            message: MessageId(i64::try_from(first + n).unwrap()),
            session: session.clone(),
        };
        let outcomes =
            (0..batch.len()).map(|n| pages.outcomes.pop_front().unwrap_or_else(|| accepted(n))).collect();
        pages.taken.push((batch, cursor));
        pages.sources.push(source.clone());
        self.changed.notify_waiters();
        Ok(outcomes)
    }

    async fn cursor(&self, _: &Source) -> Result<Option<Cursor>, Busy> {
        let pages = self.pages();
        let last = pages.taken.iter().rev().find_map(|(_, cursor)| cursor.clone());
        Ok(last.or_else(|| self.start.clone()))
    }

    async fn chats(&self, _: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy> {
        let is_new = |event: &Event| event.sent_at.is_none_or(|at| at >= since);
        let events = self.events().into_iter().rev().filter(is_new);
        let mut chats: Vec<Address> = events.map(|event| event.address).collect();
        chats.dedup();
        Ok(chats)
    }

    fn heard(&self, _: &Source) {
        self.pages().heard += 1;
    }
}
