//! The files of a message.

use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_kit::json::{FieldError, Fields};
use serenity::model::channel::MessageFlags;

use crate::file_reference::FileReference;

/// The files and the stickers of a message.
pub(super) fn of(message: &Fields<'_>) -> Result<Vec<Attachment>, FieldError> {
    let (channel, id): (String, String) = (message.need("channel_id")?, message.need("id")?);
    within(message, &channel, &id)
}

/// The files and the stickers of a message, or of one that it forwards. Their addresses expire, so they are looked up
/// again in this message before they are fetched.
pub(super) fn within(
    content: &Fields<'_>,
    channel: &str,
    message: &str,
) -> Result<Vec<Attachment>, FieldError> {
    let flags = MessageFlags::from_bits_truncate(content.maybe("flags").unwrap_or_default());
    let is_voice = flags.contains(MessageFlags::IS_VOICE_MESSAGE);
    let mut files = Vec::new();
    for file in content.list::<Fields<'_>>("attachments")? {
        files.push(attached(&file, channel, message, is_voice)?);
    }
    for sticker in content.list::<Fields<'_>>("sticker_items")? {
        files.extend(sticker_file(&sticker));
    }
    Ok(files)
}

fn attached(
    file: &Fields<'_>,
    channel: &str,
    message: &str,
    is_voice: bool,
) -> Result<Attachment, FieldError> {
    let id: String = file.need("id")?;
    let mime: Option<String> = file.maybe("content_type");
    let kind = if is_voice { FileKind::Voice } else { kind_of(mime.as_deref().unwrap_or_default()) };
    let reference = FileReference::Attachment {
        channel: channel.to_owned(),
        message: message.to_owned(),
        attachment: id.clone(),
    };
    Ok(Attachment {
        reference: reference.to_string(),
        unique: Some(id),
        kind,
        name: file.maybe("filename").filter(|_| !is_voice),
        mime,
        size: file.maybe("size"),
        seconds: file.maybe::<f64>("duration_secs").map(whole_seconds),
        kept: None,
    })
}

/// A float to an integer saturates, so that no number of a sender can be a problem.
fn whole_seconds(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
    let whole = seconds.round() as u64;
    whole
}

fn kind_of(mime: &str) -> FileKind {
    match mime.split(['/', ';']).next().unwrap_or_default() {
        "image" if mime.starts_with("image/gif") => FileKind::Animation,
        "image" => FileKind::Photo,
        "video" => FileKind::Video,
        "audio" => FileKind::Audio,
        _ => FileKind::Document,
    }
}

/// The picture of a sticker. Lottie stickers (3) are no pictures.
fn sticker_file(sticker: &Fields<'_>) -> Option<Attachment> {
    let id: String = sticker.maybe("id")?;
    let (ending, mime) = match sticker.maybe::<u64>("format_type")? {
        1 | 2 => ("png", "image/png"),
        4 => ("gif", "image/gif"),
        _ => return None,
    };
    Some(Attachment {
        reference: FileReference::Sticker { id: id.clone(), ending: ending.to_owned() }.to_string(),
        unique: Some(id),
        kind: FileKind::Sticker,
        name: None,
        mime: Some(mime.to_owned()),
        size: None,
        seconds: None,
        kept: None,
    })
}
