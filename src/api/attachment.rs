//! Files of messages as JSON, and their content as a response.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use frontdesk_core::delivery::PostedFile;
use frontdesk_core::id::OutId;
use frontdesk_core::image::media_type;
use frontdesk_core::message::Attachment;
use frontdesk_runtime::OpenFile;
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::error::ApiError;

/// The size of the pieces in which a file is sent.
const PIECE: usize = 64 * 1024;

/// Number of first bytes by which a picture is recognised.
const HEAD: usize = 12;

/// What need not be escaped in the name of a file (RFC 5987).
const IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A file that came with a message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReceivedFile {
    /// `photo`, `voice`, `audio`, `video`, `document` or another kind of the platform.
    kind: &'static str,
    name: Option<String>,
    /// The media type that its sender states.
    mime: Option<String>,
    /// In bytes.
    size: Option<u64>,
}

impl From<&Attachment> for ReceivedFile {
    fn from(file: &Attachment) -> Self {
        let Attachment { kind, name, mime, size, .. } = file;
        Self { kind: kind.name(), name: name.clone(), mime: mime.clone(), size: *size }
    }
}

/// A file that was sent to a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SentFile {
    /// For example `o9`.
    id: String,
    kind: &'static str,
    name: String,
    mime: Option<String>,
    /// In bytes.
    size: Option<u64>,
}

impl SentFile {
    pub(crate) fn new(out: OutId, file: &PostedFile) -> Self {
        let PostedFile { kind, name, mime, size, .. } = file;
        Self { id: out.to_string(), kind: kind.name(), name: name.clone(), mime: mime.clone(), size: *size }
    }
}

/// The content of a file. Only a picture whose first bytes say so is shown; a browser saves every other file, whatever its
/// sender says that it is, so that nothing in it can run.
pub(crate) async fn response(file: OpenFile) -> Result<Response, ApiError> {
    let OpenFile { handle, size, name, .. } = file;
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "a file cannot be read");
        ApiError::internal()
    };
    let mut file = tokio::fs::File::from_std(handle);
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).await.map_err(failed)?;
    file.rewind().await.map_err(failed)?;
    let picture = media_type(&head);
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        // Only the name comes from others, and it is escaped.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, picture.unwrap_or("application/octet-stream"));
    set(header::CONTENT_LENGTH, &size.to_string());
    let disposition = if picture.is_some() { "inline" } else { "attachment" };
    let name = name.unwrap_or_else(|| "file".to_owned());
    let name = utf8_percent_encode(&name, IN_NAMES);
    set(header::CONTENT_DISPOSITION, &format!("{disposition}; filename*=UTF-8''{name}"));
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // A file that grows meanwhile must not exceed its stated length.
    let pieces = stream::try_unfold(file.take(size), async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}
