//! What every test here needs: a home directory, a manual clock, turns, and a look at the process table.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_agents::failover::Providers;
use frontdesk_agents::{Config, Host, build, command};
use frontdesk_core::agent::{Origin, SessionOptions};
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::history;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{InputKind, Sender, SenderKind};
use frontdesk_core::port::{Agent, Clock, Mono, Prompt, Turn};
use frontdesk_core::tool::NoTools;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;

/// The longest that any test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub type Stream = BoxStream<'static, Result<Delta, AgentError>>;

/// A clock that the test advances.
pub struct ManualClock {
    now: watch::Sender<Duration>,
    sleepers: AtomicUsize,
}

#[async_trait]
impl Clock for ManualClock {
    fn wall(&self) -> DateTime<Utc> {
        DateTime::default()
    }
    fn mono(&self) -> Mono {
        Mono(*self.now.borrow())
    }
    fn elapsed(&self) -> Duration {
        *self.now.borrow()
    }
    async fn sleep_until(&self, deadline: Mono) {
        struct Asleep<'a>(&'a AtomicUsize);
        impl Drop for Asleep<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let _asleep = Asleep(&self.sleepers);
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= deadline.0).await.expect("the clock lives as long as its sleepers");
    }
}

impl ManualClock {
    pub fn pass(&self, time: Duration) {
        self.now.send_modify(|now| *now += time);
    }
    pub async fn wait_for_sleeper(&self) {
        eventually("somebody sleeps", || self.sleepers.load(Ordering::SeqCst) > 0).await;
    }
}

pub struct Sandbox {
    pub home: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    /// What all agents know of providers.
    pub providers: Arc<Providers>,
}

impl Sandbox {
    pub fn new() -> Self {
        let clock = ManualClock { now: watch::Sender::new(Duration::ZERO), sleepers: AtomicUsize::new(0) };
        Self {
            home: tempfile::tempdir().expect("a directory"),
            clock: Arc::new(clock),
            providers: Arc::default(),
        }
    }

    pub fn host(&self) -> Host {
        let path = std::env::var_os("PATH").expect("PATH");
        Host {
            home: self.home.path().into(),
            clock: self.clock.clone(),
            env: vec![("PATH".into(), path), ("TELEGRAM_BOT_TOKEN".into(), "123:secret".into())],
            proxy: None,
            providers: self.providers.clone(),
        }
    }

    /// How much time has passed.
    pub fn clock_reading(&self) -> Duration {
        self.clock.mono().0
    }

    pub fn agent(&self, config: Config) -> Arc<dyn Agent> {
        build("test", &config, &self.host()).expect("an agent")
    }

    /// An agent with one process per turn, whose program is this shell script.
    pub fn per_turn(&self, script: &str) -> Arc<dyn Agent> {
        self.agent(Config::Command(shell(script)))
    }

    /// An agent with one process per conversation, whose program is this shell script.
    pub fn persistent(&self, script: &str) -> Arc<dyn Agent> {
        self.agent(Config::Command(persistent(script)))
    }

    /// A file in the programs' working directory.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join("agents/test").join(name)
    }

    /// The pid that a program has written into a file.
    pub async fn pid(&self, name: &str) -> u32 {
        let file = self.file(name);
        eventually("a pid is written", || read(&file).ends_with('\n')).await;
        read(&file).trim().parse().expect("a pid")
    }
}

pub fn shell(script: &str) -> command::Config {
    command::Config::of(["sh", "-c", script])
}

pub fn persistent(script: &str) -> command::Config {
    command::Config { mode: command::Mode::Persistent, ..shell(script) }
}

pub fn turn(id: i64, text: &str) -> Turn {
    Turn {
        id: TurnId(id),
        attempt: 1,
        resumed: false,
        session: session(),
        epoch: 1,
        agent_ref: None,
        origin: Origin::Message,
        trusted: false,
        options: SessionOptions::default(),
        role: None,
        progress_timeout: Duration::from_secs(120),
        history: Arc::new(history::Empty),
        tools: Arc::new(NoTools),
        prompt: vec![Prompt {
            message: MessageId(id),
            text: text.into(),
            from: anna(),
            retried_by: None,
            quoted: None,
            input_kind: InputKind::Message,
            forward: None,
            links: Vec::new(),
            quote: None,
            quoted_files: Vec::new(),
            files: Vec::new(),
            received: DateTime::default(),
        }],
        context_messages: Vec::new(),
        context: Vec::new(),
    }
}

pub fn anna() -> Sender {
    Sender {
        id: "web:anna".parse().expect("an id"),
        kind: SenderKind::Person,
        name: Some("Anna".into()),
        roles: vec![],
    }
}

/// A prompt with nothing but a text.
pub fn prompt(text: &str) -> Prompt {
    turn(1, text).prompt.remove(0)
}

pub fn session() -> SessionKey {
    "agent:test:web:dm:main".parse().expect("a key")
}

/// The next item of the stream, within the time limit.
pub async fn next(stream: &mut Stream) -> Option<Result<Delta, AgentError>> {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("the agent reports something in time")
}

/// Reads a stream to its end: the text, and the last item if it was none.
pub async fn read_to_end(mut stream: Stream) -> (String, Option<Result<Delta, AgentError>>) {
    let mut text = String::new();
    while let Some(delta) = next(&mut stream).await {
        match delta {
            Ok(Delta::Text(piece)) => text.push_str(&piece),
            Ok(Delta::Progress | Delta::ToolEnd { .. } | Delta::Usage(_) | Delta::Session(_)) => {}
            end => {
                assert!(next(&mut stream).await.is_none(), "the stream continued after its end");
                return (text, Some(end));
            }
        }
    }
    (text, None)
}

/// The answer of a turn that succeeds.
pub async fn answer(stream: Stream) -> String {
    match read_to_end(stream).await {
        (text, Some(Ok(Delta::Done { text: whole, .. }))) => whole.unwrap_or(text),
        other => panic!("no answer: {other:?}"),
    }
}

/// The error of a turn that fails.
pub async fn error(stream: Stream) -> AgentError {
    match read_to_end(stream).await {
        (_, Some(Err(error))) => error,
        other => panic!("no error: {other:?}"),
    }
}

/// The text of the next item.
pub async fn piece(stream: &mut Stream) -> String {
    match next(stream).await {
        Some(Ok(Delta::Text(text))) => text,
        other => panic!("no text: {other:?}"),
    }
}

pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        while !holds() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

pub fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Whether a process exists, including as a zombie.
pub fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Whether a process runs. The zombie of a grandchild belongs to init, which may be missing in a container.
pub fn runs(pid: u32) -> bool {
    let stat = read(Path::new(&format!("/proc/{pid}/stat")));
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub async fn gone(pid: u32) {
    eventually("the process is gone", || !runs(pid)).await;
}

/// This process's resident memory, in bytes.
pub fn memory() -> u64 {
    let status = read(Path::new("/proc/self/status"));
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}
