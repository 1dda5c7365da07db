//! Who changed what.

use serde::Deserialize;
use serde_json::json;

use crate::endpoint::session::limit;
use crate::error::ApiError;
use crate::gate::{Answer, Call};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    before: Option<i64>,
    limit: Option<u32>,
}

/// Lines of the audit, the newest first.
pub(crate) async fn list(call: Call) -> Result<Answer, ApiError> {
    let Which { before, limit: most } = call.query()?;
    let rows = call.server.handle.audits(before, limit(most)).await?;
    Ok(Answer::ok(json!({"audit": rows.iter().map(show::audit).collect::<Vec<_>>()})))
}
