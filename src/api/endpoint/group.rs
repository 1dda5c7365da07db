//! The groups and channels that a platform shows to its bot.

use frontdesk_runtime::GroupView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::request::{ApiRequest, ApiResponse};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupsQuery {
    /// `next` of the page before.
    from: Option<String>,
}

/// The groups and channels of an account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Groups {
    channel: String,
    account: String,
    groups: Vec<Group>,
    next: Option<String>,
    /// Whether the platform names only those in which the bot is.
    only_served: bool,
}

/// A group or a channel of a platform.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Group {
    id: String,
    name: String,
    kind: &'static str,
    /// What it belongs to, for example a category.
    within: Option<String>,
    topic: Option<String>,
    /// Number of its members.
    members: Option<u64>,
    /// Whether the bot is in it.
    joined: Option<bool>,
    archived: bool,
    /// Whether the agent answers there.
    served: bool,
}

/// Lists the groups of an account, one page at a time. The platform decides how many a page has.
#[utoipa::path(get, path = "/api/channel/{channel}/groups", params(GroupsQuery), responses((status = 200, body = Groups), (status = 404), (status = 502)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: GroupsQuery = request.query()?;
    let list = request.server.handle.groups(request.param(0)?, query.from.as_deref()).await?;
    Ok(ApiResponse::ok(Groups {
        channel: list.account.channel().to_owned(),
        account: list.account.name().to_owned(),
        groups: list.groups.iter().map(Group::from).collect(),
        next: list.next,
        only_served: list.only_served,
    }))
}

/// Describes one group.
#[utoipa::path(get, path = "/api/channel/{channel}/groups/{group}", responses((status = 200, body = Group), (status = 404), (status = 502)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let view = request.server.handle.group(request.param(0)?, request.param(1)?).await?;
    Ok(ApiResponse::ok(Group::from(&view)))
}

impl From<&GroupView> for Group {
    fn from(view: &GroupView) -> Self {
        let group = &view.group;
        Self {
            id: group.id.clone(),
            name: group.name.clone(),
            kind: group.kind,
            within: group.within.clone(),
            topic: group.topic.clone(),
            members: group.members,
            joined: group.joined,
            archived: group.archived,
            served: view.served,
        }
    }
}
