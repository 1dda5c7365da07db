//! One process per database: the lock file, which also says where that process listens.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// The file's name in the home.
pub const FILE: &str = "frontdesk.lock";

/// Someone who only asks whether the lock is held holds it for a moment: a start tries this often.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// Our hold on a home. The operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// The process that holds a home.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// Its id.
    pub pid: Option<u32>,
    /// Where it listens, once it does: `127.0.0.1:3847`.
    pub address: Option<String>,
    /// Where people reach it, if that is elsewhere.
    pub public_url: Option<String>,
}

/// The home could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "another gateway runs in this home folder ({}); stop it first, or choose another folder with --home",
        described(pid, address)
    )]
    Held {
        /// Its id.
        pid: Option<u32>,
        /// Where it listens.
        address: Option<String>,
    },
    /// The lock file cannot be made or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the home, or names its holder.
    pub fn take(home: &Path) -> Result<Lock, LockError> {
        let path = home.join(FILE);
        let failed = |source| LockError::Io { path: path.display().to_string(), source };
        let mut file = open(&path).map_err(failed)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < TRIES => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let Holder { pid, address, .. } = read(&mut file).map_err(failed)?;
                    return Err(LockError::Held { pid, address });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let mut lock = Lock { file, path: path.clone() };
        lock.write(None, None).map_err(failed)?;
        Ok(lock)
    }

    /// Notes where we listen and where people reach us, for the command line.
    pub fn write_address(&mut self, address: &str, public_url: Option<&str>) -> Result<(), LockError> {
        self.write(Some(address), public_url)
            .map_err(|source| LockError::Io { path: self.path.display().to_string(), source })
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, address: Option<&str>, public_url: Option<&str>) -> io::Result<()> {
        let mut text = format!("pid={}\n", std::process::id());
        for (name, value) in [("address", address), ("public_url", public_url)] {
            if let Some(value) = value {
                text.push_str(&format!("{name}={value}\n"));
            }
        }
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }
}

/// Who holds a home now. A file that nobody holds says nothing: its process may have ended long ago. A home that may
/// not be looked into is an error, and not an empty one.
pub fn holder(home: &Path) -> Result<Option<Holder>, LockError> {
    let path = home.join(FILE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LockError::Io { path: path.display().to_string(), source }),
    };
    Ok(match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read(&mut file).unwrap_or_default()),
        // Ours for this moment; closing the file gives it back.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    })
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read(file: &mut File) -> io::Result<Holder> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_string(&mut text)?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    Ok(Holder {
        pid: field("pid").and_then(|pid| pid.parse().ok()),
        address: field("address").map(str::to_owned),
        public_url: field("public_url").map(str::to_owned),
    })
}

fn described(pid: &Option<u32>, address: &Option<String>) -> String {
    let pid = pid.map_or("a process that has not said its id yet".to_owned(), |pid| format!("process {pid}"));
    address.as_ref().map_or(pid.clone(), |address| format!("{pid}, {address}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_second_one_is_told_who_was_first() {
        let home = tempfile::tempdir().unwrap();
        let mut first = Lock::take(home.path()).unwrap();
        first.write_address("127.0.0.1:3847", Some("https://fixture.example.org")).unwrap();
        let (pid, address) = (Some(std::process::id()), Some("127.0.0.1:3847".to_owned()));
        match Lock::take(home.path()) {
            Err(LockError::Held { pid: p, address: a }) => assert_eq!((p, a), (pid, address.clone())),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            holder(home.path()).unwrap(),
            Some(Holder { pid, address, public_url: Some("https://fixture.example.org".to_owned()) })
        );
        let mode = std::fs::metadata(first.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_left_behind_holds_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(holder(home.path()).unwrap(), None);
        let mut first = Lock::take(home.path()).unwrap();
        first.write_address("127.0.0.1:65535", None).unwrap();
        drop(first);
        assert_eq!(holder(home.path()).unwrap(), None);
        let second = Lock::take(home.path()).unwrap();
        assert_eq!(
            holder(home.path()).unwrap(),
            Some(Holder { pid: Some(std::process::id()), ..Holder::default() })
        );
        drop(second);
    }

    #[test]
    fn a_home_that_cannot_be_looked_into_is_not_an_empty_one() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        assert!(matches!(holder(&home.path().join("file")), Err(LockError::Io { .. })));
        assert_eq!(holder(&home.path().join("missing")).unwrap(), None);
    }
}
