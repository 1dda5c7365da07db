//! Server-sent events.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};

/// A line that only keeps the connection open.
pub(crate) const KEEP_ALIVE: &str = ": still at work\n\n";

/// An event of this name with this JSON.
pub(crate) fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// The same, with an id by which a client that has lost its connection says how far it has come.
pub(crate) fn numbered(id: u64, name: &str, data: &str) -> String {
    format!("id: {id}\n{}", event(name, data))
}

/// A response that is these events.
pub(crate) fn response(events: impl Stream<Item = String> + Send + 'static) -> Response {
    let body = events.map(|event| Ok::<_, Infallible>(Bytes::from(event)));
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (kind, Body::from_stream(body)).into_response()
}
