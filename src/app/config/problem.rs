//! Errors in a configuration, each with its position.

use std::fmt;
use std::path::PathBuf;

use frontdesk_core::config::ConfigError;

use crate::document::Position;

/// One error and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `None` for a value that is not written in the file.
    pub position: Option<Position>,
    /// The key and what is wrong with it.
    pub error: ConfigError,
}

impl Problem {
    /// A problem at a position.
    pub fn at(position: Position, problem: impl Into<String>) -> Problem {
        Problem { position: Some(position), error: ConfigError::new("", problem) }
    }

    /// The same problem, about the key at `path`.
    pub fn about(mut self, path: impl Into<String>) -> Problem {
        self.error.path = path.into();
        self
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Problem {
        Problem { position: None, error }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        self.error.fmt(f)
    }
}

/// All errors in one configuration. Each is one line: `file:line:column: key: problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// `None` for a configuration that was made in memory.
    pub file: Option<PathBuf>,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// The errors of a configuration that was made in memory.
    pub fn in_memory(errors: impl IntoIterator<Item = ConfigError>) -> Problems {
        Problems { file: None, problems: errors.into_iter().map(Problem::from).collect() }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            match (&self.file, problem.position) {
                (Some(file), Some(_)) => write!(f, "{}:{problem}", file.display())?,
                (Some(file), None) => write!(f, "{}: {problem}", file.display())?,
                (None, _) => write!(f, "{problem}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
