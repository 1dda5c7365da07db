//! Files that a bot sends, uploaded or named by their id, and fetches.

use frontdesk_fakes::Params;
use serde_json::{Map, Value};

use super::send;
use crate::answer::{Answer, Done, Refusal, named};
use crate::file::{Content, Kind, dimensions};
use crate::world::World;

/// Bots upload at most 50 MB, and photos of 10 MB.
const MOST: usize = 50 << 20;
const MOST_PHOTO: usize = 10 << 20;
/// Bots download at most 20 MB.
const MOST_DOWNLOAD: u64 = 20 << 20;

macro_rules! senders {
    ($($name:ident => $kind:ident),*) => {
        $(pub fn $name(world: &mut World, bot: i64, params: &Params) -> Answer {
            send_one(world, bot, params, Kind::$kind)
        })*
    };
}

senders! {
    send_photo => Photo, send_document => Document, send_audio => Audio, send_video => Video, send_voice => Voice,
    send_animation => Animation, send_sticker => Sticker, send_video_note => VideoNote
}

fn send_one(world: &mut World, bot: i64, params: &Params, kind: Kind) -> Answer {
    // Checked before anything is stored, so that a refused post leaves nothing behind.
    send::target(world, bot, params)?;
    let caption = send::caption(world, params)?;
    let source = params.text(&kind.field()).unwrap_or_default();
    let mut content = medium(world, params, kind, &kind.field(), &source)?;
    world.write_text(&caption, "caption", &mut content);
    post(world, bot, params, content)
}

fn post(world: &mut World, bot: i64, params: &Params, mut content: Map<String, Value>) -> Answer {
    for (flag, field) in
        [("has_spoiler", "has_media_spoiler"), ("show_caption_above_media", "show_caption_above_media")]
    {
        if params.flag(flag) {
            content.insert(field.to_owned(), true.into());
        }
    }
    send::post(world, bot, params, content)
}

/// An album: at most ten photos and videos, or documents, or audio files.
pub fn send_group(world: &mut World, bot: i64, params: &Params) -> Answer {
    send::target(world, bot, params)?;
    let Some(Value::Array(items)) = params.json("media")? else {
        return Err(Refusal::bad("can't parse media JSON object"));
    };
    match items.len() {
        0 => return Err(Refusal::bad("there are no messages to send")),
        1..=10 => {}
        _ => return Err(Refusal::bad("too many messages to send as an album")),
    }
    let kinds = items.iter().map(album_kind).collect::<Result<Vec<_>, _>>()?;
    for alone in [Kind::Document, Kind::Audio] {
        if kinds.contains(&alone) && kinds.iter().any(|kind| *kind != alone) {
            let name = alone.field();
            return Err(Refusal::bad(format!("{name} can't be mixed with other media types")));
        }
    }
    let mut contents = Vec::with_capacity(items.len());
    for (n, (item, kind)) in items.iter().zip(kinds).enumerate() {
        let caption = send::caption(world, &Params::of(item.as_object().cloned().unwrap_or_default()))?;
        let source = item["media"].as_str().unwrap_or_default();
        if source.strip_prefix("attach://").is_some_and(|name| !params.uploads.contains_key(name)) {
            return Err(Refusal::bad("can't parse InputMedia: media not found"));
        }
        let mut content =
            medium(world, params, kind, "media", source).map_err(|refusal| of_file(n, refusal))?;
        world.write_text(&caption, "caption", &mut content);
        contents.push(content);
    }
    let album = format!("1{:016}", world.common.random.below(10_000_000_000_000_000));
    let mut sent = Vec::with_capacity(contents.len());
    for mut content in contents {
        if items.len() > 1 {
            content.insert("media_group_id".to_owned(), album.clone().into());
        }
        sent.push(send::post(world, bot, params, content)?);
    }
    let json: Vec<&str> = sent.iter().map(|done| done.json.as_str()).collect();
    let first = sent.first().and_then(|done| done.message);
    Ok(Done { json: format!("[{}]", json.join(",")), message: first, description: None })
}

/// The kind of one file of an album. Only four kinds can be in one.
fn album_kind(item: &Value) -> Result<Kind, Refusal> {
    let name = item["type"].as_str().unwrap_or_default();
    match named::<Kind>(name) {
        Some(kind @ (Kind::Photo | Kind::Video | Kind::Document | Kind::Audio)) => Ok(kind),
        Some(Kind::Animation) => {
            Err(Refusal::bad("can't parse InputMedia: type \"animation\" can't be used in sendMediaGroup"))
        }
        _ => Err(Refusal::bad(format!("can't parse InputMedia: type \"{name}\" is unsupported"))),
    }
}

/// The refusal of one file of an album, which names its place. A request that is too large is refused before it is read.
fn of_file(n: usize, refusal: Refusal) -> Refusal {
    if refusal.code == 413 {
        return refusal;
    }
    let error = refusal.description.strip_prefix("Bad Request: ").unwrap_or(&refusal.description);
    Refusal::bad(format!("failed to send message #{} with the error message \"{error}\"", n + 1))
}

/// The fields of a message that carry a file: an upload, an upload that `attach://` names, or a known id.
fn medium(
    world: &mut World,
    params: &Params,
    kind: Kind,
    field: &str,
    source: &str,
) -> Result<Map<String, Value>, Refusal> {
    let upload = params.uploads.get(source.strip_prefix("attach://").unwrap_or(field));
    let Some(upload) = upload else { return known(world, kind, source) };
    let is_photo = kind == Kind::Photo;
    if upload.bytes.is_empty() {
        return Err(Refusal::bad("file must be non-empty"));
    }
    if is_photo && upload.bytes.len() > MOST_PHOTO {
        return Err(Refusal::bad("PHOTO_SAVE_FILE_INVALID"));
    }
    if upload.bytes.len() > MOST {
        return Err(Refusal::new(413, "Request Entity Too Large"));
    }
    if is_photo && !can_be_shown(&upload.bytes) {
        return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    let (name, mime) = (Some(upload.name.clone()), upload.mime.clone());
    Ok(world.files.attach(kind, Content { bytes: upload.bytes.clone(), claimed: 0, name, mime }))
}

/// Whether a picture is neither too large nor too long. Bytes that are no picture pass.
fn can_be_shown(bytes: &[u8]) -> bool {
    let Some((width, height)) = dimensions(bytes) else { return true };
    let (long, short) = (width.max(height), width.min(height));
    long.saturating_add(short) <= 10_000 && long <= short.saturating_mul(20)
}

fn known(world: &World, kind: Kind, source: &str) -> Result<Map<String, Value>, Refusal> {
    if source.is_empty() {
        return Err(Refusal::bad(format!("there is no {} in the request", kind.field().replace('_', " "))));
    }
    if source.starts_with("http://") || source.starts_with("https://") {
        // This server fetches nothing.
        return Err(Refusal::bad("failed to get HTTP URL content"));
    }
    let stored = world.files.get(source);
    let stored = stored.ok_or_else(|| Refusal::bad("wrong file identifier/HTTP URL specified"))?;
    if stored.kind != kind {
        let (is, should) = (stored.kind.field(), kind.field());
        return Err(Refusal::bad(format!("can't use file of type {is} as {should}")));
    }
    Ok(stored.to_message())
}

pub fn get_file(world: &mut World, _: i64, params: &Params) -> Answer {
    let id = params.text("file_id").unwrap_or_default();
    if id.is_empty() {
        return Err(Refusal::bad("file_id not specified"));
    }
    let stored = world.files.get(&id);
    let stored =
        stored.ok_or_else(|| Refusal::bad("wrong file_id or the file is temporarily unavailable"))?;
    if let Some(folder) = &world.local {
        let path = folder.join(stored.path.replace('/', "-"));
        std::fs::write(&path, &stored.content.bytes)
            .map_err(|error| Refusal::new(500, format!("Internal Server Error: {error}")))?;
        let mut file = stored.to_json();
        file["file_path"] = path.display().to_string().into();
        return Ok(Done::with(&file));
    }
    if stored.content.size() > MOST_DOWNLOAD {
        return Err(Refusal::bad("file is too big"));
    }
    Ok(Done::with(&stored.to_json()))
}
