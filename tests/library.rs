//! Frontdesk inside another program: the builder, the handle, and what is left when it stops.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk::core::agent::{Capabilities, SessionOptions};
use frontdesk::core::answer_end::AnswerEnd;
use frontdesk::core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall};
use frontdesk::core::failover::Failover;
use frontdesk::core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};
use frontdesk::core::id::TurnId;
use frontdesk::core::key::SessionKey;
use frontdesk::core::port::{Agent, Prompt, Turn};
use frontdesk::{Builder, Config, Gateway, Running, StartError};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};

/// An agent whose answer is always this text.
struct Says(&'static str);

#[async_trait]
impl Agent for Says {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, _turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        stream::iter([Ok(Delta::Done { text: Some(self.0.into()), end: AnswerEnd::Whole })]).boxed()
    }
    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }
    async fn abort(&self, _turn: TurnId) {}
    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        None
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

fn on_any_port() -> Config {
    let mut config = Config::default();
    config.gateway.port = 0;
    config
}

fn builder(home: &tempfile::TempDir) -> Builder {
    Gateway::builder().home(home.path().join("home")).config(on_any_port())
}

async fn ask(gateway: &Running, text: &str) -> (u16, Value) {
    let request = reqwest::Client::new()
        .post(format!("{}/api/chat", gateway.url()))
        .bearer_auth(gateway.token().0.expose())
        .json(&json!({"text": text}));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn an_agent_of_ones_own_answers_and_nothing_is_left_when_it_stops() {
    let home = tempfile::tempdir().unwrap();
    let gateway = builder(&home).agent("main", Arc::new(Says("mine"))).start().await.unwrap();
    let (status, answer) = ask(&gateway, "hello").await;
    assert_eq!((status, &answer["text"]), (200, &json!("mine")), "{answer}");
    assert!(gateway.is_running());
    let port = gateway.address().port();
    assert!(frontdesk::is_gateway_running(port).await);
    assert_eq!(gateway.status().await.unwrap().totals.sessions, 1);
    gateway.stop().await;
    assert!(!frontdesk::is_gateway_running(port).await);
    builder(&home).start().await.unwrap().stop().await;
}

#[tokio::test]
async fn an_admin_is_told_that_only_the_program_restarts_its_gateway() {
    let home = tempfile::tempdir().unwrap();
    let gateway = builder(&home).start().await.unwrap();
    for request in ["/gateway reload", "/gateway restart"] {
        let (_, answer) = ask(&gateway, request).await;
        assert!(answer["text"].as_str().unwrap().contains("part of another program"), "{request}: {answer}");
    }
    gateway.stop().await;
    let gateway = builder(&home).obeys_admins().start().await.unwrap();
    let mut wanted = gateway.handle().lifecycle();
    let (_, answer) = ask(&gateway, "/gateway restart").await;
    assert!(answer["text"].as_str().unwrap().starts_with("Restarting."), "{answer}");
    wanted.changed().await.unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn two_gateways_live_in_one_process_but_not_in_one_home() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = builder(&one).agent("main", Arc::new(Says("one"))).start().await.unwrap();
    let second = builder(&two).agent("main", Arc::new(Says("two"))).start().await.unwrap();
    assert_eq!(ask(&first, "?").await.1["text"], json!("one"));
    assert_eq!(ask(&second, "?").await.1["text"], json!("two"));
    assert!(matches!(builder(&one).start().await, Err(StartError::Lock(_))));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_added_agent_can_be_named_in_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let mut config = on_any_port();
    config.default_agent = Some("mine".into());
    let file = home.path().join("frontdesk.toml");
    std::fs::write(&file, "default_agent = \"mine\"\n[gateway]\nport = 0\n").unwrap();
    let starts = [builder(&home).config(config), builder(&home).config_file(&file)];
    for start in starts {
        let gateway = start.agent("mine", Arc::new(Says("named"))).start().await.unwrap();
        assert_eq!(ask(&gateway, "?").await.1["text"], json!("named"));
        assert_eq!(gateway.get_config().default_agent(), "mine");
        gateway.stop().await;
    }
    let nobody = builder(&home).config_file(&file).start().await.err().unwrap();
    assert!(matches!(nobody, StartError::Config(_)), "{nobody}");
    assert!(nobody.to_string().contains("no agent `mine`"), "{nobody}");
}

#[tokio::test]
async fn without_agents_messages_are_kept_and_refused_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let gateway = builder(&home).no_agent().start().await.unwrap();
    let (status, answer) = ask(&gateway, "anybody?").await;
    assert!(status >= 400 && answer["error"]["message"].is_string(), "{status} {answer}");
    assert_eq!(gateway.status().await.unwrap().totals.sessions, 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_text_is_sent_by_channel_and_chat() {
    let home = tempfile::tempdir().unwrap();
    let gateway = builder(&home).start().await.unwrap();
    assert_eq!(gateway.adapter("web").unwrap().account().to_string(), "web");
    assert_eq!(gateway.adapters().len(), 1);
    assert!(gateway.adapter("fax").is_none());
    let sent = gateway.send_message("web", "main", "hello", "k1").await.unwrap();
    let again = gateway.send_message("web", "main", "hello", "k1").await.unwrap();
    assert_eq!(sent[0].post.out, again[0].post.out);
    assert!(gateway.send_message("fax", "main", "hello", "k2").await.is_err());
    gateway.stop().await;
}

/// An agent that is cut off after it has used a tool.
struct CutOff;

#[async_trait]
impl Agent for CutOff {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, _turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let call = ToolCall {
            id: "1".into(),
            name: "pay".into(),
            params: json!({}),
            approval: ToolApproval::not_awaited(),
        };
        let deltas = [
            Ok(Delta::Text("I have".into())),
            Ok(Delta::ToolStart(call)),
            Err(AgentError::Died("gone".into())),
        ];
        stream::iter(deltas).boxed()
    }
    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }
    async fn abort(&self, _turn: TurnId) {}
    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        None
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

#[tokio::test]
async fn the_text_before_an_interruption_is_sent_with_the_error() {
    let home = tempfile::tempdir().unwrap();
    let gateway = builder(&home).agent("main", Arc::new(CutOff)).start().await.unwrap();
    let (status, answer) = ask(&gateway, "pay the bill").await;
    let error = &answer["error"];
    assert_eq!(
        (status, &error["code"], &error["text"]),
        (502, &json!("interrupted"), &json!("I have")),
        "{answer}"
    );
    let url = format!("{}/api/chat", gateway.url());
    let request = reqwest::Client::new().post(url).bearer_auth(gateway.token().0.expose());
    let request = request.json(&json!({"text": "and again", "stream": true}));
    let events = request.send().await.unwrap().text().await.unwrap();
    let last = events.trim().rsplit("\n\n").next().unwrap().to_owned();
    assert!(last.starts_with("event: error\n") && last.contains("\"text\":\"I have\""), "{events}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_reset_rule_for_a_channel_that_is_not_there_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut config = on_any_port();
    config.runtime.sessions.reset.channel.insert("fax".into(), Default::default());
    let refused = builder(&home).config(config).start().await.err().unwrap();
    assert!(refused.to_string().contains("no channel `fax`"), "{refused}");
}

/// A hook that notes its events at these points.
struct Notes {
    points: Vec<HookPoint>,
    events: Arc<Mutex<Vec<HookEvent>>>,
}

impl Notes {
    fn at(points: impl IntoIterator<Item = HookPoint>) -> (Arc<Self>, Arc<Mutex<Vec<HookEvent>>>) {
        let events = Arc::<Mutex<Vec<HookEvent>>>::default();
        (Arc::new(Self { points: points.into_iter().collect(), events: events.clone() }), events)
    }
}

#[async_trait]
impl Hook for Notes {
    fn name(&self) -> &str {
        "notes"
    }
    fn points(&self) -> &[HookPoint] {
        &self.points
    }
    fn limit(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn fails_closed(&self) -> bool {
        false
    }
    fn takes_pieces(&self) -> bool {
        false
    }
    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        self.events.lock().unwrap().push(event.clone());
        Ok(HookVerdict::Pass)
    }
}

/// A hook that adds a mark to every outgoing text, and takes its time for a command's reply.
struct Marks;

#[async_trait]
#[expect(clippy::disallowed_methods, reason = "this hook is slow in real time, as the client is that polls")]
impl Hook for Marks {
    fn name(&self) -> &str {
        "marks"
    }
    fn points(&self) -> &[HookPoint] {
        &[HookPoint::MessageSending]
    }
    fn limit(&self) -> Duration {
        Duration::from_secs(10)
    }
    fn fails_closed(&self) -> bool {
        true
    }
    fn takes_pieces(&self) -> bool {
        false
    }
    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        let HookEvent::MessageSending(text) = event else { return Ok(HookVerdict::Pass) };
        if text.message.contains("Your id") {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        Ok(match text.message.contains("secret") {
            true => HookVerdict::Drop("not for others".to_owned()),
            false => HookVerdict::Rewrite(format!("{} ✓", text.message)),
        })
    }
}

#[tokio::test]
async fn on_the_web_too_hooks_see_every_text_before_it_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let (onlooker, events) = Notes::at([HookPoint::MessageSent]);
    let start =
        builder(&home).agent("main", Arc::new(Says("mine"))).agent("other", Arc::new(Says("a secret")));
    let gateway = start.hook(Arc::new(Marks)).hook(onlooker).start().await.unwrap();
    assert_eq!(ask(&gateway, "hello").await.1["text"], "mine ✓");
    // Slower than a client polls that waits for the reply.
    let (status, answer) = ask(&gateway, "/whoami").await;
    assert!(status == 200 && answer["text"].as_str().unwrap().ends_with(". ✓"), "{answer}");
    let sent = gateway.send_message("web", "main", "news", "k1").await.unwrap();
    assert_eq!((sent[0].post.part.plain.as_str(), sent[0].post.seq), ("news ✓", Some(3)));
    let sent = gateway.send_message("web", "main", "a secret", "k2").await.unwrap();
    assert_eq!((sent[0].state.name(), sent[0].post.seq), ("dropped", None));
    let url = format!("{}/api/chat", gateway.url());
    let request = reqwest::Client::new().post(url).bearer_auth(gateway.token().0.expose());
    let request = request.json(&json!({"text": "and again", "stream": true}));
    let shown = request.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("mine ✓") && !shown.contains("event: delta"), "{shown}");
    gateway.stop().await;
    let told: Vec<Value> = events.lock().unwrap().iter().map(HookEvent::to_json).collect();
    let texts: Vec<&str> = told.iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert_eq!((texts[0], texts[2], texts[3], texts.len()), ("mine ✓", "news ✓", "mine ✓", 4), "{told:?}");
}

#[tokio::test]
async fn hooks_are_given_the_configuration_without_its_secrets() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("frontdesk.toml");
    let text = "[gateway]\nport = 0\n[channels.telegram]\ntoken = \"123456:not-to-be-shown\"\n\
                api_url = \"http://127.0.0.1:9\"\n";
    std::fs::write(&file, text).unwrap();
    let starts = [(builder(&home).config_file(&file), json!("***")), (builder(&home), Value::Null)];
    for (start, token) in starts {
        let (hook, events) = Notes::at([HookPoint::GatewayStart, HookPoint::BeforeAgentStart]);
        let gateway = start.agent("main", Arc::new(Says("mine"))).hook(hook).start().await.unwrap();
        ask(&gateway, "hello").await;
        gateway.stop().await;
        let events = events.lock().unwrap();
        assert_eq!(events.len(), 2, "{events:?}");
        for event in events.iter() {
            let shown = event.to_json();
            assert_eq!(shown["config"]["gateway"]["port"], 0, "{shown}");
            assert!(!shown.to_string().contains("not-to-be-shown"), "{shown}");
        }
        assert_eq!(events[0].to_json()["config"]["channels"]["telegram"]["token"], token);
    }
}
