//! Slack's channels, as an operator looks them up: `conversations.info` and `conversations.list`.

use frontdesk_core::group::{Group, GroupPage, LookupError};
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::Fault;

/// The size of a page. Slack recommends at most this many.
const PAGE: u32 = 200;

/// Describes a channel by its id.
pub(crate) async fn describe(api: &Api, id: &str) -> Result<Group, LookupError> {
    let ask = json!({"channel": id, "include_num_members": true});
    let answer = api.call("conversations.info", ask).await.map_err(Fault::for_lookup)?;
    group(&answer["channel"]).ok_or(LookupError::NoSuchGroup)
}

/// Lists the public channels of the workspace and the private ones that the app is in, one page at a time.
pub(crate) async fn list(api: &Api, cursor: Option<&str>) -> Result<GroupPage, LookupError> {
    let mut ask = json!({"types": "public_channel,private_channel", "exclude_archived": true, "limit": PAGE});
    if let Some(cursor) = cursor {
        ask["cursor"] = cursor.into();
    }
    let answer = api.call("conversations.list", ask).await.map_err(Fault::for_lookup)?;
    let channels = answer["channels"].as_array();
    let next = answer["response_metadata"]["next_cursor"].as_str();
    Ok(GroupPage {
        groups: channels.into_iter().flatten().filter_map(group).collect(),
        next: next.filter(|next| !next.is_empty()).map(str::to_owned),
    })
}

/// A channel; `None` for a private chat.
fn group(channel: &Value) -> Option<Group> {
    let is = |field: &str| channel[field] == true;
    let id = channel["id"].as_str().filter(|_| !is("is_im"))?;
    let kind = match () {
        () if is("is_mpim") => "group chat",
        () if is("is_private") || is("is_group") => "private channel",
        () => "channel",
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).filter(|text| !text.is_empty());
    Some(Group {
        id: id.to_owned(),
        name: text(&channel["name"]).unwrap_or_default(),
        kind,
        within: None,
        topic: text(&channel["topic"]["value"]).or_else(|| text(&channel["purpose"]["value"])),
        members: channel["num_members"].as_u64(),
        joined: channel["is_member"].as_bool(),
        archived: is("is_archived"),
    })
}
