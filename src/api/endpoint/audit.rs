//! The audit: who changed what.

use serde_json::json;

use crate::error::ApiError;
use crate::list::RowsQuery;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

/// Lists entries, the newest first.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: RowsQuery = request.query()?;
    let rows = request.server.handle.audits(query.before()?, query.limit()).await?;
    Ok(ApiResponse::ok(json!({"audit": rows.iter().map(show::audit).collect::<Vec<_>>()})))
}
