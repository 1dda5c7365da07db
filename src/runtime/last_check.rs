//! The file that shows when the watchdog has last checked the gateway, for programs outside of it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_core::alarm::Fault;
use serde_json::json;

/// The name of the file in the home folder.
const NAME: &str = "last-check";

/// Writes the file of the last check.
pub(crate) struct LastCheck {
    /// The folder of the database.
    folder: PathBuf,
}

impl LastCheck {
    pub(crate) fn beside(database: &Path) -> Self {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self { folder: folder.unwrap_or(Path::new(".")).to_owned() }
    }

    /// The folder of the database.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A check has ended now and could write to the database. A file that cannot be written is logged: whoever reads it
    /// takes the gateway for dead then.
    pub(crate) async fn done(&self, file: Option<&Path>, boot: &str, now: DateTime<Utc>, found: &[Fault]) {
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
