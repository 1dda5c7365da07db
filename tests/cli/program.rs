//! Runs the program: once, or as a daemon that is killed when it is dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The result of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output of a successful run as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.good();
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the run was successful.
    #[track_caller]
    pub fn good(&self) -> &Ran {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that the run failed with this code and printed all of this.
    #[track_caller]
    pub fn failed(&self, code: i32, said: &[&str]) -> &Ran {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in said {
            assert!(self.err.contains(part), "{part:?} was not said: {self:?}");
        }
        self
    }
}

/// A command with only PATH and the home folder in its environment.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frontdesk"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("FRONTDESK_HOME", home);
    command
}

/// Runs a command to its end.
pub fn frontdesk(home: &Path, arguments: &[&str]) -> Ran {
    fed(home, arguments, "")
}

/// Runs a command to its end, with something on standard input.
pub fn fed(home: &Path, arguments: &[&str], input: &str) -> Ran {
    finish(command(home).args(arguments), input)
}

/// Runs a prepared command to its end.
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

/// The path of a home folder that does not exist yet.
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

    /// Writes a file into the home folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::create_dir_all(self.path()).unwrap();
        let file = self.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        frontdesk(&self.path(), arguments)
    }
}

/// A test fails if a line that it expects in the log does not come in this time. It is long because a loaded machine is
/// slow; a passing test never waits this long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running gateway. It is killed when it is dropped, which must do no harm.
pub struct Daemon {
    child: Child,
    out: BufReader<ChildStdout>,
    greeting: String,
    /// The lines of standard error, read by a thread of their own so that waiting for one can time out.
    log: Receiver<io::Result<String>>,
}

impl Daemon {
    /// Starts a gateway on a free port and waits until it is ready.
    pub fn start(home: &Path) -> Daemon {
        Daemon::start_with(command(home).args(["run", "--port", "0"]))
    }

    /// Starts a gateway with a prepared command.
    pub fn start_with(command: &mut Command) -> Daemon {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || err.lines().try_for_each(|line| sender.send(line)));
        let mut greeting = String::new();
        while !greeting.contains("frontdesk link") || !greeting.ends_with('\n') {
            if out.read_line(&mut greeting).unwrap() == 0 {
                panic!("it did not start: {greeting}{}", rest_of(&log));
            }
        }
        Daemon { child, out, greeting, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads the log until a line contains this, and returns that line.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
    pub fn logs(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + TIMEOUT;
        let mut read = String::new();
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let line = line.unwrap();
                    if line.contains(wanted) {
                        return line;
                    }
                    read.push_str(&line);
                    read.push('\n');
                }
                Err(error) => {
                    panic!("no line of the log contains {wanted:?} ({error}). The log was:\n{read}")
                }
            }
        }
    }

    /// Stops the gateway in an orderly way, and returns its output.
    pub fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end, and returns the output that has not been read yet.
    pub fn end(mut self) -> Ran {
        self.out.read_to_string(&mut self.greeting).unwrap();
        let err = rest_of(&self.log);
        let code = self.child.wait().unwrap().code();
        Ran { code, out: std::mem::take(&mut self.greeting), err }
    }
}

/// The lines that have not been read yet, up to the end of the log.
fn rest_of(log: &Receiver<io::Result<String>>) -> String {
    log.iter().map(|line| line.unwrap() + "\n").collect()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
