//! The client of the running gateway.

use std::time::Duration;

use frontdesk::home::Home;
use frontdesk::token::ClearToken;
use frontdesk_store::lock::{self, LockError};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, handshake};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Done, Failure, Remote};

/// Timeout of a connection to a gateway on the same machine.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout of a request.
const ANSWER: Duration = Duration::from_secs(30);

/// A WebSocket of the gateway.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A gateway and the token for it.
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: ClearToken,
}

/// Runs a command that talks to the gateway, on one thread.
pub fn block_on(command: impl Future<Output = Done>) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let done = runtime.block_on(command);
    // A thread may still wait for a line on standard input, and nothing can end that wait.
    runtime.shutdown_background();
    done
}

/// A client for a gateway. A proxy from the environment is not meant for this machine, and would see the token.
pub fn http() -> Result<reqwest::Client, Failure> {
    let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT).build();
    http.map_err(|error| Failure::new(format!("cannot create the HTTP client: {error}")))
}

/// The URL of the gateway: `--url`, or where the gateway of the home folder listens.
pub fn url(remote: &Remote) -> Result<String, Failure> {
    if let Some(url) = &remote.url {
        return plain_url(url);
    }
    let (address, _) = listening(remote)?;
    Ok(format!("http://{address}"))
}

/// The URL at which people reach the gateway of the home folder: its `public_url`, or else where it listens.
pub fn public_url(remote: &Remote) -> Result<String, Failure> {
    let (address, public_url) = listening(remote)?;
    Ok(public_url.unwrap_or_else(|| format!("http://{address}")))
}

/// Where the gateway of the home folder listens, and its public URL if it has one.
fn listening(remote: &Remote) -> Result<(String, Option<String>), Failure> {
    let home = Home::find(remote.home.home.as_deref(), &super::env)?;
    let path = home.path().display();
    let holder = lock::holder(home.path()).map_err(|error| unreadable(&error))?;
    let none =
        || Failure::unavailable(format!("no gateway is running in {path}; start one with `frontdesk run`"));
    let holder = holder.ok_or_else(none)?;
    let starting = || {
        Failure::unavailable(format!(
            "the gateway in {path} is starting and does not listen yet; try again in a moment"
        ))
    };
    let address = holder.address.ok_or_else(starting)?;
    Ok((address, holder.public_url))
}

/// The home folder cannot be read, so it is unknown whether a gateway runs there.
fn unreadable(error: &LockError) -> Failure {
    let denied = |error: &LockError| match error {
        LockError::Io { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        LockError::Held { .. } => false,
    };
    let advice = if denied(error) {
        "; it belongs to another user: run this as that user, or name a gateway with --url and --token-file"
    } else {
        ""
    };
    Failure::new(format!("cannot read the home folder: {error}{advice}"))
}

fn plain_url(url: &str) -> Result<String, Failure> {
    let url = url.trim_end_matches('/');
    if url.starts_with("http://") {
        return Ok(url.to_owned());
    }
    Err(Failure::usage(format!(
        "--url {url:?} must begin with http://, because the command line does not use TLS; for a gateway on another \
         machine, forward its port (ssh -L 3847:127.0.0.1:3847 HOST) and use http://127.0.0.1:3847"
    )))
}

/// Reads the token from `--token-file` or the home folder.
pub fn token(remote: &Remote) -> Result<ClearToken, Failure> {
    let file = match &remote.token_file {
        Some(file) => file.clone(),
        None => Home::find(remote.home.home.as_deref(), &super::env)?.token(),
    };
    let read = ClearToken::read(&file).map_err(|error| Failure::new(error.to_string()))?;
    read.ok_or_else(|| {
        Failure::new(format!(
            "there is no token in {}; `frontdesk run` creates one, or name the file with --token-file",
            file.display()
        ))
    })
}

impl Client {
    /// A client of the gateway at this URL.
    pub fn at(url: String, token: ClearToken) -> Result<Client, Failure> {
        Ok(Client { http: http()?, url, token })
    }

    /// Finds the gateway and reads the token. Nothing is sent.
    pub fn find(remote: &Remote) -> Result<Client, Failure> {
        Self::at(url(remote)?, token(remote)?)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        json(self.send(self.request(Method::GET, path).timeout(ANSWER)).await?).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        json(self.send(self.request(Method::DELETE, path).timeout(ANSWER)).await?).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        json(self.send(self.request(Method::PATCH, path).timeout(ANSWER).json(body)).await?).await
    }

    /// POST. `key` is the same for every repetition of one request.
    pub async fn post(&self, path: &str, body: &Value, key: &str) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path).timeout(ANSWER).header("idempotency-key", key);
        json(self.send(request.json(body)).await?).await
    }

    /// POST whose response is streamed, without a timeout.
    pub async fn stream(&self, path: &str, body: &Value, key: &str) -> Result<Response, Failure> {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        self.send(request.header("accept", "text/event-stream").json(body)).await
    }

    /// Opens the WebSocket.
    pub async fn websocket(&self) -> Result<Socket, Failure> {
        let request =
            self.upgrade().map_err(|error| Failure::new(format!("cannot open a WebSocket: {error}")))?;
        let opened = tokio::time::timeout(ANSWER, tokio_tungstenite::connect_async(request)).await;
        let silent = || {
            Failure::unavailable(format!("the gateway at {} does not answer; its log may say why", self.url))
        };
        match opened.map_err(|_| silent())? {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                Err(refusal(response.status(), &serde_json::from_slice(body).unwrap_or_default()))
            }
            Err(_) => Err(none_answers(&self.url)),
        }
    }

    fn upgrade(&self) -> tungstenite::Result<handshake::client::Request> {
        let address = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        let mut token = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))?;
        token.set_sensitive(true);
        request.headers_mut().insert("authorization", token);
        Ok(request)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // The audit log then says that the command line acted, not some other program.
        let request = self.http.request(method, format!("{}{path}", self.url)).header("frontdesk-via", "cli");
        request.bearer_auth(self.token.expose())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| unreachable(&self.url, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(response).await)
    }
}

/// POST of a body that shows by these headers who sends it, without the token.
pub async fn post_signed(
    remote: &Remote,
    path: &str,
    headers: &[(&'static str, String)],
    body: Vec<u8>,
) -> Result<Value, Failure> {
    let url = url(remote)?;
    let request =
        http()?.post(format!("{url}{path}")).timeout(ANSWER).header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let response = request.body(body).send().await.map_err(|error| unreachable(&url, &error))?;
    match response.status() {
        status if status.is_success() => json(response).await,
        StatusCode::UNAUTHORIZED => Err(Failure::new(
            "the gateway refuses the secret of this configuration: it runs with another one until it is reloaded, or its clock differs",
        )),
        _ => Err(refused(response).await),
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Failure {
    if error.is_timeout() && !error.is_connect() {
        return Failure::new(format!("the gateway at {url} does not answer; its log may say why"));
    }
    if !error.is_connect() {
        return Failure::unavailable(format!(
            "the gateway at {url} closed the connection before it answered"
        ));
    }
    none_answers(url)
}

fn none_answers(url: &str) -> Failure {
    Failure::unavailable(format!("no gateway answers at {url}; start one with `frontdesk run`"))
}

/// Parses a text that must not be empty.
pub fn text(given: &str) -> Result<String, String> {
    if given.trim().is_empty() { Err("the text is empty".to_owned()) } else { Ok(given.to_owned()) }
}

/// Parses the maximum length of a list.
pub fn limit() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=200)
}

/// A new idempotency key.
pub fn fresh_key() -> Result<String, Failure> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)
        .map_err(|error| Failure::new(format!("the system gave no random bytes: {error}")))?;
    Ok(format!("cli-{:032x}", u128::from_le_bytes(bits)))
}

async fn json(response: Response) -> Result<Value, Failure> {
    response.json().await.map_err(|error| {
        Failure::new(format!(
            "the answer is not JSON: {error}. Check that a Frontdesk gateway runs at this URL"
        ))
    })
}

/// The error of a refused request.
async fn refused(response: Response) -> Failure {
    let status = response.status();
    refusal(status, &response.json().await.unwrap_or_default())
}

fn refusal(status: StatusCode, body: &Value) -> Failure {
    let message = body.pointer("/error/message").and_then(Value::as_str);
    match (status, message) {
        (StatusCode::UNAUTHORIZED, _) => Failure::new(
            "the gateway does not know this token. It accepts the one in the file `token` in its home folder: name that file with --token-file",
        ),
        (StatusCode::SERVICE_UNAVAILABLE, Some(message)) if body["error"]["code"] == "stopping" => {
            Failure::unavailable(message)
        }
        (_, Some(message)) if body["error"]["code"] == "bad_config" => Failure::config(message),
        (_, Some(message)) => Failure::new(message),
        (_, None) => {
            Failure::new(format!("the answer is {status}. Check that a Frontdesk gateway runs at this URL"))
        }
    }
}

/// Encodes a text as one segment of a path. A `%` in a key is encoded again, as the API expects.
pub fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_travels_as_one_segment() {
        assert_eq!(segment("agent:main:web:dm:a%3Ab"), "agent%3Amain%3Aweb%3Adm%3Aa%253Ab");
        assert_eq!(segment("ü/x"), "%C3%BC%2Fx");
    }

    #[test]
    fn the_token_never_goes_over_the_network_in_the_clear_by_accident() {
        assert!(plain_url("https://frontdesk.example.org").is_err());
        assert_eq!(plain_url("http://127.0.0.1:1/").unwrap(), "http://127.0.0.1:1");
    }
}
