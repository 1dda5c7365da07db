//! Programs of this machine.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use frontdesk_agents::pi::installed::is_enough;
use tokio::process::Command;

/// Maximum number of characters of a program's last words.
const LAST_WORDS: usize = 300;

/// Where a program is among the folders of PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut places =
        std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
    places.find(|path| path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok())
}

/// The Node of this machine, if it runs pi.
pub async fn usable_node() -> Option<PathBuf> {
    let node = find("node")?;
    let version = output(&node, &["--version"]).await.ok()?;
    is_enough(&version).then_some(node)
}

/// What a program says, or why it failed.
pub async fn output(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PI_SKIP_VERSION_CHECK", "1")
        .env("PI_OFFLINE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|error| error.to_string())?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    if output.status.success() {
        return Ok(out + &err);
    }
    // Node prints the line and a trace below its error.
    let is_error = |line: &&str| line.contains("Error");
    let last = err.lines().find(is_error).or_else(|| err.lines().rfind(|line| !line.trim().is_empty()));
    let last: String = last.unwrap_or("it says nothing").trim().chars().take(LAST_WORDS).collect();
    Err(format!("{} ({last})", output.status))
}
