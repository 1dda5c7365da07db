//! The audit: who changed what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::access::AuditEntry;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// `next` of the page before.
    #[schemars(pattern(r"^[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// Only entries with this text.
    find: Option<String>,
}

/// Who changed what.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditLog {
    audit: Vec<AuditEntry>,
    next: Option<String>,
}

/// Lists entries, the newest first. With `find` each request reads a part of them, so that a page may be short, or empty,
/// though `next` says that the list goes on.
#[utoipa::path(get, path = "/api/audit", params(AuditQuery), responses((status = 200, body = AuditLog)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: AuditQuery = request.query()?;
    let (before, limit) = (list::number_before(query.before.as_deref())?, list::row_limit(query.limit)?);
    let handle = &request.server.handle;
    let (rows, next) = match query.find.filter(|words| !words.trim().is_empty()) {
        Some(words) => handle.audits_with(words.trim(), before, limit).await?,
        None => {
            let rows = handle.audits(before, limit).await?;
            let next = rows.last().filter(|_| rows.len() >= limit as usize).map(|row| row.id);
            (rows, next)
        }
    };
    let audit = rows.iter().map(AuditEntry::from).collect();
    Ok(ApiResponse::ok(AuditLog { audit, next: next.map(|id| id.to_string()) }))
}
