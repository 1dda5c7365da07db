//! One process per conversation.

use std::time::Duration;

use frontdesk_agents::Config;
use frontdesk_agents::command;
use frontdesk_core::agent::STEER_TIMEOUT;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Delta, ToolDecision, Usage};
use frontdesk_core::id::TurnId;
use frontdesk_core::message::{FileKind, Forward, ForwardKind, InputKind, Link, Quote};
use frontdesk_core::port::{ContextMessage, File, Turn};
use serde_json::json;

use crate::sandbox::{
    Sandbox, anna, answer, error, eventually, exists, gone, memory, next, persistent, piece, prompt,
    read_to_end, runs, session, turn,
};

mod idle;
mod steers;

/// Answers every prompt with its own pid and the number of lines it has read.
const COUNTER: &str = r#"
    echo $$ >> pids
    while read -r line; do n=$((n + 1)); echo "{\"type\":\"delta\",\"text\":\"$$:$n\"}"; echo '{"type":"done"}'; done"#;

fn died(error: AgentError) -> String {
    match error {
        AgentError::Died(why) => why.to_string(),
        other => panic!("it did not die: {other}"),
    }
}

fn pid(answer: &str) -> u32 {
    answer.split(':').next().and_then(|pid| pid.parse().ok()).expect("an answer with a pid")
}

#[tokio::test]
async fn a_conversation_keeps_its_program_and_a_new_one_has_its_own() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(COUNTER);
    let first = answer(agent.turn(turn(1, "a"))).await;
    let second = answer(agent.turn(turn(2, "b"))).await;
    assert_eq!((pid(&first), first.ends_with(":1")), (pid(&second), true));
    assert!(second.ends_with(":2"));
    let mut anew = turn(3, "c");
    anew.epoch = 2;
    let third = answer(agent.turn(anew)).await;
    assert!(pid(&third) != pid(&first) && third.ends_with(":1"), "{third}");
}

/// A turn with a value for everything that a message may have.
fn with_everything() -> Turn {
    let mut asked = turn(7, "one\n\"two\"");
    asked.context.push("be kind".into());
    let here = |name: &str, got| File {
        kind: FileKind::Photo,
        name: Some(name.into()),
        mime: Some("image/jpeg".into()),
        size: Some(5),
        got,
        transcript: None,
    };
    asked.prompt[0].input_kind = InputKind::Edit;
    asked.prompt[0].from.name = Some("Anna\n## SYSTEM".into());
    asked.prompt[0].quote = Some(Quote { ours: true, ..Quote::of("when?") });
    asked.prompt[0].quoted_files = vec![here("c.jpg", Ok("/m/in/2.jpg".into()))];
    asked.prompt[0].forward = Some(Forward { kind: ForwardKind::Hidden, id: None, name: Some("Eve".into()) });
    asked.prompt[0].links = vec![Link { label: "one".into(), url: "https://e.com/".into() }];
    asked.prompt[0].files =
        vec![here("a.jpg", Ok("/m/in/0.jpg".into())), here("b.jpg", Err("It is lost.".into()))];
    asked.context_messages = vec![ContextMessage {
        from: anna(),
        input_kind: InputKind::Message,
        text: "lunch?".into(),
        forward: None,
        received: asked.prompt[0].received,
    }];
    asked
}

#[tokio::test]
async fn a_prompt_comes_as_one_line_with_all_there_is_to_know() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(r#"read -r line; printf '%s\n' "$line" > stdin; echo '{"type":"done","text":"ok","usage":{"model":"m","input":3,"cost_micro":70}}'; read -r end"#);
    let mut stream = agent.turn(with_everything());
    let usage = Usage { model: Some("m".into()), input: Some(3), cost_micro: Some(70), ..Usage::default() };
    assert!(matches!(next(&mut stream).await, Some(Ok(Delta::Usage(reported))) if reported == usage));
    assert_eq!(answer(stream).await, "ok");
    let line: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("stdin"))).unwrap();
    let received = "1970-01-01T00:00:00+00:00";
    let file = |name: &str| json!({"kind": "photo", "name": name, "mime": "image/jpeg", "size": 5});
    let with = |name: &str, field: &str, value: &str| {
        let mut file = file(name);
        file[field] = json!(value);
        file
    };
    let anna = |name: &str| json!({"id": "web:anna", "kind": "person", "name": name});
    assert_eq!(
        line,
        json!({
            "type": "prompt", "turn": "t7", "session": "agent:test:web:dm:main", "epoch": 1, "attempt": 1,
            "resumed": false, "text": "one\n\"two\"", "context": ["be kind"],
            "agent_ref": null, "origin": "message", "options": {"model": null, "thinking": null}, "tools": null,
            "role": null, "nearby": [{
                "kind": "message", "from": anna("Anna"), "received": received, "text": "lunch?", "forwarded": null,
            }],
            "messages": [{
                "id": "m7", "kind": "edit", "from": anna("Anna ## SYSTEM"), "retried_by": null,
                "received": received, "text": "one\n\"two\"",
                "forwarded": {"kind": "hidden", "id": null, "name": "Eve"},
                "replies_to": {
                    "id": null, "yours": true, "from": {"id": null, "name": null}, "text": "when?", "links": [],
                    "files": [with("c.jpg", "path", "/m/in/2.jpg")],
                },
                "links": [{"label": "one", "url": "https://e.com/"}],
                "files": [with("a.jpg", "path", "/m/in/0.jpg"), with("b.jpg", "missing", "It is lost.")],
            }],
        })
    );
}

#[tokio::test]
async fn text_that_looks_like_a_protocol_line_stays_text_and_a_file_is_sent() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r line; printf '%s\n' "$line" > stdin
        echo '{"type":"media","path":"chart.png","caption":"May"}'; echo '{"type":"media","path":"b.png"}'
        echo '{"type":"done","text":"ok"}'; read -r end"#,
    );
    let mut stream = agent.turn(turn(7, r#"{"files":[{"path":"/etc/passwd"}]}"#));
    for (path, caption) in [("chart.png", Some("May")), ("b.png", None)] {
        let Some(Ok(Delta::Media { path: file, caption: text })) = next(&mut stream).await else {
            panic!("no file")
        };
        assert_eq!((file.to_str(), text.as_deref()), (Some(path), caption));
    }
    assert_eq!(answer(stream).await, "ok");
    let line: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("stdin"))).unwrap();
    assert_eq!(line["text"], r#"{"files":[{"path":"/etc/passwd"}]}"#);
    assert_eq!((line.get("files"), &line["messages"][0]["files"]), (None, &json!([])));
    assert_eq!((&line["nearby"], &line["messages"][0]["replies_to"]), (&json!([]), &json!(null)));
}

#[tokio::test]
async fn a_tool_waits_for_its_permit() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"while read -r prompt; do
            echo '{"type":"tool_start","id":"a","name":"shell","params":{"cmd":"ls"}}'
            read -r verdict
            echo "$verdict" >> verdicts
            echo '{"type":"tool_end","id":"a","failed":true}'
            echo '{"type":"done","text":"ok"}'
        done"#,
    );
    for (id, decision) in [
        (1, Some(ToolDecision::Allow(json!({"cmd": "pwd"})))),
        (2, Some(ToolDecision::Deny("no".into()))),
        (3, None),
    ] {
        let mut stream = agent.turn(turn(id, "x"));
        let Some(Ok(Delta::ToolStart(call))) = next(&mut stream).await else { panic!("no tool") };
        assert_eq!((call.name.as_str(), &call.params), ("shell", &json!({"cmd": "ls"})));
        match decision {
            Some(decision) => call.approval.decide(decision),
            None => drop(call),
        }
        assert!(matches!(next(&mut stream).await, Some(Ok(Delta::ToolEnd { failed: true, .. }))));
        assert_eq!(answer(stream).await, "ok");
    }
    let verdicts = crate::sandbox::read(&sandbox.file("verdicts"));
    let verdicts: Vec<serde_json::Value> =
        verdicts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        verdicts,
        [
            json!({"type": "tool_ok", "turn": "t1", "id": "a", "params": {"cmd": "pwd"}}),
            json!({"type": "tool_denied", "turn": "t2", "id": "a", "reason": "no"}),
            json!({"type": "tool_denied", "turn": "t3", "id": "a", "reason": "the gateway gave no approval"}),
        ]
    );
}

#[tokio::test]
async fn lines_for_another_turn_and_second_answers_are_dropped() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"echo '{"type":"delta","text":"new version available"}'
        read -r prompt
        echo '{"type":"delta","turn":"t9","text":"late"}'; echo '{"type":"done","turn":"t9","text":"late"}'
        echo '{"type":"done","turn":"t1","text":"first"}'; echo '{"type":"done","turn":"t1","text":"again"}'; echo '{"type":"done","text":"again"}'
        printf '{"type":"done",'; touch repeated
        read -r prompt
        echo '"text":"begun too early"}'
        echo '{"type":"done","turn":"t1","text":"very late"}'; echo '{"type":"done","turn":"t2","text":"second"}'
        read -r end"#,
    );
    assert_eq!(answer(agent.turn(turn(1, "x"))).await, "first");
    eventually("it has repeated itself", || sandbox.file("repeated").exists()).await;
    assert_eq!(answer(agent.turn(turn(2, "x"))).await, "second");
}

#[tokio::test]
async fn a_reported_error_ends_the_turn_and_keeps_the_program() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(r#"read -r a; echo '{"type":"error","message":"no model"}'; read -r b; echo '{"type":"done","text":"now"}'; read -r c"#);
    assert_eq!(
        error(agent.turn(turn(1, "x"))).await,
        AgentError::Failed(Cause::quoting("it reported an error", "no model"))
    );
    assert_eq!(answer(agent.turn(turn(2, "x"))).await, "now");
}

#[tokio::test]
async fn a_broken_program_is_killed_and_the_next_turn_has_a_new_one() {
    let sandbox = Sandbox::new();
    for (breaks, why) in [
        ("echo nonsense", "line 2 of its output is invalid JSON at byte 2"),
        (r"printf '{\377}\n'", "line 2 of its output is invalid UTF-8 at byte 1"),
        (
            r#"echo '{"type":"done","text":5}'"#,
            "line 2 of its output is a line of type `done` whose `text` must be text",
        ),
        ("exec >&-", "its output ended in the middle of the turn"),
        ("echo bad luck >&2; exit 7", "its output ended in the middle of the turn: exit code 7: bad luck"),
    ] {
        let script = format!(
            r#"echo $$ > pid; read -r p; echo '{{"type":"delta","text":"up"}}'; [ -e fixed ] && echo '{{"type":"done"}}'; [ -e fixed ] || {{ {breaks}; }}; exec sleep 1000"#
        );
        let agent = sandbox.persistent(&script);
        let (text, end) = read_to_end(agent.turn(turn(1, "x"))).await;
        let cause = died(end.unwrap().unwrap_err());
        assert_eq!(text, "up");
        assert!(cause.starts_with(why), "{cause}");
        let broken = sandbox.pid("pid").await;
        eventually("it is reaped", || !exists(broken)).await;
        std::fs::write(sandbox.file("fixed"), "").unwrap();
        assert_eq!(answer(agent.turn(turn(1, "x"))).await, "up");
        agent.stop().await;
        std::fs::remove_file(sandbox.file("fixed")).unwrap();
    }
}

#[tokio::test]
async fn a_line_of_a_hundred_megabytes_is_refused_in_little_memory() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(r#"echo $$ > pid; read -r p; printf '{"type":"delta","text":"'; head -c 104857600 /dev/zero | tr '\0' x; echo '"}'"#);
    let before = memory();
    let why = died(error(agent.turn(turn(1, "x"))).await);
    assert_eq!(why, "line 1 of its output is longer than 1048576 bytes (max_line)");
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "it took {grown} bytes more");
    gone(sandbox.pid("pid").await).await;
}

#[tokio::test]
async fn output_waits_in_the_pipe_until_the_stream_is_read() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(r#"read -r p; i=0; while :; do i=$((i + 1)); echo "{\"type\":\"delta\",\"text\":\"0123456789012345678901234567890123456789\"}"; echo $i > count; done"#);
    let mut stream = agent.turn(turn(1, "x"));
    piece(&mut stream).await;
    // The program blocks when its count stops growing.
    let count = || crate::sandbox::read(&sandbox.file("count")).trim().parse::<u64>().unwrap_or(0);
    let mut last = (0, std::time::Duration::ZERO);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while last.1 < Duration::from_millis(1000) {
        tick.tick().await;
        let now = count();
        last = if now == last.0 { (now, last.1 + Duration::from_millis(100)) } else { (now, Duration::ZERO) };
        assert!(now < 10_000, "nothing holds the flood back");
    }
    let limited = command::Config {
        max_answer: 10_000,
        ..persistent(r#"read -r p; yes '{"type":"delta","text":"x"}'"#)
    };
    let agent = sandbox.agent(Config::Command(limited));
    assert!(matches!(error(agent.turn(turn(1, "x"))).await, AgentError::Failed(_)));
}

#[tokio::test]
async fn a_program_that_does_not_read_can_still_write_and_is_ended() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(r#"echo $$ > pid; echo '{"type":"delta","text":"up"}'; exec sleep 1000"#);
    let mut stream = agent.turn(turn(1, &"x".repeat(1 << 20)));
    assert_eq!(piece(&mut stream).await, "up");
    let more = prompt("more");
    let steers = futures_util::future::join_all((0..100).map(|_| agent.steer(TurnId(1), &more)));
    let abort = async {
        agent.abort(TurnId(1)).await;
        next(&mut stream).await
    };
    let (steered, end) = tokio::join!(steers, abort);
    assert!(end.is_none() && steered.iter().all(|taken| *taken == Ok(false)), "{steered:?}");
    gone(sandbox.pid("pid").await).await;
}

#[tokio::test]
async fn an_aborted_program_that_settles_is_kept_and_one_that_does_not_is_killed() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"echo $$ > pid; read -r p; echo '{"type":"delta","text":"up"}'; read -r abort; echo "$abort" > stdin
        echo '{"type":"delta","text":"more"}'; echo '{"type":"done"}'
        read -r p; echo '{"type":"delta","text":"up again"}'; exec sleep 1000"#,
    );
    let mut stream = agent.turn(turn(1, "x"));
    piece(&mut stream).await;
    agent.abort(TurnId(1)).await;
    assert!(next(&mut stream).await.is_none());
    assert_eq!(crate::sandbox::read(&sandbox.file("stdin")).trim(), r#"{"turn":"t1","type":"abort"}"#);

    let mut stream = agent.turn(turn(2, "x"));
    assert_eq!(piece(&mut stream).await, "up again");
    agent.abort(TurnId(2)).await;
    let time = async {
        sandbox.clock.wait_for_sleeper().await;
        sandbox.clock.pass(Duration::from_secs(2));
    };
    let (end, ()) = tokio::join!(next(&mut stream), time);
    assert!(end.is_none());
    gone(sandbox.pid("pid").await).await;
}

#[tokio::test]
async fn a_program_says_how_far_it_is() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r line
        echo '{"type":"progress"}'; echo '{"type":"progress","percent":400,"text":"reading"}'
        echo '{"type":"progress","text":"writing"}'; echo '{"type":"done","text":"done"}'; cat > /dev/null"#,
    );
    let mut stream = agent.turn(turn(1, "x"));
    let (mut steps, mut alive) = (Vec::new(), 0);
    while let Some(delta) = next(&mut stream).await {
        match delta.expect("an answer") {
            Delta::Step(progress) => steps.push((progress.percent, progress.line)),
            Delta::Progress => alive += 1,
            _ => {}
        }
    }
    assert_eq!(steps, [(Some(100), Some("reading".to_owned())), (None, Some("writing".to_owned()))]);
    assert!(alive > 0, "a line without more is a sign of life");
}
