//! Files that a bot sends: uploaded, or named by their id.

use serde_json::{Map, Value, json};

use super::post;
use crate::answer::{Answer, Refusal};
use crate::file::{Content, Kind, Stored, dimensions};
use crate::params::Params;
use crate::world::World;

/// Bots upload no more than 50 MB, and photos of 10 MB.
const MOST: usize = 50 << 20;
const MOST_PHOTO: usize = 10 << 20;

macro_rules! senders {
    ($($name:ident => $kind:ident),*) => {
        $(pub fn $name(world: &mut World, bot: i64, params: &Params) -> Answer {
            send(world, bot, params, Kind::$kind)
        })*
    };
}

senders! {
    photo => Photo, document => Document, audio => Audio, video => Video, voice => Voice,
    animation => Animation, sticker => Sticker, video_note => VideoNote
}

fn send(world: &mut World, bot: i64, params: &Params, kind: Kind) -> Answer {
    // Before anything is stored, so that a refused post leaves nothing behind.
    post::address(world, bot, params)?;
    let caption = post::caption(world, params)?;
    let source = params.text(kind.field()).unwrap_or_default();
    let mut content = medium(world, params, kind, kind.field(), &source)?;
    world.write_text(&caption, "caption", &mut content);
    for (flag, name) in
        [("has_spoiler", "has_media_spoiler"), ("show_caption_above_media", "show_caption_above_media")]
    {
        if params.flag(flag) {
            content.insert(name.to_owned(), true.into());
        }
    }
    post::post(world, bot, params, content)
}

/// The fields of a message that carry a file: an upload, a known id, or an upload that `attach://` names.
pub fn medium(
    world: &mut World,
    params: &Params,
    kind: Kind,
    field: &str,
    source: &str,
) -> Result<Map<String, Value>, Refusal> {
    let upload = match source.strip_prefix("attach://") {
        Some(name) => params.uploads.get(name),
        None => params.uploads.get(field),
    };
    let Some(upload) = upload else { return known(world, kind, source) };
    let most = if kind == Kind::Photo { MOST_PHOTO } else { MOST };
    if upload.bytes.is_empty() {
        return Err(Refusal::bad("file must be non-empty"));
    }
    if upload.bytes.len() > most {
        return Err(match kind {
            Kind::Photo => Refusal::bad("PHOTO_SAVE_FILE_INVALID"),
            _ => Refusal::new(413, "Request Entity Too Large"),
        });
    }
    if kind == Kind::Photo && !is_fair(&upload.bytes) {
        return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    let content = Content {
        bytes: upload.bytes.clone(),
        claimed: 0,
        name: Some(upload.name.clone()),
        mime: upload.mime.clone(),
    };
    Ok(keep(world, kind, content))
}

/// Whether a picture is neither too large nor too long to be shown. What is no picture is let pass.
fn is_fair(bytes: &[u8]) -> bool {
    let Some((width, height)) = dimensions(bytes) else { return true };
    let (long, short) = (width.max(height), width.min(height));
    long.saturating_add(short) <= 10_000 && long <= short.saturating_mul(20)
}

fn known(world: &World, kind: Kind, source: &str) -> Result<Map<String, Value>, Refusal> {
    if source.is_empty() {
        return Err(Refusal::bad(format!("there is no {} in the request", kind.field().replace('_', " "))));
    }
    if source.starts_with("http://") || source.starts_with("https://") {
        // The server goes nowhere.
        return Err(Refusal::bad("failed to get HTTP URL content"));
    }
    let wrong = || Refusal::bad("wrong file identifier/HTTP URL specified");
    let stored = world.files.get(source).ok_or_else(wrong)?;
    if stored.kind != kind {
        let (is, should) = (stored.kind.field(), kind.field());
        return Err(Refusal::bad(format!("can't use file of type {is} as {should}")));
    }
    Ok(shown(stored))
}

/// Stores a file and says how a message shows it.
pub fn keep(world: &mut World, kind: Kind, content: Content) -> Map<String, Value> {
    if kind == Kind::Photo {
        let sizes = world.files.photo(&content);
        return Map::from_iter([("photo".to_owned(), json!(sizes))]);
    }
    shown(&world.files.keep(kind, content))
}

fn shown(stored: &Stored) -> Map<String, Value> {
    let media = stored.to_media();
    let mut fields = Map::new();
    match stored.kind {
        Kind::Photo => {
            let size = json!([{
                "file_id": stored.id, "file_unique_id": stored.unique_id,
                "file_size": stored.content.size(), "width": 800, "height": 600,
            }]);
            fields.insert("photo".to_owned(), size);
        }
        kind => {
            fields.insert(kind.field().to_owned(), media.clone());
        }
    }
    if stored.kind == Kind::Animation {
        // Old clients know animations as documents, so a message carries both.
        let mut document = media;
        if let Some(document) = document.as_object_mut() {
            document.retain(|name, _| !["duration", "width", "height"].contains(&name.as_str()));
        }
        fields.insert("document".to_owned(), document);
    }
    fields
}
