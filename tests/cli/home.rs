//! The permissions of the home folder and its files.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::program::{Daemon, NewHome};

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn nobody_else_can_look(home: &Path) {
    assert_eq!(mode(home), 0o700);
    for entry in std::fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{} is {:o}", path.display(), mode(&path));
    }
}

#[test]
fn files_of_a_first_start_are_accessible_only_to_their_user() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    nobody_else_can_look(&home.path());
    for name in ["frontdesk.db", "frontdesk.db-wal", "frontdesk.db-shm", "token"] {
        assert_eq!(mode(&home.path().join(name)), 0o600, "{name}");
    }
    daemon.stop().good();
}

#[test]
fn wide_permissions_are_corrected_and_reported() {
    let home = NewHome::new();
    Daemon::start(&home.path()).stop().good();
    home.write("frontdesk.toml", "");
    for name in ["frontdesk.db", "token", "frontdesk.toml"] {
        set_mode(&home.path().join(name), 0o644);
    }
    set_mode(&home.path(), 0o777);
    let ran = Daemon::start(&home.path()).stop();
    nobody_else_can_look(&home.path());
    for name in ["home ", "frontdesk.db ", "token ", "frontdesk.toml "] {
        assert!(
            ran.good().err.contains(&format!("{name}could be read or changed by other users")),
            "{name}: {ran:?}"
        );
    }
}

#[test]
fn a_linked_database_or_token_is_refused() {
    for name in ["frontdesk.db", "frontdesk.db-wal", "token"] {
        let home = NewHome::new();
        let target = home.write("target", "something of mine");
        std::os::unix::fs::symlink(&target, home.path().join(name)).unwrap();
        home.run(&["run", "--port", "0"]).failed(1, &[name, "symbolic link"]);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "something of mine");
    }
}

#[test]
fn a_home_of_another_user_is_refused() {
    // Only root can make one; others see the rule in the unit tests of `restrict`.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = NewHome::new();
    std::fs::create_dir(home.path()).unwrap();
    std::os::unix::fs::chown(home.path(), Some(12345), None).unwrap();
    home.run(&["run", "--port", "0"]).failed(1, &["belongs to user 12345", "--home"]);
}

#[test]
fn a_token_that_is_none_stops_the_start_and_stays() {
    let home = NewHome::new();
    let token = home.write("token", "x\n");
    home.run(&["run", "--port", "0"]).failed(1, &["does not hold a token"]);
    assert_eq!(std::fs::read_to_string(token).unwrap(), "x\n");
}

#[test]
fn the_home_of_another_user_is_not_called_empty() {
    use std::os::unix::process::CommandExt;
    // Only root can become somebody else.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    // The program where everybody may run it.
    let program =
        tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let copy = program.path().join("frontdesk");
    std::fs::copy(env!("CARGO_BIN_EXE_frontdesk"), &copy).unwrap();
    let mut stranger = std::process::Command::new(&copy);
    stranger.env_clear().env("FRONTDESK_HOME", home.path()).uid(65534).gid(65534).arg("status");
    let ran = crate::program::finish(&mut stranger, "");
    ran.failed(1, &["Permission denied", "belongs to another user", "--url"]);
    assert!(!ran.err.contains("no gateway is running"), "{ran:?}");
    daemon.stop().good();
}
