//! Large lists: a page holds as many rows as fit into a number of bytes, and its memory stays reserved until the client
//! has read it.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use frontdesk_store::StoreError;
use frontdesk_store::row::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::{Reserved, reserved_bytes};
use crate::error::ApiError;
use crate::request::ApiResponse;
use crate::server::ServerState;

/// Maximum bytes of text in a page, unless its first row alone holds more.
pub(crate) const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// Answers up to this number of bytes need no reservation.
pub(crate) const SMALL: usize = 64 * 1024;

/// The number of rows in a list if the client names none.
pub(crate) const DEFAULT_ROWS: u32 = 50;

/// Maximum number of rows in a list.
const MAX_ROWS: u32 = 200;

/// How long an answer waits until memory is available.
const RESERVE_TIMEOUT: Duration = Duration::from_secs(15);

/// The query of a list whose rows have numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowsQuery {
    /// The id of the last row of the page before.
    #[schemars(pattern(r"^[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

impl RowsQuery {
    pub(crate) fn before(&self) -> Result<Option<i64>, ApiError> {
        number_before(self.before.as_deref())
    }

    pub(crate) fn limit(&self) -> Result<u32, ApiError> {
        row_limit(self.limit)
    }
}

/// The number before which a list goes on.
pub(crate) fn number_before(text: Option<&str>) -> Result<Option<i64>, ApiError> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| ApiError::bad_request("before: an id is a number, as the list shows it, for example 42"))
}

/// The number of rows in a list.
pub(crate) fn row_limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked.unwrap_or(DEFAULT_ROWS) {
        rows @ 1..=MAX_ROWS => Ok(rows),
        _ => Err(ApiError::bad_request(format!("limit: this is a number from 1 to {MAX_ROWS}"))),
    }
}

impl ServerState {
    /// Reserves memory for an answer of this size. An error says that other answers held too much for too long.
    pub(crate) async fn reserve_unread(&self, bytes: usize) -> Result<Reserved, ApiError> {
        tokio::select! {
            reserved = self.unread.reserve(bytes) => reserved.ok_or_else(ApiError::stopping),
            () = self.stop.cancelled() => Err(ApiError::stopping()),
            () = self.pause(RESERVE_TIMEOUT) => Err(ApiError::busy()),
        }
    }

    /// Reads a page of at most `max` bytes, or one larger row. Its memory is reserved before it is read.
    pub(crate) async fn page<T, F: Future<Output = Result<Page<T>, StoreError>>>(
        &self,
        mut max: usize,
        read: impl Fn(usize) -> F,
    ) -> Result<(Page<T>, Reserved), ApiError> {
        loop {
            // The rows and their serialized form.
            let reserved = self.reserve_unread(2 * max).await?;
            let page = read(max).await?;
            if page.bytes <= max {
                return Ok((page, reserved));
            }
            max = page.bytes;
        }
    }

    /// A page as JSON: `{NAME: [...], "next": ...}`, serialized row by row. `next` is the cursor of the next page.
    pub(crate) async fn list_response<T, S: Serialize>(
        &self,
        name: &str,
        (page, mut reserved): (Page<T>, Reserved),
        limit: u32,
        show: impl Fn(&T) -> S,
        cursor: impl Fn(&T) -> String,
    ) -> Result<ApiResponse, ApiError> {
        let more = page.more || page.rows.len() >= limit as usize;
        let next = page.rows.last().filter(|_| more).map(&cursor);
        let mut json = format!("{{\"{name}\":[");
        for (n, row) in page.rows.into_iter().enumerate() {
            if n > 0 {
                json.push(',');
            }
            json.push_str(&text(&show(&row))?);
        }
        json.push_str("],\"next\":");
        json.push_str(&Value::from(next).to_string());
        json.push('}');
        if json.len() > reserved.bytes() {
            // Escaping made the text longer. Nothing is held while more memory is waited for, so that requests cannot
            // block each other.
            drop(reserved);
            reserved = self.reserve_unread(json.len()).await?;
        }
        Ok(response(json, reserved))
    }

    /// An answer that may be large.
    pub(crate) async fn large_response<T: Serialize>(&self, body: &T) -> Result<ApiResponse, ApiError> {
        let json = text(body)?;
        let reserved = self.reserve_unread(json.len()).await?;
        Ok(response(json, reserved))
    }
}

/// An answer whose memory stays reserved until the client has read it.
pub(crate) fn reserved_response<T: Serialize>(body: &T, reserved: Reserved) -> Result<ApiResponse, ApiError> {
    Ok(response(text(body)?, reserved))
}

fn response(json: String, mut reserved: Reserved) -> ApiResponse {
    reserved.shrink(json.len());
    let body = Body::from(reserved_bytes(json.into_bytes(), reserved));
    ApiResponse::Other(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn text<T: Serialize>(body: &T) -> Result<String, ApiError> {
    serde_json::to_string(body).map_err(|error| {
        tracing::error!(%error, "a response could not be serialized");
        ApiError::internal()
    })
}
