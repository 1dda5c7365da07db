//! The file that the agent of the heartbeat is given.
//!
//! The gateway reads it and hands its text over: the agent never works in the home folder, where the token lies.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use frontdesk_core::visible::is_visible;
use sha2::{Digest, Sha256};

/// Maximum size of the text, in bytes. What follows is left out.
const LONGEST: usize = 60 * 1024;

/// The file of the heartbeat.
pub(crate) struct HeartbeatFile {
    /// Where it is looked for if the configuration names none, the first that exists.
    files: Vec<PathBuf>,
    /// The digest of the text that the last heartbeat was given.
    last: Mutex<Option<[u8; 32]>>,
}

impl HeartbeatFile {
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        Self { files, last: Mutex::default() }
    }

    /// Its text; `None` if there is no file, or nothing in it.
    pub(crate) async fn text(&self, configured: Option<&Path>) -> Option<String> {
        let files = configured.map_or_else(|| self.files.clone(), |file| vec![file.to_owned()]);
        let read = move || files.iter().find_map(|file| std::fs::read(file).ok());
        let bytes = tokio::task::spawn_blocking(read).await.ok().flatten()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = &text[..text.floor_char_boundary(LONGEST)];
        is_visible(text).then(|| text.to_owned())
    }

    /// Whether the last heartbeat was given another text. From now on this one counts as the last.
    pub(crate) fn is_new(&self, text: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.replace(digest) != Some(digest)
    }
}
