//! An update without what teloxide's types stumble over and an agent would not miss.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use teloxide_core::types::{
    ChatMember, Message, MessageEntity, MessageOrigin, PhotoSize, ReactionType, TextQuote, User,
};

/// Fields of a message that no event has a use for.
const UNUSED: [&str; 13] = [
    "reply_markup",
    "link_preview_options",
    "external_reply",
    "via_bot",
    "sender_business_bot",
    "sender_boost_count",
    "author_signature",
    "effect_id",
    "paid_star_count",
    "reply_to_story",
    "edit_date",
    "has_media_spoiler",
    "show_caption_above_media",
];
/// Fields of a message that say where it is.
const WHERE: [&str; 4] = ["message_id", "message_thread_id", "is_topic_message", "chat"];
/// Fields of a file that no event has a use for.
const UNUSED_OF_FILES: [&str; 7] =
    ["thumbnail", "thumb", "cover", "start_timestamp", "premium_animation", "set_name", "qualities"];
/// Files with a media type, which the types want to see, be it null.
const TYPED: [&str; 5] = ["animation", "audio", "document", "video", "voice"];

/// The same update, mended; `None` if there is nothing to mend.
pub(super) fn update(raw: &str) -> Option<String> {
    let mut update: Value = serde_json::from_str(raw).ok()?;
    let fields = update.as_object_mut()?;
    for name in ["message", "edited_message", "channel_post", "edited_channel_post"] {
        if let Some(said) = fields.get_mut(name) {
            message(said);
        }
    }
    if let Some(query) = fields.get_mut("callback_query").and_then(Value::as_object_mut) {
        if let Some(carrier) = query.get_mut("message").and_then(Value::as_object_mut) {
            // Nothing but where it is counts; a message of the year 1970 is one that cannot be read any more.
            carrier.retain(|name, _| WHERE.contains(&name.as_str()));
            carrier.insert("date".into(), json!(1));
        }
        query.entry("chat_instance").or_insert_with(|| json!(""));
    }
    if let Some(reaction) = fields.get_mut("message_reaction").and_then(Value::as_object_mut) {
        for name in ["old_reaction", "new_reaction"] {
            retain::<ReactionType>(reaction.get_mut(name));
        }
    }
    if let Some(change) = fields.get_mut("my_chat_member").and_then(Value::as_object_mut) {
        change.remove("invite_link");
        for name in ["old_chat_member", "new_chat_member"] {
            if let Some(member) = change.get_mut(name).filter(|member| !is::<ChatMember>(member)) {
                *member = plain_member(member);
            }
        }
    }
    Some(update.to_string())
}

fn message(said: &mut Value) {
    let Some(fields) = said.as_object_mut() else { return };
    fields.retain(|name, _| !UNUSED.contains(&name.as_str()));
    for name in ["entities", "caption_entities"] {
        retain::<MessageEntity>(fields.get_mut(name));
    }
    // Passed on by whomever: that it was is what counts.
    if let Some(origin) = fields.get_mut("forward_origin").filter(|origin| !is::<MessageOrigin>(origin)) {
        *origin = json!({"type": "hidden_user", "date": 0, "sender_user_name": ""});
    }
    if let Some(quote) = fields.get_mut("quote").filter(|quote| !is::<TextQuote>(quote)) {
        *quote =
            json!({"text": quote.get("text").and_then(Value::as_str).unwrap_or_default(), "position": 0});
    }
    if let Some(from) = fields.get_mut("from").filter(|from| !is::<User>(from)) {
        *from = json!({"id": from.get("id"), "is_bot": from.get("is_bot"), "first_name": ""});
    }
    retain::<PhotoSize>(fields.get_mut("photo"));
    for name in TYPED.into_iter().chain(["video_note", "sticker"]) {
        if let Some(file) = fields.get_mut(name).and_then(Value::as_object_mut) {
            file_of(file, name);
        }
    }
    if let Some(poll) = fields.get_mut("poll").and_then(Value::as_object_mut) {
        plain_poll(poll);
    }
    if let Some(quoted) = fields.get_mut("reply_to_message") {
        message(quoted);
        if !is::<Message>(quoted) {
            fields.remove("reply_to_message");
        }
    }
}

fn file_of(file: &mut Map<String, Value>, name: &str) {
    file.retain(|name, _| !UNUSED_OF_FILES.contains(&name.as_str()));
    if TYPED.contains(&name) && !file.get("mime_type").is_some_and(is::<Mime>) {
        file.insert("mime_type".into(), Value::Null);
    }
    for (name, least) in [("duration", 0), ("width", 1), ("height", 1), ("length", 1)] {
        file.entry(name).or_insert_with(|| json!(least));
    }
    if name == "sticker" {
        file.insert("type".into(), json!("regular"));
    }
}

/// Only ever a file's: teloxide takes whatever has a slash.
#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct Mime;

impl TryFrom<String> for Mime {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |part: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !part.is_empty() && part.bytes().all(known)
        };
        text.split_once('/')
            .filter(|(kind, of)| plain(kind) && plain(of))
            .map(|_| Mime)
            .ok_or("not a media type")
    }
}

fn plain_poll(poll: &mut Map<String, Value>) {
    let options = poll.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
    let texts = options.iter().filter_map(|option| option.get("text").and_then(Value::as_str));
    let options: Vec<Value> = texts.map(|text| json!({"text": text, "voter_count": 0})).collect();
    let question = poll.get("question").and_then(Value::as_str).unwrap_or_default().to_owned();
    *poll = Map::new();
    poll.extend([
        ("id".to_owned(), json!("")),
        ("question".to_owned(), json!(question)),
        ("options".to_owned(), json!(options)),
        ("is_closed".to_owned(), json!(false)),
        ("total_voter_count".to_owned(), json!(0)),
        ("is_anonymous".to_owned(), json!(true)),
        ("type".to_owned(), json!("regular")),
        ("allows_multiple_answers".to_owned(), json!(false)),
    ]);
}

/// A member with one of three states: there, gone, shut out.
fn plain_member(member: &Value) -> Value {
    let user = member.get("user");
    match member.get("status").and_then(Value::as_str) {
        Some("left") => json!({"user": user, "status": "left"}),
        Some("kicked") => json!({"user": user, "status": "kicked", "until_date": 0}),
        _ => json!({"user": user, "status": "member"}),
    }
}

fn retain<T: DeserializeOwned>(list: Option<&mut Value>) {
    if let Some(list) = list.and_then(Value::as_array_mut) {
        list.retain(is::<T>);
    }
}

fn is<T: DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_str::<T>(&value.to_string()).is_ok()
}
