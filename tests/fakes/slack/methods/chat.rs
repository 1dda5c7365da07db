//! Posts of apps, their changes and their deletion.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use super::need;
use crate::answer::{Answer, Done, Refusal};
use crate::channel::Message;
use crate::world::{Install, World};

/// Where the text of a post is cut, and above which that of an update and of Markdown is refused.
const POST: usize = 40_000;
const UPDATE: usize = 4_000;
const MARKDOWN: usize = 12_000;

/// Text, blocks and metadata, as several methods take them.
struct Content {
    text: String,
    blocks: Option<Value>,
    metadata: Option<Value>,
}

impl World {
    fn content(&mut self, params: &Params) -> Result<Content, Refusal> {
        let markdown = params.text("markdown_text");
        let text = params.text("text").filter(|text| !text.is_empty());
        let blocks = self.read_blocks(params.json("blocks")?)?;
        if markdown.is_some() && (text.is_some() || blocks.is_some()) {
            return Err(Refusal::new("markdown_text_conflict"));
        }
        if markdown.as_ref().is_some_and(|text| text.chars().count() > MARKDOWN) {
            return Err(Refusal::new("msg_too_long"));
        }
        let has_attachments = params.json("attachments")?.is_some();
        let text = markdown.or(text);
        if text.is_none() && blocks.is_none() && !has_attachments {
            return Err(Refusal::new("no_text"));
        }
        let metadata = params.json("metadata")?;
        if metadata
            .as_ref()
            .is_some_and(|data| !data["event_type"].is_string() || !data["event_payload"].is_object())
        {
            return Err(Refusal::new("invalid_metadata_format"));
        }
        let text = text.unwrap_or_default().chars().take(POST).collect();
        Ok(Content { text, blocks, metadata })
    }
}

/// Whether `@channel` in a text becomes a mention.
pub fn is_linked(params: &Params, unless_said: &str) -> bool {
    let parse = params.text("parse").unwrap_or_else(|| unless_said.to_owned());
    params.flag("link_names") || ["full", "client"].contains(&parse.as_str())
}

fn write(message: &mut Message, content: Content) {
    message.set("text", content.text);
    message.fields.extend(content.blocks.map(|blocks| ("blocks".to_owned(), blocks)));
    message.fields.extend(content.metadata.map(|metadata| ("metadata".to_owned(), metadata)));
}

pub fn post(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.writable(install, params.text("channel"))?;
    let thread = params.text("thread_ts");
    let is_hidden = |ts: &String| channel.messages.get(ts).is_some_and(|parent| parent.only.is_some());
    if thread.as_ref().is_some_and(is_hidden) {
        return Err(Refusal::new("cannot_reply_to_message"));
    }
    let id = channel.id.clone();
    let content = world.content(params)?;
    let fields = world.authored(&id, &install.user, "");
    let mut message = Message { fields, linked: is_linked(params, "none"), ..Message::default() };
    write(&mut message, content);
    if let Some(thread) = thread {
        message.set("thread_ts", thread);
        if params.flag("reply_broadcast") {
            message.set("subtype", "thread_broadcast");
        }
    }
    let (ts, _) = world.publish(&id, message);
    let posted = world.channels.get(&id).and_then(|channel| channel.messages.get(&ts)).map(Message::value);
    Done::about(json!({"channel": id, "ts": ts, "message": posted}), &id, &ts, true)
}

pub fn ephemeral(world: &mut World, install: &Install, params: &Params) -> Answer {
    let user = need(params, "user")?;
    let channel = world.writable(install, params.text("channel"))?;
    if !channel.members.contains(&user) {
        return Err(Refusal::new("user_not_in_channel"));
    }
    let id = channel.id.clone();
    let content = world.content(params)?;
    let fields = world.authored(&id, &install.user, "");
    let mut message =
        Message { fields, linked: is_linked(params, "none"), only: Some(user), ..Message::default() };
    write(&mut message, content);
    if let Some(thread) = params.text("thread_ts") {
        message.set("thread_ts", thread);
    }
    let (ts, _) = world.publish(&id, message);
    Done::about(json!({"message_ts": ts}), &id, &ts, true)
}

/// A message that this bot wrote.
fn own<'a>(
    world: &'a mut World,
    install: &Install,
    params: &Params,
    foreign: &str,
) -> Result<(String, &'a mut Message), Refusal> {
    let ts = need(params, "ts")?;
    let channel = world.visible(install, params.text("channel"))?;
    let id = channel.id.clone();
    let message = channel.messages.get_mut(&ts).filter(|message| message.only.is_none());
    let message = message.ok_or_else(|| Refusal::new("message_not_found"))?;
    if message.text("bot_id") == install.bot { Ok((id, message)) } else { Err(Refusal::new(foreign)) }
}

pub fn update(world: &mut World, install: &Install, params: &Params) -> Answer {
    world.writable(install, params.text("channel"))?;
    let (id, message) = own(world, install, params, "cant_update_message")?;
    if message.stream.is_some() {
        return Err(Refusal::new("streaming_state_conflict"));
    }
    let ts = message.text("ts").to_owned();
    let too_long = |name| params.text(name).is_some_and(|text| text.chars().count() > UPDATE);
    if too_long("text") {
        return Err(Refusal::new("msg_too_long"));
    }
    let content = world.content(params)?;
    let text = content.text.clone();
    world.rewrite(&id, &ts, Some(&install.user), |message| {
        message.linked = is_linked(params, "client");
        message.fields.remove("blocks");
        write(message, content);
    });
    let changed = world.channels.get(&id).and_then(|channel| channel.messages.get(&ts)).map(Message::value);
    Done::about(json!({"channel": id, "ts": ts, "text": text, "message": changed}), &id, &ts, false)
}

pub fn delete(world: &mut World, install: &Install, params: &Params) -> Answer {
    let (id, message) = own(world, install, params, "cant_delete_message")?;
    if message.stream.is_some() {
        return Err(Refusal::new("cant_delete_message"));
    }
    let ts = message.text("ts").to_owned();
    world.remove(&id, &ts);
    Done::about(json!({"channel": id, "ts": ts}), &id, &ts, false)
}
