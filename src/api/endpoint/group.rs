//! The groups and channels that a platform shows to its bot.

use frontdesk_runtime::GroupView;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// `next` of the page before.
    from: Option<String>,
}

/// Lists the groups of an account, one page at a time. The platform decides how many a page has.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: ListQuery = request.query()?;
    let list = request.server.handle.groups(request.param(0)?, query.from.as_deref()).await?;
    Ok(ApiResponse::ok(json!({
        "channel": list.account.channel(),
        "account": list.account.name(),
        "groups": list.groups.iter().map(shown).collect::<Vec<_>>(),
        "next": list.next,
        "only_served": list.only_served,
    })))
}

/// Describes one group.
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let view = request.server.handle.group(request.param(0)?, request.param(1)?).await?;
    Ok(ApiResponse::ok(shown(&view)))
}

fn shown(view: &GroupView) -> Value {
    let group = &view.group;
    json!({
        "id": group.id,
        "name": group.name,
        "kind": group.kind,
        "within": group.within,
        "topic": group.topic,
        "members": group.members,
        "joined": group.joined,
        "archived": group.archived,
        "served": view.served,
    })
}
