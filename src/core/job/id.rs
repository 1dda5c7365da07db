//! The name of a job.

use std::fmt;
use std::str::FromStr;

use crate::segment::shown;

/// Maximum length of an id.
const LONGEST: usize = 64;

/// The name of a job: letters, digits, `-` and `_`. It needs no escape in a session key, a URL or a shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(String);

impl JobId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JobId {
    type Err = JobIdError;

    fn from_str(text: &str) -> Result<Self, JobIdError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=LONGEST).contains(&text.len()) && text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(JobIdError { given: shown(text) })
        }
    }
}

/// Why a text is not the id of a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is not the id of a job: use letters from a to z, digits, - and _, at most {LONGEST} characters, such as \
     \"morning-report\""
)]
pub struct JobIdError {
    given: String,
}
