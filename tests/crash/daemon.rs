//! The real binary with one home: started, killed, stopped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::{agent, clock};

/// How long a start may take before it counts as stuck.
const START: Duration = Duration::from_secs(60);
/// How long an orderly stop may take.
const STOP: Duration = Duration::from_secs(20);

/// The folder that all processes of the gateway share.
#[derive(Debug)]
pub struct Home(PathBuf);

impl Home {
    /// A home with this configuration.
    pub fn create(path: &Path, config: &str) -> Result<Self> {
        let home = Self(path.to_owned());
        std::fs::write(home.0.join("frontdesk.toml"), config)?;
        // A copy: a build that runs beside the test must not replace the program during the test.
        std::fs::copy(env!("CARGO_BIN_EXE_frontdesk"), home.program()).context("copying the program")?;
        Ok(home)
    }

    pub fn read_config(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.0.join("frontdesk.toml"))?)
    }

    /// Replaces the configuration in one step, as editors do.
    pub fn write_config(&self, config: &str) -> Result<()> {
        let new = self.0.join("frontdesk.toml.new");
        std::fs::write(&new, config)?;
        Ok(std::fs::rename(new, self.0.join("frontdesk.toml"))?)
    }

    fn program(&self) -> PathBuf {
        self.0.join("frontdesk")
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("frontdesk.db")
    }

    pub fn agent_journal(&self) -> PathBuf {
        agent::journal_path(&self.0)
    }

    pub fn media(&self) -> PathBuf {
        self.0.join("media")
    }

    /// The output of all processes of the gateway.
    pub fn log(&self) -> PathBuf {
        self.0.join("daemon.log")
    }

    pub fn token(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.0.join("token"))?.trim().to_owned())
    }

    /// The processes of agents that run, by their ids and names.
    pub fn processes(&self) -> Vec<String> {
        let media = format!("FRONTDESK_MEDIA={}\0", self.media().display()).into_bytes();
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let ours = all.filter(|process| {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            environment.windows(media.len()).any(|part| part == media)
        });
        let shown = |process: PathBuf| {
            let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
            format!("{} {}", process.display(), name.trim())
        };
        ours.map(shown).collect()
    }

    /// Where a process listens, once it has written that down.
    fn address(&self, pid: u32) -> Option<SocketAddr> {
        let text = std::fs::read_to_string(self.0.join("frontdesk.lock")).ok()?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        (field("pid")? == pid.to_string()).then(|| field("address")?.parse().ok()).flatten()
    }
}

/// One process of the gateway.
pub struct Daemon {
    child: Child,
    pid: u32,
    started: std::time::Instant,
}

impl Daemon {
    pub fn start(home: &Home) -> Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(home.log())?;
        let started = clock::instant();
        let child = Command::new(home.program())
            .arg("run")
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "RUST_LOG"))
            .env("FRONTDESK_HOME", &home.0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().context("a child without an id")?;
        Ok(Self { child, pid, started })
    }

    /// Waits until it answers; returns its address and the time since its start.
    pub async fn ready(&mut self, home: &Home) -> Result<(SocketAddr, Duration)> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the daemon ended instead of starting: {status}");
            }
            if let Some(address) = home.address(self.pid)
                && healthy(address).await
            {
                return Ok((address, self.started.elapsed()));
            }
            if self.started.elapsed() > START {
                bail!("the daemon was not ready after {START:?}");
            }
            clock::sleep_ms(1).await;
        }
    }

    /// `kill -9`, now.
    pub async fn kill(self) -> Result<()> {
        self.signal(Signal::KILL)?;
        match self.end().await? {
            Some(code) => bail!("the daemon had already ended with {code}"),
            None => Ok(()),
        }
    }

    /// `kill -9` during an orderly stop, or just after it.
    pub async fn kill_stopping(self, after: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        clock::sleep(after).await;
        // The id is not used again before the process is waited for.
        self.signal(Signal::KILL)?;
        match self.end().await? {
            Some(code) if code != 0 => bail!("after SIGTERM the daemon ended with {code}"),
            _ => Ok(()),
        }
    }

    /// Waits for the end; returns the exit code, or `None` if a signal ended it.
    async fn end(mut self) -> Result<Option<i32>> {
        Ok(self.child.wait().await?.code())
    }

    /// An orderly stop.
    pub async fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        tokio::select! {
            status = self.child.wait() => {
                let status = status?;
                if status.success() { Ok(()) } else { bail!("after SIGTERM the daemon ended with {status}") }
            }
            () = clock::sleep(STOP) => bail!("the daemon did not stop within {STOP:?} after SIGTERM"),
        }
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }
}

async fn healthy(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(
                format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<bool, std::io::Error>(answer.ends_with(b" 200"))
    };
    tokio::select! {
        answer = asked => answer.unwrap_or(false),
        () = clock::sleep_ms(2000) => false,
    }
}
