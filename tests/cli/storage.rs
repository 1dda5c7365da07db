//! Failing disks and missing databases.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::program::{Daemon, NewHome, command};

/// Compiles the library that makes a disk fail (`faults.c`) into `folder`.
fn faults(folder: &Path) -> PathBuf {
    let library = folder.join("faults.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/faults.c");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(made.unwrap().success());
    library
}

/// `frontdesk run` on a disk that can fail.
fn on_a_bad_disk(home: &Path, library: &Path) -> Command {
    let mut command = command(home);
    command.args(["run", "--port", "0"]).env("LD_PRELOAD", library).env("FAULT_HOME", home);
    command
}

#[test]
fn after_an_fsync_that_failed_nothing_is_synced_again_and_the_log_stays() {
    let (home, folder) = (NewHome::new(), tempfile::tempdir().unwrap());
    let (trigger, log) = (folder.path().join("trigger"), folder.path().join("log"));
    let mut command = on_a_bad_disk(&home.path(), &faults(folder.path()));
    let daemon = Daemon::start_with(command.env("FAULT_TRIGGER", &trigger).env("FAULT_LOG", &log));
    home.run(&["chat", "before"]).good();
    fs::write(&trigger, "").unwrap();
    assert_ne!(home.run(&["chat", "lost"]).code, Some(0), "it was not acknowledged");
    daemon.end().failed(1, &["the gateway cannot go on", "restore a backup"]);
    let calls = fs::read_to_string(&log).unwrap();
    let after: Vec<&str> = calls.lines().filter(|call| call.contains("frontdesk.db")).collect();
    assert!(
        matches!(after[..], [one] if one.starts_with("failed ") && one.ends_with("frontdesk.db-wal")),
        "{calls}"
    );
    assert!(fs::metadata(home.path().join("frontdesk.db-wal")).unwrap().len() > 0, "the log is gone");
    let _daemon = Daemon::start(&home.path());
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
    let texts: Vec<&str> = messages["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert!(texts.contains(&"before"), "{texts:?}");
}

/// Kills a first start at this step, and checks that the next one succeeds. Returns whether the first one was ready
/// before it came to the step.
fn is_ready_before_step(step: u32, library: &Path) -> bool {
    let home = NewHome::new();
    fs::create_dir(home.path()).unwrap();
    let mut cut = on_a_bad_disk(&home.path(), library);
    cut.env("FAULT_KILL_AT", step.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut cut = cut.spawn().unwrap();
    let out = BufReader::new(cut.stdout.take().unwrap());
    let ready = out.lines().map_while(Result::ok).any(|line| line.contains("ready"));
    cut.kill().unwrap();
    cut.wait().unwrap();
    Daemon::start(&home.path()).stop().good();
    ready
}

#[test]
fn a_first_start_that_is_killed_at_any_step_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let library = faults(folder.path());
    let (next, last) = (AtomicU32::new(1), AtomicU32::new(400));
    // Four at a time, because a start mostly waits for the disk.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let step = next.fetch_add(1, Ordering::Relaxed);
                    if step >= last.load(Ordering::Relaxed) {
                        return;
                    }
                    if is_ready_before_step(step, &library) {
                        last.fetch_min(step, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let steps = last.into_inner() - 1;
    println!("killed at each of {steps} steps");
    assert!(steps < 399, "the start never ends");
    assert!(steps >= 20, "what a first start writes was not counted");
}

#[test]
fn a_missing_database_stops_the_start_and_no_new_one_is_created() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "remember me"]).good();
    // After the kill the message is in the write-ahead log only.
    drop(daemon);
    let (database, log) = (home.path().join("frontdesk.db"), home.path().join("frontdesk.db-wal"));
    let away = home.path().join("away");
    fs::rename(&database, &away).unwrap();
    let kept = fs::read(&log).unwrap();
    let start = || home.run(&["run", "--port", "0"]);
    start().failed(1, &["frontdesk.db is missing", "frontdesk.db-wal", "Nothing was changed"]);
    fs::write(&database, "").unwrap();
    start().failed(1, &["frontdesk.db is empty", "frontdesk.db-wal", "Nothing was changed"]);
    assert_eq!(fs::read(&log).unwrap(), kept);
    assert_eq!(fs::read(&database).unwrap(), b"");

    // Also without a log: there was a database, and a new one would be a different one.
    fs::rename(&log, home.path().join("log-away")).unwrap();
    start().failed(1, &["frontdesk.db is empty", "frontdesk.db.id", "restore a backup"]);
    fs::rename(home.path().join("log-away"), &log).unwrap();
    fs::rename(&away, &database).unwrap();
    let _daemon = Daemon::start(&home.path());
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
    assert_eq!(messages["messages"][0]["text"], "remember me");
}

#[test]
fn a_token_that_was_there_first_is_no_sign_of_a_lost_database() {
    let home = NewHome::new();
    home.write("token", "chosen-by-the-operator\n");
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).good();
    daemon.stop().good();
}
