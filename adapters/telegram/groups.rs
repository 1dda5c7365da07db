//! Telegram's groups and channels, as an operator looks them up: `getChat`. The Bot API does not list them.

use frontdesk_core::group::{Group, LookupError};
use serde::Deserialize;
use teloxide_core::payloads::{GetChat, GetChatMember, GetChatMemberCount};
use teloxide_core::types::{ChatId, UserId};

use crate::api::Api;
use crate::error::Fault;

/// The fields of `getChat` that we use. Servers differ in the others.
#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    status: String,
    is_member: Option<bool>,
}

/// Describes a group or channel by its id.
pub(crate) async fn describe(api: &Api, bot: Option<&str>, id: &str) -> Result<Group, LookupError> {
    let chat = ChatId(id.parse().map_err(|_| LookupError::NoSuchGroup)?);
    let described: Chat = api.query(&GetChat::new(chat)).await.map_err(Fault::for_lookup)?;
    let kind = match described.kind.as_str() {
        "group" => "group",
        "supergroup" => "supergroup",
        "channel" => "channel",
        _ => return Err(LookupError::NoSuchGroup),
    };
    // What a group keeps to its members is left out.
    let members = api.query(&GetChatMemberCount::new(chat)).await.ok();
    let joined = match bot.and_then(|bot| bot.parse().ok()) {
        Some(bot) => api.query(&GetChatMember::new(chat, UserId(bot))).await.ok(),
        None => None,
    };
    Ok(Group {
        id: described.id.to_string(),
        name: described.title.unwrap_or_default(),
        kind,
        within: None,
        topic: described.description.filter(|text| !text.is_empty()),
        members,
        joined: joined.map(|member: Member| match member.status.as_str() {
            "left" | "kicked" => false,
            "restricted" => member.is_member == Some(true),
            _ => true,
        }),
        archived: false,
    })
}
