//! Albums.

use serde_json::Value;

use super::media::medium;
use super::post;
use crate::answer::{Answer, Done, Refusal};
use crate::file::Kind;
use crate::params::Params;
use crate::world::World;

/// Two to ten photos and videos, or documents, or audio files.
pub fn send(world: &mut World, bot: i64, params: &Params) -> Answer {
    post::address(world, bot, params)?;
    let Some(Value::Array(items)) = params.json("media")? else {
        return Err(Refusal::bad("can't parse media JSON object"));
    };
    if items.is_empty() {
        return Err(Refusal::bad("there are no media in the request"));
    }
    if items.len() > 10 {
        return Err(Refusal::bad("too many media to send as an album"));
    }
    let mut contents = Vec::with_capacity(items.len());
    for item in &items {
        let kind = item["type"].as_str().and_then(Kind::of);
        let kind = kind.ok_or_else(|| Refusal::bad("type of media is invalid"))?;
        let Value::Object(fields) = item.clone() else { continue };
        let caption = post::caption(world, &Params::of(fields))?;
        let source = item["media"].as_str().unwrap_or_default();
        let mut content = medium(world, params, kind, "media", source)?;
        world.write_text(&caption, "caption", &mut content);
        contents.push(content);
    }
    let album = format!("1{:016}", world.dice.below(10_000_000_000_000_000));
    let mut sent = Vec::with_capacity(contents.len());
    let (mut first, several) = (None, contents.len() > 1);
    for mut content in contents {
        if several {
            content.insert("media_group_id".to_owned(), album.clone().into());
        }
        let done = post::post(world, bot, params, content)?;
        first = first.or(done.message);
        sent.push(done.json);
    }
    Ok(Done { json: format!("[{}]", sent.join(",")), message: first, remark: None })
}
