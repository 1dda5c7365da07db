//! What is wrong with a configuration, each with its place and what to do.

use std::fmt;
use std::path::PathBuf;

use super::document::Position;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, if it is written anywhere.
    pub place: Option<Position>,
    /// Which key, as a dotted path; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what to write instead. Never a value that could be a secret.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub fn at(place: Position, message: impl Into<String>) -> Problem {
        Problem { place: Some(place), path: String::new(), message: message.into() }
    }

    /// The same about a key.
    pub fn about(mut self, path: impl Into<String>) -> Problem {
        self.path = path.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with one configuration; shown one line each as `file:line:column: key: what`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file; `None` for a configuration that was made in memory.
    pub file: Option<PathBuf>,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            match (&self.file, problem.place) {
                (Some(file), Some(_)) => write!(f, "{}:{problem}", file.display())?,
                (Some(file), None) => write!(f, "{}: {problem}", file.display())?,
                (None, _) => write!(f, "{problem}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
