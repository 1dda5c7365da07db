//! What transcribes voice messages, from the configuration.

use std::sync::Arc;

use frontdesk_agents::Host;
use frontdesk_core::voice::{Transcriber, transcribes_nothing};

use crate::config::{Config, Problems};

/// What the configuration names, if it names something.
pub(crate) fn transcriber(config: &Config, host: &Host) -> Result<Option<Arc<dyn Transcriber>>, Problems> {
    let built = frontdesk_agents::voice::build(&config.voice, host);
    let built = built.map_err(|error| Problems::in_memory([error.under("voice")]))?;
    if let Some(problem) = built.as_ref().and_then(|built| built.problem()) {
        tracing::warn!("{}", transcribes_nothing(&problem));
    }
    Ok(built)
}

/// What keeps voice messages from being transcribed, as far as that can be seen without starting anything.
pub(crate) fn problem(config: &Config, host: &Host) -> Option<String> {
    match frontdesk_agents::voice::build(&config.voice, host) {
        Ok(built) => built?.problem().map(|problem| transcribes_nothing(&problem)),
        Err(error) => Some(error.under("voice").to_string()),
    }
}
