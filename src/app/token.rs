//! The file with the token of the API, the only copy in clear text.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use frontdesk_core::config::Secret;

use crate::regular_file;

/// The id of the token in the home folder. Its holder is the person with this id on the web channel.
pub const ID: &str = frontdesk_core::port::OWNER_TOKEN;

/// The minimum length of a token that somebody chooses.
const SHORTEST: usize = 16;

/// The maximum size of the file, in bytes.
const LARGEST: u64 = 4 << 10;

/// A token in clear text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearToken(Secret);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("the file with the token, {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The content of the file is not a token.
    #[error(
        "{path} does not hold a token: it must be at least 16 letters, digits, `-` or `_`. \
         Delete the file, and the next `frontdesk run` creates a new token"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a new token: {0}")]
    Random(String),
}

impl ClearToken {
    /// Reads the token; `None` if there is no file.
    pub fn read(path: &Path) -> Result<Option<ClearToken>, TokenError> {
        let text = match regular_file::read_text(path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TokenError::Io { path: path.to_owned(), source }),
        };
        let text = text.trim();
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if text.len() < SHORTEST || !plain {
            return Err(TokenError::Malformed { path: path.to_owned() });
        }
        Ok(Some(ClearToken(Secret::new(text))))
    }

    /// Reads the token, or creates one and writes it to the file. The second value says whether it is new.
    pub fn read_or_make(path: &Path) -> Result<(ClearToken, bool), TokenError> {
        if let Some(token) = ClearToken::read(path)? {
            return Ok((token, false));
        }
        let token = frontdesk_api::make_token().map_err(|error| TokenError::Random(error.to_string()))?;
        write(path, &token).map_err(|source| TokenError::Io { path: path.to_owned(), source })?;
        Ok((ClearToken(Secret::new(token)), true))
    }

    /// The hash of the token, which is all that the database knows of it.
    pub fn hash(&self) -> [u8; 32] {
        frontdesk_api::hash_token(self.expose())
    }

    /// The secret from which pairing codes are derived. It is in no database and no backup of one, and changes with the
    /// token.
    pub fn pairing_secret(&self) -> [u8; 32] {
        frontdesk_api::hash_token(&format!("frontdesk pairing secret\0{}", self.expose()))
    }

    /// The token in clear text.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Writes a temporary file and renames it, so that a crash leaves no half-written token.
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
        assert_eq!(format!("{made:?}"), "ClearToken(***)");
        assert_ne!(made.pairing_secret(), made.hash(), "the database knows the hash");
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
