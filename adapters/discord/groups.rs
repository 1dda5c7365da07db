//! Discord's channels, as an operator looks them up: one channel, or those of all servers, one server per page.

use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Fault;
use crate::rest::{Request, Rest};
use crate::rights::Rights;

#[derive(Deserialize)]
struct Guild {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Member {
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
    #[serde(rename = "type")]
    kind: u64,
    guild_id: Option<String>,
    name: Option<String>,
    topic: Option<String>,
    thread_metadata: Option<Thread>,
}

#[derive(Deserialize)]
struct Thread {
    archived: bool,
}

/// Discord's word for a kind of channel in which people write; `None` for categories and private chats.
fn word(kind: u64) -> Option<&'static str> {
    Some(match kind {
        0 => "text channel",
        2 => "voice channel",
        5 => "announcements",
        10..=12 => "thread",
        13 => "stage",
        15 => "forum",
        16 => "media channel",
        _ => return None,
    })
}

impl Channel {
    fn group(self, within: &str, joined: bool) -> Option<Group> {
        Some(Group {
            kind: word(self.kind)?,
            id: self.id,
            name: self.name.unwrap_or_default(),
            within: Some(within.to_owned()),
            topic: self.topic.filter(|topic| !topic.is_empty()),
            members: None,
            joined: Some(joined),
            archived: self.thread_metadata.is_some_and(|thread| thread.archived),
        })
    }
}

/// Describes a channel or thread by its id.
pub(crate) async fn describe(rest: &Rest, id: &str) -> Result<Group, LookupError> {
    // Anything else would be another path of the API.
    if id.parse::<u64>().is_err() {
        return Err(LookupError::NoSuchGroup);
    }
    let request = Request::new("get_channel", Method::GET, &["channels", id]);
    let channel: Channel = rest.query(&request).await.map_err(Fault::for_lookup)?;
    let guild = channel.guild_id.clone().ok_or(LookupError::NoSuchGroup)?;
    let request = Request::new("get_guild", Method::GET, &["guilds", &guild]);
    let guild: Guild = rest.query(&request).await.map_err(Fault::for_lookup)?;
    // Discord shows a channel only to those who may see it.
    channel.group(&guild.name, true).ok_or(LookupError::NoSuchGroup)
}

/// Lists the channels of the first server after the one with the id `after`.
pub(crate) async fn list(rest: &Rest, bot: &str, after: Option<&str>) -> Result<GroupPage, LookupError> {
    let mut request =
        Request::new("list_my_guilds", Method::GET, &["users", "@me", "guilds"]).with("limit", 1);
    if let Some(after) = after {
        request = request.with("after", after);
    }
    let guilds: Vec<Box<RawValue>> = rest.query(&request).await.map_err(Fault::for_lookup)?;
    let Some(listed) = guilds.first() else { return Ok(GroupPage::default()) };
    let unreadable = |_| LookupError::Later("a server without an id or a name".to_owned());
    let guild: Guild = serde_json::from_str(listed.get()).map_err(unreadable)?;
    let request = Request::new("get_guild_member", Method::GET, &["guilds", &guild.id, "members", bot]);
    let member: Member = rest.query(&request).await.map_err(Fault::for_lookup)?;
    let rights = Rights::of(listed, &guild.id, member.roles, bot);
    let request = Request::new("list_guild_channels", Method::GET, &["guilds", &guild.id, "channels"]);
    let channels: Vec<Box<RawValue>> = rest.query(&request).await.map_err(Fault::for_lookup)?;
    let group = |raw: &RawValue| {
        let channel: Channel = serde_json::from_str(raw.get()).ok()?;
        let joined = rights.may_see(&Fields::of(raw.get(), "")?);
        channel.group(&guild.name, joined)
    };
    Ok(GroupPage { groups: channels.iter().filter_map(|raw| group(raw)).collect(), next: Some(guild.id) })
}
