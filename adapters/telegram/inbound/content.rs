//! What a message contains.

use frontdesk_core::message::{Attachment, FileKind, Link};

use super::link::{self, ExpandedText};
use super::model::{self, Entity};
use frontdesk_kit::json::{FieldError, Fields};

/// The maximum length of a field of somebody's data in a description, in characters.
const PIECE: usize = 200;
/// The maximum length of the name of an unknown kind, in bytes.
const LONGEST_NAME: usize = 40;

/// Kinds of messages that only people send and no agent can take. Their sender gets a notice.
const FOR_NO_AGENT: [&str; 11] = [
    "paid_media",
    "game",
    "story",
    "invoice",
    "passport_data",
    "web_app_data",
    "users_shared",
    "user_shared",
    "chat_shared",
    "giveaway",
    "giveaway_winners",
];

/// Service messages, which nothing here uses.
const SERVICE: [&str; 48] = [
    "giveaway_completed",
    "giveaway_created",
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "connected_website",
    "write_access_allowed",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "paid_message_price_changed",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "chat_owner_left",
    "chat_owner_changed",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
    "voice_chat_scheduled",
    "voice_chat_started",
    "voice_chat_ended",
    "voice_chat_participants_invited",
    "migrate_from_chat_id",
];

/// Fields that any message may have.
const COMMON: [&str; 32] = [
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "business_connection_id",
    "chat",
    "forward_origin",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "via_bot",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "media_group_id",
    "author_signature",
    "reply_markup",
    "text",
    "entities",
    "caption",
    "caption_entities",
    "link_preview_options",
    "effect_id",
    "has_media_spoiler",
    "show_caption_above_media",
];

/// What a message contains.
pub(super) enum Content {
    /// Text, files or both.
    Message(MessageContent),
    /// A kind that no agent can take, by Telegram's name for it.
    ForNoAgent(&'static str),
    /// A kind that this version does not know, by Telegram's name for it.
    Unknown(String),
    /// The chat has a new id.
    Moved(i64),
    /// A service message, by Telegram's name for it.
    Service(&'static str),
}

/// The text and the files of a message.
#[derive(Default)]
pub(super) struct MessageContent {
    /// Includes the targets of hidden links.
    pub text: String,
    pub entities: Vec<Entity>,
    pub links: Vec<Link>,
    /// Whether the text is the caption of a file.
    pub is_caption: bool,
    pub files: Vec<Attachment>,
    pub album: Option<String>,
}

/// Determines what a message contains.
pub(super) fn of(message: &Fields<'_>) -> Result<Content, FieldError> {
    if message.has("business_connection_id") {
        return Ok(Content::Service("business"));
    }
    if let Some(text) = message.get::<String>("text")? {
        return Ok(Content::Message(expanded(&text, &model::entities(message, "entities")?)));
    }
    if let Some(content) =
        file_content(message)?.map_or_else(|| described_content(message), |content| Ok(Some(content)))?
    {
        return Ok(Content::Message(content));
    }
    if let Some(to) = message.get("migrate_to_chat_id")? {
        return Ok(Content::Moved(to));
    }
    let among = |names: &[&'static str]| names.iter().find(|name| message.has(name)).copied();
    Ok(match (among(&FOR_NO_AGENT), among(&SERVICE)) {
        (Some(name), _) => Content::ForNoAgent(name),
        (None, Some(name)) => Content::Service(name),
        (None, None) => Content::Unknown(unknown(message, &COMMON)),
    })
}

/// Whether a field names a kind of message that no agent takes.
#[cfg(test)]
pub(super) fn is_known(name: &str) -> bool {
    FOR_NO_AGENT.contains(&name) || SERVICE.contains(&name)
}

/// Whether it is a location, which may be a live location that changes.
pub(super) fn is_location(message: &Fields<'_>) -> bool {
    message.has("location") && !message.has("venue")
}

/// The name of an unknown field of an object. It is `unknown` if the name is not a plain word, because it becomes a
/// metric label.
pub(super) fn unknown(object: &Fields<'_>, known: &[&str]) -> String {
    let mut names: Vec<&str> = object.names().filter(|name| !known.contains(name)).collect();
    names.sort_unstable();
    let plain = |name: &&&str| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(letter)
    };
    names.first().filter(plain).map_or_else(|| "unknown".to_owned(), |name| (*name).to_owned())
}

/// A file and its caption.
fn file_content(message: &Fields<'_>) -> Result<Option<MessageContent>, FieldError> {
    let Some(file) = attachment(message)? else { return Ok(None) };
    let text: String = message.get("caption")?.unwrap_or_default();
    let mut content = MessageContent {
        is_caption: true,
        files: vec![file],
        album: message.get("media_group_id")?,
        ..expanded(&text, &model::entities(message, "caption_entities")?)
    };
    if let Some(sticker) = message.maybe::<Fields<'_>>("sticker") {
        content.text = sticker
            .maybe::<String>("emoji")
            .map(|emoji| format!("[Sticker {}]", line(&emoji)))
            .unwrap_or_default();
    }
    Ok(Some(content))
}

fn expanded(text: &str, entities: &[Entity]) -> MessageContent {
    let ExpandedText { text, entities, links } = link::expand_links(text, entities);
    MessageContent { text, entities, links, ..MessageContent::default() }
}

/// The file of a message, or of a message in another chat that is only referred to.
pub(super) fn attachment(message: &Fields<'_>) -> Result<Option<Attachment>, FieldError> {
    // An animation has a `document` field as well, for compatibility.
    for (name, kind) in [
        ("animation", FileKind::Animation),
        ("audio", FileKind::Audio),
        ("document", FileKind::Document),
        ("sticker", FileKind::Sticker),
        ("video", FileKind::Video),
        ("video_note", FileKind::VideoNote),
        ("voice", FileKind::Voice),
    ] {
        let Some(it) = message.get::<Fields<'_>>(name)? else { continue };
        let (mime, shown) = (it.maybe("mime_type"), it.maybe("file_name"));
        let mut file = file(&it, kind)?;
        (file.name, file.mime) = match name {
            "video_note" => (None, Some("video/mp4".to_owned())),
            "voice" => (None, mime),
            "sticker" => (None, Some(sticker_type(&it).to_owned())),
            "audio" => (shown.or_else(|| it.maybe("title")), mime),
            _ => (shown, mime),
        };
        return Ok(Some(file));
    }
    picture(message)
}

/// The largest size of a photo. Telegram converts every photo to JPEG.
fn picture(message: &Fields<'_>) -> Result<Option<Attachment>, FieldError> {
    if message.get::<&str>("photo")?.is_none() {
        return Ok(None);
    }
    let sizes: Vec<Fields<'_>> = message.list("photo")?;
    let area = |size: &&Fields<'_>| {
        let side = |name| size.maybe::<u64>(name).unwrap_or_default();
        side("width").saturating_mul(side("height"))
    };
    let largest = sizes.iter().filter(|size| size.maybe::<String>("file_id").is_some()).max_by_key(area);
    let largest = largest.ok_or_else(|| message.field_error("photo"))?;
    Ok(Some(Attachment { mime: Some("image/jpeg".to_owned()), ..file(largest, FileKind::Photo)? }))
}

fn file(it: &Fields<'_>, kind: FileKind) -> Result<Attachment, FieldError> {
    Ok(Attachment {
        reference: it.need("file_id")?,
        unique: it.maybe("file_unique_id"),
        kind,
        name: None,
        mime: None,
        size: it.maybe("file_size"),
        seconds: it.maybe("duration"),
        kept: None,
    })
}

fn sticker_type(sticker: &Fields<'_>) -> &'static str {
    let flag = |name| sticker.maybe(name).unwrap_or(false);
    match (flag("is_animated"), flag("is_video")) {
        (true, _) => "application/x-tgsticker",
        (_, true) => "video/webm",
        _ => "image/webp",
    }
}

/// A location, a contact, a poll and the like, described in words; `None` for other messages.
fn described_content(message: &Fields<'_>) -> Result<Option<MessageContent>, FieldError> {
    let object = |name| message.get::<Fields<'_>>(name);
    let text = if let Some(venue) = object("venue")? {
        let (title, address) =
            (line(&venue.need::<String>("title")?), line(&venue.need::<String>("address")?));
        format!("[Place: {title}, {address}; {}]", coordinates(&venue.need("location")?)?)
    } else if let Some(location) = object("location")? {
        let live = if location.has("live_period") { "Live location" } else { "Location" };
        format!("[{live}: {}]", coordinates(&location)?)
    } else if let Some(contact) = object("contact")? {
        let last = contact.maybe::<String>("last_name").unwrap_or_default();
        let name = line(&format!("{} {last}", contact.need::<String>("first_name")?));
        format!("[Contact: {name}, {}]", line(&contact.need::<String>("phone_number")?))
    } else if let Some(poll) = object("poll")? {
        let question = line(&poll.need::<String>("question")?);
        format!("[Poll: {question} {}]", lines(&poll, "options")?.join(" / "))
    } else if let Some(checklist) = object("checklist")? {
        let title = line(&checklist.need::<String>("title")?);
        format!("[Checklist: {title}; {}]", lines(&checklist, "tasks")?.join("; "))
    } else if let Some(dice) = object("dice")? {
        format!("[Dice {}: {}]", line(&dice.need::<String>("emoji")?), dice.need::<i64>("value")?)
    } else {
        return Ok(None);
    };
    Ok(Some(MessageContent { text, ..MessageContent::default() }))
}

fn lines(of: &Fields<'_>, name: &str) -> Result<Vec<String>, FieldError> {
    Ok(model::texts_of(of, name, "text")?.iter().map(|text| line(text)).collect())
}

fn coordinates(location: &Fields<'_>) -> Result<String, FieldError> {
    Ok(format!("{:.6}, {:.6}", location.need::<f64>("latitude")?, location.need::<f64>("longitude")?))
}

/// Somebody's data on one line, shortened.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(PIECE).collect()
}
