//! Several files in one request (Bot API, sendMediaGroup).

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{AlbumFile, Receipt, SendError};
use frontdesk_kit::files;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use teloxide_core::types::ReplyParameters;

use crate::api::Api;
use crate::config::Settings;
use crate::destination::Chat;
use crate::error::Fault;
use crate::markup::parse_mode;
use crate::media::{self, UploadMethod};

/// Sends an album. Refuses without a request what Telegram would refuse after the upload.
pub(crate) async fn send(
    api: &Api,
    settings: &Settings,
    chat: Chat,
    files: &[AlbumFile],
    reply: Option<ReplyParameters>,
) -> Result<Box<RawValue>, SendError> {
    let mut methods = Vec::with_capacity(files.len());
    for file in files {
        methods.push(media::suited(settings, &file.file, &file.post).await?);
    }
    if !are_alike(&methods) {
        return Err(SendError::Refused("Telegram does not show these files in one album".into()));
    }
    // The limit of one file holds for the whole request.
    let size: u64 = files.iter().map(|file| file.file.size).sum();
    if size > settings.max_upload_bytes {
        let most = settings.max_upload_bytes;
        return Err(SendError::Refused(Cause::plain(format!(
            "an album of {size} bytes is over Telegram's {most}"
        ))));
    }
    let listed: Vec<Value> =
        methods.iter().zip(files).enumerate().map(|(n, (method, file))| item(n, *method, file)).collect();
    let mut form = media::to_chat(chat, reply.as_ref())?.text("media", Value::from(listed).to_string());
    for (n, file) in files.iter().enumerate() {
        form = form.part(part_name(n), files::form_part(&file.file));
    }
    api.upload("sendMediaGroup", form).await.map_err(Fault::for_send)
}

/// Bot API, sendMediaGroup: photos and videos can be together; documents and audio files only with their own kind.
fn are_alike(methods: &[UploadMethod]) -> bool {
    let all = |fields: &[&str]| methods.iter().all(|method| fields.contains(&method.field));
    all(&["photo", "video"]) || all(&["document"]) || all(&["audio"])
}

/// One element of `media`.
fn item(n: usize, method: UploadMethod, file: &AlbumFile) -> Value {
    let mut item = json!({"type": method.field, "media": format!("attach://{}", part_name(n))});
    if !file.post.part.body.is_empty() {
        item["caption"] = file.post.part.body.clone().into();
        if parse_mode(&file.post).is_some() {
            item["parse_mode"] = "HTML".into();
        }
    }
    item
}

fn part_name(n: usize) -> String {
    format!("file{n}")
}

/// The ids of the messages that were sent. Without them, it is unknown whether the messages exist.
pub(crate) fn receipt(sent: &RawValue) -> Result<Receipt, SendError> {
    #[derive(Deserialize)]
    struct Sent {
        message_id: i64,
    }
    let unknown = || SendError::Unknown("the answer names no messages".into());
    let sent: Vec<Sent> = serde_json::from_str(sent.get()).map_err(|_| unknown())?;
    let mut ids = sent.into_iter().map(|sent| sent.message_id.to_string());
    let message = Some(ids.next().ok_or_else(unknown)?);
    Ok(Receipt { message, others: ids.collect() })
}
