//! The control port: what a test in this process does with handles, another process does with JSON.
//!
//! `POST /control/fault`, `clear_faults` and `advance` are the kit's; every other action is the platform's.
//! `GET /control/journal` and `GET /control/chat` show what happened and what a chat shows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::serve::{Response, read_body, response};
use crate::server::{Platform, Shared, clear_faults};

/// The largest request: a file of 50 MB in base64.
const MOST: usize = 70 << 20;

pub(crate) async fn answer<P: Platform>(
    shared: &Arc<Shared<P>>,
    name: &str,
    request: Request<Incoming>,
) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let answer = if request.method() == Method::GET {
        look(shared, name, &query)
    } else {
        match read_body(request.into_body(), MOST).await {
            Some(body) if body.is_empty() => act(shared, name, json!({})),
            Some(body) => parse(serde_json::from_slice(&body)).and_then(|body| act(shared, name, body)),
            None => Err("the request is too large".to_owned()),
        }
    };
    let (status, body) = match answer {
        Ok(value) => (200, value),
        Err(reason) => (400, json!({"error": reason})),
    };
    response(status, "application/json", body.to_string())
}

fn act<P: Platform>(shared: &Shared<P>, name: &str, body: Value) -> Result<Value, String> {
    if name == "advance" {
        let seconds = body["seconds"].as_u64().ok_or("advance needs seconds")?;
        shared.clock.advance(Duration::from_secs(seconds));
    }
    shared.change(|platform| {
        match name {
            "advance" => {}
            "fault" => platform.common().faults.add(parse(serde_json::from_value(body))?),
            "clear_faults" => clear_faults(platform),
            other => return platform.act(other, body),
        }
        Ok(json!(true))
    })
}

fn look<P: Platform>(shared: &Shared<P>, name: &str, query: &str) -> Result<Value, String> {
    let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let id = |name: &str| query.get(name).and_then(|id| id.parse::<P::Id>().ok());
    let mut state = shared.state();
    match name {
        "journal" => {
            let journal = &state.common().journal;
            let calls = match id("chat") {
                Some(chat) => journal.calls_in(chat),
                None => journal.calls().to_vec(),
            };
            let since = query.get("since").and_then(|since| since.parse().ok()).unwrap_or_default();
            let calls: Vec<_> =
                calls.iter().filter(|call| call.number >= since).map(|call| &**call).collect();
            Ok(json!({
                "calls": calls,
                "deliveries": journal.deliveries(),
                "unconfirmed": journal.unconfirmed(),
                "polls": journal.polls(),
            }))
        }
        "chat" => Ok(state.shown(id("bot"), id("chat").unwrap_or_default())),
        other => Err(format!("there is no {other} to look at")),
    }
}

fn parse<T>(parsed: serde_json::Result<T>) -> Result<T, String> {
    parsed.map_err(|error| error.to_string())
}
