//! Files that come with messages and go out with answers.

use frontdesk_core::config::ConfigError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files that come with messages and go out with answers. They lie in `media` beneath the home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Media {
    /// The largest file that is fetched, in bytes; the agent is told of a larger one.
    pub max_bytes: u64,
    /// The largest file that is sent, in bytes; a platform may allow less.
    pub max_out_bytes: u64,
    /// How many bytes of files are fetched for one person on one day; 0 means no limit. A file that is stored already
    /// does not count. The person is told when the limit is reached.
    pub daily_bytes: u64,
    /// How many bytes of fetched files are kept in all; 0 means no limit. When it is reached, no file is fetched until
    /// older ones are deleted.
    pub total_bytes: u64,
    /// Seconds that the fetching of one file may take.
    pub fetch_seconds: u64,
    /// Days after which a fetched file is deleted.
    pub keep_days: u32,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            max_bytes: 20 * 1024 * 1024,
            max_out_bytes: 50 * 1024 * 1024,
            daily_bytes: 200 * 1024 * 1024,
            total_bytes: 2 * 1024 * 1024 * 1024,
            fetch_seconds: 60,
            keep_days: 30,
        }
    }
}

/// A hundred years.
const MAX_DAYS: u32 = 36_500;

impl Media {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |path: &str, problem: &str| Err(ConfigError::new(path, problem));
        if !(1..=3600).contains(&self.fetch_seconds) {
            return wrong("media.fetch_seconds", "must be between 1 and 3600 (an hour)");
        }
        if !(1..=MAX_DAYS).contains(&self.keep_days) {
            return wrong("media.keep_days", "must be between 1 and 36500 (a hundred years)");
        }
        Ok(())
    }
}
