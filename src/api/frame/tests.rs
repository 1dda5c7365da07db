//! Tests of frames as JSON.

use chrono::DateTime;
use frontdesk_core::ask::{Answerer, AskAnswer, AskChoice, AskEnd, AskKind, ChoiceStyle};
use frontdesk_core::id::{AskId, OutId};
use frontdesk_core::markup::Part;
use serde_json::json;

use super::*;

fn about(messages: &[i64]) -> MessageRefs {
    let session = Some("agent:main:web:dm:main".parse().unwrap());
    MessageRefs { session, messages: messages.iter().copied().map(MessageId).collect() }
}

pub(crate) fn post(about: MessageRefs, seq: u64, kind: PostKind, text: &str) -> Post {
    let part = Part { key: 0, body: text.to_owned(), plain: text.to_owned() };
    let (key, out, seq) = (String::new(), OutId(1), Some(seq));
    Post {
        part,
        out,
        key,
        reply_to: None,
        kind,
        about,
        seq,
        more: false,
        ask: None,
        task: None,
        audience: None,
        file: None,
        native: None,
    }
}

fn sent(post: Post) -> String {
    ServerFrame::post(post).json.as_str().to_owned()
}

fn given(signal: Signal) -> String {
    ServerFrame::signal(signal).unwrap().json.as_str().to_owned()
}

#[test]
fn each_frame_is_serialized_as_the_interface_documents() {
    let session = r#""session":"agent:main:web:dm:main""#;
    let delta = Signal::Delta { about: about(&[7]), attempt: 2, text: "a\"b".into() };
    assert_eq!(
        given(delta),
        format!(r#"{{"type":"delta","text":"a\"b",{session},"message":"m7","attempt":2}}"#)
    );
    assert_eq!(
        sent(post(about(&[7]), 3, PostKind::Answer, "hi")),
        format!(r#"{{"type":"done","fullText":"hi",{session},"message":"m7","seq":3}}"#)
    );
    assert_eq!(
        sent(post(about(&[7]), 3, PostKind::Notice, "hi")),
        format!(r#"{{"type":"message","text":"hi","kind":"notice",{session},"message":"m7","seq":3}}"#)
    );
    assert_eq!(
        sent(post(about(&[7]), 3, PostKind::Answer, "*hi*")),
        format!(
            r#"{{"type":"done","fullText":"*hi*","markup":[{{"type":"paragraph","children":[{{"type":"italic","children":["hi"]}}]}}],{session},"message":"m7","seq":3}}"#
        )
    );
    let whole = ServerFrame::whole(about(&[7]), 2, "so far");
    assert_eq!(
        whole.json.as_str(),
        format!(r#"{{"type":"delta","text":"so far",{session},"message":"m7","attempt":2,"whole":true}}"#)
    );
    let prompt =
        ServerFrame::prompt(&"agent:main:web:dm:main".parse().unwrap(), MessageId(7), "1", ("hi", &[]));
    assert_eq!(
        prompt.json.as_str(),
        format!(r#"{{"type":"prompt","id":"1","text":"hi","message":"m7",{session}}}"#)
    );
    let usage = Some(Usage { model: Some("m".into()), input: Some(1), ..Usage::default() });
    let numbers = r#"{"input":1,"output":null,"cache_read":null,"cache_write":null,"cost_micro":null,"context_used":null,"context_window":null}"#;
    assert_eq!(
        given(Signal::End { about: about(&[7]), ending: Ending::Answered, usage }),
        format!(
            r#"{{"type":"status","state":"answered","model":"m","usage":{numbers},{session},"message":"m7"}}"#
        )
    );
    let sentence = "This was cancelled before it was answered.";
    assert_eq!(
        given(Signal::End { about: about(&[7]), ending: Ending::Cancelled, usage: None }),
        format!(r#"{{"type":"error","code":"cancelled","message":"{sentence}",{session},"about":"m7"}}"#)
    );
}

#[test]
fn a_question_and_its_end_are_frames_of_their_own() {
    let choice = AskChoice { id: "yes".into(), label: "Yes".into(), style: ChoiceStyle::Danger };
    let mut ask = PostedAsk {
        id: AskId(7),
        kind: AskKind::Confirm,
        text: "Go **on**?".into(),
        choices: vec![choice],
        deadline: DateTime::UNIX_EPOCH,
        audience: Audience::Admins,
        closed: None,
    };
    let frame = |ask: &PostedAsk| {
        let post = post(about(&[7]), 3, PostKind::Notice, "Go **on**?\n\n1. Yes");
        ServerFrame::post(Post { ask: Some(ask.clone()), ..post })
    };
    let open = frame(&ask);
    let question = |may| {
        format!(
            r#"{{"type":"ask","ask":"a7","session":"agent:main:web:dm:main","message":"m7","kind":"confirm","text":"Go **on**?","markup":[{{"type":"paragraph","children":["Go ",{{"type":"bold","children":["on"]}},"?"]}}],"choices":[{{"id":"yes","label":"Yes","style":"danger"}}],"deadline":"1970-01-01T00:00:00.000Z","may_answer":{may},"seq":3}}"#
        )
    };
    assert_eq!(open.json_for(|audience| *audience == Audience::Admins).as_str(), question(true));
    assert_eq!(open.json_for(|_| false).as_str(), question(false));
    let by = Answerer { id: "web:main".parse().unwrap(), name: Some("An\u{202e}na".into()) };
    ask.closed = Some(AskEnd::Answered { answer: AskAnswer::Choice("yes".into()), by });
    let closed = frame(&ask);
    assert_eq!((closed.kind, closed.event_name()), (FrameKind::AskClosed, "ask_closed"));
    assert_eq!(
        closed.json_for(|_| false).as_str(),
        r#"{"type":"ask_closed","ask":"a7","session":"agent:main:web:dm:main","message":"m7","state":"answered","choice":"yes","by":"web:main","by_name":"An\\u{202e}na","seq":3}"#
    );
}

#[test]
fn a_turn_that_answers_several_messages_names_them_all() {
    let json = sent(post(about(&[7, 8]), 1, PostKind::Answer, ""));
    let frame: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&frame["message"], &frame["messages"]), (&json!("m8"), &json!(["m7", "m8"])));
}
