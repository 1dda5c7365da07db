//! Files of a message.

use frontdesk_core::message::{Attachment, FileKind};
use serde_json::Value;

use super::field::{list, text_of};

/// The files of a message, and words about those that cannot be fetched.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub attachments: Vec<Attachment>,
    pub words: String,
}

/// What the download of a file needs: its id, and its address unless Slack has to be asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub id: &'a str,
    pub url: Option<&'a str>,
}

impl std::fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.url {
            Some(url) => write!(f, "{} {url}", self.id),
            None => f.write_str(self.id),
        }
    }
}

pub(super) fn all(message: &Value) -> Files {
    let mut files = Files::default();
    for file in list(message, "files") {
        match read(file) {
            Ok(attachment) => files.attachments.push(attachment),
            Err(words) if words.is_empty() => {}
            Err(words) if files.words.is_empty() => files.words = words,
            Err(words) => files.words = format!("{}\n{words}", files.words),
        }
    }
    files
}

/// A file, or words about it if there are no bytes of it to fetch.
fn read(file: &Value) -> Result<Attachment, String> {
    let name = text_of(file, "name").or(text_of(file, "title"));
    let called = name.unwrap_or("a file");
    let id = text_of(file, "id").ok_or("")?;
    let address = text_of(file, "url_private_download").or(text_of(file, "url_private"));
    let must_ask = file["file_access"] == "check_file_info";
    match text_of(file, "mode") {
        Some("tombstone") => return Err("[a deleted file]".to_owned()),
        Some("hidden_by_limit") => {
            return Err(format!("[a file that Slack does not show any more: {called}]"));
        }
        Some("external") | None if file["is_external"] == true => {
            let at = text_of(file, "url_private").or(text_of(file, "permalink")).unwrap_or_default();
            return Err(format!("[{called}, a file outside of Slack: {at}]"));
        }
        // Posts and canvases are pages, not files.
        Some("space" | "quip" | "canvas") => {
            return Err(format!("[{called}: {}]", text_of(file, "permalink").unwrap_or("a page in Slack")));
        }
        _ if address.is_none() && !must_ask => return Err(format!("[{called}, which cannot be downloaded]")),
        _ => {}
    }
    let mime = text_of(file, "mimetype");
    Ok(Attachment {
        reference: Reference { id, url: address.filter(|_| !must_ask) }.to_string(),
        unique: Some(id.to_owned()),
        kind: kind(mime.unwrap_or_default(), text_of(file, "subtype")),
        name: name.map(str::to_owned),
        mime: mime.map(str::to_owned),
        size: file["size"].as_u64().filter(|size| *size > 0),
        seconds: file["duration_ms"].as_u64().map(|ms| ms.div_ceil(1000)),
        kept: None,
    })
}

fn kind(mime: &str, subtype: Option<&str>) -> FileKind {
    match (subtype, mime.split('/').next().unwrap_or_default()) {
        // Clips that people record in Slack.
        (Some("slack_audio"), _) => FileKind::Voice,
        (Some("slack_video"), _) => FileKind::Video,
        (_, "image") if mime == "image/gif" => FileKind::Animation,
        (_, "image") => FileKind::Photo,
        (_, "audio") => FileKind::Audio,
        (_, "video") => FileKind::Video,
        _ => FileKind::Document,
    }
}
