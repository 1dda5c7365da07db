//! A turn as agents get it: the text of people unchanged, and facts about it kept apart from the text.
//!
//! People can write anything, including what looks like a line of Frontdesk. So Frontdesk adds nothing to the text:
//! [`text`] is exactly what people wrote, with what they said in recordings below it, and [`facts`] is one JSON object
//! that reaches the agent separately (in a file, in fields of a JSON line, in arguments of a call). The line above a
//! transcript can be written by anybody; it only says that a person's words came by voice. Only the facts come from
//! Frontdesk. Names, quotes and the like in the facts were chosen by people: each is a JSON string of its own, on one line
//! and of limited length, and every named person has their stable id beside the name.

use serde_json::{Map, Value, json};

use crate::message::{Forward, InputKind, Link, Quote, Sender};
use crate::port::{ContextMessage, File, Prompt, Turn};
use crate::visible::{LABEL, clean};
use crate::voice::with_transcripts;

/// The longest quote or context message, in characters.
const EXCERPT: usize = 1000;
/// The longest target of a link, in characters. No platform allows longer ones.
const TARGET: usize = 4096;

/// The words of the turn's messages and nothing else, with an empty line between two messages. Empty if only files or
/// buttons came.
pub fn text(turn: &Turn) -> String {
    let texts: Vec<String> = turn.prompt.iter().map(words).filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// The words of one message: its text, and the transcripts of the recordings that came with it.
pub fn words(prompt: &Prompt) -> String {
    let said = |file: &'_ File| Some((file.kind, file.transcript.as_ref()?.as_ref().ok()?.clone()));
    let said: Vec<_> = prompt.files.iter().filter_map(said).collect();
    with_transcripts(&prompt.text, said.iter().map(|(kind, text)| (*kind, text.as_str())))
}

/// Everything that is known about a turn. `docs/agents.md` describes every field.
pub fn facts(turn: &Turn) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("session".into(), turn.session.as_str().into());
    facts.insert("epoch".into(), turn.epoch.into());
    facts.insert("turn".into(), turn.id.to_string().into());
    facts.insert("attempt".into(), turn.attempt.into());
    facts.insert("resumed".into(), turn.resumed.into());
    facts.insert("agent_ref".into(), turn.agent_ref.as_deref().into());
    facts.insert("origin".into(), turn.origin.name().into());
    facts.insert("options".into(), json!({"model": turn.options.model, "thinking": turn.options.thinking}));
    facts.insert("role".into(), turn.role.as_ref().map(|role| role.name.as_str()).into());
    facts.insert("messages".into(), turn.prompt.iter().map(message).collect());
    facts.insert("nearby".into(), turn.context_messages.iter().map(context_message).collect());
    facts.insert("context".into(), turn.context.iter().map(String::as_str).collect());
    facts
}

/// The facts of one message. Every field is always present.
pub fn message(prompt: &Prompt) -> Value {
    json!({
        "id": prompt.message.to_string(),
        "kind": prompt.input_kind.name(),
        "from": sender(&prompt.from),
        "retried_by": prompt.retried_by.as_ref().map(sender),
        "received": prompt.received.to_rfc3339(),
        "text": prompt.text,
        "forwarded": prompt.forward.as_ref().map(forwarded),
        "replies_to": prompt.quote.as_ref().map(|quote| replied_to(quote, prompt)),
        "links": prompt.links.iter().map(link).collect::<Value>(),
        "files": prompt.files.iter().map(file).collect::<Value>(),
    })
}

/// The facts of a context message. What has come of a task is the words of an agent, so it is from nobody, although its owner
/// decides whether it may still be passed on.
fn context_message(context_message: &ContextMessage) -> Value {
    let is_result = context_message.input_kind == InputKind::Task;
    json!({
        "kind": context_message.input_kind.name(),
        "from": (!is_result).then(|| sender(&context_message.from)),
        "received": context_message.received.to_rfc3339(),
        "text": excerpt(&context_message.text),
        "forwarded": context_message.forward.as_ref().map(forwarded),
    })
}

/// A sender: stable id, kind and display name.
pub fn sender(sender: &Sender) -> Value {
    json!({"id": sender.id.as_str(), "kind": sender.kind.name(), "name": sender.name.as_deref().map(sanitized)})
}

fn forwarded(forward: &Forward) -> Value {
    json!({
        "kind": forward.kind.name(),
        "id": forward.id.as_ref().map(|id| id.as_str()),
        "name": forward.name.as_deref().map(sanitized),
    })
}

/// The message that another one replies to; `yours` means that the agent sent it.
fn replied_to(quote: &Quote, prompt: &Prompt) -> Value {
    json!({
        "id": prompt.quoted.map(|id| id.to_string()),
        "yours": quote.ours,
        "from": {"id": quote.id.as_ref().map(|id| id.as_str()), "name": quote.sender.as_deref().map(sanitized)},
        "text": excerpt(&quote.text),
        "links": quote.links.iter().map(link).collect::<Value>(),
        "files": prompt.quoted_files.iter().map(file).collect::<Value>(),
    })
}

fn link(link: &Link) -> Value {
    json!({"label": sanitized(&link.label), "url": clean(&link.url, TARGET)})
}

/// A file, with everything sanitized that its sender chose. Only here an agent learns the path of a file.
fn file(file: &File) -> Value {
    let mut all = Map::new();
    all.insert("kind".into(), file.kind.name().into());
    all.insert("name".into(), file.name.as_deref().map(sanitized).into());
    all.insert("mime".into(), file.mime.as_deref().map(sanitized).into());
    all.insert("size".into(), file.size.into());
    match &file.got {
        Ok(path) => all.insert("path".into(), path.to_string_lossy().into()),
        Err(why) => all.insert("missing".into(), why.as_str().into()),
    };
    match &file.transcript {
        Some(Ok(words)) => drop(all.insert("transcript".into(), words.as_str().into())),
        Some(Err(why)) => drop(all.insert("no_transcript".into(), why.as_str().into())),
        None => {}
    }
    all.into()
}

/// A name that somebody chose, on one line, shortened, and without characters that change the direction of a line or
/// are invisible.
pub fn sanitized(name: &str) -> String {
    clean(name, LABEL)
}

fn excerpt(text: &str) -> Value {
    clean(text, EXCERPT).into()
}

#[cfg(test)]
mod tests;
