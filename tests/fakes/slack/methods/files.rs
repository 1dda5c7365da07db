//! Files: an address to upload to, the upload, and its completion, which shows the file.

use axum::body::Bytes;
use frontdesk_fakes::{Params, Response, response};
use serde_json::{Value, json};

use super::need;
use crate::answer::{Answer, Done, Refusal};
use crate::channel::Message;
use crate::world::{File, Install, World};

impl World {
    /// A file that somebody has.
    pub fn add_file(
        &mut self,
        user: &str,
        team: &str,
        name: &str,
        mime: &str,
        length: usize,
        bytes: Option<Bytes>,
    ) -> Value {
        let id = self.new_id("F0");
        let kind = name.rsplit_once('.').map_or("binary", |(_, ending)| ending);
        let url = format!("{}/files-pri/{team}-{id}", self.url);
        let json = json!({
            "id": id, "name": name, "title": name, "mimetype": mime, "filetype": kind, "size": length,
            "mode": "hosted", "user": user, "user_team": team, "is_external": false, "is_public": false,
            "created": self.now_ms() / 1000, "timestamp": self.now_ms() / 1000, "file_access": "visible",
            "url_private": format!("{url}/{name}"), "url_private_download": format!("{url}/download/{name}"),
        });
        self.files.insert(id, File { json: json.clone(), bytes, length });
        json
    }
}

pub fn upload_url(world: &mut World, install: &Install, params: &Params) -> Answer {
    let (name, length) = (need(params, "filename")?, params.int("length").unwrap_or_default());
    let length = usize::try_from(length).ok().filter(|length| *length > 0);
    let length = length.ok_or_else(|| Refusal::arguments("missing required field: length"))?;
    let mime = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("png") => "image/png",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    };
    let file = world.add_file(&install.user, &install.team, &name, mime, length, None);
    let url = format!("{}/upload/v1/{}", world.url, file["id"].as_str().unwrap_or_default());
    Done::with(json!({"upload_url": url, "file_id": file["id"]}))
}

/// The bytes arrive. Their number must be what was announced.
pub fn receive(world: &mut World, id: &str, bytes: Bytes) -> Response {
    match world.files.get_mut(id) {
        Some(file) if file.bytes.is_none() && bytes.len() == file.length => {
            file.bytes = Some(bytes);
            response(200, "text/plain", format!("OK - {}", file.length))
        }
        Some(_) => response(400, "text/plain", "the number of bytes is not what was announced"),
        None => response(404, "text/plain", "Not Found"),
    }
}

pub fn complete(world: &mut World, install: &Install, params: &Params) -> Answer {
    let wanted = params.json("files")?.unwrap_or_default();
    let wanted = wanted.as_array().filter(|files| !files.is_empty());
    let wanted = wanted.ok_or_else(|| Refusal::arguments("missing required field: files"))?;
    let channel = params.text("channel_id").or(params.text("channels")).filter(|id| !id.is_empty());
    let id = match channel {
        Some(channel) => Some(world.writable(install, Some(channel))?.id.clone()),
        None => None,
    };
    let mut files = Vec::new();
    for file in wanted {
        let known = world.files.get_mut(file["id"].as_str().unwrap_or_default());
        let known =
            known.filter(|known| known.bytes.is_some() && known.json["user"] == install.user.as_str());
        let known = known.ok_or_else(|| Refusal::new("file_not_found"))?;
        if let Some(title) = file["title"].as_str() {
            known.json["title"] = title.into();
        }
        files.push(known.json.clone());
    }
    let answer = json!({"files": files});
    let Some(id) = id else { return Done::with(answer) };
    let text = params.text("initial_comment").unwrap_or_default();
    let mut message = Message { fields: world.authored(&id, &install.user, &text), ..Message::default() };
    message.set("files", files.clone());
    message.set("subtype", "file_share");
    if let Some(thread) = params.text("thread_ts") {
        message.set("thread_ts", thread);
    }
    let (ts, _) = world.publish(&id, message);
    for file in &files {
        if let Some(known) = world.files.get_mut(file["id"].as_str().unwrap_or_default()) {
            known.json["shares"] = json!({"private": {id.clone(): [{"ts": ts}]}});
        }
    }
    // The answer does not say which message shows the files.
    Done::about(answer, &id, &ts, true)
}

pub fn info(world: &mut World, _: &Install, params: &Params) -> Answer {
    let file = world.files.get(&need(params, "file")?);
    Done::with(json!({"file": file.ok_or_else(|| Refusal::new("file_not_found"))?.json}))
}
