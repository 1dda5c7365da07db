//! Requests to Discord's REST API: JSON or a form, and the response as raw JSON or a fault.
//!
//! serenity's client is not used: it waits and repeats by itself, loses how long to wait where it does not, and ignores
//! proxies.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::port::Clock;
use frontdesk_kit::http::{self, HttpClient};
use frontdesk_kit::setup::host_of;
use frontdesk_kit::websocket::{self, DialFault, WebSocket};
use reqwest::header::{HeaderMap, USER_AGENT};
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Account;
use crate::error::{Fault, LONGEST_ANSWER, Refusal, Scope};
use crate::invalid_requests::InvalidRequests;
use crate::limits::{Limits, Route};

/// The URL of the API, unless the configuration names another one.
const DEFAULT_API_URL: &str = "https://discord.com/api";
/// The version of the API.
const VERSION: &str = "v10";
/// How long nothing is sent after a refusal for speed that does not come from the API and names no time: Discord has banned
/// the address.
const BAN: Duration = Duration::from_secs(60);
/// The maximum length of the words of an error, in characters.
const LONGEST_WORDS: usize = 300;

/// Discord's API with one bot's token.
pub(crate) struct Rest {
    client: HttpClient,
    base_url: Url,
    /// Whether the configuration names another API than Discord's.
    is_configured: bool,
    token: Secret,
    limits: Limits,
    invalid: InvalidRequests,
    clock: Arc<dyn Clock>,
    quick: Duration,
    transfer: Duration,
}

/// One request: an operation of Discord's OpenAPI description, and where it goes.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    operation: &'static str,
    method: Method,
    path: Vec<&'a str>,
    query: Vec<(&'static str, String)>,
}

impl<'a> Request<'a> {
    /// A request. The path's second segment names whose limit it counts for.
    pub(crate) fn new(operation: &'static str, method: Method, path: &[&'a str]) -> Self {
        Self { operation, method, path: path.to_vec(), query: Vec::new() }
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    fn route(&self) -> Route {
        match self.path.as_slice() {
            // Each token has a limit of its own: the token of an interaction, or of a webhook.
            ["webhooks", id, token, ..] => (self.operation, format!("{id}/{token}")),
            _ => (self.operation, self.of().to_owned()),
        }
    }

    /// The id of the channel or guild that it is about.
    pub(crate) fn of(&self) -> &'a str {
        self.path.get(1).copied().unwrap_or_default()
    }

    /// Whether it answers an interaction: those carry a token of their own, and the bot's is not sent.
    fn is_webhook(&self) -> bool {
        matches!(self.path.first(), Some(&("webhooks" | "interactions")))
    }
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Value,
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

impl Rest {
    /// Creates the client without connecting.
    pub(crate) fn new(account: &Account, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new("api_url", problem);
        let url = account.settings.api_url.as_deref().unwrap_or(DEFAULT_API_URL);
        let base_url = http::base_url(url).ok_or_else(|| wrong("this is not an address".to_owned()))?;
        let connect = Duration::from_secs(account.settings.connect_seconds);
        let client = HttpClient::new(connect, vec![account.token.clone()], LONGEST_ANSWER).map_err(wrong)?;
        Ok(Self {
            client,
            base_url,
            is_configured: account.settings.api_url.is_some(),
            token: account.token.clone(),
            limits: Limits::default(),
            invalid: InvalidRequests::default(),
            clock,
            quick: Duration::from_secs(account.settings.request_seconds),
            transfer: Duration::from_secs(account.settings.transfer_seconds),
        })
    }

    /// Makes a request without a body.
    pub(crate) async fn ask(&self, request: &Request<'_>) -> Result<Box<RawValue>, Fault> {
        self.send(request, |builder| builder, self.quick).await
    }

    /// Makes a request without a body and parses its result.
    pub(crate) async fn query<T: serde::de::DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<T, Fault> {
        let answer = self.ask(request).await?;
        serde_json::from_str(answer.get())
            .map_err(|error| Fault::Unreadable(self.client.clean(&error.to_string())))
    }

    /// Makes a request with a JSON body.
    pub(crate) async fn json(
        &self,
        request: &Request<'_>,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Box<RawValue>, Fault> {
        let body = serde_json::to_vec(body).map_err(|error| Fault::Unsent(error.to_string()))?;
        let with_body =
            |builder: RequestBuilder| builder.header("content-type", "application/json").body(body);
        self.send(request, with_body, self.quick).await
    }

    /// Makes a request that uploads files.
    pub(crate) async fn upload(&self, request: &Request<'_>, form: Form) -> Result<Box<RawValue>, Fault> {
        self.send(request, |builder| builder.multipart(form), self.transfer).await
    }

    /// Starts the download of a file from Discord's CDN, without the token.
    pub(crate) async fn open(&self, url: Url) -> Result<Response, Fault> {
        Ok(self.client.open(self.client.request(Method::GET, url), self.transfer).await?)
    }

    /// Opens a socket at any address.
    pub(crate) async fn socket(&self, url: Url, largest: usize) -> Result<WebSocket, DialFault> {
        let request = self.client.request(Method::GET, url).header(USER_AGENT, user_agent());
        websocket::dial(&self.client, request, largest).await
    }

    /// The host of the API, if the configuration names one: its files come from there.
    pub(crate) fn configured_host(&self) -> Option<String> {
        if !self.is_configured {
            return None;
        }
        let port = self.base_url.port().map(|port| format!(":{port}")).unwrap_or_default();
        self.base_url.host_str().map(|host| format!("{host}{port}"))
    }

    /// The host of the API.
    pub(crate) fn host(&self) -> String {
        host_of(self.base_url.as_str())
    }

    /// The calendar time.
    pub(crate) fn wall(&self) -> DateTime<Utc> {
        self.clock.wall()
    }

    /// A text without the token.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.client.clean(text)
    }

    async fn send(
        &self,
        request: &Request<'_>,
        complete: impl FnOnce(RequestBuilder) -> RequestBuilder,
        within: Duration,
    ) -> Result<Box<RawValue>, Fault> {
        self.invalid.check(self.clock.mono())?;
        self.limits.check(&request.route(), request.is_webhook(), self.clock.mono())?;
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(VERSION).extend(&request.path);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self.client.request(request.method.clone(), url).header(USER_AGENT, user_agent());
        if !request.is_webhook() {
            builder = builder.header("authorization", format!("Bot {}", self.token.expose()));
        }
        let mut response = self.client.open(complete(builder), within).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.invalid.note(status, &headers, self.clock.mono());
        let mut body = Vec::new();
        while let Some(piece) = self.client.piece(&mut response).await? {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST_ANSWER {
                return Err(Fault::too_long());
            }
        }
        self.note(request, &headers);
        self.read(request, status, &headers, body)
    }

    /// Remembers that the next request of this route would be one too many.
    fn note(&self, request: &Request<'_>, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<f64>().ok();
        if number("x-ratelimit-remaining") == Some(0.0)
            && let Some(after) = number("x-ratelimit-reset-after").and_then(span)
        {
            self.limits.pause(request.route(), Scope::Route, after, self.clock.mono());
        }
    }

    fn read(
        &self,
        request: &Request<'_>,
        status: u16,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<Box<RawValue>, Fault> {
        let body = String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if (200..300).contains(&status) {
            let body = if body.is_empty() { "null".to_owned() } else { body };
            return RawValue::from_string(body)
                .map_err(|error| Fault::Unreadable(self.client.clean(&error.to_string())));
        }
        let header = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
        let Ok(failure) = serde_json::from_str::<Failure>(&body) else {
            let mut after = header.and_then(span);
            if status == 429 {
                let banned = *after.get_or_insert(BAN);
                self.limits.ban(banned, self.clock.mono());
            }
            return Err(Fault::Foreign { status, after });
        };
        if status == 429 {
            let after = failure.retry_after.or(header).and_then(span).unwrap_or(Duration::from_secs(1));
            let scope = if failure.global { Scope::Global } else { Scope::Route };
            self.limits.pause(request.route(), scope, after, self.clock.mono());
            return Err(Fault::TooMany { after, scope });
        }
        let fields = if failure.errors.is_null() { String::new() } else { failure.errors.to_string() };
        let clean = |words: &str| self.client.clean(words).chars().take(LONGEST_WORDS).collect();
        let (message, fields) = (clean(&failure.message), clean(&fields));
        Err(Fault::Refused(Refusal { status, code: failure.code, message, fields }))
    }
}

/// The id in an answer, of what was made. Without it, it is unknown whether that exists.
pub(crate) fn id_of(answer: &RawValue) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Made {
        id: String,
    }
    let made: Result<Made, _> = serde_json::from_str(answer.get());
    made.map(|made| made.id).map_err(|_| Fault::Unreadable("it names no id".to_owned()))
}

fn span(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// Discord refuses clients that do not say what they are in this form.
fn user_agent() -> String {
    format!("DiscordBot (frontdesk, {})", env!("CARGO_PKG_VERSION"))
}
