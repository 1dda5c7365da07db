//! What a bot writes: checked as the real server does, and put into a message.

use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::body::{Body, Upload};
use crate::id::Id;
use crate::message::{self, Message, flag};
use crate::permission::{ATTACH_FILES, MENTION_EVERYONE, READ_MESSAGE_HISTORY, VIEW_CHANNEL};
use crate::world::{File, World};

const LONGEST: usize = 2000;
const LONGEST_NONCE: usize = 25;
const MOST_EMBEDS: usize = 10;
const LONGEST_EMBEDS: usize = 6000;
const MOST_FILES: usize = 10;
const LARGEST_FILE: usize = 10 << 20;
const MOST_ROWS: usize = 5;
const MOST_IN_ROW: usize = 5;
const LONGEST_LABEL: usize = 80;
const LONGEST_CUSTOM_ID: usize = 100;
/// The flags that a bot may set.
const FLAGS: u64 = flag::SUPPRESS_EMBEDS | flag::SILENT | flag::VOICE | flag::V2 | flag::EPHEMERAL;

/// A message as a bot describes it. What is not given stays as it is.
#[derive(Debug, Default)]
pub struct Draft {
    content: Option<String>,
    embeds: Option<Vec<Value>>,
    components: Option<Vec<Value>>,
    attachments: Option<Vec<Value>>,
    files: Vec<Upload>,
    pub flags: Option<u64>,
    allowed: Option<Value>,
    pub nonce: Option<String>,
    pub enforce_nonce: bool,
    reference: Option<Value>,
}

impl Draft {
    pub fn of(body: &Body) -> Result<Self, Refusal> {
        Self::of_fields(&body.fields, &body.files)
    }

    pub fn of_fields(fields: &Map<String, Value>, files: &[Upload]) -> Result<Self, Refusal> {
        let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let list = |name: &str| given(name).and_then(Value::as_array).cloned();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let content =
            fields.get("content").map(|value| if value.is_null() { String::new() } else { text(value) });
        if content.as_ref().is_some_and(|content| content.chars().count() > LONGEST) {
            return Err(Refusal::too_long("content", LONGEST));
        }
        let nonce = given("nonce").map(text);
        if nonce.as_ref().is_some_and(|nonce| nonce.chars().count() > LONGEST_NONCE) {
            return Err(Refusal::too_long("nonce", LONGEST_NONCE));
        }
        let (embeds, components) = (list("embeds"), list("components"));
        check_embeds(embeds.as_deref().unwrap_or_default())?;
        let flags = given("flags").and_then(Value::as_u64);
        if flags.unwrap_or_default() & flag::V2 == 0 {
            check_components(components.as_deref().unwrap_or_default())?;
        }
        check_files(files)?;
        Ok(Self {
            // The real server trims as well.
            content: content.map(|content| content.trim().to_owned()),
            embeds,
            components,
            attachments: list("attachments"),
            files: files.to_vec(),
            flags: flags.map(|flags| flags & FLAGS),
            allowed: given("allowed_mentions").cloned(),
            nonce,
            enforce_nonce: given("enforce_nonce") == Some(&json!(true)),
            reference: given("message_reference").cloned(),
        })
    }
}

fn check_embeds(embeds: &[Value]) -> Result<(), Refusal> {
    if embeds.len() > MOST_EMBEDS {
        return Err(Refusal::too_long("embeds", MOST_EMBEDS));
    }
    fn length(value: &Value) -> usize {
        match value {
            Value::String(text) => text.chars().count(),
            Value::Array(values) => values.iter().map(length).sum(),
            Value::Object(fields) => fields.values().map(length).sum(),
            _ => 0,
        }
    }
    let texts = ["title", "description", "fields", "footer", "author"];
    let total: usize = embeds.iter().flat_map(|embed| texts.iter().map(|name| length(&embed[*name]))).sum();
    match total > LONGEST_EMBEDS {
        true => {
            Err(Refusal::form("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000"))
        }
        false => Ok(()),
    }
}

/// Rows of buttons, or of one menu each.
fn check_components(rows: &[Value]) -> Result<(), Refusal> {
    if rows.len() > MOST_ROWS {
        return Err(Refusal::too_long("components", MOST_ROWS));
    }
    let mut known = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let path = format!("components.{n}.components");
        let inner = row["components"].as_array().filter(|_| row["type"] == 1);
        let inner = inner.ok_or_else(|| Refusal::required(&path))?;
        if inner.is_empty() || inner.len() > MOST_IN_ROW {
            let words = "Must be between 1 and 5 in length.";
            return Err(Refusal::form(&path, "BASE_TYPE_BAD_LENGTH", words));
        }
        for (m, component) in inner.iter().enumerate() {
            let at = |name: &str| format!("{path}.{m}.{name}");
            let length = |name: &str| component[name].as_str().unwrap_or_default().chars().count();
            if length("label") > LONGEST_LABEL {
                return Err(Refusal::too_long(&at("label"), LONGEST_LABEL));
            }
            let is_link = component["type"] == 2 && component["style"] == 5;
            let custom_id = component["custom_id"].as_str().unwrap_or_default();
            if is_link && length("url") == 0 {
                return Err(Refusal::required(&at("url")));
            }
            if !is_link && custom_id.is_empty() {
                return Err(Refusal::required(&at("custom_id")));
            }
            if length("custom_id") > LONGEST_CUSTOM_ID {
                return Err(Refusal::too_long(&at("custom_id"), LONGEST_CUSTOM_ID));
            }
            if !is_link && known.contains(&custom_id) {
                let words = "Component custom id cannot be duplicated";
                return Err(Refusal::form(&at("custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", words));
            }
            known.push(custom_id);
        }
    }
    Ok(())
}

fn check_files(files: &[Upload]) -> Result<(), Refusal> {
    if files.len() > MOST_FILES {
        return Err(Refusal::new(400, 30015, "Maximum number of attachments in a message reached (10)"));
    }
    match files.iter().any(|file| file.bytes.len() > LARGEST_FILE) {
        true => Err(Refusal::new(413, 40005, "Request entity too large")),
        false => Ok(()),
    }
}

impl World {
    /// Puts what a bot wrote into a message.
    pub fn write(&mut self, message: &mut Message, draft: &Draft) -> Result<(), Refusal> {
        if !draft.files.is_empty() && !message.webhook {
            self.needs(message.channel, message.author, ATTACH_FILES)?;
        }
        if let Some(content) = &draft.content {
            message.set("content", content.clone());
        }
        if let Some(embeds) = &draft.embeds {
            let rich = embeds.iter().cloned().map(|mut embed| {
                embed["type"] = json!("rich");
                embed
            });
            message.set("embeds", rich.collect::<Vec<_>>());
        }
        if let Some(components) = &draft.components {
            message.set("components", components.clone());
        }
        if let Some(flags) = draft.flags {
            // Whether only one person sees it was decided before.
            let kept = message.flags() & (flag::HAS_THREAD | flag::EPHEMERAL | flag::SNAPSHOT);
            message.set("flags", flags & !flag::EPHEMERAL | kept);
        }
        self.mention(message, draft.allowed.as_ref());
        self.attach(message, draft);
        let parts = ["embeds", "attachments", "components", "message_snapshots", "sticker_items"];
        let empty = message.text().is_empty() && parts.iter().all(|part| message.list(part).is_empty());
        if empty { Err(Refusal::new(400, 50006, "Cannot send an empty message")) } else { Ok(()) }
    }

    /// Finds out whom a text mentions, as far as its author allows it.
    pub fn mention(&self, message: &mut Message, allowed: Option<&Value>) {
        let text = message.text().to_owned();
        let has = |list: &str, value: &Value| {
            allowed.is_none_or(|allowed| allowed[list].as_array().is_some_and(|list| list.contains(value)))
        };
        let allows = |kind: &str, id: Id| {
            has("parse", &json!(kind)) || has(kind, &json!(id)) || has(kind, &json!(id.0))
        };
        let ids = |opening: &str| -> Vec<Id> {
            let after = text.split(opening).skip(1);
            after.filter_map(|rest| rest.split_once('>')?.0.parse().ok()).collect()
        };
        let users: Vec<Id> =
            ids("<@").into_iter().chain(ids("<@!")).filter(|id| self.users.contains_key(id)).collect();
        let mut users: Vec<Id> = users.into_iter().filter(|id| allows("users", *id)).collect();
        if let Some(to) = message
            .fields
            .get("message_reference")
            .filter(|_| message.kind() == u64::from(message::kind::REPLY))
            && allowed.is_none_or(|allowed| allowed["replied_user"] == true)
            && let Some(target) = Id::read(&to["message_id"])
            && let Ok(target) = self.message(message.channel, target)
        {
            users.push(target.author);
        }
        users.dedup();
        let roles: Vec<Id> = ids("<@&").into_iter().filter(|id| allows("roles", *id)).collect();
        let everyone = (text.contains("@everyone") || text.contains("@here"))
            && has("parse", &json!("everyone"))
            && self.may(message.channel, message.author) & MENTION_EVERYONE != 0;
        message.set("mentions", users.iter().map(|id| self.user_json(*id)).collect::<Vec<_>>());
        message.set("mention_roles", json!(roles));
        message.set("mention_everyone", everyone);
    }

    /// Adds the files of a draft; a given list says which of the old ones stay.
    fn attach(&mut self, message: &mut Message, draft: &Draft) {
        if draft.files.is_empty() && draft.attachments.is_none() {
            return;
        }
        let described = draft.attachments.clone().unwrap_or_default();
        let of = |id: Id| described.iter().find(|one| Id::read(&one["id"]) == Some(id));
        let mut all = message.list("attachments").to_vec();
        if draft.attachments.is_some() {
            all.retain(|old| Id::read(&old["id"]).is_some_and(|id| of(id).is_some()));
        }
        for file in &draft.files {
            let about = of(Id(file.index)).cloned().unwrap_or_default();
            let name = about["filename"].as_str().unwrap_or(&file.name).to_owned();
            let kept = File { bytes: file.bytes.clone(), content_type: file.content_type.clone() };
            let mut stored = self.store(message.channel, &name, kept);
            if let Some(description) = about["description"].as_str() {
                stored["description"] = json!(description);
            }
            all.push(stored);
        }
        message.set("attachments", all);
    }

    /// Keeps a file; returns it as messages carry it, with a path that becomes an address when it is shown.
    pub fn store(&mut self, channel: Id, name: &str, file: File) -> Value {
        let id = self.new_id();
        let (size, content_type) = (file.bytes.len(), file.content_type.clone());
        self.files.insert((channel, id), file);
        json!({"id": id, "filename": name, "size": size, "content_type": content_type, "path": format!("{channel}/{id}/{name}")})
    }

    /// Makes a message an answer to another, or a forward of one.
    pub fn refer(&self, message: &mut Message, draft: &Draft) -> Result<(), Refusal> {
        let Some(wanted) = &draft.reference else { return Ok(()) };
        let target = Id::read(&wanted["message_id"])
            .ok_or_else(|| Refusal::required("message_reference.message_id"))?;
        let channel = Id::read(&wanted["channel_id"]).unwrap_or(message.channel);
        let unknown = || Refusal::form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message");
        let reference = json!({
            "type": wanted["type"].as_u64().unwrap_or_default(), "channel_id": channel, "message_id": target,
            "guild_id": self.channels.get(&channel).and_then(|channel| channel.guild),
        });
        if wanted["type"] == 1 {
            self.needs(channel, message.author, VIEW_CHANNEL)?;
            let source = self.message(channel, target).map_err(|_| unknown())?;
            message.set("message_snapshots", json!([{"message": snapshot(source)}]));
            message.set("flags", message.flags() | flag::SNAPSHOT);
            message.set("message_reference", reference);
            return Ok(());
        }
        if self.may(message.channel, message.author) & READ_MESSAGE_HISTORY == 0 {
            return Err(Refusal::new(403, 160002, "Cannot reply without permission to read message history"));
        }
        match self.message(message.channel, target) {
            Err(_) if wanted["fail_if_not_exists"] == false => return Ok(()),
            Err(_) => return Err(unknown()),
            Ok(_) => {}
        }
        message.set("type", message::kind::REPLY);
        message.set("message_reference", reference);
        Ok(())
    }
}

/// What a forward shows of a message.
pub fn snapshot(source: &Message) -> Value {
    let names = [
        "type",
        "content",
        "embeds",
        "attachments",
        "timestamp",
        "edited_timestamp",
        "flags",
        "mentions",
        "mention_roles",
        "sticker_items",
        "components",
    ];
    let fields =
        names.iter().filter_map(|name| Some(((*name).to_owned(), source.fields.get(*name)?.clone())));
    Value::Object(fields.collect())
}
