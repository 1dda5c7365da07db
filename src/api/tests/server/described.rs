//! Compares every response of this suite with the published description, its status, its media type and its body, and every
//! frame with the schema of the frames.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use frontdesk_api::{frames, openapi};
use jsonschema::Validator;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

static DESCRIBED: LazyLock<Value> = LazyLock::new(openapi);

/// The validators that were made so far, by the place of the schema.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

/// Fails if the description does not have this response.
#[track_caller]
pub fn check(method: &Method, url: &Url, status: StatusCode, headers: &HeaderMap, body: &Value) {
    let Some(path) = template(url.path()) else { return };
    let method = method.as_str().to_ascii_lowercase();
    let operation = &DESCRIBED["paths"][path][method.as_str()];
    if operation.is_null() {
        return;
    }
    let place = format!("{method} {path} {}", status.as_u16());
    let mut response = &operation["responses"][status.as_str()];
    if let Some(shared) = response["$ref"].as_str() {
        response = DESCRIBED.pointer(&shared[1..]).unwrap();
    }
    assert!(response.is_object(), "{place} is not described: {body}");
    let Some(content) = response["content"].as_object() else { return };
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap();
    // A file has the type of its picture.
    let file = content.contains_key("application/octet-stream");
    assert!(file || content.contains_key(kind), "{place} is {kind:?}");
    if kind == "application/json" && !file {
        // A test that failed here has left nothing half done.
        let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(place.clone()).or_insert_with(|| closed(&content[kind]["schema"]));
        if let Err(error) = validator.validate(body) {
            panic!("{place}: {error} at {}: {body}", error.instance_path());
        };
    }
}

/// Fails if the schema of the frames does not have this one.
#[track_caller]
pub fn check_frame(frame: &Value) {
    static FRAMES: LazyLock<Validator> = LazyLock::new(|| closed_frames("ServerFrame"));
    if let Err(error) = FRAMES.validate(frame) {
        panic!("{error} at {}: {frame}", error.instance_path());
    }
}

/// Fails if the schema does not allow a client to send this.
#[track_caller]
pub fn check_client_frame(frame: &Value) {
    static FRAMES: LazyLock<Validator> = LazyLock::new(|| closed_frames("ClientFrame"));
    if let Err(error) = FRAMES.validate(frame) {
        panic!("{error} at {}: {frame}", error.instance_path());
    }
}

fn closed_frames(name: &str) -> Validator {
    let mut whole = frames();
    whole["anyOf"] = json!([{"$ref": format!("#/$defs/{name}")}]);
    for (name, schema) in whole["$defs"].as_object_mut().unwrap() {
        // A client may send more.
        if name != "ClientFrame" && name != "ClientMessage" {
            close(schema);
        }
    }
    build(&whole)
}

/// The path of the description that a path of a request fits. One without parameters goes first.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &&String| {
        let (mut names, mut parts) = (template.split('/'), path.split('/'));
        loop {
            match (names.next(), parts.next()) {
                (None, None) => return true,
                (Some(name), Some(part)) if name == part || name.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = DESCRIBED["paths"].as_object().unwrap().keys();
    paths.filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
}

/// A schema that allows no field that the description does not name. Clients must expect new ones; this suite must not.
fn closed(schema: &Value) -> Validator {
    let mut components = DESCRIBED["components"].clone();
    for (_, schema) in components["schemas"].as_object_mut().unwrap() {
        close(schema);
    }
    let mut whole = schema.clone();
    whole["components"] = components;
    build(&whole)
}

fn close(schema: &mut Value) {
    if schema.get("additionalProperties").is_none() && schema.is_object() {
        schema["unevaluatedProperties"] = false.into();
    }
}

fn build(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

#[test]
fn a_response_that_is_not_described_is_noticed() {
    let noticed = |path: &str, status: u16, body: Value| {
        let url = Url::parse(&format!("http://localhost{path}")).unwrap();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
        let status = StatusCode::from_u16(status).unwrap();
        std::panic::catch_unwind(|| check(&Method::GET, &url, status, &headers, &body)).is_err()
    };
    let found = json!({"messages": [], "next": null});
    assert!(!noticed("/api/messages?search=x", 200, found.clone()));
    assert!(noticed("/api/messages?search=x", 201, found.clone()), "a status");
    assert!(noticed("/api/messages?search=x", 200, json!({"messages": []})), "a missing field");
    assert!(noticed("/api/messages?search=x", 200, json!({"messages": [], "next": 7})), "another type");
    let more = json!({"messages": [], "next": null, "more": true});
    assert!(noticed("/api/messages?search=x", 200, more), "a new field");
    assert!(noticed("/api/messages/m1", 200, found), "another path");
    let unknown = |frame: Value| std::panic::catch_unwind(|| check_frame(&frame)).is_err();
    assert!(!unknown(json!({"type": "ready", "protocol": 1})));
    assert!(unknown(json!({"type": "ready", "protocol": 1, "more": 1})), "a new field of a frame");
    assert!(unknown(json!({"type": "ready"})), "a missing field of a frame");
    assert!(unknown(json!({"type": "dance"})), "a new frame");
    let error = json!({"error": {"code": "unauthorized", "message": "no"}});
    assert!(!noticed("/api/messages/m1", 401, error));
}
