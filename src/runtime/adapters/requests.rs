//! Requests to an adapter: deliveries and signals. What the platform says about a chat or the whole account in the answer
//! to one request applies to every later request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Bucket, Delivery, Post, Receipt, SendError, Signal};
use frontdesk_core::port::Adapter;
use futures_util::FutureExt;

use super::shown_texts::ExpectedText;
use super::{Connection, Login};

impl Connection {
    /// Delivers one row. While the platform wants a pause for this chat or account, nothing is sent.
    pub(crate) async fn deliver(&self, to: &Address, mut delivery: Delivery) -> Result<Receipt, SendError> {
        if let Some(target) = self.shown_texts.delivered(to, &delivery) {
            return Ok(Receipt::of(target));
        }
        let adapter = self.usable(to)?;
        let expected = ExpectedText::of_delivery(&delivery);
        self.prefix_key(&mut delivery);
        let sent = self.request(to, async { adapter.deliver(to, delivery).await }).await;
        if let Some(expected) = expected {
            let message = sent.as_ref().map(|receipt| receipt.message.clone());
            self.shown_texts.note(to, expected, message.map_err(drop));
        }
        sent
    }

    /// Gives one signal. While the platform wants a pause for this chat or account, nothing is sent. Callers must use an
    /// error only to decide when the next signal is given, if any.
    pub(crate) async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        if self.shown_texts.is_shown(to, &signal) {
            return Ok(());
        }
        let adapter = self.usable(to)?;
        let expected = ExpectedText::of_signal(&signal);
        let sent = self.request(to, async { adapter.signal(to, signal).await }).await;
        if let Some(expected) = expected {
            self.shown_texts.note(to, expected, sent.as_ref().map(|()| None).map_err(drop));
        }
        sent
    }

    /// Gives a signal whose result changes nothing: a delta, the end of a turn.
    pub(crate) async fn show(&self, to: &Address, signal: Signal) {
        if let Err(error) = self.signal(to, signal).await {
            tracing::debug!(channel = to.channel(), %error, "a signal was not shown");
        }
    }

    /// The adapter of a configured account that may send to this address now.
    fn usable(&self, to: &Address) -> Result<Arc<dyn Adapter>, SendError> {
        if !self.is_configured() || self.login() == Login::Another {
            return Err(SendError::Offline("the account is not connected".into()));
        }
        self.check_pause(to)?;
        Ok(self.adapter())
    }

    /// Makes one request. A panic in the adapter fails only that request.
    async fn request<T>(
        &self,
        to: &Address,
        request: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let sent = AssertUnwindSafe(request).catch_unwind().await;
        let sent = sent.unwrap_or_else(|_| Err(SendError::Refused("the adapter panicked".into())));
        match &sent {
            Err(SendError::Offline(cause)) => self.note_offline(cause),
            _ => self.note_online(),
        }
        match &sent {
            Ok(_) => self.state().send_refused = None,
            Err(SendError::Later { after: Some(pause), scope: Bucket::Account, .. }) => {
                self.pause_account(*pause)
            }
            Err(SendError::Later { after: Some(pause), scope: Bucket::Chat, .. }) => {
                self.pace.hold(to, *pause, self.clock.mono());
            }
            Err(SendError::Credentials(detail)) => self.note_refused(detail),
            Err(_) => {}
        }
        sent
    }

    fn prefix_key(&self, delivery: &mut Delivery) {
        let prefix = |post: &mut Post| post.key = format!("{}/{}", self.key_prefix, post.key);
        match delivery {
            Delivery::Post(post) | Delivery::Edit { post, .. } | Delivery::Media { post, .. } => prefix(post),
            Delivery::Album(files) => files.iter_mut().for_each(|file| prefix(&mut file.post)),
            Delivery::Delete { .. } | Delivery::React { .. } | Delivery::Pin { .. } => {}
        }
    }
}
