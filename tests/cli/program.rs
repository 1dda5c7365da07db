//! Running the program: once, or as a daemon that is there until it is dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output as JSON, of a run that went well.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.good();
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same run, which went well.
    #[track_caller]
    pub fn good(&self) -> &Ran {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The same run, which failed with this code and said all of this.
    #[track_caller]
    pub fn failed(&self, code: i32, said: &[&str]) -> &Ran {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in said {
            assert!(self.err.contains(part), "{part:?} was not said: {self:?}");
        }
        self
    }
}

/// A command with nothing in its environment but a PATH and the home.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("FRONTDESK_HOME", home);
    command
}

/// Runs to the end.
pub fn frontdesk(home: &Path, arguments: &[&str]) -> Ran {
    fed(home, arguments, "")
}

/// Runs to the end with something on standard input.
pub fn fed(home: &Path, arguments: &[&str], input: &str) -> Ran {
    finish(command(home).args(arguments), input)
}

/// Runs a prepared command to the end.
pub fn finish(command: &mut Command, input: &str) -> Ran {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(written.is_ok() || input.is_empty() || !output.status.success(), "the input was not read");
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A home that is not there yet.
pub struct NewHome {
    folder: TempDir,
}

impl NewHome {
    pub fn new() -> NewHome {
        NewHome { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file in it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::create_dir_all(self.path()).unwrap();
        let file = self.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        frontdesk(&self.path(), arguments)
    }
}

/// A running gateway. It is killed when it is dropped: that must do no harm.
pub struct Daemon {
    child: Child,
    out: BufReader<ChildStdout>,
    greeting: String,
}

impl Daemon {
    /// Starts it on a free port and waits until it says that it is ready.
    pub fn start(home: &Path) -> Daemon {
        Daemon::start_with(command(home).args(["run", "--port", "0"]))
    }

    /// The same with a command of one's own.
    pub fn start_with(command: &mut Command) -> Daemon {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("frontdesk link") || !greeting.ends_with('\n') {
            if out.read_line(&mut greeting).unwrap() == 0 {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("it did not start: {greeting}{said}");
            }
        }
        Daemon { child, out, greeting }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads its log until a line holds this; returns the line up to there.
    pub fn logs(&mut self, wanted: &str) -> String {
        let err = self.child.stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !String::from_utf8_lossy(&line).contains(wanted) {
            assert_eq!(err.read(&mut byte).unwrap(), 1, "it ended and never said {wanted:?}");
            if byte == *b"\n" { line.clear() } else { line.extend(byte) }
        }
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Asks it to stop, and returns everything that it said.
    pub fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end, and returns everything that it said since it was last listened to.
    pub fn end(mut self) -> Ran {
        self.out.read_to_string(&mut self.greeting).unwrap();
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        Ran { code, out: std::mem::take(&mut self.greeting), err }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
