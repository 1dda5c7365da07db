//! pi, as far as its protocol goes: a program that has pi's quirks stands for it. The real one is in `tests/interop/pi`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::{Config, pi};
use frontdesk_core::agent::{SessionOptions, TurnRole};
use frontdesk_core::ask::{AgentQuestion, Answerer, AskAnswer, AskEnd, AskKind};
use frontdesk_core::config::{Permission, PromptText, Role};
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolDecision};
use frontdesk_core::message::FileKind;
use frontdesk_core::port::{Agent, File, Turn};
use serde_json::{Value, json};

use crate::noting_tools::Noting;
use crate::sandbox::{Sandbox, Stream, answer, error, eventually, next, prompt, read, turn};

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
async fn a_conversation_keeps_its_process_and_its_session() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    assert_eq!(answer(agent.turn(said("a", "which"))).await, "one+which");
    let starts = starts(&sandbox);
    assert_eq!(starts.len(), 1, "{starts:?}");
    assert!(starts[0].starts_with("fd-web-dm-a-") && starts[0].ends_with("-e1 true"), "{starts:?}");
    agent.stop().await;
}

#[tokio::test]
async fn a_new_process_goes_on_with_the_session_that_the_turn_names() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let named = Turn { agent_ref: Some("fd-ahead-7".into()), ..said("a", "one") };
    let mut stream = agent.turn(named);
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(id))) if id == "fd-ahead-7"));
    assert_eq!(answer(stream).await, "echo: one");
    // A name that pi would not take, or that is a path, is not passed on.
    let odd = Turn { agent_ref: Some("../x".into()), ..said("b", "two") };
    assert_eq!(answer(agent.turn(odd)).await, "echo: two");
    assert!(starts(&sandbox)[1].starts_with("fd-web-dm-b-"));
    agent.stop().await;
}

#[tokio::test]
async fn another_role_starts_pi_anew_with_the_same_session() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let in_role = |skill: &str, text| {
        let gives = Role { skills: Some(vec![skill.into()]), ..Role::default() };
        Turn { role: Some(Arc::new(TurnRole { name: "kids".into(), gives })), ..said("a", text) }
    };
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    for text in ["two", "three"] {
        assert_eq!(answer(agent.turn(in_role("/reading", text))).await, format!("echo: {text}"));
    }
    assert_eq!(answer(agent.turn(in_role("/writing", "four"))).await, "echo: four");
    assert_eq!(answer(agent.turn(said("a", "which"))).await, "one+two+three+four+which");
    let arguments = read(&sandbox.file("arguments"));
    let skill =
        |line: &str| line.split_whitespace().skip_while(|word| *word != "--skill").nth(1).map(str::to_owned);
    let skills: Vec<Option<String>> = arguments.lines().map(skill).collect();
    assert_eq!(skills, [None, Some("/reading".into()), Some("/writing".into()), None]);
    let starts = starts(&sandbox);
    assert!(starts.iter().all(|start| *start == starts[0]), "one session: {starts:?}");
    agent.stop().await;
}

#[tokio::test]
async fn a_process_that_was_started_ahead_serves_no_role() {
    let sandbox = Sandbox::new();
    let pool = pi::PoolConfig { min: 1, max: 3, ..pi::PoolConfig::default() };
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { pool, ..config(3) })));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    let started = || read(&sandbox.file("starts"));
    eventually("a process is started ahead", || started().contains("fd-ahead-")).await;
    let gives = Role { append_system_prompt: Some(PromptText::Text("Be kind.".into())), ..Role::default() };
    let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
    assert_eq!(answer(agent.turn(Turn { role, ..said("b", "two") })).await, "echo: two");
    assert!(started().contains("fd-web-dm-b-"), "{}", started());
    agent.stop().await;
}

#[tokio::test]
async fn a_role_leaves_out_tools_of_the_gateway_and_others_keep_them() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let tools = Arc::new(Noting::default());
    let none = Role { tools: Some(Vec::new()), ..Role::default() };
    let kids = Some(Arc::new(TurnRole { name: "kids".into(), gives: none }));
    for (chat, role) in [("a", kids.clone()), ("b", None), ("a", kids)] {
        let turn = Turn { tools: tools.clone(), role, ..said(chat, "hi") };
        assert_eq!(answer(agent.turn(turn)).await, "echo: hi");
    }
    let offered = read(&sandbox.file("tools"));
    let offered: Vec<bool> = offered.lines().map(|line| line.contains("send_message")).collect();
    assert_eq!(offered, [false, true], "one process for each");
    agent.stop().await;
}

#[tokio::test]
async fn a_role_may_deny_a_tool_that_the_agent_allows() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let approvals = [("bash".to_owned(), Permission::Deny)].into();
    let gives = Role { approvals, ..Role::default() };
    let role = Some(Arc::new(TurnRole { name: "kids".into(), gives }));
    let answered = answer(agent.turn(Turn { role, trusted: true, ..said("a", "tool") })).await;
    assert!(answered.starts_with("denied: This tool is not allowed"), "{answered}");
    agent.stop().await;
}

#[tokio::test]
async fn no_more_processes_run_than_there_may_be_and_the_idlest_gives_way() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    for chat in ["a", "b", "a", "c", "a", "b"] {
        assert_eq!(answer(agent.turn(said(chat, "x"))).await, "echo: x");
    }
    // b was ended for c, and c for b.
    let chats: Vec<String> =
        starts(&sandbox).iter().map(|start| start["fd-web-dm-".len()..][..1].to_owned()).collect();
    assert_eq!(chats, ["a", "b", "c", "b"]);
    agent.stop().await;
}

#[tokio::test]
async fn a_turn_without_a_free_process_waits_its_turn() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Pi(Box::new(config(1))));
    let mut first = agent.turn(said("a", "tool"));
    let Some(Ok(Delta::Ask(asked))) = event(&mut first).await else { panic!() };
    let mut second = pin!(answer(agent.turn(said("b", "two"))));
    let third = answer(agent.turn(said("c", "three")));
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut second).await;
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(starts(&sandbox).len(), 1);
    asked.reply.ended(by_anna(AskAnswer::Choice("deny".into())));
    assert_eq!(answer(first).await, "denied: A person denied this.");
    assert_eq!(tokio::join!(second, third), ("echo: two".into(), "echo: three".into()));
    agent.stop().await;
}

#[tokio::test]
async fn a_tool_runs_once_a_person_and_the_gateway_have_allowed_it() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "tool"));
    let Some(Ok(Delta::Ask(AgentQuestion { question, reply }))) = event(&mut stream).await else { panic!() };
    assert_eq!(question.kind, AskKind::Permission);
    assert!(question.text.contains("`bash`") && question.text.contains("\nls\n"), "{}", question.text);
    reply.ended(by_anna(AskAnswer::Choice("allow".into())));
    let Some(Ok(Delta::ToolStart(call))) = event(&mut stream).await else { panic!() };
    assert_eq!((call.name.as_str(), &call.params), ("bash", &json!({"command": "ls"})));
    call.approval.decide(ToolDecision::Allow(json!({"command": "ls -l"})));
    assert!(
        matches!(event(&mut stream).await, Some(Ok(Delta::ToolEnd { result, failed: false, .. })) if result == "out")
    );
    assert_eq!(answer(stream).await, "ran ls -l");

    // In the private chat of an admin nobody is asked, but the gateway still decides.
    let mut stream = agent.turn(Turn { trusted: true, ..said("a", "tool") });
    let Some(Ok(Delta::ToolStart(call))) = event(&mut stream).await else { panic!() };
    call.approval.decide(ToolDecision::Deny("the turn was cancelled".into()));
    assert_eq!(answer(stream).await, "denied: the turn was cancelled");
    agent.stop().await;
}

#[tokio::test]
async fn the_gateways_own_tools_are_carried_out_and_reported_by_the_gateway() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let tools = Arc::new(Noting::default());
    let turn = |text: &str| Turn { tools: tools.clone(), ..said("a", text) };
    // Without a question and without a report of the agent, also outside of an admin's private chat.
    let mut stream = agent.turn(turn("gateway send_message tool+call"));
    let first = event(&mut stream).await;
    assert!(matches!(&first, Some(Ok(Delta::Text(_)))), "{first:?}");
    let rest = answer(stream).await;
    assert!(rest.contains("It is on its way."), "{rest}");
    let failed = answer(agent.turn(turn("gateway gone tool+call"))).await;
    assert_eq!(failed, r#"{"error":"there is no such tool"}"#);
    let hello = || json!({"text": "hello"});
    assert_eq!(tools.calls(), [("send_message".to_owned(), hello()), ("gone".to_owned(), hello())]);
    // Nothing is called that was not permitted before.
    assert_eq!(answer(agent.turn(turn("gateway send_message call"))).await, "nothing");
    assert_eq!(tools.calls().len(), 2);
    agent.stop().await;

    let offered: Value = serde_json::from_str(&read(&sandbox.file("tools"))).expect("a list of tools");
    assert_eq!(offered[0]["name"], "send_message");
    assert_eq!(offered[0]["parameters"]["properties"]["text"]["type"], "string");
}

#[tokio::test]
async fn the_configuration_decides_about_the_gateways_own_tools_too() {
    let sandbox = Sandbox::new();
    let set = pi::Policy([("send_message".to_owned(), Permission::Deny)].into());
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { approvals: set, ..config(1) })));
    let tools = Arc::new(Noting::default());
    let turn = Turn { tools: tools.clone(), ..said("a", "gateway send_message tool") };
    assert!(answer(agent.turn(turn)).await.contains("not allowed by the gateway's configuration"));
    assert!(tools.calls().is_empty());
    agent.stop().await;
}

#[tokio::test]
async fn a_dialog_of_an_extension_is_a_question_and_its_answer_goes_back() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "choose"));
    let Some(Ok(Delta::Ask(asked))) = event(&mut stream).await else { panic!() };
    assert_eq!(asked.question.choices.len(), 2);
    asked.reply.ended(by_anna(AskAnswer::Choice("2".into())));
    assert_eq!(answer(stream).await, "chosen: two");
    agent.stop().await;
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
        matches!(error(agent.turn(said("a", "refuse"))).await, AgentError::Failed(why) if why.contains("empty"))
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
    ] {
        let error = error(agent.turn(said("a", &format!("fails {why}")))).await;
        assert_eq!(matches!(error, AgentError::Unavailable(_)), is_down, "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_pi_that_crashes_or_writes_garbage_costs_only_its_own_turn() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    assert_eq!(answer(agent.turn(said("b", "one"))).await, "echo: one");
    let died = error(agent.turn(said("a", "crash"))).await;
    assert!(matches!(&died, AgentError::Died(why) if why.contains("exit code 3")), "{died}");
    let died = error(agent.turn(said("a", "garbage"))).await;
    assert!(matches!(&died, AgentError::Died(why) if why.contains("invalid JSON")), "{died}");
    assert_eq!(answer(agent.turn(said("a", "after"))).await, "echo: after");
    assert_eq!(answer(agent.turn(said("b", "which"))).await, "one+which");
    assert_eq!(starts(&sandbox).iter().filter(|start| start.starts_with("fd-web-dm-b")).count(), 1);
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
async fn a_turn_that_nobody_reads_any_more_ends_its_process() {
    let sandbox = Sandbox::new();
    let agent = agent(&sandbox);
    let mut stream = agent.turn(said("a", "hang"));
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(_)))));
    eventually("it has the prompt", || !seen(&sandbox, "prompt").is_empty()).await;
    drop(stream);
    // The next process waits for the end of the one before it, because both would write the same session.
    assert_eq!(answer(agent.turn(said("a", "after"))).await, "echo: after");
    assert_eq!(starts(&sandbox).len(), 2);
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
    assert!(matches!(&failed, AgentError::Failed(why) if why.contains("Model not found")), "{failed}");
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

#[tokio::test]
async fn pi_gets_its_own_folders_where_they_are_configured() {
    let sandbox = Sandbox::new();
    let folders =
        pi::Config { agent_dir: Some("settings".into()), package_dir: Some("/opt/pi".into()), ..config(1) };
    let agent = sandbox.agent(Config::Pi(Box::new(folders)));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    let agent_dir = sandbox.host().home.join("settings");
    assert_eq!(read(&sandbox.file("folders")), format!("{} /opt/pi\n", agent_dir.display()));
    agent.stop().await;
}

#[tokio::test]
async fn a_process_is_started_ahead_and_serves_a_new_conversation_only() {
    let sandbox = Sandbox::new();
    let pool = pi::PoolConfig { min: 1, max: 3, ..pi::PoolConfig::default() };
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config { pool, ..config(3) })));
    assert_eq!(answer(agent.turn(said("a", "one"))).await, "echo: one");
    eventually("one is ahead", || starts(&sandbox).iter().any(|start| start.starts_with("fd-ahead-"))).await;
    // A turn that was cut off may be in the session that is named by its key.
    let resumed = Turn { resumed: true, ..said("b", "two") };
    assert_eq!(answer(agent.turn(resumed)).await, "echo: two");
    assert!(starts(&sandbox).iter().any(|start| start.starts_with("fd-web-dm-b")));
    eventually("it is ready", || seen(&sandbox, "get_state").len() == 3).await;
    let mut stream = agent.turn(said("c", "three"));
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Session(id))) if id.starts_with("fd-ahead-")));
    assert_eq!(answer(stream).await, "echo: three");
    agent.stop().await;
}

#[tokio::test]
async fn a_program_that_is_not_pi_is_unavailable() {
    let sandbox = Sandbox::new();
    let agent = sandbox.agent(Config::Pi(Box::new(pi::Config {
        command: Some(vec!["sh".into(), "-c".into(), "echo wrong flag >&2; exit 1".into()]),
        ..config(1)
    })));
    let error = error(agent.turn(said("a", "hi"))).await;
    assert!(matches!(&error, AgentError::Unavailable(why) if why.contains("wrong flag")), "{error}");
    agent.stop().await;
}
