//! What a persistent program and the gateway tell each other of a conversation besides messages and answers.

use frontdesk_agents::{Config, command};
use frontdesk_core::delta::{Compacted, Delta};
use frontdesk_core::history::{History, HistoryEntry, HistoryError, HistoryPage, HistoryRequest};
use frontdesk_core::id::MessageId;
use serde_json::json;

use crate::sandbox::{Sandbox, anna, answer, next, persistent, turn};

#[tokio::test]
async fn a_program_names_its_conversation_begins_again_and_compacts() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r p; printf '%s\n' "$p" > stdin
        echo '{"type":"session","ref":"s1"}'; echo '{"type":"delta","text":"wrong"}'; echo '{"type":"restart"}'
        echo '{"type":"compacting"}'; echo '{"type":"compacted","summary":"so far","tokens":900}'
        echo '{"type":"done","text":"right"}'; read -r end"#,
    );
    let mut asked = turn(1, "x");
    asked.agent_ref = Some("s0".into());
    asked.options.model = Some("large".into());
    let mut stream = agent.turn(asked);
    let mut reported = Vec::new();
    while let Some(delta) = next(&mut stream).await {
        reported.push(match delta.unwrap() {
            Delta::Session(name) => format!("session {name}"),
            Delta::Restart => "restart".into(),
            Delta::Text(text) => text,
            Delta::Compacting => "compacting".into(),
            Delta::Compacted(Compacted { summary: Some(summary), tokens: Some(900), .. }) => summary,
            Delta::Done { text: Some(text), .. } => text,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(reported, ["session s1", "wrong", "restart", "compacting", "so far", "right"]);
    let line: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("stdin"))).unwrap();
    assert_eq!((&line["agent_ref"], &line["origin"]), (&json!("s0"), &json!("message")));
    assert_eq!(line["options"], json!({"model": "large", "thinking": null}));
}

/// A history of two entries, which notes what it is asked for.
#[derive(Debug, Default)]
struct TwoEntries(std::sync::Mutex<Vec<HistoryRequest>>);

#[async_trait::async_trait]
impl History for TwoEntries {
    async fn page(&self, request: HistoryRequest) -> Result<HistoryPage, HistoryError> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(request);
        let answer = HistoryEntry::Answer { text: "Hi.".into(), complete: false };
        let message = HistoryEntry::Message {
            id: MessageId(3),
            from: anna(),
            text: "hello".into(),
            received: chrono::DateTime::default(),
        };
        Ok(HistoryPage { entries: vec![answer, message], next: Some(MessageId(3)) })
    }
}

#[tokio::test]
async fn a_program_reads_the_history_of_its_conversation() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r p
        echo '{"type":"history","id":7,"before":"m9","messages":2}'; read -r page; printf '%s\n' "$page" > page
        echo '{"type":"history","before":"yesterday"}'; read -r error; printf '%s\n' "$error" > error
        echo '{"type":"done","text":"ok"}'; read -r end"#,
    );
    let history = std::sync::Arc::new(TwoEntries::default());
    let mut asked = turn(1, "x");
    asked.history = history.clone();
    assert_eq!(answer(agent.turn(asked)).await, "ok");
    let request = HistoryRequest { before: Some(MessageId(9)), messages: 2, bytes: 65_536 };
    assert_eq!(*history.0.lock().unwrap(), [request]);
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&crate::sandbox::read(&sandbox.file(name))).unwrap()
    };
    assert_eq!(
        read("page"),
        json!({
            "type": "history", "turn": "t1", "id": 7, "next": "m3",
            "entries": [
                {"role": "assistant", "text": "Hi.", "complete": false},
                {"role": "user", "id": "m3", "text": "hello", "received": "1970-01-01T00:00:00+00:00",
                 "from": {"id": "web:anna", "kind": "person", "name": "Anna"}},
            ],
        })
    );
    assert!(read("error")["error"].as_str().unwrap().contains("yesterday"), "{}", read("error"));
}

#[tokio::test]
async fn a_request_for_history_is_bounded_and_one_with_a_wrong_field_is_told_which() {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(
        r#"read -r p
        echo '{"type":"history","id":"a","messages":1000000000000,"bytes":1e30}'; read -r page
        echo '{"type":"history","id":7,"messages":"20"}'; read -r error; printf '%s\n' "$error" > error
        echo '{"type":"done","text":"ok"}'; read -r end"#,
    );
    let history = std::sync::Arc::new(TwoEntries::default());
    let mut asked = turn(1, "x");
    asked.history = history.clone();
    assert_eq!(answer(agent.turn(asked)).await, "ok");
    assert_eq!(*history.0.lock().unwrap(), [HistoryRequest { before: None, messages: 500, bytes: 1 << 20 }]);
    let error: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("error"))).unwrap();
    assert_eq!(
        error,
        json!({"type": "history", "turn": "t1", "id": 7, "error": "`messages` must be a whole number of 0 or more"})
    );
}

#[tokio::test]
async fn a_compaction_that_is_aborted_leaves_the_program_running_if_it_settles() {
    let sandbox = Sandbox::new();
    let config = command::Config {
        compact: true,
        ..persistent(
            r#"while read -r line; do
            case $line in
            *'"type":"compact"'*) touch compacting; read -r abort; printf '%s\n' "$abort" > abort; echo '{"type":"done"}' ;;
            *) echo "{\"type\":\"done\",\"text\":\"$$\"}" ;;
            esac; done"#,
        )
    };
    let agent = sandbox.agent(Config::Command(config));
    let pid = answer(agent.turn(turn(1, "x"))).await;
    let stop = async {
        crate::sandbox::eventually("it compacts", || sandbox.file("compacting").exists()).await;
        agent.abort(frontdesk_core::id::TurnId(2)).await;
    };
    let (compacted, ()) = tokio::join!(agent.compact(turn(2, ""), None), stop);
    assert!(compacted.is_err(), "{compacted:?}");
    assert_eq!(crate::sandbox::read(&sandbox.file("abort")).trim(), r#"{"turn":"t2","type":"abort"}"#);
    assert_eq!(answer(agent.turn(turn(3, "x"))).await, pid, "the program goes on");
}

#[tokio::test]
async fn a_program_compacts_when_it_is_asked_to() {
    let sandbox = Sandbox::new();
    let config = command::Config {
        compact: true,
        ..persistent(
            r#"while read -r line; do
            printf '%s\n' "$line" > stdin
            case $line in
            *'"type":"compact"'*) echo "{\"type\":\"compacted\",\"summary\":\"of $$\"}"; echo '{"type":"done"}' ;;
            *) echo "{\"type\":\"done\",\"text\":\"$$\"}" ;;
            esac; done"#,
        )
    };
    let agent = sandbox.agent(Config::Command(config));
    assert!(agent.capabilities().compact && !agent.capabilities().steer);
    let pid = answer(agent.turn(turn(1, "x"))).await;
    let mut asked = turn(2, "");
    asked.prompt.clear();
    let compacted = agent.compact(asked, Some("the names".into())).await.unwrap();
    assert_eq!(compacted, Compacted { summary: Some(format!("of {pid}")), tokens: None, usage: None });
    let line: serde_json::Value =
        serde_json::from_str(&crate::sandbox::read(&sandbox.file("stdin"))).unwrap();
    assert_eq!((&line["turn"], &line["instructions"]), (&json!("t2"), &json!("the names")));
    assert_eq!(answer(agent.turn(turn(3, "x"))).await, pid, "the program goes on");
}
