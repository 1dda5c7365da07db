//! Transcribes voice messages: by a program, or by an OpenAI-compatible API (`/audio/transcriptions`).

use std::sync::Arc;

use frontdesk_core::voice::Transcriber;

use crate::Host;

mod command;
mod config;
mod endpoint;

pub use config::Config;

/// Builds what the config names; `None` if it names nothing. Starts nothing and connects to nothing. The config must have
/// been checked.
pub fn build(
    config: &Config,
    host: &Host,
) -> Result<Option<Arc<dyn Transcriber>>, frontdesk_core::config::ConfigError> {
    if !config.command.is_empty() {
        return Ok(Some(Arc::new(command::Program::new(config, host))));
    }
    match &config.model {
        Some(model) => Ok(Some(Arc::new(endpoint::Endpoint::new(config, model, host.clock.clone())?))),
        None => Ok(None),
    }
}
