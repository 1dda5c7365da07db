//! A test-only platform: JSON lines over TCP, with the delivery rules of a platform that is polled (the crash
//! test's fake platform stands at the other end, in `tests/crash/platform.rs`).
//!
//! ```text
//! > {"op":"poll","offset":7,"wait_ms":1000}                 forgets events below 7
//! < {"events":[{"id":7,"chat":"c1","user":"u1","text":"hello","private":true}]}
//! > {"op":"post","chat":"c1","text":"hi","key":"t12/0"}     < {"ok":true,"message":"17"}
//! > {"op":"edit","chat":"c1","message":"17","text":"hi you","key":"t12/0"}   > {"op":"typing","chat":"c1"}
//! < {"ok":false,"error":"later","after_ms":50}              or "refused", "gone", "markup"
//! ```

mod config;
mod inbound;
pub mod markup;
mod outbound;
mod pipe;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::{Flow, Limit, Pacing, Profile, ReceiptRule, Unit};

pub use config::Config;
use pipe::Pipes;

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "lab";

/// One account of the test platform.
pub struct LabAdapter {
    profile: Profile,
    account: AccountId,
    config: Config,
    pipes: Pipes,
}

impl LabAdapter {
    /// Nothing is connected yet.
    pub fn new(config: Config) -> Self {
        let pipes = Pipes::to(&config.address);
        let account = config.id();
        Self { profile: profile(), account, config, pipes }
    }
}

#[async_trait]
impl Adapter for LabAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.account
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        tokio::select! {
            ended = inbound::run(&self.config, inbox.as_ref(), &stop) => ended,
            // A push that is cut off here may commit or not: the event comes again either way.
            () = stop.cancelled() => Ok(()),
        }
    }

    async fn send(&self, to: &Address, act: Act) -> Result<Receipt, SendError> {
        outbound::send(&self.pipes, to, act).await
    }

    async fn fetch(&self, _: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("the test platform has no files".to_owned()))
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}

/// What the test platform can do: little, and not idempotent, so that ambiguity shows.
pub fn profile() -> Profile {
    Profile {
        channel: CHANNEL,
        limit: Limit { max: 4000, unit: Unit::Characters },
        caption: 1000,
        dialect: &markup::DIALECT,
        flow: Flow::Edits { every: Duration::from_millis(40) },
        receipt: ReceiptRule::Platform,
        typing: Some(Duration::from_secs(4)),
        threads: false,
        media: None,
        person_chat: None,
        ends: false,
        buttons: false,
        idempotent: None,
        pacing: Pacing::default(),
        patience: Some(Duration::from_secs(5)),
    }
}

#[cfg(test)]
mod tests;
