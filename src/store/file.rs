//! The database's file: its mode, its header, and whether it is still the file that was opened.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The file that was opened. Unix lets a file be moved or deleted while it is open; what is committed to it
/// then is lost at the next start.
pub(crate) struct Identity {
    files: Vec<(PathBuf, u64, u64)>,
}

impl Identity {
    /// Remembers the database and, where it exists already, its log.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in [path.to_owned(), log_of(path)] {
            match fs::metadata(&path) {
                Ok(file) => files.push((path, file.dev(), file.ino())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { files })
    }

    /// Fails if they are not where they were. An error of the look-up itself proves nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (path, device, inode) in &self.files {
            let same = match fs::metadata(path) {
                Ok(file) => file.dev() == *device && file.ino() == *inode,
                Err(error) => error.kind() != io::ErrorKind::NotFound,
            };
            if !same {
                return Err(format!("{} was moved, replaced or deleted while it was in use", path.display()));
            }
        }
        Ok(())
    }
}

/// The log's file.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

/// The file of the log's shared index.
pub(crate) fn index_of(database: &Path) -> PathBuf {
    beside(database, "-shm")
}

/// A file whose name is the database's with a suffix.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The file that says that a database was made. This program never deletes it.
fn witness_of(path: &Path) -> PathBuf {
    beside(path, ".id")
}

/// Refuses to create a database where there was one before. Changes nothing.
pub(crate) fn refuse_lost(path: &Path) -> Result<(), OpenError> {
    let found = match fs::metadata(path) {
        Ok(file) if file.len() > 0 => return Ok(()),
        Ok(_) => "empty",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "missing",
        Err(error) => return Err(failed(path, error)),
    };
    let (log, witness) = (log_of(path), witness_of(path));
    let path = path.display().to_string();
    if has_log(&log) {
        return Err(OpenError::LogWithoutDatabase { path, log: log.display().to_string(), found });
    }
    match witness.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenError::Lost { path, found, witness: witness.display().to_string() }),
        Err(error) => Err(failed(&witness, error)),
    }
}

/// Whether there is anything in a log.
pub(crate) fn has_log(log: &Path) -> bool {
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// Records that the database was made, so that its loss is noticed. Only after its first commit: a start that is cut off
/// before can be repeated.
pub(crate) fn witness(path: &Path, name: &str) -> Result<(), OpenError> {
    let witness = witness_of(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&witness);
    let written = match file {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => Err(error),
        Ok(mut file) => {
            let text = format!(
                "This folder has a database, {name}. While this file is here, frontdesk does not start without it.\n"
            );
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all())
        }
    };
    written.map_err(|error| failed(&witness, error))
}

/// Creates the file if it is missing, and restricts it and its companions to this user.
pub(crate) fn prepare(path: &Path) -> Result<(), OpenError> {
    refuse_link(path)?;
    create_private(path)
        .and_then(|()| sync_folder(path))
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => tighten(path),
            _ => Err(error),
        })
        .map_err(|error| failed(path, error))?;
    for companion in [log_of(path), index_of(path), witness_of(path)] {
        refuse_link(&companion)?;
        if companion.exists() {
            tighten(&companion).map_err(|error| failed(&companion, error))?;
        }
    }
    Ok(())
}

/// A new file that only this user can read.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// Makes a new file's name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The log was written for another file.
pub(crate) fn foreign_log(path: &Path) -> OpenError {
    OpenError::ForeignLog {
        path: path.display().to_string(),
        log: log_of(path).display().to_string(),
        index: index_of(path).display().to_string(),
    }
}

/// An input/output error at a path.
pub(crate) fn failed(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.display().to_string(), source }
}

/// A file that must be left as it is.
pub(crate) fn unusable(path: &Path, cause: impl Into<String>) -> OpenError {
    OpenError::Unusable { path: path.display().to_string(), cause: cause.into() }
}

fn refuse_link(path: &Path) -> Result<(), OpenError> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.is_symlink() => Err(unusable(path, "it is a symbolic link")),
        Ok(file) if !file.is_file() => Err(unusable(path, "it is not a file")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path, error)),
    }
}

/// Restricts the file to its owner. Only the owner may do that, so another user's file is an error here.
fn tighten(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.mode() & 0o777;
    if mode & 0o177 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        tracing::warn!(path = %path.display(), "the file was open to others (mode {mode:03o}); it is 0600 now");
    }
    Ok(())
}

/// Checks the first hundred bytes: whether this is a database at all, and whether its end is missing. More would take
/// time with a large file; a damaged page is noticed when it is read.
pub(crate) fn inspect(path: &Path) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(100);
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let size = file.metadata().map_err(|error| failed(path, error))?.len();
    file.take(100).read_to_end(&mut header).map_err(|error| failed(path, error))?;
    if header.is_empty() {
        return Ok(());
    }
    if header.len() < 100 || !header.starts_with(MAGIC) {
        return Err(unusable(path, "it is not a SQLite database"));
    }
    let word =
        |at: usize| header.get(at..at + 4).map_or(0, |w| w.iter().fold(0, |n, b| n << 8 | u64::from(*b)));
    let page = match word(16) >> 16 {
        1 => 65_536,
        size => size,
    };
    // The count of pages is right only if the last writer kept it, and a log may hold what is missing.
    let counted = word(24) == word(92);
    let log = log_of(path);
    let logged = has_log(&log);
    if logged && page_of_log(&log).is_some_and(|of_log| of_log != page) {
        return Err(foreign_log(path));
    }
    if counted && !logged && size < word(28) * page {
        return Err(unusable(path, format!("its end is missing ({size} of {} bytes)", word(28) * page)));
    }
    Ok(())
}

/// The page size in a log's header, if it is one. SQLite ignores a log whose header a crash tore: it held nothing yet.
fn page_of_log(log: &Path) -> Option<u64> {
    let mut header = [0; 12];
    File::open(log).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    let [a, b, c, d, .., e, f, g, h] = header;
    let magic = u32::from_be_bytes([a, b, c, d]);
    matches!(magic, 0x377f_0682 | 0x377f_0683).then(|| u32::from_be_bytes([e, f, g, h]).into())
}
