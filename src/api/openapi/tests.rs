//! Tests of the description against the table of endpoints.

use std::collections::BTreeSet;

use chrono::DateTime;
use frontdesk_core::ask::{AskChoice, AskEnd, AskKind, Audience, ChoiceStyle, PostedAsk};
use frontdesk_core::delivery::{Ending, MessageRefs, Post, PostKind, PostedFile, Signal};
use frontdesk_core::id::{AskId, MessageId, TaskId};
use frontdesk_core::message::FileKind;
use frontdesk_core::progress::Progress;
use frontdesk_core::task::{TaskChange, TaskProblem, TaskState};

use super::*;
use crate::frame::{ServerFrame, Wire, tests::post};

/// The handler's path, or that path under its second name.
fn is_same_path(table: &str, handler: &str) -> bool {
    let renamed = |(alias, path): &(&str, &str)| table.replacen(alias, path, 1) == handler;
    table == handler || ALIASES.iter().any(renamed)
}

#[test]
fn each_handler_names_the_path_and_the_method_of_the_table() {
    assert_eq!(ENDPOINTS.len(), DESCRIPTIONS.len());
    for (endpoint, describe) in ENDPOINTS.iter().zip(DESCRIPTIONS) {
        let path = describe().path;
        assert!(is_same_path(endpoint.path, &path), "{} {}: {path}", endpoint.method, endpoint.path);
    }
}

#[test]
fn the_description_has_every_endpoint_and_no_other() {
    let described = openapi();
    let mut found = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        found.extend(item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    let table = ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path.to_owned()));
    assert_eq!(found, table.collect());
}

#[test]
fn every_operation_says_what_it_does_and_has_a_name_of_its_own() {
    let described = openapi();
    let mut ids = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{id} is there twice");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 8), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            let good = |status: &String| status.starts_with('2') || status == "101";
            assert!(responses.keys().any(good), "{method} {path} never succeeds");
        }
    }
}

#[test]
fn a_request_without_fields_is_one_whose_handler_reads_no_body() {
    for (endpoint, describe) in ENDPOINTS.iter().zip(DESCRIPTIONS) {
        let by_token =
            matches!(endpoint.access, Access::Token(..)) && endpoint.method == axum::http::Method::POST;
        let is_bare = endpoint.idempotency == Idempotency::ReplayBare;
        let has_body = describe().operation.request_body.is_some();
        assert!(!by_token || is_bare != has_body, "{}", endpoint.path);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(whole: &Value, value: &Value, seen: &mut usize) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    *seen += 1;
                    assert!(whole.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                }
                fields.values().for_each(|value| walk(whole, value, seen));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(whole, value, seen)),
            _ => {}
        }
    }
    let (described, mut seen) = (openapi(), 0);
    walk(&described, &described, &mut seen);
    assert!(seen > 500, "only {seen} references");
}

/// What requests and responses share must be the same in both, because the description has one schema of a name.
#[test]
fn a_schema_of_a_name_is_the_same_in_requests_and_responses() {
    assert_eq!(schemas::ambiguous(), Vec::<String>::new());
}

#[test]
fn the_files_in_the_repository_are_current() {
    for (name, wanted) in [("openapi.json", openapi()), ("frames.schema.json", frames())] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema").join(name);
        let wanted = serde_json::to_string_pretty(&wanted).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &wanted).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap();
        let update = "UPDATE=1 cargo test -p frontdesk-api --lib openapi";
        assert!(there == wanted, "{name} is out of date: run `{update}`");
    }
}

#[test]
fn a_call_is_described_for_every_method() {
    let described = frames();
    let methods = described["$defs"]["Call"]["oneOf"].as_array().unwrap();
    let described = methods.iter().map(|one| one["properties"]["method"]["const"].as_str().unwrap());
    let described: BTreeSet<&str> = described.collect();
    assert_eq!(described, crate::ws::call::method_names().collect());
}

/// One frame of every kind, as the gateway writes it.
fn one_of_each() -> Vec<String> {
    let session = "agent:main:web:dm:main".parse().unwrap();
    let about = MessageRefs { session: Some(session), messages: vec![MessageId(7), MessageId(8)] };
    let ask = |closed| PostedAsk {
        id: AskId(7),
        kind: AskKind::Confirm,
        text: "Go **on**?".into(),
        choices: vec![AskChoice { id: "yes".into(), label: "Yes".into(), style: ChoiceStyle::Danger }],
        deadline: DateTime::UNIX_EPOCH,
        audience: Audience::Admins,
        closed,
    };
    let problem = Some(TaskProblem { code: "timeout".into(), message: "It took too long.".into() });
    let task = TaskChange { task: TaskId(4), state: TaskState::Failed, attempt: 1, problem };
    let file = PostedFile { name: "a.pdf".into(), mime: None, kind: FileKind::Document, size: Some(7) };
    let notice = || post(about.clone(), 3, PostKind::Notice, "a *word*");
    let posts = [
        post(about.clone(), 3, PostKind::Answer, "a *word*"),
        notice(),
        Post { ask: Some(ask(None)), ..notice() },
        Post { ask: Some(ask(Some(AskEnd::Cancelled))), ..notice() },
        Post { task: Some(task), ..notice() },
        Post { file: Some(file), ..notice() },
    ];
    let progress = Progress { percent: Some(7), line: None };
    let signals = [
        Signal::Typing,
        Signal::Delta { about: about.clone(), attempt: 1, text: "a".into() },
        Signal::Progress { about: about.clone(), task: Some(TaskId(4)), attempt: 1, progress },
        Signal::End { about: about.clone(), ending: Ending::Answered, usage: None },
        Signal::End { about: about.clone(), ending: Ending::Cancelled, usage: None },
    ];
    let others = [
        ServerFrame::gap(about.session.clone()),
        ServerFrame::prompt(about.session.as_ref().unwrap(), MessageId(7), "1", ("hi", &[])),
    ];
    let all = posts.into_iter().map(ServerFrame::post);
    let all = all.chain(signals.into_iter().filter_map(ServerFrame::signal)).chain(others);
    let accepted = Wire::Accepted { id: None, message: "m7".into(), session: "agent:main:web:dm:main" };
    let plain = [Wire::Ready { protocol: 1 }, accepted, Wire::Pong];
    let plain = plain.iter().map(|frame| serde_json::to_string(frame).unwrap());
    all.map(|frame| frame.json.as_str().to_owned()).chain(plain).collect()
}

#[test]
fn every_kind_of_frame_fits_the_schema() {
    let mut schema = frames();
    let kinds = schema["$defs"]["TypedFrame"]["oneOf"].as_array().unwrap().iter();
    let mut missing: BTreeSet<String> =
        kinds.map(|kind| kind["properties"]["type"]["const"].as_str().unwrap().to_owned()).collect();
    schema["anyOf"] = json!([{"$ref": "#/$defs/ServerFrame"}]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    for text in one_of_each() {
        let frame: Value = serde_json::from_str(&text).unwrap();
        assert!(validator.is_valid(&frame), "{text}");
        missing.remove(frame["type"].as_str().unwrap());
    }
    assert!(missing.is_empty(), "no frame of these kinds was tried: {missing:?}");
}
