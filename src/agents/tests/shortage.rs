//! A turn waits while the machine has no file descriptors left. Runs alone in its process, because it changes the
//! process's limit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_agents::{Config, Host, build, command};
use frontdesk_core::agent::{Origin, SessionOptions};
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::history;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::{InputKind, Sender, SenderKind};
use frontdesk_core::port::{Agent, Clock, Mono, Prompt, Turn};
use frontdesk_core::tool::NoTools;
use futures_util::StreamExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn wall(&self) -> DateTime<Utc> {
        DateTime::default()
    }
    fn mono(&self) -> Mono {
        Mono::default()
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    async fn sleep_until(&self, _deadline: Mono) {
        std::future::pending().await
    }
}

fn turn(epoch: u64) -> Turn {
    let prompt = Prompt {
        message: MessageId(1),
        text: "hello".into(),
        from: Sender {
            id: "web:main".parse().expect("an id"),
            kind: SenderKind::Person,
            name: None,
            roles: vec![],
        },
        retried_by: None,
        quoted: None,
        input_kind: InputKind::Message,
        forward: None,
        links: Vec::new(),
        quote: None,
        quoted_files: Vec::new(),
        files: Vec::new(),
        received: DateTime::default(),
    };
    Turn {
        id: TurnId(1),
        attempt: 1,
        resumed: false,
        session: "agent:test:web:dm:main".parse().expect("a key"),
        epoch,
        agent_ref: None,
        origin: Origin::Message,
        trusted: false,
        options: SessionOptions::default(),
        role: None,
        progress_timeout: std::time::Duration::from_secs(120),
        history: Arc::new(history::Empty),
        tools: Arc::new(NoTools),
        prompt: vec![prompt],
        context_messages: Vec::new(),
        context: Vec::new(),
    }
}

/// Runs a turn in a conversation of its own, so that a new program has to start.
async fn deltas(agent: &Arc<dyn Agent>, epoch: u64) -> Vec<Result<Delta, AgentError>> {
    agent.turn(turn(epoch)).collect().await
}

#[tokio::test]
async fn a_program_that_cannot_start_for_want_of_descriptors_starts_later() {
    let home = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let host = Host {
        home: home.path().into(),
        clock: Arc::new(StoppedClock),
        env: vec![("PATH".into(), path)],
        proxy: None,
        providers: Arc::default(),
    };
    for mode in [command::Mode::PerTurn, command::Mode::Persistent] {
        let script = r#"read line; [ "$1" = once ] && echo hi || echo '{"type":"done","text":"hi"}'"#;
        let name = if mode == command::Mode::PerTurn { "once" } else { "lasting" };
        let config = command::Config { mode, ..command::Config::of(["sh", "-c", script, "sh", name]) };
        let agent = build("test", &Config::Command(config), &host).unwrap();
        assert!(matches!(deltas(&agent, 1).await.last(), Some(Ok(Delta::Done { .. }))), "{name}");

        let before = getrlimit(Resource::Nofile);
        // First none at all, then more and more of the descriptors that a start needs.
        for most in (3..40).step_by(2) {
            setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..before }).unwrap();
            let short = deltas(&agent, 10 + most).await;
            setrlimit(Resource::Nofile, before).unwrap();
            let waits = matches!(short[..], [Err(AgentError::Later(_))]);
            assert!(waits || most > 3, "{name} {most}: {short:?}");
            let answered = matches!(short.last(), Some(Ok(Delta::Done { .. })));
            assert!(waits || answered, "{name} {most}: {short:?}");
        }
        assert!(matches!(deltas(&agent, 2).await.last(), Some(Ok(Delta::Done { .. }))), "{name}");
    }
}
