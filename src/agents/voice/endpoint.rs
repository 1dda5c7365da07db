//! An OpenAI-compatible API: `POST /audio/transcriptions` with the recording as a form.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::port::Clock;
use frontdesk_core::voice::{MAX_TRANSCRIPT, Recording, RecordingLimits, Transcriber};
use frontdesk_http::{HttpClient, HttpFault};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, Response, Url};
use serde::Deserialize;

use super::Config;
use crate::json;
use crate::openai::{Report, retry_after};
use crate::openai_api;

/// Maximum time to open a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Maximum size of a response, in bytes: a transcript in which every character is escaped, with times and the like.
const MAX_RESPONSE: usize = 8 * MAX_TRANSCRIPT;
/// Maximum number of bytes that are read of a refusal.
const MAX_REFUSAL: usize = 64 * 1024;
/// The pause before the second attempt if the provider names none.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Endpoint {
    client: HttpClient,
    url: Url,
    headers: HeaderMap,
    model: String,
    language: Option<String>,
    limits: RecordingLimits,
    needs_key: bool,
    clock: Arc<dyn Clock>,
}

/// Why an attempt failed. No text contains a secret.
struct Fault {
    cause: String,
    /// The pause after which another attempt may succeed.
    retry: Option<Duration>,
}

/// What the API promises.
#[derive(Deserialize)]
struct Answer {
    text: String,
}

impl Endpoint {
    pub(super) fn new(config: &Config, model: &str, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let unusable = |key: &str| ConfigError::new(key, "cannot be used");
        let url = config.endpoint().ok_or_else(|| unusable("base_url"))?;
        let mut headers = HeaderMap::new();
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("frontdesk/", env!("CARGO_PKG_VERSION"))));
        let key = config.bearer().map_err(|_| unusable("api_key"))?;
        let needs_key = key.is_none() && openai_api::needs_key(&url);
        headers.extend(key.map(|key| (AUTHORIZATION, key)));
        let secrets: Vec<Secret> = config.api_key.iter().cloned().collect();
        // Responses are bounded here, piece by piece.
        let client =
            HttpClient::new(CONNECT, secrets, 0).map_err(|error| ConfigError::new("base_url", error))?;
        Ok(Self {
            client,
            url,
            headers,
            model: model.to_owned(),
            language: config.language.clone(),
            limits: config.limits(),
            needs_key,
            clock,
        })
    }

    /// The form, with the fields and names of the official clients. The API finds the format by the file's extension.
    async fn form(&self, recording: &Recording) -> Result<Form, Fault> {
        let unreadable =
            |error: std::io::Error| Fault::last(format!("the recording cannot be read: {error}"));
        let file = tokio::fs::File::open(&recording.path).await.map_err(unreadable)?;
        let size = file.metadata().await.map_err(unreadable)?.len();
        let (name, body) = (name(&recording.path), Body::from(file));
        let part = Part::stream_with_length(body, size).file_name(name);
        let part = part.mime_str(mime(recording)).map_err(|error| Fault::last(error.to_string()))?;
        let form = Form::new().text("model", self.model.clone()).text("response_format", "json");
        let form = match &self.language {
            Some(language) => form.text("language", language.clone()),
            None => form,
        };
        Ok(form.part("file", part))
    }

    async fn attempt(&self, recording: &Recording) -> Result<String, Fault> {
        let request = self
            .client
            .request(Method::POST, self.url.clone())
            .headers(self.headers.clone())
            .multipart(self.form(recording).await?);
        let mut response = self.client.start(request).await.map_err(Fault::from)?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let body = self.body(&mut response, MAX_RESPONSE).await?;
        let Some(body) = body else {
            return Err(Fault::last(format!("the provider's answer is longer than {MAX_RESPONSE} bytes")));
        };
        let answer = json::from_slice::<Answer>(&body);
        answer.map(|answer| answer.text).map_err(|_| {
            Fault::last("the provider's answer is not JSON with a `text`: is base_url right?".to_owned())
        })
    }

    /// The body of a response; `None` if it is longer than `most` bytes.
    async fn body(&self, response: &mut Response, most: usize) -> Result<Option<Vec<u8>>, Fault> {
        let mut body = Vec::new();
        while let Some(piece) = self.client.piece(response).await.map_err(Fault::from)? {
            body.extend_from_slice(&piece);
            if body.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(body))
    }

    async fn refused(&self, mut response: Response) -> Fault {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = retry_after(header, self.clock.wall());
        let status = response.status().as_u16();
        let body = self.body(&mut response, MAX_REFUSAL).await.ok().flatten().unwrap_or_default();
        let report = Report::in_body(&body, &|text| self.client.clean(text));
        // The provider's message may quote what was said.
        tracing::debug!(status, report = report.shown(), "a transcription was refused");
        let cause = format!("the provider answered with status {status} {}", report.code);
        let passing = matches!(status, 408 | 409 | 425 | 429 | 500..=599);
        Fault { cause: cause.trim_end().to_owned(), retry: passing.then(|| asked.unwrap_or(PAUSE)) }
    }
}

impl Fault {
    /// Another attempt would end in the same way.
    fn last(cause: String) -> Self {
        Self { cause, retry: None }
    }
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        Fault { cause: format!("the provider {fault}"), retry: Some(PAUSE) }
    }
}

/// The name under which a recording is sent. It is ours; its extension names the format.
fn name(path: &Path) -> String {
    let extension = path.extension().and_then(|extension| extension.to_str());
    format!("recording.{}", extension.unwrap_or("bin"))
}

/// The media type of a recording; platforms may state one that no header can have.
fn mime(recording: &Recording) -> &str {
    let stated = recording.mime.as_deref().unwrap_or_default();
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let plain_type = stated.split(';').next().unwrap_or_default().trim();
    match plain_type.split_once('/') {
        Some((kind, sub)) if plain(kind) && plain(sub) => plain_type,
        _ => "application/octet-stream",
    }
}

#[async_trait]
impl Transcriber for Endpoint {
    fn limits(&self) -> RecordingLimits {
        self.limits
    }

    async fn transcribe(&self, recording: &Recording) -> Result<String, String> {
        let fault = match self.attempt(recording).await {
            Ok(text) => return Ok(text),
            Err(fault) => fault,
        };
        // A provider that wants to rest for longer than a transcription may take is not asked again.
        let Some(pause) = fault.retry.filter(|pause| *pause < self.limits.timeout) else {
            return Err(fault.cause);
        };
        self.clock.sleep_until(self.clock.mono() + pause).await;
        self.attempt(recording).await.map_err(|fault| fault.cause)
    }

    // There is no process to end. A request ends when its future is dropped.
    async fn stop(&self) {}

    fn problem(&self) -> Option<String> {
        self.needs_key.then(|| "api.openai.com needs a key: set api_key in [voice]".to_owned())
    }
}
