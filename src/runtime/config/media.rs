//! Files that people send and files that agents send.

use frontdesk_core::config::ConfigError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files that people send and files that agents send. They are in the folder `media` of the home folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Media {
    /// Maximum size of a file that people send, in bytes: of one that is larger on a platform the agent is only told, and
    /// an upload is refused.
    pub max_bytes: u64,
    /// Maximum size of a file that an agent sends, in bytes; a platform may allow less.
    pub max_out_bytes: u64,
    /// Maximum bytes of files that are downloaded for one person on one day; 0 means no limit. A file that is stored
    /// already does not count. The person is told when the limit is reached. As many bytes may a person have uploaded that
    /// no message has named yet.
    pub daily_bytes: u64,
    /// Maximum bytes of downloaded files that are kept in all; 0 means no limit. When it is reached, no file is
    /// downloaded until older ones are deleted.
    pub total_bytes: u64,
    /// Maximum seconds to download one file.
    pub fetch_seconds: u64,
    /// Days after which a downloaded file is deleted.
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
