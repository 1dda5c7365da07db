//! Messages that grow while they are shown.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use super::need;
use crate::answer::{Answer, Done, Refusal};
use crate::channel::{Kind, Message, Stream};
use crate::world::{Install, World};

/// How long a message may grow.
const LIFETIME_MS: i64 = 300_000;
/// The most characters of one piece.
const PIECE: usize = 12_000;

/// The text that a request adds, and its tasks.
fn piece(params: &Params) -> Result<(String, Vec<Value>), Refusal> {
    let mut text = params.text("markdown_text").unwrap_or_default();
    let mut tasks = Vec::new();
    for chunk in params.json("chunks")?.as_ref().and_then(Value::as_array).into_iter().flatten() {
        match chunk["type"].as_str() {
            Some("markdown_text") => text.push_str(chunk["text"].as_str().unwrap_or_default()),
            Some("task_update" | "plan_update" | "blocks") => tasks.push(chunk.clone()),
            _ => return Err(Refusal::new("invalid_chunks")),
        }
    }
    if text.chars().count() > PIECE {
        return Err(Refusal::new("msg_too_long"));
    }
    Ok((text, tasks))
}

fn add(message: &mut Message, text: &str, tasks: Vec<Value>) {
    let grown = format!("{}{text}", message.text("text"));
    message.set("text", grown);
    let mut known = message.fields.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
    for task in tasks {
        known.retain(|old| old["type"] != task["type"] || old["id"] != task["id"]);
        known.push(task);
    }
    if !known.is_empty() {
        message.set("tasks", known);
    }
}

pub fn start(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.writable(install, params.text("channel"))?;
    let (id, is_private) = (channel.id.clone(), channel.kind == Kind::Im);
    let thread = params.text("thread_ts").filter(|thread| !thread.is_empty());
    if thread.is_none() && is_private {
        return Err(Refusal::arguments("missing required field: thread_ts"));
    }
    if !is_private {
        for (name, error) in [
            ("recipient_user_id", "missing_recipient_user_id"),
            ("recipient_team_id", "missing_recipient_team_id"),
        ] {
            params.text(name).ok_or_else(|| Refusal::new(error))?;
        }
    }
    let (text, tasks) = piece(params)?;
    let stream = Some(Stream { opened_at: world.now_ms(), stopped: false });
    let mut message =
        Message { fields: world.authored(&id, &install.user, ""), stream, ..Message::default() };
    add(&mut message, &text, tasks);
    message.set("streaming_state", "in_progress");
    if let Some(thread) = thread {
        message.set("thread_ts", thread);
    }
    let (ts, _) = world.publish(&id, message);
    Done::about(json!({"channel": id, "ts": ts}), &id, &ts, true)
}

/// A message of this bot that still grows.
fn growing(world: &mut World, install: &Install, params: &Params) -> Result<(String, String), Refusal> {
    let (ts, now) = (need(params, "ts")?, world.now_ms());
    let channel = world.joined(install, params.text("channel"))?;
    let id = channel.id.clone();
    let message = channel.messages.get_mut(&ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    if message.text("bot_id") != install.bot {
        return Err(Refusal::new("message_not_owned_by_app"));
    }
    if message.stream.as_ref().is_some_and(|stream| now - stream.opened_at > LIFETIME_MS) {
        message.stream = None;
        message.set("streaming_state", "errored");
    }
    match &message.stream {
        Some(stream) if stream.stopped => {
            message.stream = None;
            message.set("streaming_state", "completed");
            Err(Refusal::new("stopped_by_user"))
        }
        Some(_) => Ok((id, ts)),
        None => Err(Refusal::new("message_not_in_streaming_state")),
    }
}

pub fn append(world: &mut World, install: &Install, params: &Params) -> Answer {
    let (text, tasks) = piece(params)?;
    if text.is_empty() && tasks.is_empty() {
        return Err(Refusal::new("no_text"));
    }
    let (id, ts) = growing(world, install, params)?;
    // No event tells of each piece.
    if let Some(message) = world.channels.get_mut(&id).and_then(|channel| channel.messages.get_mut(&ts)) {
        add(message, &text, tasks);
    }
    Done::about(json!({"channel": id, "ts": ts}), &id, &ts, false)
}

pub fn stop(world: &mut World, install: &Install, params: &Params) -> Answer {
    let (text, tasks) = piece(params)?;
    let blocks = world.read_blocks(params.json("blocks")?)?;
    let (id, ts) = growing(world, install, params)?;
    world.rewrite(&id, &ts, None, |message| {
        add(message, &text, tasks);
        message.stream = None;
        message.set("streaming_state", "completed");
        message.fields.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
    });
    let stopped = world.channels.get(&id).and_then(|channel| channel.messages.get(&ts)).map(Message::value);
    Done::about(json!({"channel": id, "ts": ts, "message": stopped}), &id, &ts, false)
}
