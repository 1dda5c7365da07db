//! The working folder of a program: one for the agent, or one for every session beneath it.

use std::io;
use std::path::{Path, PathBuf};

use frontdesk_core::key::SessionKey;
use sha2::{Digest, Sha256};

/// The folder beneath the agent's working folder that contains those of the sessions.
const SESSIONS: &str = "sessions";
/// The maximum length of the readable part of a session folder's name.
const READABLE: usize = 48;

/// The working folders of one agent.
pub(super) struct Folder {
    /// The agent's working folder.
    pub(super) path: PathBuf,
    /// Whether it is the default one, which we create.
    pub(super) is_default: bool,
    /// Whether every session has a folder of its own beneath it.
    pub(super) per_session: bool,
}

impl Folder {
    /// The working folder of a session's program. A session always gets the same folder, because many agents store their
    /// conversations by working folder.
    pub(super) fn of(&self, session: Option<&SessionKey>) -> PathBuf {
        match session.filter(|_| self.per_session) {
            Some(session) => self.path.join(SESSIONS).join(name(session)),
            None => self.path.clone(),
        }
    }

    /// Creates the folder if it is one that we create. The default folder keeps an agent from working among our own
    /// files.
    pub(super) async fn make(&self, session: Option<&SessionKey>) -> io::Result<()> {
        if self.is_default {
            tokio::fs::create_dir_all(&self.path).await?;
        }
        if session.is_none() || !self.per_session {
            return Ok(());
        }
        // One by one, so that a configured folder that does not exist is an error and is not created.
        for folder in [self.path.join(SESSIONS), self.of(session)] {
            make_private(&folder).await?;
        }
        Ok(())
    }
}

async fn make_private(folder: &Path) -> io::Result<()> {
    match tokio::fs::DirBuilder::new().mode(0o700).create(folder).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// A folder name for a session: the end of its key to be read by people, and a digest of the whole key, which makes it
/// unique. It has only letters, digits, `-` and `_`: a `:` would break search paths that contain the folder, and other
/// characters come from platforms.
fn name(session: &SessionKey) -> String {
    let key = session.as_str();
    let rest = key.splitn(3, ':').nth(2).unwrap_or(key);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let readable: String = rest.chars().take(READABLE).map(plain).collect();
    let digest = Sha256::digest(key.as_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{readable}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sessions_folder_is_stable_unique_and_harmless() {
        let name = |key: &str| name(&key.parse().unwrap());
        assert_eq!(
            name("agent:main:telegram:dm:1001"),
            "telegram-dm-1001-2def3e77d75ee1b256f51772e6292a68",
            "agents find their conversations by this name: it must never change"
        );
        let awkward = ["..", "a/b", "a%3Ab", "A", "a", "ä", &"x".repeat(400)];
        let mut names: Vec<_> = awkward.iter().map(|id| name(&format!("agent:main:web:dm:{id}"))).collect();
        for name in &names {
            assert!(name.len() <= 100 && name.starts_with("web-dm-"), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{name}");
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), awkward.len());
    }
}
