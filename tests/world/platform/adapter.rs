//! The adapter that connects a gateway to the fake platform.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::message::{Attachment, Cursor, Event, Source};
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::Profile;

use super::{Fault, Platform};
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

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        let source = Source { id: "fake:1".to_owned(), account: self.account().clone() };
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
            if batch.is_empty() {
                tokio::select! {
                    () = changed => continue,
                    () = stop.cancelled() => return Ok(()),
                }
            }
            let last = batch.last().map_or(offset, |(id, _)| *id);
            let (numbers, events): (Vec<u64>, Vec<Event>) = batch.into_iter().unzip();
            let pushed = inbox.push(&source, events, Some(Cursor(last.to_string()))).await;
            let outcomes = pushed.map_err(|error| AdapterError::Lost(error.to_string()))?;
            offset = last;
            self.0.state().outcomes.extend(numbers.into_iter().zip(outcomes));
            self.0.changed.notify_waiters();
        }
    }

    async fn send(&self, to: &Address, act: Act) -> Result<Receipt, SendError> {
        if self.0.state().offline {
            return Err(SendError::Offline);
        }
        if let Some(error) = self.0.refusal(to, &act) {
            return Err(error);
        }
        let fault = match act {
            Act::Post(_) | Act::Edit { .. } | Act::Media { .. } => self.0.state().faults.pop_front(),
            _ => None,
        };
        match fault {
            None => self.0.carry_out(to, &act),
            Some(Fault::Answer(error)) => {
                self.0.state().journal.push(format!("answered {} with {error}", to.chat()));
                self.0.changed.notify_waiters();
                Err(error)
            }
            Some(Fault::LostAnswer) => {
                self.0.carry_out(to, &act)?;
                Err(SendError::Unknown("the answer was lost".to_owned()))
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("scripted"),
        }
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        if self.0.state().offline {
            return Err(FetchError::Later("not connected".to_owned()));
        }
        let answer = self.0.state().files.answer(&file.reference);
        self.0.changed.notify_waiters();
        given(answer)
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}
