//! The echo agent.

use std::time::Duration;

use frontdesk_agents::Config;
use frontdesk_core::delta::{AgentError, Delta, ToolDecision};
use frontdesk_core::id::TurnId;
use frontdesk_core::message::{FileKind, InputKind};
use frontdesk_core::port::File;
use futures_util::FutureExt;

use crate::sandbox::{Sandbox, answer, error, next, piece, prompt, read_to_end, turn};

#[tokio::test]
async fn the_echo_repeats_the_message_in_chunks_and_at_once() {
    let echo = Sandbox::new().agent(Config::default());
    let mut asked = turn(1, "one two three four five");
    asked.prompt.push(turn(2, "and more").prompt.remove(0));
    let mut stream = echo.turn(asked.clone());
    // Everything is ready at once: no wait is needed.
    assert_eq!(piece(&mut stream).now_or_never().unwrap(), "one two three four ");
    assert_eq!(answer(echo.turn(asked)).now_or_never().unwrap(), "one two three four five\n\nand more");
    assert_eq!(echo.steer(TurnId(1), &prompt("x")).await, Ok(false));
}

#[tokio::test]
async fn the_echo_waits_fails_and_crashes_on_request() {
    let sandbox = Sandbox::new();
    let echo = sandbox.agent(Config::default());
    let mut late = echo.turn(turn(1, "!wait 1500 hello"));
    sandbox.clock.pass(Duration::from_millis(1499));
    assert!(next(&mut late).now_or_never().is_none());
    sandbox.clock.pass(Duration::from_millis(1));
    assert_eq!(answer(late).await, "hello");
    assert!(matches!(error(echo.turn(turn(2, "!fail"))).await, AgentError::Failed(_)));
    assert!(matches!(error(echo.turn(turn(3, "!crash"))).await, AgentError::Died(_)));
    let long = answer(echo.turn(turn(4, "!long 1000"))).await;
    assert_eq!(long.split(' ').count(), 1000);
}

#[tokio::test]
async fn a_slow_echo_pauses_between_its_pieces() {
    let sandbox = Sandbox::new();
    let mut stream = sandbox.agent(Config::default()).turn(turn(1, "!slow 200 a b c d e"));
    assert_eq!(piece(&mut stream).await, "a b c d ");
    assert!(next(&mut stream).now_or_never().is_none());
    sandbox.clock.pass(Duration::from_millis(200));
    assert_eq!(piece(&mut stream).await, "e");
}

#[tokio::test]
async fn an_aborted_echo_ends_without_a_result() {
    let echo = Sandbox::new().agent(Config::default());
    let waiting = echo.turn(turn(1, "!wait 1000 x"));
    let mut talking = echo.turn(turn(2, "!long 100000"));
    piece(&mut talking).await;
    echo.abort(TurnId(1)).await;
    echo.abort(TurnId(2)).await;
    assert!(matches!(read_to_end(waiting).await, (text, None) if text.is_empty()));
    assert!(matches!(read_to_end(talking).await, (text, None) if text.is_empty()));
}

#[tokio::test]
async fn the_echo_asks_for_a_tool_and_answers_with_the_decision() {
    let echo = Sandbox::new().agent(Config::default());
    for (decision, expected) in [
        (Some(ToolDecision::Allow(serde_json::json!({"a": 1}))), "allowed with {\"a\":1}"),
        (Some(ToolDecision::Deny("no".into())), "denied: no"),
        (None, "denied without a reason"),
    ] {
        let mut stream = echo.turn(turn(1, "!tool shell"));
        let Some(Ok(Delta::ToolStart(call))) = next(&mut stream).await else { panic!("no tool") };
        assert_eq!(call.name, "shell");
        match decision {
            Some(decision) => call.approval.decide(decision),
            None => drop(call),
        }
        assert!(matches!(next(&mut stream).await, Some(Ok(Delta::ToolEnd { .. }))));
        assert_eq!(answer(stream).await, expected);
    }
}

#[tokio::test]
async fn the_echo_mentions_edits_and_files_and_sends_a_file_on_request() {
    let echo = Sandbox::new().agent(Config::default());
    let mut edited = turn(1, "hello");
    edited.prompt[0].input_kind = InputKind::Edit;
    let file = |name: Option<&str>, size, got: Result<&str, &str>| File {
        kind: FileKind::Photo,
        name: name.map(Into::into),
        mime: None,
        size,
        got: got.map(Into::into).map_err(Into::into),
        transcript: None,
    };
    edited.prompt[0].files = vec![
        file(Some("a\n.jpg"), Some(123), Ok("/m/a")),
        file(None, None, Ok("/m/b")),
        file(Some("c.jpg"), Some(9), Err("It is lost.")),
    ];
    let text = answer(echo.turn(edited)).await;
    assert_eq!(text, "hello\n(edited)\n[photo a .jpg, 123 bytes]\n[photo]\n[photo c.jpg: It is lost.]");
    let mut stream = echo.turn(turn(2, "!media a.png May"));
    let Some(Ok(Delta::Media { path, caption })) = next(&mut stream).await else { panic!("no file") };
    assert_eq!((path.to_str(), caption.as_deref()), (Some("a.png"), Some("May")));
    assert_eq!(answer(stream).await, "");
}
