//! What a pi in a sandbox sees of its own files: its settings to be read, and of the conversations only its own.
//!
//! Otherwise the pi of another chat would load files that the model has written there.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::Start;

/// Conversations that pi has stored by itself, also in a terminal.
const SESSIONS: &str = "sessions";
/// pi's logins.
const AUTH: &str = "auth.json";

/// Adds to a start what the sandbox shows. `agent_dir` is pi's folder with settings, and `sessions` the one of this
/// conversation.
pub(super) fn shut(start: &mut Start<'_>, agent_dir: &Path, sessions: &Path) -> io::Result<()> {
    start.writable.push(sessions.to_owned());
    // Its own and writable, because pi locks its files there; it ends with the process.
    start.hidden.push(agent_dir.to_owned());
    for entry in std::fs::read_dir(agent_dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let is_lock = path.extension().is_some_and(|extension| extension == "lock");
        if name == SESSIONS || is_lock || !path.exists() {
            continue;
        }
        if name == AUTH && renews(&path) { start.writable.push(path) } else { start.readable.push(path) }
    }
    Ok(())
}

/// Whether a login has to be renewed now and then, which pi writes down.
fn renews(auth: &Path) -> bool {
    let logins =
        std::fs::read(auth).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let logins = logins.as_ref().and_then(serde_json::Value::as_object);
    logins.is_some_and(|logins| logins.values().any(|login| login["type"] == "oauth"))
}

/// The folder of one conversation, created, with what an earlier version has stored among the others.
pub(super) async fn sessions(all: &Path, session_id: &str) -> io::Result<PathBuf> {
    let own = all.join(session_id);
    match tokio::fs::DirBuilder::new().mode(0o700).create(&own).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(own),
        made => made?,
    }
    let mut files = tokio::fs::read_dir(all).await?;
    while let Some(file) = files.next_entry().await? {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let stem = name.strip_suffix(".jsonl").unwrap_or_default();
        let is_ours = stem == session_id || stem.split_once('_').is_some_and(|(_, id)| id == session_id);
        if is_ours && file.file_type().await?.is_file() {
            tokio::fs::rename(file.path(), own.join(&*name)).await?;
        }
    }
    Ok(own)
}
