//! Callbacks: where it is posted what became of a message.

use frontdesk_core::id::MessageId;
use frontdesk_core::port::{WebhookFault, WebhookPost};
use frontdesk_store::row::CallbackResult;

use super::{GatewayError, GatewayHandle};

impl GatewayHandle {
    /// Posts to a web server that has a public address or is allowed.
    pub async fn post(&self, url: &str, post: WebhookPost) -> Result<(), WebhookFault> {
        self.0.work.jobs.webhooks.post(url, post).await
    }

    /// Remembers where the end of a message is to be posted, signed for the holder of this token.
    pub async fn add_callback(
        &self,
        message: MessageId,
        url: String,
        token: String,
    ) -> Result<(), GatewayError> {
        Ok(self.0.store.add_callback(message, url, token, self.0.time.wall()).await?)
    }

    /// Stores how a callback was posted.
    pub async fn callback_posted(
        &self,
        message: MessageId,
        result: CallbackResult,
    ) -> Result<(), GatewayError> {
        Ok(self.0.store.callback_posted(message, result).await?)
    }
}
