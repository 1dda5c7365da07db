//! The file with the facts of a turn for a program that is started for one turn, which gets only the text on its stdin.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use frontdesk_core::port::Turn;
use frontdesk_core::prompt;
use serde_json::Value;
use tempfile::TempPath;

/// The variable that names the file, for a program of one turn.
pub(super) const VARIABLE: &str = "FRONTDESK_FACTS";

/// The directory of these files, within the home directory. Only our user can list it.
const FOLDER: &str = "facts";

/// A file with one JSON object that only our user can read. Dropping this deletes the file.
pub(super) struct FactsFile(TempPath);

impl FactsFile {
    /// Writes the facts of a turn.
    pub(super) async fn write(home: &Path, turn: &Turn) -> io::Result<Self> {
        let (folder, facts) = (home.join(FOLDER), Value::from(prompt::facts(turn)).to_string());
        let name = format!("{}-{}-", turn.id, turn.attempt);
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &facts)).await;
        written.map_err(io::Error::other)?.map(Self)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

fn write(folder: &Path, name: &str, facts: &str) -> io::Result<TempPath> {
    private(folder)?;
    // Created with O_EXCL, mode 0600 and a random name, so nobody can have put another file in its place. Opened in
    // this closure because the error must keep its number: after a shortage the turn waits.
    let mut file = tempfile::Builder::new()
        .prefix(name)
        .suffix(".json")
        .make_in(folder, |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))?;
    file.write_all(facts.as_bytes())?;
    Ok(file.into_temp_path())
}

fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if !std::fs::symlink_metadata(folder)?.is_dir() {
        return Err(io::Error::other(format!("{} is a link", folder.display())));
    }
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Deletes files that an earlier gateway left behind when it was killed during turns. To be called before the first
/// turn, while holding the lock of the home directory.
pub fn clear(home: &Path) -> io::Result<()> {
    let folder = home.join(FOLDER);
    private(&folder)?;
    for file in std::fs::read_dir(&folder)? {
        let file = file?;
        if !file.file_type()?.is_dir() {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_a_killed_process_are_removed_at_the_start() {
        let home = tempfile::tempdir().unwrap();
        let left = write(&home.path().join(FOLDER), "t1-1-", "{}").unwrap().keep().unwrap();
        assert!(left.exists());
        clear(home.path()).unwrap();
        assert!(!left.exists());
        clear(home.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), home.path().join(FOLDER)).unwrap();
        assert!(write(&home.path().join(FOLDER), "t1-1-", "{}").is_err());
        assert!(clear(home.path()).is_err());
    }
}
