//! A file that is being written. It gets its final name when all of it is on disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Prefix of the names of unfinished files.
const PREFIX: &str = ".part-";

/// An unfinished file. Dropping it deletes it.
pub(super) struct UnfinishedFile {
    folder: PathBuf,
    path: Option<PathBuf>,
}

impl UnfinishedFile {
    /// Creates one that only this user may open.
    pub(super) fn create(folder: &Path) -> io::Result<(Self, File)> {
        let path = folder.join(format!("{PREFIX}{}", random()?));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((Self { folder: folder.to_owned(), path: Some(path) }, file))
    }

    /// Syncs the file and gives it a random name with this extension, which is returned.
    pub(super) fn finish(mut self, file: &File, extension: &str) -> io::Result<String> {
        file.sync_all()?;
        let name = format!("{}.{extension}", random()?);
        if let Some(path) = &self.path {
            std::fs::rename(path, self.folder.join(&name))?;
        }
        self.path = None;
        // The name is stored in the folder, so the folder must be synced as well.
        File::open(&self.folder)?.sync_all()?;
        Ok(name)
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "an unfinished file is left for the next sweep");
        }
    }
}

/// Deletes the files that an earlier process was writing when it ended.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A name of 128 random bits.
fn random() -> io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}
