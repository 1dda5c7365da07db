//! Questions of a lasting program.

use std::time::Duration;

use frontdesk_core::ask::{AgentQuestion, Answerer, AskAnswer, AskEnd, AskKind, ChoiceStyle};
use frontdesk_core::delta::Delta;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, answer, next, turn};

/// A program that asks with this line, writes the answer into the file `answer`, and ends.
fn asker(ask: &Value) -> String {
    format!(
        r#"read -r prompt; echo '{ask}'; read -r answer; printf '%s\n' "$answer" > answer
           echo '{{"type":"done","text":"ok"}}'; read -r end"#
    )
}

/// The answer that the program gets to this question if it ends like this.
async fn answered(ask: Value, end: Option<Result<AskEnd, String>>) -> (Option<AgentQuestion>, Value) {
    let sandbox = Sandbox::new();
    let agent = sandbox.persistent(&asker(&ask));
    let mut stream = agent.turn(turn(7, "hi"));
    let mut asked = None;
    if let Some(end) = end {
        let Some(Ok(Delta::Ask(AgentQuestion { question, reply }))) = next(&mut stream).await else {
            panic!()
        };
        let (copy, _) = frontdesk_core::ask::AskReply::channel();
        asked = Some(AgentQuestion { question, reply: copy });
        match end {
            Ok(end) => reply.ended(end),
            Err(why) => reply.refused(why),
        }
    }
    assert_eq!(answer(stream).await, "ok");
    let line = crate::sandbox::read(&sandbox.file("answer"));
    (asked, serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
}

fn ask(kind: &str) -> Value {
    let choices = json!([{"id": "a", "label": "This"}, {"id": "b", "label": "That", "style": "danger"}]);
    json!({"type": "ask", "id": "q1", "kind": kind, "text": "Which?", "choices": choices, "deadline_s": 30, "default": "b"})
}

#[tokio::test]
async fn a_question_is_passed_on_and_its_answer_comes_back_with_who_gave_it() {
    let by = Answerer { id: "web:anna".parse().unwrap(), name: Some("Anna\n# x".into()) };
    let end = AskEnd::Answered { answer: AskAnswer::Choice("a".into()), by };
    let (asked, line) = answered(ask("choice"), Some(Ok(end))).await;
    let question = asked.unwrap().question;
    assert_eq!((question.kind, question.text.as_str()), (AskKind::Choice, "Which?"));
    assert_eq!((question.deadline, question.default.as_deref()), (Some(Duration::from_secs(30)), Some("b")));
    let styles: Vec<ChoiceStyle> = question.choices.iter().map(|choice| choice.style).collect();
    assert_eq!(styles, [ChoiceStyle::Plain, ChoiceStyle::Danger]);
    let by = json!({"id": "web:anna", "name": "Anna # x"});
    assert_eq!(line, json!({"type": "answer", "turn": "t7", "id": "q1", "choice": "a", "by": by}));
}

#[tokio::test]
async fn the_program_learns_of_the_default_and_of_a_question_that_was_not_asked() {
    let expired = AskEnd::Expired { default: Some(AskAnswer::Text("main".into())) };
    let (_, line) = answered(ask("input"), Some(Ok(expired))).await;
    assert_eq!(line, json!({"type": "answer", "turn": "t7", "id": "q1", "text": "main", "expired": true}));
    let (_, line) = answered(ask("choice"), Some(Err("too many".into()))).await;
    assert_eq!(line, json!({"type": "answer", "turn": "t7", "id": "q1", "error": "too many"}));
    let (_, line) = answered(ask("choice"), Some(Ok(AskEnd::Cancelled))).await;
    assert_eq!(line, json!({"type": "answer", "turn": "t7", "id": "q1", "expired": true}));
    let (_, line) = answered(ask("riddle"), None).await;
    assert!(line["error"].as_str().unwrap().contains("permission, choice, confirm, input"), "{line}");
}

#[tokio::test]
async fn a_question_with_a_wrong_field_is_refused_by_the_fields_name_and_the_turn_goes_on() {
    for (field, value, why) in [
        ("deadline_s", json!("600"), "`deadline_s` must be a whole number of 0 or more"),
        ("text", json!(7), "`text` must be text"),
        (
            "choices",
            json!([{"id": "a", "label": "A"}, {"id": 2, "label": "B"}]),
            "`choices[1].id` must be text",
        ),
        ("choices", json!("a"), "`choices` must be a list of objects"),
        ("default", json!(["a"]), "`default` must be text"),
    ] {
        let mut asked = ask("choice");
        (asked["id"], asked[field]) = (json!(7), value);
        let (_, line) = answered(asked, None).await;
        assert_eq!(line, json!({"type": "answer", "turn": "t7", "id": 7, "error": why}));
    }
}
