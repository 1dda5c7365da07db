//! What the watchdog's last check has found, and the file that shows programs outside of the gateway when that was.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_core::alarm::Fault;
use serde_json::json;

/// The name of the file in the home folder.
const NAME: &str = "last-check";

/// The last check of the watchdog.
pub(crate) struct LastCheck {
    /// The folder of the database.
    folder: PathBuf,
    /// What it has found wrong, one text each.
    found: Mutex<Vec<String>>,
}

impl LastCheck {
    pub(crate) fn beside(database: &Path) -> Self {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self { folder: folder.unwrap_or(Path::new(".")).to_owned(), found: Mutex::default() }
    }

    /// The folder of the database.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it has found wrong, one text each.
    pub(crate) fn found(&self) -> Vec<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A check has ended now and could write to the database. If the file cannot be written, that is logged,
    /// because its readers then consider the gateway dead.
    pub(crate) async fn done(&self, file: Option<&Path>, boot: &str, now: DateTime<Utc>, found: &[Fault]) {
        let texts = found.iter().map(|fault| fault.text.clone()).collect();
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = texts;
        let file = file.map_or_else(|| self.folder.join(NAME), Path::to_owned);
        let faults: Vec<&str> = found.iter().map(|fault| fault.id.kind.name()).collect();
        let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = json!({"at": at, "boot": boot, "pid": std::process::id(), "faults": faults}).to_string();
        let write = move || write(&file, &text).map_err(|error| (file, error));
        if let Ok(Err((file, error))) = tokio::task::spawn_blocking(write).await {
            tracing::warn!(file = %file.display(), %error, "the file of the last check was not written");
        }
    }
}

/// Replaces the file as a whole, so that nobody reads half of it.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, format!("{text}\n"))?;
    std::fs::rename(&new, file)
}
