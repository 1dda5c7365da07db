//! Requests in plain HTTP, passed on piece by piece.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(super) type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Headers about one connection, which are not passed on.
const HOP_BY_HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
const MORE_HOP_BY_HOP: [&str; 2] = ["keep-alive", "proxy-connection"];

/// Sends the request over a connection to its host, which is used for nothing else. A redirect is passed back, so that
/// where it leads is judged as well.
pub(super) async fn send(host: TcpStream, request: Request<Incoming>) -> hyper::Result<Response<Body>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(host)).await?;
    let mut connection = Box::pin(connection.fuse());
    let mut answer = Box::pin(sender.send_request(to_host(request)));
    let answer = tokio::select! {
        answer = &mut answer => answer?,
        // It has ended with the answer or with its error.
        _ = &mut connection => answer.await?,
    };
    let (mut head, body) = answer.into_parts();
    head.headers = end_to_end(&head.headers);
    let body = Answer { connection, body }.map_err(Into::into).boxed_unsync();
    Ok(Response::from_parts(head, body))
}

/// The request as its host gets it.
fn to_host(request: Request<Incoming>) -> Request<Incoming> {
    let (mut head, body) = request.into_parts();
    head.headers = end_to_end(&head.headers);
    // The host comes from the URL. A `Host` header that the program has set is replaced.
    head.headers.remove(HOST);
    let host = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    head.headers.extend(host.map(|host| (HOST, host)));
    head.uri = head.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    head.version = Version::HTTP_11;
    Request::from_parts(head, body)
}

/// The body of an answer. Reading it keeps the connection going on which it arrives.
struct Answer<C> {
    connection: Pin<Box<C>>,
    body: Incoming,
}

impl<C: Future<Output = hyper::Result<()>>> hyper::body::Body for Answer<C> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        if let Poll::Ready(Err(error)) = self.connection.as_mut().poll(context) {
            tracing::debug!(%error, "a connection of the proxy to a host has ended");
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
