//! The client: requests, responses, and errors without secrets.

use std::borrow::Cow;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use frontdesk_core::config::Secret;
use futures_util::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use thiserror::Error;

/// A client of one API.
pub struct HttpClient {
    client: Client,
    secrets: Vec<Secret>,
    max_response: usize,
}

/// Why a request has no response. Secrets have been removed from all texts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HttpFault {
    /// Nothing was sent.
    #[error("cannot be reached: {0}")]
    Unsent(String),
    /// The request may have arrived, and no whole response came.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// The response is longer than the limit.
    #[error("the answer does not end")]
    TooLong,
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpClient {
    /// Creates the client without connecting. `secrets` are replaced by `***` in all errors; `max_response` is the
    /// maximum size of a response in bytes. An error says why the machine cannot make HTTP requests.
    pub fn new(connect: Duration, secrets: Vec<Secret>, max_response: usize) -> Result<Self, String> {
        let client = Client::builder()
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| format!("no client can be made: {error}"))?;
        Ok(Self { client, secrets, max_response })
    }

    /// Creates a client that reaches one host, at these addresses and nowhere else: what its name resolves to later changes
    /// nothing. It uses no proxy, because that would resolve the name itself.
    pub fn pinned(
        host: &str,
        addresses: &[SocketAddr],
        connect: Duration,
        max_response: usize,
    ) -> Result<Self, String> {
        let client = Client::builder()
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve_to_addrs(host, addresses)
            .build()
            .map_err(|error| format!("no client can be made: {error}"))?;
        Ok(Self { client, secrets: Vec::new(), max_response })
    }

    /// A request, to be completed and passed to [`HttpClient::send`] or [`HttpClient::open`].
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads the whole response, within this time.
    pub async fn send(&self, request: RequestBuilder, within: Duration) -> Result<Reply, HttpFault> {
        let response = self.open(request, within).await?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(|error| self.fault(error))?);
            if body.len() > self.max_response {
                return Err(HttpFault::TooLong);
            }
        }
        Ok(Reply { status, body })
    }

    /// Sends a request and returns the response with its body unread. The time includes reading the body.
    pub async fn open(&self, request: RequestBuilder, within: Duration) -> Result<Response, HttpFault> {
        request.timeout(within).send().await.map_err(|error| self.fault(error))
    }

    /// Sends a request and returns the response with its body unread, without a time limit except for connecting: the
    /// caller stops waiting by dropping the future or the response, which closes the connection.
    pub async fn start(&self, request: RequestBuilder) -> Result<Response, HttpFault> {
        request.send().await.map_err(|error| self.fault(error))
    }

    /// The next bytes of a response, as they arrive; `None` at its end.
    pub async fn piece(&self, response: &mut Response) -> Result<Option<Vec<u8>>, HttpFault> {
        let piece = response.chunk().await.map_err(|error| self.fault(error))?;
        Ok(piece.map(|piece| piece.to_vec()))
    }

    /// A text without secrets, wherever the text comes from.
    pub fn clean(&self, text: &str) -> String {
        let mut clean = Cow::Borrowed(text);
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty()) {
            if clean.contains(secret) {
                clean = Cow::Owned(clean.replace(secret, "***"));
            }
        }
        clean.into_owned()
    }

    fn fault(&self, error: reqwest::Error) -> HttpFault {
        // The URL may contain a secret in another spelling.
        let error = error.without_url();
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            detail = format!("{detail}: {error}");
            cause = error.source();
        }
        let detail = self.clean(&detail);
        match error.is_connect() || error.is_builder() {
            true => HttpFault::Unsent(detail),
            false => HttpFault::Unanswered(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const SECRET: &str = "s3cr3t-t0ken";

    fn client() -> HttpClient {
        HttpClient::new(Duration::from_secs(2), vec![Secret::new(SECRET)], 1000).unwrap()
    }

    /// Asks a server that sends this and then closes the connection.
    async fn asked(sends: &'static [u8]) -> Result<Reply, HttpFault> {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{SECRET}/me", server.local_addr().unwrap());
        let answer = async {
            let (mut socket, _) = server.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(socket.read(&mut request).await.unwrap() > 0);
            socket.write_all(sends).await.unwrap();
        };
        let client = client();
        let request = client.request(Method::GET, url.parse().unwrap());
        tokio::join!(client.send(request, Duration::from_secs(5)), answer).0
    }

    #[tokio::test]
    async fn a_response_arrives_whole_or_not_at_all() {
        let whole = asked(b"HTTP/1.1 429 Too Many\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
        assert_eq!((whole.status, whole.body.as_slice()), (429, &b"hi"[..]));
        let cut = asked(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi").await.unwrap_err();
        assert!(matches!(cut, HttpFault::Unanswered(_)), "{cut}");
        let closed = asked(b"").await.unwrap_err();
        assert!(matches!(&closed, HttpFault::Unanswered(why) if !why.contains(SECRET)), "{closed}");
    }

    #[tokio::test]
    async fn a_response_that_does_not_end_is_cut_off() {
        let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{}", "x".repeat(2000));
        assert_eq!(asked(long.leak().as_bytes()).await, Err(HttpFault::TooLong));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let moved =
            asked(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(moved.unwrap().status, 302);
    }

    #[tokio::test]
    async fn a_request_that_was_not_sent_is_told_apart() {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let client = client();
        let request = client.request(Method::GET, format!("http://{nobody}/{SECRET}").parse().unwrap());
        let fault = client.send(request, Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(&fault, HttpFault::Unsent(why) if !why.contains(SECRET)), "{fault}");
    }

    #[test]
    fn no_text_keeps_a_secret() {
        assert_eq!(client().clean("GET https://h/s3cr3t-t0ken/me"), "GET https://h/***/me");
        let none = HttpClient::new(Duration::from_secs(1), vec![Secret::default()], 1).unwrap();
        assert_eq!(none.clean("an empty secret is in every text"), "an empty secret is in every text");
    }
}
