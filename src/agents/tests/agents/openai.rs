//! A model behind an OpenAI-compatible API: what it is asked, and what becomes of every kind of answer.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::Config;
use frontdesk_agents::openai::{self, Price};
use frontdesk_core::agent::TurnRole;
use frontdesk_core::config::{MergeMode, PromptFile, PromptText, Role, Secret};
use frontdesk_core::delta::{AgentError, Delta, Usage};
use frontdesk_core::port::{Agent, Turn};
use frontdesk_fakemodel::{FakeModel, Script};
use serde_json::{Value, json};

use crate::reported::{Reported, read};
use crate::sandbox::{Sandbox, Stream, next, turn};

pub mod conversation;
mod faults;
mod tools;

/// A model with an agent that asks it.
struct Fixture {
    sandbox: Sandbox,
    model: FakeModel,
    agent: Arc<dyn Agent>,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|config| config).await
    }

    async fn with(change: impl FnOnce(openai::Config) -> openai::Config) -> Self {
        let (sandbox, model) = (Sandbox::new(), FakeModel::start().await.expect("a port"));
        let config = openai::Config {
            base_url: model.url(),
            api_key: Some(Secret::new("hunter2")),
            // Tests pass time while they wait for the fake on a machine that may be slow.
            timeout: 3600,
            ..openai::Config::of("fake")
        };
        let agent = sandbox.agent(Config::OpenAi(change(config)));
        Self { sandbox, model, agent }
    }

    /// Runs a turn to its end.
    async fn run(&self, turn: Turn) -> Reported {
        self.read(self.agent.turn(turn)).await
    }

    async fn says(&self, text: &str) -> Reported {
        self.run(turn(1, text)).await
    }

    /// Reads a turn to its end, while time passes. Nothing of it is taken back, and nothing is said without an answer.
    async fn read(&self, stream: Stream) -> Reported {
        let reported = read(&self.sandbox, stream, Duration::from_millis(100), false).await;
        let is_odd = reported.restarts > 0 || !reported.changes.is_empty() || reported.has_last_text;
        assert!(!is_odd, "{reported:?}");
        assert!(reported.text.is_empty() || !matches!(reported.end, Some(Err(_))), "{reported:?}");
        reported
    }

    /// The messages of the last request.
    fn messages(&self) -> Vec<Value> {
        let request = self.model.requests().pop().expect("a request");
        request["messages"].as_array().expect("messages").clone()
    }
}

#[tokio::test]
async fn an_answer_is_streamed_and_its_cost_reported() {
    let price = Price { input: 2.0, output: 10.0, cached: Some(0.5) };
    let fixture =
        Fixture::with(|config| openai::Config { prices: [("fake".to_owned(), price)].into(), ..config })
            .await;
    let mut stream = fixture.agent.turn(turn(1, "hi"));
    fixture.model.will(
        Script::saying(&["one "])
            .event(&json!({"choices": [{"delta": {"content": "two"}}]}))
            .finish("stop")
            .usage(100, 20)
            .done(),
    );
    let mut pieces = Vec::new();
    let mut usage = None;
    while let Some(delta) = next(&mut stream).await {
        match delta.unwrap() {
            Delta::Text(text) => pieces.push(text),
            Delta::Usage(reported) => usage = Some(reported),
            Delta::Progress | Delta::Done { text: None, .. } => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(pieces.concat(), "one two");
    assert_eq!(
        usage.unwrap(),
        Usage {
            model: Some("fake-1".to_owned()),
            input: Some(100),
            output: Some(20),
            cache_read: Some(50),
            cache_write: None,
            cost_micro: Some(50 * 2 + 25 + 20 * 10),
            context_used: Some(120),
            context_window: Some(128_000),
        }
    );
}

#[tokio::test]
async fn text_is_shown_before_the_answer_is_whole() {
    let fixture = Fixture::new().await;
    fixture.model.will(Script::saying(&["early"]).hang());
    let mut stream = fixture.agent.turn(turn(1, "hi"));
    loop {
        match next(&mut stream).await.unwrap().unwrap() {
            Delta::Progress => {}
            Delta::Text(text) => break assert_eq!(text, "early"),
            other => panic!("unexpected: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_request_has_what_is_configured_and_chosen() {
    let fixture = Fixture::with(|config| openai::Config {
        models: vec!["large".into()],
        thinking: vec!["high".into()],
        headers: [("x-title".to_owned(), Secret::new("a test"))].into(),
        parameters: [("temperature".to_owned(), json!(0.5)), ("stop".to_owned(), json!(["x"]))].into(),
        system_prompt: Some(PromptText::Text("Be a gardener.".into())),
        ..config
    })
    .await;
    let mut chosen = turn(1, "hi");
    (chosen.options.model, chosen.options.thinking) = (Some("large".into()), Some("high".into()));
    assert_eq!(fixture.run(chosen).await.answer(), "hello there");
    let request = fixture.model.requests().remove(0);
    for (key, value) in [
        ("model", json!("large")),
        ("reasoning_effort", json!("high")),
        ("temperature", json!(0.5)),
        ("stop", json!(["x"])),
        ("stream", json!(true)),
        ("stream_options", json!({"include_usage": true})),
    ] {
        assert_eq!(request[key], value, "{key}");
    }
    let system = request["messages"][0]["content"].as_str().unwrap();
    assert!(system.starts_with("Be a gardener.\n\n") && system.contains("\"name\":\"Anna\""), "{system}");
    assert_eq!(request["messages"][1], json!({"role": "user", "content": "hi"}));
    assert_eq!(fixture.model.headers("authorization"), [Some("Bearer hunter2".to_owned())]);
    assert_eq!(fixture.model.headers("x-title"), [Some("a test".to_owned())]);
    assert_eq!(fixture.agent.capabilities().models, ["fake", "large"]);
    fixture.says("hi").await.answer();
    assert_eq!(
        (&fixture.model.requests()[1]["model"], fixture.model.requests()[1].get("reasoning_effort")),
        (&json!("fake"), None)
    );
}

#[tokio::test]
async fn a_system_prompt_in_a_file_is_read_at_each_turn() {
    let file = PromptText::File(PromptFile { file: "prompt.md".into() });
    let fixture = Fixture::with(|config| openai::Config { system_prompt: Some(file), ..config }).await;
    assert!(fixture.agent.problem().unwrap().contains("prompt.md"));
    let missing = fixture.says("hi").await;
    assert!(
        matches!(&missing.end, Some(Err(AgentError::Unavailable(why))) if why.to_string().contains("prompt.md")),
        "{missing:?}"
    );
    for text in ["Be kind.", "Be brief."] {
        std::fs::write(fixture.sandbox.home.path().join("prompt.md"), text).unwrap();
        fixture.says("hi").await.answer();
        assert!(fixture.messages()[0]["content"].as_str().unwrap().starts_with(text));
    }
    assert_eq!(fixture.agent.problem(), None);
    // A FIFO would hold the turn until somebody writes into it.
    let path = fixture.sandbox.home.path().join("prompt.md");
    std::fs::remove_file(&path).unwrap();
    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    assert!(fixture.says("hi").await.error().contains("it is not an ordinary file"));
}

#[tokio::test]
async fn only_openai_itself_needs_a_key() {
    let problem = |base_url: &str| {
        let (config, host) = (openai::Config::of("m"), Sandbox::new().host());
        let config = Config::OpenAi(openai::Config { base_url: base_url.to_owned(), ..config });
        frontdesk_agents::build("test", &config, &host).expect("a config that works").problem()
    };
    for openai in ["https://api.openai.com/v1", "https://API.openai.com"] {
        assert_eq!(problem(openai).as_deref(), Some("api.openai.com needs a key: set api_key"), "{openai}");
    }
    for other in ["https://api.openai.com.example.org/v1", "http://localhost/v1"] {
        assert_eq!(problem(other), None, "{other}");
    }
}

#[tokio::test]
async fn the_text_of_a_role_follows_the_system_prompt_or_takes_its_place() {
    let own = Some(PromptText::Text("Be a gardener.".into()));
    let fixture = Fixture::with(|config| openai::Config { system_prompt: own, ..config }).await;
    std::fs::write(fixture.sandbox.home.path().join("kids.md"), "Be kind.\n").unwrap();
    let text = PromptText::File(PromptFile { file: "kids.md".into() });
    for (merge_mode, begin) in [
        (MergeMode::Append, "Be a gardener.\n\nBe kind.\n\nYou talk"),
        (MergeMode::Replace, "Be kind.\n\nYou talk"),
    ] {
        let gives = Role { merge_mode, append_system_prompt: Some(text.clone()), ..Role::default() };
        let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
        fixture.run(Turn { role, ..turn(1, "hi") }).await.answer();
        let system = fixture.messages()[0]["content"].as_str().unwrap().to_owned();
        assert!(system.starts_with(begin), "{system}");
    }
}

#[tokio::test]
async fn a_dropped_and_an_aborted_turn_close_the_connection_at_once() {
    let fixture = Fixture::new().await;
    fixture.model.usually(Script::saying(&["hm"]).hang());
    for aborts in [false, true] {
        let mut stream = fixture.agent.turn(turn(1, "hi"));
        while !matches!(next(&mut stream).await, Some(Ok(Delta::Text(_)))) {}
        assert_eq!(fixture.model.open(), 1);
        if aborts {
            fixture.agent.abort(turn(1, "").id).await;
            assert!(next(&mut stream).await.is_none());
        }
        drop(stream);
        crate::sandbox::eventually("the connection is closed", || fixture.model.open() == 0).await;
    }
}
