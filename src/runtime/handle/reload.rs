//! Taking over another configuration.

use super::GatewayHandle;
use crate::reload::{Next, ReloadError, TakenOver, take_over};

impl GatewayHandle {
    /// Takes over another configuration, one caller after the other. It goes on if the caller disconnects.
    pub async fn reload(&self, next: Next) -> Result<TakenOver, ReloadError> {
        let shared = self.0.clone();
        self.finished(async move { take_over(&shared, next).await }, ReloadError::Stopping).await
    }

    /// Records why the configuration file cannot be used, for the health and the status; `None` once it can.
    pub fn note_config_error(&self, error: Option<String>) {
        self.0.process.config_error.send_replace(error);
    }
}
