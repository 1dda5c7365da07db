//! Requests in plain HTTP, passed on piece by piece.

use std::error::Error;
use std::io;
use std::sync::Arc;

use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, StatusCode};
use reqwest::Client;

use super::connection::CONNECT;
use crate::Guard;

pub(super) type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Headers about one connection, which are not passed on.
const HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
const MORE_HOP_BY_HOP: [&str; 2] = ["keep-alive", "proxy-connection"];

/// Passes requests on. Its connections lead only to addresses that the guard has judged.
pub(super) struct Forwarder(Client);

impl Forwarder {
    pub(super) fn new(guard: &Guard) -> io::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(guard.clone()))
            .connect_timeout(CONNECT)
            .http1_only()
            .build();
        client.map(Self).map_err(io::Error::other)
    }

    /// Sends the request. A redirect is passed back, so that where it leads is judged as well.
    pub(super) async fn send(&self, request: Request<Incoming>) -> reqwest::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let mut passed = self.0.request(head.method, head.uri.to_string());
        let mut headers = end_to_end(&head.headers);
        headers.remove(HOST);
        passed = passed.headers(headers);
        if !body.is_end_stream() {
            passed = passed.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let answer = passed.send().await?;
        let mut response = Response::new(Body::default());
        *response.status_mut() = answer.status();
        *response.headers_mut() = end_to_end(answer.headers());
        let pieces = answer.bytes_stream().map(|piece| Ok(Frame::data(piece?)));
        *response.body_mut() = BodyExt::boxed_unsync(StreamBody::new(pieces));
        Ok(response)
    }
}

/// The headers without those that concern one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    let stays = |name: &HeaderName| {
        let name = name.as_str();
        let listed = HOP_BY_HOP.iter().any(|hop| hop.as_str() == name) || MORE_HOP_BY_HOP.contains(&name);
        // The length says where the body ends, whatever anybody says about it.
        !listed && (name == CONTENT_LENGTH.as_str() || !named.iter().any(|one| one == name))
    };
    headers
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub(super) fn empty() -> Response<Body> {
    Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync())
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
