//! Files: uploads for messages to come, and the files of a session.

use std::sync::PoisonError;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use frontdesk_core::id::{MessageId, OutId};
use frontdesk_runtime::{Described, IncomingFile, OpenFile};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attachment::{self, ReceivedFile};
use crate::error::ApiError;
use crate::prompt;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::token::Scope;

/// The longest time in which a file may arrive. Between two pieces of it, `request_timeout_seconds` may pass.
const LONGEST: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadQuery {
    /// The file's name.
    name: Option<String>,
    #[serde(default)]
    kind: UploadKind,
}

/// How a chat shows the file: as its name and its first bytes say, or as something that a person has said.
#[derive(Debug, Default, Deserialize, PartialEq, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum UploadKind {
    // As its name and its first bytes say.
    #[default]
    File,
    // As something that a person has said.
    Voice,
}

/// What an upload may have.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UploadLimits {
    /// Maximum size of a file.
    max_bytes: u64,
    /// Maximum number of files of one message.
    max_files: usize,
}

/// A file that is uploaded.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Upload {
    #[serde(flatten)]
    file: ReceivedFile,
    /// The name by which messages and paths call it.
    #[serde(rename = "file")]
    upload: String,
}

/// An upload that is removed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedUpload {
    removed: String,
}

/// Says how large an upload may be, and how many a message may have.
#[utoipa::path(get, path = "/api/files", responses((status = 200, body = UploadLimits)))]
pub(crate) async fn limits(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let max_bytes = request.server.handle.max_file_bytes();
    Ok(ApiResponse::ok(UploadLimits { max_bytes, max_files: prompt::MAX_FILES }))
}

/// Takes a file: the body is its content. Answers when the file is durable.
#[utoipa::path(post, path = "/api/files", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, in any media type except that of a form"),
    responses((status = 201, body = Upload), (status = 409), (status = 507)))]
pub(crate) async fn upload(mut request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let UploadQuery { name, kind } = request.query()?;
    let key = request.idempotency_key()?;
    let (mime, size) = stated(&request.parts.headers)?;
    let server = request.server.clone();
    let mut file = server.handle.incoming_file(size)?;
    let body = std::mem::take(request.stream.get_mut().unwrap_or_else(PoisonError::into_inner));
    receive(&server, body, &mut file).await?;
    let owner = &request.caller()?.principal;
    let described = Described { name, mime, is_voice: kind == UploadKind::Voice };
    // A key cannot contain a space, so that two pairs never make the same request.
    let names = (random::id()?, key.map(|key| format!("{owner} {key}")));
    let upload = server.handle.uploaded(owner, file, described, names).await?;
    let shown = Upload { file: (&upload.attachment).into(), upload: upload.name };
    Ok(ApiResponse::json(StatusCode::CREATED, shown))
}

/// The content of an upload of the caller.
#[utoipa::path(get, path = "/api/files/{upload}", responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let owner = &request.caller()?.principal;
    respond(request.server.handle.open_upload(owner, request.param(0)?).await?).await
}

/// Removes an upload of the caller.
#[utoipa::path(delete, path = "/api/files/{upload}", responses((status = 200, body = RemovedUpload), (status = 404)))]
pub(crate) async fn remove(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let name = request.param(0)?;
    request.server.handle.drop_upload(&request.caller()?.principal, name).await?;
    Ok(ApiResponse::ok(RemovedUpload { removed: name.to_owned() }))
}

/// The content of a file of a session: `m7.0` is the first one that came with the message `m7`, `o9` the one that was sent
/// as `o9`.
#[utoipa::path(get, path = "/api/session/{key}/files/{file}", responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404)))]
pub(crate) async fn of_session(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (session, name) = (request.session(Scope::Read)?, request.param(1)?);
    let handle = &request.server.handle;
    let file = match name.split_once('.') {
        Some((message, n)) => {
            let message = message.parse::<MessageId>().map_err(|_| no_file(name))?;
            let n = n.parse::<u32>().map_err(|_| no_file(name))?;
            handle.open_attachment(&session, message, n).await?
        }
        None => {
            let out = name.parse::<OutId>().map_err(|_| no_file(name))?;
            handle.open_sent(&session, out).await?
        }
    };
    respond(file).await
}

async fn respond(file: OpenFile) -> Result<ApiResponse, ApiError> {
    attachment::response(file).await.map(ApiResponse::Other)
}

fn no_file(name: &str) -> ApiError {
    ApiError::not_found(format!(
        "there is no file {name:?}: files are called m7.0 or o9, as the timeline says"
    ))
}

/// The media type and the size that the head of a request states.
fn stated(headers: &HeaderMap) -> Result<(Option<String>, Option<u64>), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mime =
        text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).map(|kind| kind.trim().to_owned());
    let is_form = |mime: &String| {
        mime.starts_with("multipart/") || mime.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    };
    if mime.as_ref().is_some_and(is_form) {
        let message =
            "send the file itself as the body, not a form: its name goes into the query, as ?name=a.pdf";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    Ok((mime, text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok())))
}

/// Reads a body into a file.
async fn receive(server: &ServerState, mut body: Body, file: &mut IncomingFile) -> Result<(), ApiError> {
    let timeout = server.settings().config.limits.request_timeout();
    let mut longest = std::pin::pin!(server.pause(LONGEST));
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = server.pause(timeout) => return Err(late()),
            () = &mut longest => return Err(late()),
            () = server.stop.cancelled() => return Err(ApiError::stopping()),
        };
        let Some(frame) = frame else { return Ok(()) };
        let frame = frame.map_err(|_| ApiError::bad_request("the file ended early: send it again"))?;
        if let Ok(data) = frame.into_data() {
            file.write(&data).await?;
        }
    }
}

fn late() -> ApiError {
    let message = "the file did not arrive in time: send it again";
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
}
