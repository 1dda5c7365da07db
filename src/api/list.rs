//! Lists of rows that may be large: as many rows as fit into a bounded page, in memory that all clients share until they
//! have read it.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse;
use frontdesk_store::StoreError;
use frontdesk_store::row::Page;
use serde_json::Value;

use crate::budget::{Reserved, held};
use crate::error::ApiError;
use crate::gate::Answer;
use crate::server::ServerState;

/// How many bytes of text a page holds, unless its first row alone holds more.
pub(crate) const PAGE: usize = 1024 * 1024;

/// Answers that are smaller need not ask for memory.
pub(crate) const SMALL: usize = 64 * 1024;

/// How long an answer waits for others to be read.
const PATIENCE: Duration = Duration::from_secs(15);

impl ServerState {
    /// Memory for an answer of this size: an error says that others hold too much for too long.
    pub(crate) async fn reserve_unread(&self, bytes: usize) -> Result<Reserved, ApiError> {
        tokio::select! {
            reserved = self.unread.reserve(bytes) => reserved.ok_or_else(ApiError::stopping),
            () = self.stop.cancelled() => Err(ApiError::stopping()),
            () = self.pause(PATIENCE) => Err(ApiError::busy()),
        }
    }

    /// Reads a page of at most `most` bytes, or one larger row. Its memory is reserved before it is read.
    pub(crate) async fn page<T, F: Future<Output = Result<Page<T>, StoreError>>>(
        &self,
        mut most: usize,
        read: impl Fn(usize) -> F,
    ) -> Result<(Page<T>, Reserved), ApiError> {
        loop {
            // The rows, and what is made of them.
            let reserved = self.reserve_unread(2 * most).await?;
            let page = read(most).await?;
            if page.bytes <= most {
                return Ok((page, reserved));
            }
            most = page.bytes;
        }
    }

    /// A page as JSON: `{NAME: [...], "next": ...}`, made row by row. `next` is where the list goes on.
    pub(crate) async fn listed<T>(
        &self,
        name: &str,
        (page, mut reserved): (Page<T>, Reserved),
        limit: u32,
        show: impl Fn(&T) -> Value,
        cursor: impl Fn(&T) -> String,
    ) -> Result<Answer, ApiError> {
        let more = page.more || page.rows.len() >= limit as usize;
        let next = page.rows.last().filter(|_| more).map(&cursor);
        let mut json = format!("{{\"{name}\":[");
        for (n, row) in page.rows.into_iter().enumerate() {
            if n > 0 {
                json.push(',');
            }
            json.push_str(&show(&row).to_string());
        }
        json.push_str("],\"next\":");
        json.push_str(&Value::from(next).to_string());
        json.push('}');
        if json.len() > reserved.bytes() {
            // Text that JSON must escape; whoever waits meanwhile holds nothing else.
            drop(reserved);
            reserved = self.reserve_unread(json.len()).await?;
        }
        Ok(kept(json, reserved))
    }
}

/// An answer whose memory is reserved until the client has read it.
pub(crate) fn kept(json: String, mut reserved: Reserved) -> Answer {
    reserved.shrink(json.len());
    let body = Body::from(held(json.into_bytes(), reserved));
    Answer::Other(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
