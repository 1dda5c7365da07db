//! Uploads and downloads of files.

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{MediaFile, Post, SendError};
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::{Bytes, FetchError};
use frontdesk_kit::files;
use reqwest::multipart::Form;
use serde::Deserialize;
use serde_json::value::RawValue;
use teloxide_core::payloads::GetFile;
use teloxide_core::types::{FileId, ReplyParameters};

use crate::api::Api;
use crate::config::Settings;
use crate::destination::Chat;
use crate::error::Fault;
use crate::markup::parse_mode;

/// The number of bytes at the beginning of an image in which its dimensions are looked up.
const HEAD: usize = 256 * 1024;

/// The method that uploads a file, and the name of its form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UploadMethod {
    method: &'static str,
    pub(crate) field: &'static str,
}

const DOCUMENT: UploadMethod = UploadMethod { method: "sendDocument", field: "document" };
const PHOTO: UploadMethod = UploadMethod { method: "sendPhoto", field: "photo" };

/// Sends a file with its caption. If Telegram cannot show it as its kind, it is sent as a document.
pub(crate) async fn send(
    api: &Api,
    settings: &Settings,
    chat: Chat,
    file: &MediaFile,
    post: &Post,
    reply: Option<ReplyParameters>,
) -> Result<Box<RawValue>, SendError> {
    let chosen = suited(settings, file, post).await?;
    let sent = api.upload(chosen.method, form(chosen, chat, file, post, reply.as_ref())?).await;
    let sent = match sent {
        Err(fault) if chosen != DOCUMENT && fault.wants_document() => {
            api.upload(DOCUMENT.method, form(DOCUMENT, chat, file, post, reply.as_ref())?).await
        }
        sent => sent,
    };
    sent.map_err(Fault::for_send)
}

/// How a file is uploaded, as far as that can be told before Telegram has seen it.
pub(crate) async fn suited(
    settings: &Settings,
    file: &MediaFile,
    post: &Post,
) -> Result<UploadMethod, SendError> {
    if file.size > settings.max_upload_bytes {
        let (size, most) = (file.size, settings.max_upload_bytes);
        return Err(SendError::Refused(Cause::plain(format!(
            "a file of {size} bytes is over Telegram's {most}"
        ))));
    }
    let chosen = upload_method(file, !post.part.body.is_empty(), settings.max_photo_bytes);
    match chosen == PHOTO && is_out_of_shape(file).await {
        true => Ok(DOCUMENT),
        false => Ok(chosen),
    }
}

fn upload_method(file: &MediaFile, captioned: bool, largest_photo: u64) -> UploadMethod {
    let mime = file.mime.as_deref().unwrap_or_default();
    let (method, field) = match file.kind {
        FileKind::Photo if file.size > largest_photo || !is_picture(file) => return DOCUMENT,
        FileKind::Photo => return PHOTO,
        FileKind::Document => return DOCUMENT,
        // Bot API, sendVoice: OGG with OPUS, MP3 or M4A; anything else is sent as audio or document.
        FileKind::Voice
            if mime.is_empty()
                || is_one_of(mime, &["audio/ogg", "audio/mpeg", "audio/mp4", "audio/x-m4a"]) =>
        {
            ("sendVoice", "voice")
        }
        FileKind::Voice | FileKind::Audio => ("sendAudio", "audio"),
        FileKind::Video | FileKind::VideoNote => ("sendVideo", "video"),
        FileKind::Animation => ("sendAnimation", "animation"),
        // A sticker cannot have a caption, and the text must not be lost.
        FileKind::Sticker if captioned => return DOCUMENT,
        FileKind::Sticker => ("sendSticker", "sticker"),
    };
    UploadMethod { method, field }
}

/// Whether Telegram accepts it as a photo.
fn is_picture(file: &MediaFile) -> bool {
    match &file.mime {
        Some(mime) => is_one_of(mime, &["image/jpeg", "image/png", "image/webp"]),
        None => {
            let name = file.name.to_ascii_lowercase();
            [".jpg", ".jpeg", ".png", ".webp"].iter().any(|ending| name.ends_with(ending))
        }
    }
}

/// Whether Telegram would refuse an image because of its dimensions. If they are not found, Telegram decides.
async fn is_out_of_shape(file: &MediaFile) -> bool {
    // A file that cannot be read fails when it is sent.
    let Ok(head) = files::head(file, HEAD).await else { return false };
    imagesize::blob_size(&head).is_ok_and(|size| !is_shape(size.width, size.height))
}

/// Bot API, sendPhoto: width and height add up to at most 10,000, and their ratio is at most 20.
fn is_shape(width: usize, height: usize) -> bool {
    let (long, short) = (width.max(height), width.min(height));
    long.saturating_add(short) <= 10_000 && long <= short.saturating_mul(20)
}

fn is_one_of(mime: &str, known: &[&str]) -> bool {
    let plain = mime.split(';').next().unwrap_or_default().trim();
    known.iter().any(|known| plain.eq_ignore_ascii_case(known))
}

fn form(
    upload_method: UploadMethod,
    chat: Chat,
    file: &MediaFile,
    post: &Post,
    reply: Option<&ReplyParameters>,
) -> Result<Form, SendError> {
    let mut form = to_chat(chat, reply)?;
    if !post.part.body.is_empty() {
        form = form.text("caption", post.part.body.clone());
        if parse_mode(post).is_some() {
            form = form.text("parse_mode", "HTML");
        }
    }
    Ok(form.part(upload_method.field, files::form_part(file)))
}

/// The fields that say where a request with files goes.
pub(crate) fn to_chat(chat: Chat, reply: Option<&ReplyParameters>) -> Result<Form, SendError> {
    let mut form = Form::new().text("chat_id", chat.id.to_string());
    if let Some(topic) = chat.topic {
        form = form.text("message_thread_id", topic.to_string());
    }
    if let Some(reply) = reply {
        let reply =
            serde_json::to_string(reply).map_err(|error| SendError::Refused(error.to_string().into()))?;
        form = form.text("reply_parameters", reply);
    }
    Ok(form)
}

/// Downloads a file that came with a message.
pub(crate) async fn fetch(api: &Api, settings: &Settings, file: &Attachment) -> Result<Bytes, FetchError> {
    #[derive(Deserialize)]
    struct Found {
        file_path: Option<String>,
    }
    let most = settings.max_download_bytes;
    if file.size.is_some_and(|size| size > most) {
        return Err(files::too_big(most));
    }
    let ask = GetFile::new(FileId(file.reference.clone()));
    let found: Found = api.query(&ask).await.map_err(Fault::for_fetch)?;
    let path = found.file_path.unwrap_or_default();
    if settings.local_files && path.starts_with('/') {
        return files::open_local(path.into(), most).await;
    }
    if !is_relative(&path) {
        // A Bot API server with `--local` returns the path of a file on its own disk instead.
        let why =
            "the Bot API server hands out no files over HTTP: set local_files, or run it without --local";
        return Err(FetchError::Refused(why.to_owned()));
    }
    let response = api.open(&path).await.map_err(Fault::for_fetch)?;
    files::download(response, most)
}

/// Whether a path stays within Telegram's file folder.
fn is_relative(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !["", ".", ".."].contains(&part)) && !path.contains('\\')
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use rstest::rstest;

    use super::*;

    fn file(kind: FileKind, mime: Option<&str>, name: &str, size: u64) -> MediaFile {
        let handle = Arc::new(File::open("Cargo.toml").unwrap());
        MediaFile { handle, size, name: name.into(), mime: mime.map(str::to_owned), kind, tried: false }
    }

    #[rstest]
    #[case(FileKind::Photo, Some("image/png"), "a.png", 10, "sendPhoto")]
    #[case(FileKind::Photo, Some("image/png"), "a.png", 10_000_001, "sendDocument")]
    #[case(FileKind::Photo, Some("image/svg+xml"), "a.svg", 10, "sendDocument")]
    #[case(FileKind::Photo, None, "A.JPG", 10, "sendPhoto")]
    #[case(FileKind::Photo, None, "a.heic", 10, "sendDocument")]
    #[case(FileKind::Document, Some("image/png"), "a.png", 10, "sendDocument")]
    #[case(FileKind::Voice, Some("audio/ogg; codecs=opus"), "a.ogg", 10, "sendVoice")]
    #[case(FileKind::Voice, Some("audio/wav"), "a.wav", 10, "sendAudio")]
    #[case(FileKind::Audio, Some("audio/mpeg"), "a.mp3", 10, "sendAudio")]
    #[case(FileKind::Video, Some("video/mp4"), "a.mp4", 10, "sendVideo")]
    #[case(FileKind::Animation, Some("image/gif"), "a.gif", 10, "sendAnimation")]
    #[case(FileKind::Sticker, Some("image/webp"), "a.webp", 10, "sendSticker")]
    fn a_file_is_uploaded_as_its_kind_where_telegram_can_show_it(
        #[case] kind: FileKind,
        #[case] mime: Option<&str>,
        #[case] name: &str,
        #[case] size: u64,
        #[case] method: &str,
    ) {
        assert_eq!(upload_method(&file(kind, mime, name, size), false, 10_000_000).method, method);
    }

    #[rstest]
    #[case(5_000, 5_000, true)]
    #[case(5_001, 5_000, false)]
    #[case(2_000, 100, true)]
    #[case(2_001, 100, false)]
    #[case(100, 2_001, false)]
    #[case(0, 0, true)]
    fn a_picture_has_a_shape_that_telegram_shows(
        #[case] width: usize,
        #[case] height: usize,
        #[case] is: bool,
    ) {
        assert_eq!(is_shape(width, height), is);
    }

    #[test]
    fn a_sticker_with_a_caption_is_sent_as_a_document() {
        assert_eq!(upload_method(&file(FileKind::Sticker, None, "a.webp", 10), true, 1), DOCUMENT);
    }

    #[test]
    fn no_path_leads_elsewhere() {
        assert!(is_relative("photos/file_1.jpg"));
        for path in ["", "/etc/passwd", "a/../../b", "./a", "a//b", "..\\a"] {
            assert!(!is_relative(path), "{path}");
        }
    }
}
