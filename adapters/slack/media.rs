//! Uploads and downloads of files.

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{MediaFile, Post, Receipt, SendError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Bytes, FetchError};
use frontdesk_kit::files;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::api::{Api, Download};
use crate::config::Settings;
use crate::error::Fault;
use crate::reactions::Reactions;
use crate::sent::{Sent, SentFile};

/// Sends files.
pub(crate) struct Uploads<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub sent: &'a Sent,
    pub reactions: Reactions<'a>,
}

impl Uploads<'_> {
    /// Uploads files and shows them in one message, unless that turns out to be there already. What Slack names is the files;
    /// the message has no id that it tells.
    pub(crate) async fn send(
        &self,
        (channel, thread): (&str, Option<&str>),
        files: &[(&MediaFile, &Post)],
    ) -> Result<Receipt, SendError> {
        let (api, sent, most) = (self.api, self.sent, self.settings.max_upload_bytes);
        if let Some((file, _)) = files.iter().find(|(file, _)| file.size > most) {
            let size = file.size;
            return Err(SendError::Refused(Cause::plain(format!(
                "a file of {size} bytes is over the limit of {most}"
            ))));
        }
        let key = files.first().map(|(_, post)| post.key.as_str()).unwrap_or_default();
        if files.iter().any(|(file, _)| file.tried) {
            let wanted = files.iter().map(|(file, _)| SentFile { name: file.name.clone(), size: file.size });
            let wanted: Vec<SentFile> = wanted.collect();
            let user = self.reactions.user().await?;
            if let Some(ids) = sent.find_files(api, (channel, thread), (user, key), &wanted).await? {
                return Ok(receipt(ids));
            }
        }
        let mut uploaded = Vec::new();
        for (file, _) in files {
            // Until it is completed, nobody sees an upload.
            uploaded.push(upload(api, file).await.map_err(Fault::for_preparation)?);
        }
        let comment: Vec<&str> =
            files.iter().map(|(_, post)| post.part.body.as_str()).filter(|text| !text.is_empty()).collect();
        let named: Vec<Value> =
            uploaded.iter().zip(files).map(|(id, (file, _))| json!({"id": id, "title": file.name})).collect();
        let mut complete = json!({"files": named, "channel_id": channel});
        if !comment.is_empty() {
            complete["initial_comment"] = comment.join("\n").into();
        }
        if let Some(thread) = thread {
            complete["thread_ts"] = thread.into();
        }
        match api.call("files.completeUploadExternal", complete).await.map_err(Fault::for_send) {
            Ok(_) => Ok(receipt(uploaded)),
            Err(error) => {
                if matches!(error, SendError::Unknown(_)) {
                    sent.doubt_files(key, uploaded);
                }
                Err(error)
            }
        }
    }
}

fn receipt(ids: Vec<String>) -> Receipt {
    let mut ids = ids.into_iter();
    Receipt { message: ids.next(), others: ids.collect() }
}

async fn upload(api: &Api, file: &MediaFile) -> Result<String, Fault> {
    let asked = json!({"filename": file.name, "length": file.size});
    let answer = api.call("files.getUploadURLExternal", asked).await?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let (Some(url), Some(id)) = (text("upload_url"), text("file_id")) else {
        return Err(Fault::Unreadable("it names no file".to_owned()));
    };
    api.upload(&url, file).await?;
    Ok(id)
}

/// Downloads a file that came with a message. Its reference is its id, and its address if Slack had said that.
pub(crate) async fn fetch(api: &Api, settings: &Settings, file: &Attachment) -> Result<Bytes, FetchError> {
    let (id, url) = match file.reference.split_once(' ') {
        Some((id, url)) => (id, Some(url.to_owned())),
        None => (file.reference.as_str(), None),
    };
    let url = match url {
        Some(url) => url,
        None => {
            let answer = api.call("files.info", json!({"file": id})).await.map_err(Fault::for_fetch)?;
            let named = |name: &str| answer["file"][name].as_str().map(str::to_owned);
            let url = named("url_private_download").or(named("url_private"));
            url.ok_or_else(|| FetchError::Refused("Slack has no address for this file".to_owned()))?
        }
    };
    let response = match api.open(&url).await.map_err(Fault::for_fetch)? {
        Download::File(response) => response,
        Download::Elsewhere => {
            return Err(FetchError::Refused("the file is not on a host of Slack's".to_owned()));
        }
        Download::LogIn => {
            return Err(FetchError::Refused(
                "Slack asks to log in instead of sending the file: add the scope files:read under OAuth & Permissions, \
                 and install the app again"
                    .to_owned(),
            ));
        }
    };
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Whoever has no right to a file is shown the page to log in. The page of an error has the status of the error.
    let is_page = response.status() == StatusCode::OK
        && kind.starts_with("text/html")
        && file.mime.as_deref() != Some("text/html");
    if is_page {
        return Err(FetchError::Refused(
            "Slack shows a page instead of the file: the token needs the scope files:read".to_owned(),
        ));
    }
    files::download(response, settings.max_download_bytes)
}
