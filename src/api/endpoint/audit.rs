//! The audit: who changed what.

use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    before: Option<String>,
    limit: Option<u32>,
    /// Only entries with this text.
    find: Option<String>,
}

/// Lists entries, the newest first. With `find` each request reads a part of them, so that a page may be short, or empty,
/// though `next` says that the list goes on.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: AuditQuery = request.query()?;
    let (before, limit) = (list::number_before(query.before.as_deref())?, list::row_limit(query.limit));
    let handle = &request.server.handle;
    let (rows, next) = match query.find.filter(|words| !words.trim().is_empty()) {
        Some(words) => handle.audits_with(words.trim(), before, limit).await?,
        None => {
            let rows = handle.audits(before, limit).await?;
            let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| row.id);
            (rows, next)
        }
    };
    let shown: Vec<_> = rows.iter().map(show::audit).collect();
    Ok(ApiResponse::ok(json!({"audit": shown, "next": next.map(|id| id.to_string())})))
}
