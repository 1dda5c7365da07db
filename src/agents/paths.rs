//! Paths of the configuration: relative ones start at the home folder, and `~/` is the home of the user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How paths of the configuration are read.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    home: PathBuf,
    user: Option<PathBuf>,
}

impl Paths {
    /// `env` is the gateway's environment.
    pub(crate) fn new(home: &Path, env: &[(OsString, OsString)]) -> Self {
        let user = env.iter().rev().find(|(name, _)| name == "HOME").map(|(_, home)| PathBuf::from(home));
        Self { home: home.to_owned(), user }
    }

    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.user) {
            (Ok(rest), Some(user)) => user.join(rest),
            _ => self.home.join(path),
        }
    }

    /// The file that a text names, if it does.
    pub(crate) fn file(&self, text: &str) -> Option<PathBuf> {
        let path = self.absolute(Path::new(text));
        (!text.contains('\n') && path.is_file()).then_some(path)
    }
}
