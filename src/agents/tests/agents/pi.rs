//! pi, as far as its protocol goes: a program that has pi's quirks stands for it. The real one is in `tests/interop/pi`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::{Config, pi};
use frontdesk_core::agent::{SessionOptions, TurnRole};
use frontdesk_core::ask::{AgentQuestion, Answerer, AskAnswer, AskEnd, AskKind};
use frontdesk_core::config::{Permission, PromptFile, PromptText, Role};
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolDecision};
use frontdesk_core::message::FileKind;
use frontdesk_core::port::{Agent, File, Turn};
use serde_json::{Value, json};

use crate::noting_tools::Noting;
use crate::sandbox::{Sandbox, Stream, answer, error, eventually, next, prompt, read, turn};

mod processes;
mod roles;
mod sandboxed;
mod tools;

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/pi_fake.mjs");

fn config(max: usize) -> pi::Config {
    pi::Config {
        command: Some(vec!["node".into(), FAKE.into()]),
        provider: Some("fake".into()),
        models: vec!["fake-2".into(), "gone".into()],
        pool: pi::PoolConfig { min: 0, max, ..pi::PoolConfig::default() },
        ..pi::Config::default()
    }
}

fn agent(sandbox: &Sandbox) -> Arc<dyn Agent> {
    sandbox.agent(Config::Pi(Box::new(config(2))))
}

/// A turn of a chat.
fn said(chat: &str, text: &str) -> Turn {
    let session = format!("agent:test:web:dm:{chat}");
    Turn { session: session.parse().expect("a session key"), ..turn(1, text) }
}

/// The next item that is not only a sign of life.
async fn event(stream: &mut Stream) -> Option<Result<Delta, AgentError>> {
    loop {
        match next(stream).await {
            Some(Ok(Delta::Progress | Delta::Session(_) | Delta::Usage(_))) => {}
            event => return event,
        }
    }
}

fn starts(sandbox: &Sandbox) -> Vec<String> {
    read(&sandbox.file("starts")).lines().map(str::to_owned).collect()
}

/// The lines of this type that the program has read.
fn seen(sandbox: &Sandbox, kind: &str) -> Vec<Value> {
    let lines = read(&sandbox.file("seen"));
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["type"] == kind).collect()
}

fn by_anna(answer: AskAnswer) -> AskEnd {
    let id = "web:anna".parse().expect("a person's id");
    AskEnd::Answered { answer, by: Answerer { id, name: None } }
}

#[tokio::test]
async fn an_abort_cancels_the_open_dialog_and_keeps_the_process() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "choose"));
    let Some(Ok(Delta::Ask(asked))) = event(&mut stream).await else { panic!() };
    agent.abort(turn(1, "").id).await;
    drop((stream, asked));
    assert_eq!(answer(agent.turn(said("a", "again"))).await, "echo: again");
    assert_eq!(starts(&sandbox).len(), 1);
    assert_eq!(seen(&sandbox, "abort").len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn an_abort_right_after_the_prompt_waits_for_its_response() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    assert_eq!(answer(agent.turn(said("a", "warm"))).await, "echo: warm");
    let mut stream = agent.turn(said("a", "steer me"));
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(_)))));
    agent.abort(turn(1, "").id).await;
    drop(stream);
    assert_eq!(answer(agent.turn(said("a", "after"))).await, "echo: after");
    assert_eq!(starts(&sandbox).len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn a_steer_becomes_part_of_the_answer() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let stream = agent.turn(said("a", "steer me"));
    let prompt = prompt("and this");
    let (taken, text) = tokio::join!(agent.steer(turn(1, "").id, &prompt), answer(stream));
    assert_eq!((taken, text.as_str()), (Ok(true), "steered: and this"));
    assert_eq!(agent.steer(turn(1, "").id, &prompt).await, Ok(false), "the turn is over");
    agent.stop().await;
}

#[tokio::test]
async fn what_a_failed_attempt_has_said_is_taken_back() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "retry"));
    assert!(matches!(event(&mut stream).await, Some(Ok(Delta::Text(text))) if text == "wro"));
    assert!(matches!(event(&mut stream).await, Some(Ok(Delta::Restart))));
    assert_eq!(answer(stream).await, "echo: retry");
    assert!(
        matches!(error(agent.turn(said("a", "refuse"))).await, AgentError::Failed(why) if why.to_string().contains("empty"))
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_provider_that_does_not_work_makes_pi_unavailable_and_a_refused_request_does_not() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    for (why, is_down) in [
        ("429: {\"error\":\"busy\"}", true),
        ("503 no healthy upstream", true),
        ("401: wrong key", true),
        ("fetch failed", true),
        ("400: no such parameter", false),
        ("413 too long", false),
        ("prompt is too long: 213462 tokens > 200000 maximum", false),
    ] {
        let error = error(agent.turn(said("a", &format!("fails {why}")))).await;
        assert_eq!(matches!(error, AgentError::Unavailable(_)), is_down, "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_skipped() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { max_line: 64 * 1024, ..config(1) })));
    assert_eq!(answer(agent.turn(said("a", "huge"))).await, "echo: huge");
    agent.stop().await;
}

#[tokio::test]
async fn a_chats_choice_of_model_holds_for_its_turns() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let choose = |model: &str, text| Turn {
        options: SessionOptions { model: Some(model.into()), thinking: Some("high".into()) },
        ..said("a", text)
    };
    assert_eq!(answer(agent.turn(choose("fake-2", "one"))).await, "echo: one");
    assert_eq!(answer(agent.turn(choose("fake-2", "two"))).await, "echo: two");
    assert_eq!(seen(&sandbox, "set_model").len(), 1);
    assert_eq!(seen(&sandbox, "set_thinking_level")[0]["level"], "high");
    let failed = error(agent.turn(choose("gone", "three"))).await;
    assert!(
        matches!(&failed, AgentError::Failed(why) if why.to_string().contains("Model not found")),
        "{failed}"
    );
    assert_eq!(answer(agent.turn(choose("fake-2", "four"))).await, "echo: four");
    assert_eq!(starts(&sandbox).len(), 1);
    agent.stop().await;
}

#[tokio::test]
async fn images_and_facts_reach_pi_apart_from_the_text() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let path = sandbox.home.path().join("photo.png");
    std::fs::write(&path, b"png").unwrap();
    let mut turn = said("a", "look");
    let file = |mime: &str| File {
        kind: FileKind::Photo,
        name: None,
        mime: Some(mime.into()),
        size: None,
        got: Ok(path.clone()),
        transcript: None,
    };
    turn.prompt[0].files = vec![file("image/png"), file("application/pdf")];
    assert_eq!(answer(agent.turn(turn)).await, "echo: look");
    let sent = seen(&sandbox, "prompt").remove(0);
    assert_eq!(sent["message"], "look");
    assert_eq!(sent["images"], json!([{"type": "image", "data": "cG5n", "mimeType": "image/png"}]));
    let facts = read(&sandbox.file("seen"));
    let facts = facts
        .lines()
        .find(|line| line.starts_with('{') && line.contains("\"messages\":"))
        .expect("the facts")
        .to_owned();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(facts["messages"][0]["from"]["id"], "web:anna");
    assert_eq!(facts["messages"][0]["files"].as_array().unwrap().len(), 2);
    assert_eq!(facts["messages"][0]["text"], Value::Null);
    agent.stop().await;
}

#[tokio::test]
async fn pi_compacts_when_it_is_asked_to() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let compacted = agent.compact(said("a", ""), Some("names".into())).await;
    assert_eq!(
        compacted,
        Ok(Compacted { summary: Some("kept names".into()), tokens: Some(99), usage: None })
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_pi_without_newer_flags_and_events_serves_as_well() {
    let sandbox = Sandbox::new();
    // Its version is read from its package.
    let home = sandbox.host().home;
    std::fs::write(home.join("package.json"), r#"{"name":"@old/pi-coding-agent","version":"0.73.1"}"#)
        .expect("a package");
    let cli = home.join("cli.mjs");
    std::fs::copy(FAKE, &cli).expect("a program");
    let command = Some(vec!["node".into(), cli.display().to_string()]);
    let old = pi::Config { command, ..config(1) };
    let agent = sandbox.agent(Config::Pi(Box::new(old)));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    let mut stream = agent.turn(said("a", "retry"));
    assert!(matches!(event(&mut stream).await, Some(Ok(Delta::Text(text))) if text == "wro"));
    assert!(
        matches!(event(&mut stream).await, Some(Ok(Delta::Restart))),
        "a run that is tried again goes on"
    );
    assert_eq!(answer(stream).await, "echo: retry");
    assert_eq!(answer(agent.turn(said("a", "which"))).await, "one+retry+which");
    let starts = starts(&sandbox);
    assert_eq!(starts.len(), 1, "{starts:?}");
    assert!(starts[0].starts_with("fd-web-dm-a-"), "{starts:?}");
    agent.stop().await;
}
