//! Errors of commands and their exit codes.

use std::process::ExitCode;

use frontdesk::config::Problems;
use frontdesk::home::HomeError;

use super::screen;

/// Wrong usage, the same code as clap's.
pub const USAGE: u8 = 2;
/// `EX_UNAVAILABLE`: no gateway is running.
pub const UNAVAILABLE: u8 = 69;
/// `EX_CONFIG`: the configuration is wrong.
pub const CONFIG: u8 = 78;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A failure with the general exit code.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { code: 1, message: message.into() }
    }

    /// A failure of which everything is on the screen already.
    pub fn shown() -> Failure {
        Failure::new("")
    }

    /// Arguments that make no sense.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: USAGE, message: message.into() }
    }

    /// No gateway answers.
    pub fn unavailable(message: impl Into<String>) -> Failure {
        Failure { code: UNAVAILABLE, message: message.into() }
    }

    /// Whether no gateway answers.
    pub fn is_unavailable(&self) -> bool {
        self.code == UNAVAILABLE
    }

    /// The configuration is wrong.
    pub fn config(message: impl Into<String>) -> Failure {
        Failure { code: CONFIG, message: message.into() }
    }

    /// Whether the configuration is wrong.
    pub fn is_config(&self) -> bool {
        self.code == CONFIG
    }

    /// Prints the message and returns the exit code.
    pub fn report(&self, name: &str) -> ExitCode {
        use std::io::Write;
        if self.message.is_empty() {
            return ExitCode::from(self.code);
        }
        // If standard error cannot be written either, the exit code is all that is left to report.
        let printed = writeln!(std::io::stderr(), "{name}: {}", screen::harmless(&self.message));
        match printed {
            Ok(()) | Err(_) => ExitCode::from(self.code),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let n = problems.problems.len();
        let what = if n == 1 { "the configuration has an error" } else { "the configuration has errors" };
        Failure::config(format!("{what}:\n{problems}"))
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::TwoConfigs(_) | HomeError::Unreadable { .. } | HomeError::Changeable(_) => {
                Failure::config(error.to_string())
            }
            _ => Failure::new(error.to_string()),
        }
    }
}
