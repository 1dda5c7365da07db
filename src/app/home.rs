//! The home folder, whose files only the user of the gateway may read.
//!
//! Wider permissions are corrected and reported if the file belongs to that user. A file or folder of another user is
//! refused, because its owner could read or replace it at any time.

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The environment variable with the path of the home folder.
pub const VARIABLE: &str = "FRONTDESK_HOME";

/// Files written by the gateway. They contain messages and the token.
const OURS: [&str; 6] = [
    "frontdesk.db",
    "frontdesk.db-wal",
    "frontdesk.db-shm",
    "frontdesk.db.id",
    "token",
    frontdesk_store::lock::FILE,
];

/// Files written by people, which may be links to other folders.
const CONFIGS: [&str; 2] = ["frontdesk.toml", "frontdesk.jsonc"];

/// The home folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

/// Why a home folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Its path is not known.
    #[error("there is no home folder: set HOME or FRONTDESK_HOME, or give --home FOLDER")]
    Unknown,
    /// It cannot be read or created.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It belongs to another user.
    #[error(
        "{path} belongs to user {owner}, not to user {us} who runs the gateway; \
         run `chown -R {us} {path}`, run the gateway as its owner, or choose another home folder with --home"
    )]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// The number of the user who owns it.
        owner: u32,
        /// The number of the user of this process.
        us: u32,
    },
    /// It is not what it must be.
    #[error("{path} is {found} and must be {wanted}; move it away")]
    Kind {
        /// The file or folder.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// A configuration that other users can change lets them run any program as this user.
    #[error(
        "{0} can be changed by other users; run `chmod go-w {0}`, and make sure that its owner is you or root"
    )]
    Changeable(PathBuf),
    /// There is a configuration that cannot be read. Running without it would run a different gateway.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// There are two configurations.
    #[error("there are both {0} and frontdesk.jsonc; keep one of them, or name it with --config")]
    TwoConfigs(PathBuf),
}

impl Home {
    /// The home folder at `path`. Nothing is read or created.
    pub fn at(path: impl Into<PathBuf>) -> Home {
        Home(path.into())
    }

    /// The home folder: `given`, or the one of the environment, or `~/.frontdesk`; as an absolute path.
    pub fn find(given: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Home, HomeError> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = given
            .map(Path::to_owned)
            .or_else(|| set(VARIABLE))
            .or_else(|| set("HOME").map(|home| home.join(".frontdesk")))
            .ok_or(HomeError::Unknown)?;
        let absolute = std::path::absolute(&path).map_err(|source| HomeError::Io { path, source })?;
        Ok(Home(absolute))
    }

    /// Where `HEARTBEAT.md` and `BOOT.md` are looked for: in this folder and, if its name is `.frontdesk`, in the folder
    /// above it.
    pub fn instructions(&self) -> Vec<PathBuf> {
        let beside = self.path().file_name().is_some_and(|name| name == ".frontdesk");
        let own = self.path().parent().filter(|_| beside);
        std::iter::once(self.path()).chain(own).map(Path::to_owned).collect()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.0.join("frontdesk.db")
    }

    /// The file with the token, its only copy in clear text.
    pub fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// The folder of received and sent files.
    pub fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    /// The configuration file, if there is one.
    pub fn config(&self) -> Result<Option<PathBuf>, HomeError> {
        let (toml, jsonc) = (self.0.join("frontdesk.toml"), self.0.join("frontdesk.jsonc"));
        match (is_there(&toml)?, is_there(&jsonc)?) {
            (true, true) => Err(HomeError::TwoConfigs(toml)),
            (true, false) => Ok(Some(toml)),
            (false, true) => Ok(Some(jsonc)),
            (false, false) => Ok(None),
        }
    }

    /// Creates the folder if it is missing, and makes sure that no other user can read or change its files. Returns one
    /// sentence for each permission that was corrected.
    pub fn secure(&self) -> Result<Vec<String>, HomeError> {
        let us = rustix::process::geteuid().as_raw();
        let mut notices = Vec::new();
        match std::fs::metadata(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
                made.map_err(|source| HomeError::Io { path: self.0.clone(), source })?;
            }
            Err(source) => return Err(HomeError::Io { path: self.0.clone(), source }),
            Ok(found) if !found.is_dir() => {
                return Err(HomeError::Kind { path: self.0.clone(), found: "a file", wanted: "a folder" });
            }
            Ok(found) => notices.extend(restrict(&self.0, &found, 0o700, us)?),
        }
        for folder in [self.media(), self.0.join(frontdesk_agents::process::RECORDS)] {
            let Some(found) = there(&folder, std::fs::symlink_metadata(&folder))? else { continue };
            if !found.is_dir() {
                let found = if found.is_symlink() { "a symbolic link" } else { "a file" };
                return Err(HomeError::Kind { path: folder, found, wanted: "a folder" });
            }
            notices.extend(restrict(&folder, &found, 0o700, us)?);
        }
        for path in OURS.map(|name| self.0.join(name)) {
            let Some(found) = there(&path, std::fs::symlink_metadata(&path))? else { continue };
            if !found.is_file() {
                let found = if found.is_symlink() { "a symbolic link" } else { "not a file" };
                return Err(HomeError::Kind { path, found, wanted: "a file" });
            }
            notices.extend(restrict(&path, &found, 0o600, us)?);
        }
        for path in CONFIGS.map(|name| self.0.join(name)) {
            if is_there(&path)?
                && let Some(found) = there(&path, std::fs::metadata(&path))?
            {
                notices.extend(restrict(&path, &found, 0o600, us)?);
            }
        }
        Ok(notices)
    }
}

/// Whether a configuration exists. A broken link and an unreadable file are errors, not missing files.
fn is_there(path: &Path) -> Result<bool, HomeError> {
    let unreadable = |source| HomeError::Unreadable { path: path.to_owned(), source };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(unreadable(source)),
        Ok(_) => std::fs::metadata(path).map(|_| true).map_err(unreadable),
    }
}

/// The metadata of a file; `None` if there is no file.
fn there(path: &Path, found: std::io::Result<Metadata>) -> Result<Option<Metadata>, HomeError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HomeError::Io { path: path.to_owned(), source }),
    }
}

/// Checks the permissions of a configuration that was named with `--config`, and returns a warning if other users can
/// read it. It may be the administrator's, so its permissions are not changed.
pub fn check_config(path: &Path) -> Result<Option<String>, HomeError> {
    let unreadable = |source| HomeError::Unreadable { path: path.to_owned(), source };
    let found = std::fs::metadata(path).map_err(unreadable)?;
    let ours = [0, rustix::process::geteuid().as_raw()].contains(&found.uid());
    if !ours || found.mode() & 0o022 != 0 {
        return Err(HomeError::Changeable(path.to_owned()));
    }
    let readable = found.mode() & 0o044 != 0;
    Ok(readable.then(|| {
        format!("{0} can be read by other users; if it holds secrets, run `chmod 600 {0}`", path.display())
    }))
}

/// Removes the permissions of other users. `allowed` is the widest mode.
fn restrict(path: &Path, found: &Metadata, allowed: u32, us: u32) -> Result<Option<String>, HomeError> {
    if found.uid() != us {
        return Err(HomeError::Foreign { path: path.to_owned(), owner: found.uid(), us });
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(None);
    }
    std::fs::set_permissions(path, Permissions::from_mode(allowed))
        .map_err(|source| HomeError::Io { path: path.to_owned(), source })?;
    Ok(Some(format!(
        "{} could be read or changed by other users (mode {mode:04o}); it is {allowed:04o} now",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_home_is_found_by_flag_then_variable_then_the_users_folder() {
        let env = |name: &str| match name {
            VARIABLE => Some("/b".to_owned()),
            "HOME" => Some("/c".to_owned()),
            _ => None,
        };
        let found = |given: Option<&str>, env: &dyn Fn(&str) -> Option<String>| {
            Home::find(given.map(Path::new), env).map(|home| home.0)
        };
        assert_eq!(found(Some("/a"), &env).unwrap(), Path::new("/a"));
        assert_eq!(found(None, &env).unwrap(), Path::new("/b"));
        let only_home = |name: &str| (name == "HOME").then(|| "/c".to_owned());
        assert_eq!(found(None, &only_home).unwrap(), Path::new("/c/.frontdesk"));
        assert!(found(None, &|_| None).is_err());
    }

    #[test]
    fn wide_permissions_of_a_home_are_corrected_and_reported() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        assert_eq!(home.secure().unwrap(), Vec::<String>::new());
        assert_eq!(mode(home.path()), 0o700);
        std::fs::write(home.database(), "").unwrap();
        std::fs::set_permissions(home.database(), Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
        let notices = home.secure().unwrap();
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert_eq!((mode(home.path()), mode(&home.database())), (0o700, 0o600));
        assert_eq!(home.secure().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_folder_for_files_is_a_folder_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.secure().unwrap();
        std::fs::create_dir(home.media()).unwrap();
        std::fs::set_permissions(home.media(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(home.secure().unwrap().len(), 1);
        assert_eq!(mode(&home.media()), 0o700);
        std::fs::remove_dir(home.media()).unwrap();
        std::os::unix::fs::symlink(dir.path(), home.media()).unwrap();
        let error = home.secure().unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }

    #[test]
    fn a_configuration_that_cannot_be_reached_is_not_none() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        assert_eq!(home.config().unwrap(), None);
        home.secure().unwrap();
        for name in CONFIGS {
            let link = home.path().join(name);
            for target in ["/no/such/file", name] {
                std::os::unix::fs::symlink(target, &link).unwrap();
                let error = home.config().unwrap_err();
                assert!(matches!(&error, HomeError::Unreadable { path, .. } if *path == link), "{error}");
                assert!(error.to_string().contains(name), "{error}");
                std::fs::remove_file(&link).unwrap();
            }
        }
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(
            Home::at(dir.path().join("file")).config().is_err(),
            "a home that is a file holds no configuration"
        );
    }

    #[test]
    fn a_linked_database_is_refused_and_a_linked_configuration_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        home.secure().unwrap();
        let target = dir.path().join("target");
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, home.path().join("frontdesk.toml")).unwrap();
        home.secure().unwrap();
        std::os::unix::fs::symlink(&target, home.database()).unwrap();
        let error = home.secure().unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }
}
