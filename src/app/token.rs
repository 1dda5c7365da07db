//! The token's file: the only clear copy of what opens the door.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The id of the token in the home's file: the person that its holder is on the web channel.
pub const ID: &str = "main";

/// The shortest token that somebody may choose for themselves.
const SHORTEST: usize = 16;

/// A token in the clear. Its `Debug` is `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClearToken(String);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("the token's file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is in the file is no token.
    #[error(
        "{path} does not hold a token: it must be at least 16 letters, digits, `-` or `_`. \
         Delete the file, and the next `frontdesk run` makes a new token"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The machine gave no random bits.
    #[error("no random bits for a new token: {0}")]
    Random(String),
}

impl std::fmt::Debug for ClearToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ClearToken {
    /// Reads the file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<ClearToken>, TokenError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TokenError::Io { path: path.to_owned(), source }),
        };
        let text = text.trim();
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if text.len() < SHORTEST || !plain {
            return Err(TokenError::Malformed { path: path.to_owned() });
        }
        Ok(Some(ClearToken(text.to_owned())))
    }

    /// Reads the file, or makes a token and writes it there. The second value says whether it is new.
    pub fn read_or_make(path: &Path) -> Result<(ClearToken, bool), TokenError> {
        if let Some(token) = ClearToken::read(path)? {
            return Ok((token, false));
        }
        let token = frontdesk_api::make_token().map_err(|error| TokenError::Random(error.to_string()))?;
        write(path, &token).map_err(|source| TokenError::Io { path: path.to_owned(), source })?;
        Ok((ClearToken(token), true))
    }

    /// What is kept of it elsewhere.
    pub fn hash(&self) -> [u8; 32] {
        frontdesk_api::hash_token(&self.0)
    }

    /// What pairing codes follow from. It is in no database and no backup of one; with a new token it is another.
    pub fn pairing_secret(&self) -> [u8; 32] {
        frontdesk_api::hash_token(&format!("frontdesk pairing secret\0{}", self.0))
    }

    /// The clear text, for the one who logs in with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The link that logs a browser in at `url`. The token stands behind the `#`, which browsers keep to
    /// themselves: no server and no proxy sees it.
    pub fn link(&self, url: &str) -> String {
        format!("{}/#token={}", url.trim_end_matches('/'), self.0)
    }
}

/// Written beside its place and renamed, so that a crash leaves no half token.
fn write(path: &Path, token: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(format!("{token}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_token_is_made_once_and_for_us_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let (made, new) = ClearToken::read_or_make(&path).unwrap();
        assert!(new);
        assert_eq!(ClearToken::read_or_make(&path).unwrap(), (made.clone(), false));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(format!("{made:?}"), "***");
        assert_ne!(made.pairing_secret(), made.hash(), "the database knows the hash");
        assert_eq!(made.link("http://127.0.0.1:1/"), format!("http://127.0.0.1:1/#token={}", made.expose()));
    }

    #[test]
    fn a_file_without_a_token_is_an_error_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        for wrong in ["", "short", "has spaces in it, many of them"] {
            std::fs::write(&path, wrong).unwrap();
            assert!(
                matches!(ClearToken::read_or_make(&path), Err(TokenError::Malformed { .. })),
                "{wrong:?}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), wrong);
        }
    }
}
