//! Requests to a model provider, and their repetition.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::delta::Usage;
use frontdesk_core::port::Clock;
use frontdesk_http::{HttpClient, HttpFault};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, Response, Url};
use serde_json::Value;
use tracing::info;

use super::Config;
use super::fault::{Fault, Report};
use super::reply::{Finish, Reply};
use super::retry;
use super::sink::Sink;
use crate::openai_api;
use crate::random::random;
use crate::responder::Patience;

/// Maximum time to open a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a turn that waits shows a sign of life. It is shorter than any sensible `turns.progress_timeout_seconds`.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the usage is waited for after the model has said why it stopped. Not every provider sends one.
const USAGE_WAIT: Duration = Duration::from_secs(5);
/// How long the end of a response is waited for after its last event, so that its connection can be used again.
const END_WAIT: Duration = Duration::from_millis(50);
/// Time and size within which the reason of a refusal is read.
const REFUSAL: (Duration, usize) = (Duration::from_secs(10), 64 * 1024);

/// Time and size within which the list of models is read.
const LIST: (Duration, usize) = (Duration::from_secs(15), 4 * 1024 * 1024);

/// One provider: its address and its key.
pub(super) struct Provider {
    agent: String,
    client: HttpClient,
    url: Url,
    list: Url,
    headers: HeaderMap,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    retries: u32,
    max_answer: usize,
}

/// How an answer ended that was received whole, or as far as it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The model ended it.
    Finished(Finish),
    /// It is longer than `max_answer`.
    TooLong,
}

impl Provider {
    pub(super) fn new(agent: &str, config: &Config, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let unusable = |key: &str| ConfigError::new(key, "cannot be used");
        let url = config.endpoint().ok_or_else(|| unusable("base_url"))?;
        let list = config.models_endpoint().ok_or_else(|| unusable("base_url"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("frontdesk/", env!("CARGO_PKG_VERSION"))));
        let key = openai_api::bearer(config.api_key.as_ref()).map_err(|_| unusable("api_key"))?;
        headers.extend(key.map(|key| (AUTHORIZATION, key)));
        for (name, value) in &config.headers {
            let name = HeaderName::try_from(name).map_err(|_| unusable("headers"))?;
            headers.insert(name, HeaderValue::try_from(value.expose()).map_err(|_| unusable("headers"))?);
        }
        let secrets: Vec<Secret> = config.api_key.iter().chain(config.headers.values()).cloned().collect();
        // Responses are bounded here, piece by piece.
        let client =
            HttpClient::new(CONNECT, secrets, 0).map_err(|error| ConfigError::new("base_url", error))?;
        Ok(Self {
            agent: agent.to_owned(),
            client,
            url,
            list,
            headers,
            clock,
            timeout: Duration::from_secs(config.timeout),
            retries: config.retries,
            max_answer: config.max_answer,
        })
    }

    /// The names of its models, asked once.
    pub(super) async fn models(&self) -> Result<Vec<String>, Fault> {
        let (time, size) = LIST;
        let request = self.client.request(Method::GET, self.list.clone()).headers(self.headers.clone());
        let asked = async {
            let mut response = self.client.start(request).await?;
            let (status, mut body) = (response.status().as_u16(), Vec::new());
            while let Some(piece) = self.client.piece(&mut response).await? {
                body.extend_from_slice(&piece);
                if body.len() > size {
                    return Err(Fault::too_long());
                }
            }
            Ok((status, body))
        };
        let answer = tokio::select! {
            answer = asked => answer?,
            () = self.clock.sleep_until(self.clock.mono() + time) => return Err(Fault::Silent(time.as_secs())),
        };
        match answer {
            (200, body) => {
                listed(&body).ok_or_else(|| Fault::Malformed("its list of models is none".to_owned()))
            }
            (status, body) => {
                let report = Report::in_body(&body, &|text| self.client.clean(text));
                Err(Fault::Refused { status, report, retry_after: None })
            }
        }
    }

    /// Sends a request until it is answered, as long as nothing of the reply was shown and the fault may pass. What the answer cost is
    /// in `usage`, also if it failed.
    pub(super) async fn ask(
        &self,
        body: &Value,
        sink: &mut Sink,
        usage: &mut Usage,
        patience: Patience,
    ) -> Result<Ended, Fault> {
        let body = body.to_string();
        let (mut failures, before) = (0, sink.text.len());
        loop {
            let mut reply = Reply::default();
            let ended = self.attempt(&body, sink, &mut reply).await;
            if reply.reported().is_some() || reply.usage.model.is_some() {
                *usage = std::mem::take(&mut reply.usage);
            }
            let fault = match ended {
                Ok(ended) => return Ok(ended),
                Err(Fault::Empty) if sink.may_end => return Ok(Ended::Finished(Finish::Complete)),
                Err(fault) => fault,
            };
            failures += 1;
            let is_last = failures > self.retries.min(fault.retries(patience));
            if sink.text.len() > before || !fault.is_passing() || is_last {
                return Err(fault);
            }
            let Some(wait) = retry::wait(failures, fault.retry_after(), retry::longest(patience), random())
            else {
                return Err(fault);
            };
            info!(
                agent = self.agent,
                failures,
                wait_ms = wait.as_millis(),
                fault = fault.kind(),
                "the request is sent again"
            );
            self.within(wait, sink, std::future::pending::<()>()).await;
        }
    }

    async fn attempt(&self, body: &str, sink: &mut Sink, reply: &mut Reply) -> Result<Ended, Fault> {
        let request = self
            .client
            .request(Method::POST, self.url.clone())
            .headers(self.headers.clone())
            .body(body.to_owned());
        let response = self.within(self.timeout, sink, self.client.start(request)).await;
        let mut response = response.ok_or_else(|| self.silent())??;
        if !response.status().is_success() {
            return Err(self.refused(response, sink).await);
        }
        let clean = |text: &str| self.client.clean(text);
        loop {
            let patience = if reply.is_finishing() { USAGE_WAIT.min(self.timeout) } else { self.timeout };
            let piece = match self.within(patience, sink, self.client.piece(&mut response)).await {
                Some(Ok(Some(piece))) => piece,
                Some(Ok(None)) => break,
                // The model has ended its answer, so nothing of it is missing.
                _ if reply.is_finishing() => break,
                Some(Err(fault)) => return Err(fault.into()),
                None => return Err(self.silent()),
            };
            let mut text = String::new();
            let fed = reply.feed(&piece, &mut text, &clean);
            let fits = self.fitting(&mut text, sink);
            sink.say(text).await;
            fed?;
            if !fits {
                return Ok(Ended::TooLong);
            }
            if reply.is_done() {
                self.within(END_WAIT, sink, self.client.piece(&mut response)).await;
                break;
            }
        }
        let mut text = String::new();
        let end = reply.end(&mut text, &clean);
        let fits = self.fitting(&mut text, sink);
        if !text.is_empty() {
            sink.say(text).await;
        }
        let finish = end?;
        sink.calls = std::mem::take(&mut reply.calls);
        Ok(if fits { Ended::Finished(finish) } else { Ended::TooLong })
    }

    /// Cuts a text to what is left of the longest answer. Returns whether all of it fits.
    fn fitting(&self, text: &mut String, sink: &Sink) -> bool {
        let left = self.max_answer.saturating_sub(sink.text.len());
        let fits = text.len() <= left;
        if !fits {
            text.truncate(text.floor_char_boundary(left));
        }
        fits
    }

    fn silent(&self) -> Fault {
        Fault::Silent(self.timeout.as_secs())
    }

    /// Reads why a request was refused.
    async fn refused(&self, mut response: Response, sink: &Sink) -> Fault {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = retry::after(header, self.clock.wall());
        let status = response.status().as_u16();
        let (time, size) = REFUSAL;
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(piece)) = self.client.piece(&mut response).await {
                body.extend_from_slice(&piece);
                if body.len() > size {
                    break;
                }
            }
        };
        self.within(time, sink, read).await;
        let report = Report::in_body(&body, &|text| self.client.clean(text));
        Fault::Refused { status, report, retry_after }
    }

    /// Waits for something at most so long; `None` if it did not happen. The turn shows signs of life meanwhile.
    async fn within<T>(&self, limit: Duration, sink: &Sink, work: impl Future<Output = T>) -> Option<T> {
        let deadline = self.clock.mono() + limit;
        let mut work = pin!(work);
        loop {
            let next = deadline.min(self.clock.mono() + HEARTBEAT);
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = self.clock.sleep_until(next) => {
                    if self.clock.mono() >= deadline {
                        return None;
                    }
                    sink.is_alive().await;
                }
            }
        }
    }
}

/// The names in a list of models.
fn listed(body: &[u8]) -> Option<Vec<String>> {
    let body: Value = crate::json::from_slice(body).ok()?;
    let models = body["data"].as_array().or(body["models"].as_array()).or(body.as_array())?;
    let name =
        |model: &Value| model["id"].as_str().or(model["name"].as_str()).or(model.as_str()).map(str::to_owned);
    Some(models.iter().filter_map(name).collect())
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Unsent(why) => Fault::Unreachable(why),
            HttpFault::Unanswered(why) => Fault::Lost(why),
            HttpFault::TooLong => Fault::too_long(),
        }
    }
}
