//! The API's errors: always `{"error":{"code","message"}}`.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use frontdesk_core::ask::AskError;
use frontdesk_core::delivery::Ending;
use frontdesk_core::group::LookupError;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_core::port::Busy;
use frontdesk_runtime::{GatewayError, JobFault, TaskError, UploadError};
use frontdesk_store::StoreError;
use serde_json::{Value, json};

use crate::ending::failure;

/// An error of an HTTP request or a WebSocket frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    /// One sentence that says what is wrong and what to do.
    pub(crate) message: Cow<'static, str>,
    pub(crate) retry_after: Option<Duration>,
    /// The message that the error is about.
    pub(crate) about: Option<MessageId>,
    pub(crate) failed: Option<Box<AgentFailure>>,
    /// Whether the message is stored as refused, which uses up its id.
    stored: bool,
}

/// The text and the cause of a turn that failed or was cancelled.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct AgentFailure {
    /// The text that the agent had written before its turn ended.
    pub(crate) text: Option<String>,
    /// Why the turn failed. It is shown only to the holder of a token, because it may quote the prompt.
    pub(crate) detail: Option<String>,
}

/// Tells a program that the message was stored as refused.
const ID_IS_USED: &str = "to send it again, use a new id or Idempotency-Key";

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            about: None,
            failed: None,
            stored: false,
        }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// A program names no user, or one that cannot be.
    pub(crate) fn user(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_user", message)
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "this needs a valid token: send Authorization: Bearer TOKEN",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this token may not do that")
    }

    pub(crate) fn too_many(after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests: wait, then try again")
            .after(after)
    }

    pub(crate) fn too_large(max: usize) -> Self {
        let message = format!("this has more than {max} bytes, the maximum (gateway.limits)");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// The error for a WebSocket frame that cannot be read.
    pub(crate) fn unreadable(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unreadable_frame", message)
    }

    pub(crate) fn conflict(about: MessageId) -> Self {
        let message = "this id was already used for a different text: use a new one";
        Self::new(StatusCode::CONFLICT, "conflict", message).about(about)
    }

    /// The message of a repeated request was deleted with its conversation.
    pub(crate) fn erased(about: MessageId) -> Self {
        let message = "this request was handled before, and its conversation was deleted since: to send the text again, use a new id or Idempotency-Key";
        Self::new(StatusCode::CONFLICT, "erased", message).about(about)
    }

    /// An answer to a question does not count.
    pub(crate) fn answer(error: &AskError) -> Self {
        let status = match error {
            AskError::NoSuchAsk(_) => StatusCode::NOT_FOUND,
            AskError::Closed(_) | AskError::NotWaiting => StatusCode::CONFLICT,
            AskError::NotYours | AskError::MayNotWrite | AskError::OnlyInChat => StatusCode::FORBIDDEN,
            AskError::UnknownChoice | AskError::NoText | AskError::TooLong => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.name(), error.to_string())
    }

    /// Something cannot be done with a background task.
    pub(crate) fn task(error: &TaskError) -> Self {
        let (status, code) = match error {
            TaskError::PersonFull | TaskError::Full => (StatusCode::TOO_MANY_REQUESTS, "task_limit"),
            TaskError::OverBudget(_) => (StatusCode::TOO_MANY_REQUESTS, "budget"),
            TaskError::NotAllowed => (StatusCode::FORBIDDEN, "denied"),
            TaskError::Conflict => (StatusCode::CONFLICT, "conflict"),
            TaskError::Ended(..) => (StatusCode::CONFLICT, "task_ended"),
            TaskError::Open(..) => (StatusCode::CONFLICT, "task_open"),
        };
        Self::new(status, code, error.to_string())
    }

    /// A platform does not describe its groups.
    pub(crate) fn lookup(error: &LookupError) -> Self {
        let (status, code) = match error {
            LookupError::NoSuchGroup => (StatusCode::NOT_FOUND, "not_found"),
            LookupError::Refused(_) | LookupError::Unsupported => {
                (StatusCode::BAD_GATEWAY, "platform_refused")
            }
            LookupError::Later(_) => (StatusCode::BAD_GATEWAY, "platform_unavailable"),
        };
        Self::new(status, code, error.to_string())
    }

    /// Something cannot be done with a scheduled job.
    pub(crate) fn job(error: &JobFault) -> Self {
        let (status, code) = match error {
            JobFault::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_job"),
            JobFault::Exists(_) => (StatusCode::CONFLICT, "job_exists"),
            JobFault::OfFile(_) => (StatusCode::CONFLICT, "config_job"),
            JobFault::NotNow(_) => (StatusCode::CONFLICT, "not_now"),
            JobFault::Over(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            JobFault::PersonFull | JobFault::Full => (StatusCode::TOO_MANY_REQUESTS, "job_limit"),
            JobFault::NotAllowed => (StatusCode::FORBIDDEN, "denied"),
            JobFault::Conflict => (StatusCode::CONFLICT, "conflict"),
        };
        Self::new(status, code, error.to_string())
    }

    /// An upload is not taken.
    pub(crate) fn upload(error: &UploadError) -> Self {
        let (status, code) = match error {
            UploadError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            UploadError::Empty => (StatusCode::BAD_REQUEST, "empty_file"),
            UploadError::OverDaily => (StatusCode::TOO_MANY_REQUESTS, "quota"),
            UploadError::NoSpace => (StatusCode::INSUFFICIENT_STORAGE, "no_space"),
            UploadError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            UploadError::Conflict => (StatusCode::CONFLICT, "conflict"),
            UploadError::Disk(cause) => {
                tracing::error!(error = %cause, "an uploaded file could not be kept");
                return Self::internal();
            }
        };
        Self::new(status, code, error.to_string())
    }

    /// A message names an upload that its sender does not have.
    pub(crate) fn unknown_file(name: &str) -> Self {
        let message = format!(
            "there is no uploaded file {name:?}: a file is kept for a day until a message names it; upload it again"
        );
        Self::new(StatusCode::NOT_FOUND, "unknown_file", message)
    }

    pub(crate) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "denied", "this token may not write here")
    }

    pub(crate) fn internal() -> Self {
        let message = "something went wrong in the gateway; its log says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(crate) fn stopping() -> Self {
        Self::from(Busy::Stopping)
    }

    /// The gateway stops before a message that it has accepted is answered.
    pub(crate) fn stopping_before_the_answer(about: MessageId) -> Self {
        let message = format!(
            "the gateway is shutting down: message {about} is accepted and will be answered after the next start"
        );
        Self { message: message.into(), ..Self::stopping() }.about(about)
    }

    /// The gateway stops before a message is answered that nobody can read without this client.
    pub(crate) fn stopping_without_an_answer(about: MessageId) -> Self {
        let message =
            format!("the gateway is shutting down: message {about} is cancelled, so ask again afterwards");
        Self { message: message.into(), ..Self::stopping() }.about(about)
    }

    /// The web channel is disabled in the configuration.
    pub(crate) fn channel_off() -> Self {
        let message = "the web channel is turned off: set channels.web.enabled in the configuration";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "channel_off", message)
    }

    /// An admin has stopped the web channel.
    pub(crate) fn channel_disconnected() -> Self {
        Self::from(Busy::Disconnected)
    }

    /// The turn of the message ended without an answer.
    pub(crate) fn ended(ending: Ending, message: MessageId) -> Self {
        let status = if ending == Ending::Dead { StatusCode::BAD_GATEWAY } else { StatusCode::CONFLICT };
        let (code, sentence) = failure(ending).unwrap_or(("answered", "This was answered.".into()));
        Self::new(status, code, sentence).about(message)
    }

    /// The server's own queue is full.
    pub(crate) fn busy() -> Self {
        let message = "too many requests are waiting: try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(Duration::from_secs(1))
    }

    /// The message was stored as refused.
    pub(crate) fn refused(reason: Refusal, about: MessageId) -> Self {
        Self::refused_as(reason.name().into(), reason.sentence(), about)
    }

    /// The sentence is for people. Programs also need to know that the message is stored under its id.
    pub(crate) fn refused_as(code: Cow<'static, str>, sentence: &'static str, about: MessageId) -> Self {
        let status = match &*code {
            "rate_limited" | "quota" | "budget" => StatusCode::TOO_MANY_REQUESTS,
            "too_long" => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::CONFLICT,
        };
        // A daily quota is not refilled by waiting a minute.
        let wait = (code == "rate_limited").then_some(Duration::from_secs(60));
        Self { code, retry_after: wait, about: Some(about), stored: true, ..Self::new(status, "", sentence) }
    }

    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(crate) fn about(mut self, message: MessageId) -> Self {
        self.about = Some(message);
        self
    }

    /// The error as a WebSocket frame or a server-sent event.
    pub(crate) fn frame(&self, id: Option<&Value>) -> Value {
        let mut frame = self.fields();
        frame["type"] = "error".into();
        if let Some(id) = id {
            frame["id"] = id.clone();
        }
        if let Some(wait) = self.retry_after {
            frame["retry_after"] = seconds(wait).into();
        }
        frame
    }

    /// The fields that HTTP bodies and frames share.
    pub(crate) fn fields(&self) -> Value {
        let mut fields = json!({"code": self.code, "message": self.message});
        let about = self.about.map(|about| about.to_string());
        let optional = [
            ("about", about.as_deref()),
            ("text", self.failed.as_ref().and_then(|failed| failed.text.as_deref())),
            ("detail", self.failed.as_ref().and_then(|failed| failed.detail.as_deref())),
            ("hint", self.stored.then_some(ID_IS_USED)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                fields[name] = value.into();
            }
        }
        fields
    }
}

impl From<Busy> for ApiError {
    fn from(busy: Busy) -> Self {
        let code = match busy {
            Busy::Full { .. } => "busy",
            Busy::Storage(_) => "storage",
            Busy::Stopping => "stopping",
            Busy::Disconnected => "channel_stopped",
        };
        // The database's own message goes to the log alone, because it may contain paths.
        let message: Cow<'static, str> = match busy {
            Busy::Storage(detail) => {
                tracing::error!(%detail, "a prompt was not stored");
                "the gateway cannot store anything at the moment: try again soon".into()
            }
            Busy::Stopping => "the gateway is shutting down: try again in a moment".into(),
            Busy::Disconnected => {
                "an admin has stopped the web channel; on the machine, `frontdesk gateway start web` starts it again"
                    .into()
            }
            full @ Busy::Full { .. } => full.to_string().into(),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message).after(Duration::from_secs(5))
    }
}

impl From<GatewayError> for ApiError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotFound(what) => Self::not_found(format!("there is no {what}")),
            GatewayError::NoSuchChannel(error) => Self::not_found(error.to_string()),
            GatewayError::Invalid(why) => Self::bad_request(why),
            GatewayError::Ask(error) => Self::answer(&error),
            GatewayError::Task(error) => Self::task(&error),
            GatewayError::Job(error) => Self::job(&error),
            GatewayError::Lookup(error) => Self::lookup(&error),
            GatewayError::Upload(error) => Self::upload(&error),
            GatewayError::Busy(busy) => busy.into(),
            GatewayError::Store(error) => error.into(),
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        Self::upload(&error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(detail) => Busy::Storage(detail).into(),
            StoreError::Closed => Self::stopping(),
            StoreError::Fatal(_) | StoreError::Invalid(_) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.fields() }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Whole seconds, rounded up, so that a client that waits that long is not early.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}
