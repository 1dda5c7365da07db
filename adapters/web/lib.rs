//! The web channel: prompts that clients send to the HTTP server, and answers shown to the clients that are connected.
//!
//! The adapter holds no socket; the HTTP server does. A part counts as sent when its row is committed, because clients
//! fetch the messages that they missed from the database by their sequence number.

mod inbound;
pub mod markup;
mod outbound;
mod section;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Live, Stop, Webhook};
use frontdesk_core::profile::{Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
pub use section::Web;

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "web";

/// Maximum characters in one part: more than an answer may have (`turns.max_answer`), so that an answer is one part.
const LIMIT: usize = 16 * 1024 * 1024;

/// The web channel's only account.
pub struct WebAdapter {
    profile: Profile,
    account: AccountId,
    live: Arc<dyn Live>,
}

impl WebAdapter {
    /// An adapter that takes prompts from `live` and shows posts and signals there.
    pub fn new(live: Arc<dyn Live>) -> Self {
        Self { profile: profile(), account: AccountId::default_of(CHANNEL), live }
    }
}

#[async_trait]
impl Adapter for WebAdapter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.account
    }

    fn login(&self) -> Option<String> {
        None
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        inbound::run(self.live.as_ref(), inbox.as_ref(), stop).await;
        Ok(())
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let post = outbound::post(delivery)?;
        let receipt = Receipt::of(post.out.to_string());
        self.live.show(to, post);
        Ok(receipt)
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        if outbound::is_shown(&signal) {
            self.live.signal(to, signal);
        }
        Ok(())
    }

    async fn fetch(&self, _: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("the HTTP server stores the files of the web channel itself".to_owned()))
    }

    async fn group(&self, _: &str) -> Result<Group, LookupError> {
        Err(LookupError::NoSuchGroup)
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Ok(GroupPage::default())
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}

fn profile() -> Profile {
    Profile {
        channel: CHANNEL.to_owned(),
        limit: Limit { max: LIMIT, unit: Unit::Characters },
        caption: LIMIT,
        dialect: &markup::DIALECT,
        flow: Flow::Live,
        receipt: ReceiptRule::Commit,
        // Clients see the deltas of an answer, so a typing indicator adds nothing.
        typing: None,
        threads: false,
        // Clients fetch files from the gateway, whose own limits hold.
        media: Some(u64::MAX),
        albums: None,
        // A web chat is not a person's private chat, so no notice is ever sent to a person through it.
        person_chat: None,
        operator_chat: Some("main".to_owned()),
        // A client that waits for an answer learns only from this signal that the turn has ended.
        ends: true,
        buttons: true,
        // Clients have received a message already.
        changes: MessageChanges::default(),
        waiting_marks: false,
        private_posts: false,
        command_mark: '/',
        native: None,
        idempotent: Some(Duration::MAX),
        pacing: Pacing::default(),
        // There is no remote platform: the channel works as long as the HTTP server does.
        max_silence: None,
    }
}
