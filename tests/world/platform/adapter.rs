//! The adapter that connects a gateway to the fake platform.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::{Attachment, Cursor, Event, Source};
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::Profile;

use super::Platform;
use crate::files::given;

/// The adapter of one gateway process.
pub struct FakeAdapter(pub Arc<Platform>);

#[async_trait]
impl Adapter for FakeAdapter {
    fn profile(&self) -> &Profile {
        &self.0.profile
    }

    fn account(&self) -> &AccountId {
        &self.0.account
    }

    fn login(&self) -> Option<String> {
        Some(self.0.login.clone())
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        self.0.state().connections += 1;
        let source = Source { id: format!("fake:{}", self.0.login), account: self.account().clone() };
        let cursor = inbox.cursor(&source).await.map_err(|error| AdapterError::Lost(error.to_string()))?;
        let mut offset: u64 = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        loop {
            let changed = self.0.changed.notified();
            let batch: Vec<(u64, Event)> = {
                let mut state = self.0.state();
                if state.polls_hang {
                    Vec::new()
                } else {
                    // Asking for later events acknowledges the earlier ones.
                    state.acknowledged = state.acknowledged.max(offset);
                    state.pending.retain(|(id, _)| *id > offset);
                    state.pending.iter().take(100).cloned().collect()
                }
            };
            if !self.0.state().polls_hang {
                inbox.heard(&source);
            }
            if let Some(left) = { self.0.state().ends.checked_sub(1) } {
                self.0.state().ends = left;
                return Err(AdapterError::Lost("it ended".to_owned()));
            }
            if batch.is_empty() {
                tokio::select! {
                    () = changed => continue,
                    () = stop.cancelled() => return Ok(()),
                }
            }
            let last = batch.last().map_or(offset, |(id, _)| *id);
            let (numbers, events): (Vec<u64>, Vec<Event>) = batch.into_iter().unzip();
            let mut push = inbox.push(&source, events, Some(Cursor(last.to_string())));
            let mut left = self.0.state().steps.take();
            let pushed = poll_fn(|cx| match &mut left {
                Some(0) => Poll::Ready(None),
                left => {
                    *left = left.map(|left| left - 1);
                    push.as_mut().poll(cx).map(Some)
                }
            });
            let Some(pushed) = pushed.await else { return Err(AdapterError::Lost("it ended".to_owned())) };
            let outcomes = pushed.map_err(|error| AdapterError::Lost(error.to_string()))?;
            offset = last;
            self.0.state().outcomes.extend(numbers.into_iter().zip(outcomes));
            self.0.changed.notify_waiters();
        }
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        self.0.accept_delivery(to, &delivery).await
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        self.0.accept_signal(to, &signal).await
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        if self.0.state().offline {
            return Err(FetchError::Later("not connected".to_owned()));
        }
        let answer = self.0.state().files.answer(&file.reference);
        self.0.changed.notify_waiters();
        given(answer)
    }

    async fn group(&self, _: &str) -> Result<Group, LookupError> {
        Err(LookupError::NoSuchGroup)
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Err(LookupError::Unsupported)
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}
