//! The files with which an operator tells an agent what to do by itself: at each heartbeat, and after each start.
//!
//! The gateway reads them and hands their text over: the agent never works in the home folder, where the token lies.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use frontdesk_core::visible::is_visible;
use sha2::{Digest, Sha256};

/// Maximum size of a text, in bytes. What follows is left out.
const LONGEST: usize = 60 * 1024;

/// The files of the heartbeat and of the start.
pub(crate) struct Instructions {
    /// Where they are looked for if the configuration names none, the first that exists.
    folders: Vec<PathBuf>,
    /// The digest of the text that the last heartbeat was given.
    last: Mutex<Option<[u8; 32]>>,
}

impl Instructions {
    pub(crate) fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, last: Mutex::default() }
    }

    /// What the agent is told at a heartbeat; `None` if there is no file, or nothing in it.
    pub(crate) async fn heartbeat(&self, configured: Option<&Path>) -> Option<String> {
        self.text(configured, "HEARTBEAT.md").await
    }

    /// The same after a start.
    pub(crate) async fn start(&self, configured: Option<&Path>) -> Option<String> {
        self.text(configured, "BOOT.md").await
    }

    async fn text(&self, configured: Option<&Path>, name: &str) -> Option<String> {
        let files = match configured {
            Some(file) => vec![file.to_owned()],
            None => self.folders.iter().map(|folder| folder.join(name)).collect(),
        };
        let read = move || files.iter().find_map(|file| read(file));
        let bytes = tokio::task::spawn_blocking(read).await.ok().flatten()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = &text[..text.floor_char_boundary(LONGEST)];
        is_visible(text).then(|| text.to_owned())
    }

    /// Whether the last heartbeat was given this text.
    pub(crate) fn was_given(&self, text: &str) -> bool {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) == Some(digest(text))
    }

    /// A heartbeat was given this text.
    pub(crate) fn note_given(&self, text: &str) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(digest(text));
    }
}

/// The beginning of a file. What is no file, such as a pipe or a device, might never end: it counts as missing.
fn read(file: &Path) -> Option<Vec<u8>> {
    let kind = std::fs::metadata(file).ok()?;
    if !kind.is_file() {
        tracing::warn!(file = %file.display(), "this is no regular file, so it is not read");
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file).ok()?.take(LONGEST as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
