//! The measured servers: the daemon with a new home folder, and the server of the raw limit.

use std::fs::{File, read_to_string, write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::bare::Commit;
use crate::client::{Connection, Target};
use crate::platform::Platform;
use crate::process::Process;

/// What happens to accepted messages during a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// One silent turn keeps all others waiting, so that only accepts are measured.
    Held,
    /// The echo agent answers all of them, and its commits compete with the accepts.
    Answered,
}

/// A home folder.
pub struct Home(TempDir);

impl Home {
    pub fn new(folder: &Path, turns: Turns) -> Result<Self> {
        let home = tempfile::tempdir_in(std::path::absolute(folder)?)?;
        write(home.path().join("frontdesk.toml"), config(turns))?;
        Ok(Self(home))
    }

    /// A home folder for a gateway with a bot on each of these fakes, without pacing and with access for everybody.
    pub fn chats(folder: &Path, fakes: &[(Platform, SocketAddr)]) -> Result<Self> {
        let home = tempfile::tempdir_in(std::path::absolute(folder)?)?;
        let sections = fakes.iter().map(|(platform, api)| platform.section(*api));
        let config: String = std::iter::once(config(Turns::Answered)).chain(sections).collect();
        write(home.path().join("frontdesk.toml"), config)?;
        Ok(Self(home))
    }

    /// A home folder with the default configuration.
    pub fn plain(folder: &Path) -> Result<Self> {
        Ok(Self(tempfile::tempdir_in(std::path::absolute(folder)?)?))
    }

    pub fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }

    pub fn database(&self) -> PathBuf {
        self.0.path().join("frontdesk.db")
    }
}

/// A configuration without limits and pacing, with large queues and long deadlines.
fn config(turns: Turns) -> String {
    let max = if turns == Turns::Held { 1 } else { 64 };
    format!(
        "[gateway.limits.per_ip]\nper_minute = 0\nburst = 0\n\
         [gateway.limits.per_token]\nper_minute = 0\nburst = 0\n\
         [limits.user]\nper_minute = 0\nburst = 0\n\
         [limits.chat]\nper_minute = 0\nburst = 0\n\
         [limits.account]\nper_minute = 0\nburst = 0\n\
         [queue]\nglobal = 100000000\nper_session = 1000000\n\
         [tasks]\nmax_running = 4\nper_person = 4\nper_chat = 4\nmax_open = 10000\nmax_open_per_person = 10000\n\
         [turns]\nmax = {max}\nhard_limit_seconds = 7200\nprogress_timeout_seconds = 7200\ndrain_seconds = 0\n"
    )
}

/// A measured process. It is killed when dropped.
pub struct Server {
    child: Child,
    pub target: Target,
    /// The time from the spawn to the first 200.
    pub ready_in: Duration,
}

impl Server {
    pub fn daemon(program: &Path, home: &Home) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::path::absolute(program)?);
        command
            .env_clear()
            .env("FRONTDESK_HOME", home.0.path())
            .args(["run", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(File::create(home.0.path().join("log"))?);
        let mut server = Self::start(&mut command, port, "/ready", 202)?;
        server.target.token = read_to_string(home.0.path().join("token"))?.trim().to_owned();
        Ok(server)
    }

    pub fn bare(folder: &Path, commit: Commit) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["bare", "--commit", commit.name(), "--port", &port.to_string(), "--folder"])
            .arg(std::path::absolute(folder)?);
        Self::start(&mut command, port, "/ready", 200)
    }

    /// Starts the fake of a platform, which lies beside the daemon.
    pub fn fake(daemon: &Path, platform: Platform) -> Result<Self> {
        let (name, port) = (platform.fake(), free_port()?);
        let program = std::path::absolute(daemon.with_file_name(name))?;
        ensure!(program.is_file(), "{} is missing: cargo build --release -p {name}", program.display());
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string()]).stdout(Stdio::null());
        Self::start(&mut command, port, "/control/journal", 200)
    }

    /// Starts the bot that stores nothing.
    pub fn echo(platform: Platform, api: SocketAddr) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["echo", "--api", &api.to_string(), "--port", &port.to_string(), "--platform"]);
        command.arg(platform.name().to_lowercase());
        Self::start(&mut command, port, "/ready", 200)
    }

    fn start(command: &mut Command, port: u16, path: &str, taken: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let spawned = Instant::now();
        let mut child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        loop {
            let ready = Connection::open(address).and_then(|mut connection| connection.get(path));
            if matches!(ready, Ok(200)) {
                break;
            }
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("{command:?} ended with {status} before it was ready");
            }
            ensure!(spawned.elapsed() < Duration::from_secs(60), "{command:?} does not become ready");
            // Short compared with the start that is measured, and long enough to leave it a core.
            sleep(Duration::from_micros(200));
        }
        let ready_in = spawned.elapsed();
        Ok(Self { child, target: Target { address, token: String::new(), taken }, ready_in })
    }

    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Starts the silent turn that keeps all others waiting.
    pub fn hold(&self) -> Result<()> {
        let mut connection = Connection::open(self.target.address)?;
        let mut request = Vec::new();
        self.target.prompt(&mut request, "held", "!wait 600000 hello", false);
        ensure!(connection.ask(&request)? == self.target.taken, "{}", connection.answer());
        sleep(Duration::from_millis(100));
        Ok(())
    }

    /// Stops the process in an orderly way.
    pub fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        if self.child.kill().is_ok()
            && let Err(error) = self.child.wait()
        {
            println!("  (a server could not be waited for: {error})");
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
