//! Runs the program: once, or as a daemon that is killed when it is dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
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

    /// The JSON that `status` has printed, whose exit code says whether everything works.
    #[track_caller]
    pub fn state(&self) -> Value {
        let status: Value =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(self.code, Some(i32::from(status["status"] != "ok")), "{self:?}");
        status
    }

    /// Asserts that the run was successful.
    #[track_caller]
    pub fn good(&self) -> &Ran {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that the run failed with this code and printed all of this.
    #[track_caller]
    pub fn failed(&self, code: i32, expected: &[&str]) -> &Ran {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in expected {
            assert!(self.err.contains(part), "{part:?} was not printed: {self:?}");
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

/// A test fails if a command takes longer. It is longer than every timeout of the command line itself.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(180);

/// Runs a prepared command to its end.
pub fn finish(command: &mut Command, input: &str) -> Ran {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let pid = Pid::from_child(&child);
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(COMMAND_TIMEOUT) else {
        kill_process(pid, Signal::KILL).unwrap();
        panic!("{command:?} did not end in {COMMAND_TIMEOUT:?}");
    };
    let output = output.unwrap();
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

    /// The URL of the gateway that runs, and the owner's token.
    pub fn reached(&self) -> (String, String) {
        let read = |name: &str| std::fs::read_to_string(self.path().join(name)).unwrap();
        let lock = read("frontdesk.lock");
        let address = lock.lines().find_map(|line| line.strip_prefix("address=")).unwrap();
        (format!("http://{address}"), read("token").trim().to_owned())
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        frontdesk(&self.path(), arguments)
    }
}

/// A test fails if it waits longer for a line of output, for the end of a process or for a condition. It is long because a
/// loaded machine is slow; a passing test never waits this long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until the condition holds; `what` says what is waited for.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    let mut pause = Duration::from_millis(5);
    while !holds() {
        assert!(Instant::now() < deadline, "this did not happen in {TIMEOUT:?}: {what}");
        std::thread::sleep(pause);
        // A condition that asks the gateway must stay within its limit of requests for the whole time.
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// A running gateway. It is killed when it is dropped, which must do no harm.
pub struct Daemon {
    child: Child,
    out: Lines,
    greeting: String,
    log: Lines,
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
        let out = Lines::read(child.stdout.take().unwrap());
        let log = Lines::read(child.stderr.take().unwrap());
        let mut daemon = Daemon { child, out, greeting: String::new(), log };
        if let Err(error) = daemon.out.until("frontdesk link", &mut daemon.greeting) {
            daemon.child.kill().unwrap();
            panic!("it did not start ({error}). It printed:\n{}{}", daemon.greeting, daemon.log.rest());
        }
        daemon
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
    pub fn logs(&mut self, wanted: &str) -> String {
        let mut read = String::new();
        match self.log.until(wanted, &mut read) {
            Ok(line) => line,
            Err(error) => panic!("no line of the log contains {wanted:?} ({error}). The log was:\n{read}"),
        }
    }

    /// Stops the gateway in an orderly way, and returns its output.
    pub fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end, and returns the output that has not been read yet.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
    pub fn end(mut self) -> Ran {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                None => {
                    self.child.kill().unwrap();
                    panic!("it did not end in {TIMEOUT:?}. The rest of its log was:\n{}", self.log.rest());
                }
            }
        };
        let out = std::mem::take(&mut self.greeting) + &self.out.rest();
        Ran { code: status.code(), out, err: self.log.rest() }
    }
}

/// The lines of an output, read by a separate thread, so that waiting for a line can time out and a full pipe never
/// stops the program.
struct Lines(Receiver<io::Result<String>>);

impl Lines {
    fn read(output: impl Read + Send + 'static) -> Lines {
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(output).lines().try_for_each(|line| sender.send(line)));
        Lines(lines)
    }

    /// Reads until a line contains `wanted`, and returns that line. All lines that were read are appended to `read`.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
    fn until(&self, wanted: &str, read: &mut String) -> Result<String, RecvTimeoutError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let line = self.0.recv_timeout(deadline.saturating_duration_since(Instant::now()))?.unwrap();
            read.push_str(&line);
            read.push('\n');
            if line.contains(wanted) {
                return Ok(line);
            }
        }
    }

    /// The lines that have not been read yet, up to the end of the output.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
    fn rest(&self) -> String {
        let deadline = Instant::now() + TIMEOUT;
        let mut rest = String::new();
        loop {
            match self.0.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => rest = rest + &line.unwrap() + "\n",
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("the output did not end in {TIMEOUT:?}:\n{rest}"),
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
