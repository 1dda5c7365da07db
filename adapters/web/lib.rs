//! The web channel: prompts that come through the API's door, and frames for the readers who are there.
//!
//! It holds no socket: the door does. A part counts as sent when its row is committed, for readers fetch
//! durable lines from us by their sequence number.

mod inbound;
pub mod markup;
mod outbound;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::key::DEFAULT_ACCOUNT;
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Live, Stop, Webhook};
use frontdesk_core::profile::{Flow, Limit, Pacing, Profile, ReceiptRule, Unit};

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "web";

/// Characters in one part: more than an answer may have (`turns.max_answer`), so that an answer is one part.
const LIMIT: usize = 16 * 1024 * 1024;

/// The web channel's only account.
pub struct WebAdapter {
    profile: Profile,
    live: Arc<dyn Live>,
}

impl WebAdapter {
    /// Takes its prompts from `live` and shows its frames there.
    pub fn new(live: Arc<dyn Live>) -> Self {
        Self { profile: profile(), live }
    }
}

#[async_trait]
impl Adapter for WebAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &str {
        DEFAULT_ACCOUNT
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        inbound::run(self.live.as_ref(), inbox.as_ref(), stop).await;
        Ok(())
    }

    async fn send(&self, to: &Address, act: Act) -> Result<Receipt, SendError> {
        let (frame, receipt) = outbound::frame(act)?;
        self.live.push(to, frame);
        Ok(receipt)
    }

    async fn fetch(&self, _: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("the web channel brings no files".to_owned()))
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}

fn profile() -> Profile {
    Profile {
        channel: CHANNEL,
        limit: Limit { max: LIMIT, unit: Unit::Characters },
        caption: 0,
        dialect: &markup::DIALECT,
        flow: Flow::Live,
        receipt: ReceiptRule::Commit,
        // A reader sees the pieces of an answer; a sign of writing would say less.
        typing: None,
        threads: false,
        media: None,
        // A chat of the web channel is not a person, and its readers need not be told anything unasked.
        person_chat: None,
        // Whoever waits for an answer hears of its end by this alone.
        ends: true,
        buttons: false,
        idempotent: Some(Duration::MAX),
        pacing: Pacing::default(),
        // There is no platform that could fall silent: the channel is up as long as the door is.
        patience: None,
    }
}
