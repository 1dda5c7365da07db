//! The list of tools, as a model reads it.

use frontdesk_core::ask::MAX_CHOICES;
use frontdesk_core::tool::Tool;
use serde_json::{Value, json};

/// What a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SendMessage,
    SendMedia,
    Message,
    SessionStatus,
    Status,
    Sessions,
    Tasks,
    Pairing,
    Gateway,
    Cron,
}

/// A tool as a model knows it.
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    description: &'static str,
    acts: Acts,
    parameters: fn() -> Value,
}

/// Which calls of a tool act: a turn in which one was made does not run again by itself.
#[derive(Debug, Clone, Copy)]
enum Acts {
    Never,
    Always,
    /// All whose `action` is none of these; without one, a call only reads.
    Unless(&'static [&'static str]),
}

impl Entry {
    /// Whether a call with these parameters acts.
    pub(super) fn acts(&self, params: &Value) -> bool {
        match self.acts {
            Acts::Never => false,
            Acts::Always => true,
            Acts::Unless(reads) => {
                let action = params.get("action").filter(|action| !action.is_null());
                action.is_some_and(|action| !action.as_str().is_some_and(|action| reads.contains(&action)))
            }
        }
    }
}

static ENTRIES: [Entry; 10] = [
    Entry {
        kind: Kind::SendMessage,
        name: "send_message",
        description: "Send a message to this chat at once, before the answer is complete: for example to say that \
                      something takes long. The answer itself is sent without this tool.",
        acts: Acts::Always,
        parameters: || {
            let labels = json!({"type": "array", "items": {"type": "string"}, "maxItems": MAX_CHOICES,
                "description": "Up to ten short choices beneath the message, as buttons. The one that the person chooses \
                                is their next message to you"});
            let fields = json!({
                "text": text("The message, in Markdown"),
                "replyTo": text("The id of the message that it replies to, for example m42"),
                "choices": labels,
            });
            object(fields, &["text"])
        },
    },
    Entry {
        kind: Kind::SendMedia,
        name: "send_media",
        description: "Send a file from the media folder to this chat.",
        acts: Acts::Always,
        parameters: || {
            let fields = json!({
                "path": text("The file, relative to the media folder"),
                "type": choice(&["photo", "audio", "document", "video", "sticker"]),
                "caption": text("A text that goes with it, in Markdown"),
            });
            object(fields, &["path"])
        },
    },
    Entry {
        kind: Kind::Message,
        name: "message",
        description: "Do something with a message of this chat: react to it with an emoji, pin it, or edit or delete one \
                      that you have sent. Ids are m42 for messages of people and o42 for yours, as the tools and the facts \
                      of messages name them.",
        acts: Acts::Always,
        parameters: || {
            let fields = json!({
                "action": choice(&["react", "edit", "delete", "pin"]),
                "messageId": text("The message. Without it, react and pin are for the message that you answer now"),
                "emoji": text("The reaction; an empty one takes yours back"),
                "text": text("The new text, in Markdown"),
            });
            object(fields, &["action"])
        },
    },
    Entry {
        kind: Kind::SessionStatus,
        name: "session_status",
        description: "Read the state of this conversation: agent, model, tokens, cost, use of the context, and when it \
                      began.",
        acts: Acts::Never,
        parameters: || object(json!({}), &[]),
    },
    Entry {
        kind: Kind::Status,
        name: "gateway_status",
        description: "Read which chat platforms are connected, and in an admin's private chat how much work there is.",
        acts: Acts::Never,
        parameters: || object(json!({}), &[]),
    },
    Entry {
        kind: Kind::Sessions,
        name: "gateway_sessions",
        description: "List the conversations of this chat, and in an admin's private chat the sessions of all chats.",
        acts: Acts::Never,
        parameters: || object(json!({}), &[]),
    },
    Entry {
        kind: Kind::Tasks,
        name: "gateway_background_tasks",
        description: "Background tasks of this chat: work that goes on after this answer, and whose result comes to the chat \
                      as a message of its own. Submit one for work that takes long; list or show how far they are; cancel \
                      one, or retry one that has ended. A task knows only the text that you give it.",
        acts: Acts::Unless(&["list", "show"]),
        parameters: || {
            let fields = json!({
                "action": choice(&["list", "show", "submit", "cancel", "retry"]),
                "id": text("The task, for example b12: to show, cancel or retry it"),
                "text": text("What to do, with everything that one needs to know for it"),
                "title": text("A few words by which people recognise the task"),
            });
            object(fields, &[])
        },
    },
    Entry {
        kind: Kind::Pairing,
        name: "gateway_pairing",
        description: "In an admin's private chat, list the people who ask for access. Only the admin can approve them, \
                      with a command.",
        acts: Acts::Never,
        parameters: || object(json!({"action": choice(&["list"])}), &[]),
    },
    Entry {
        kind: Kind::Gateway,
        name: "gateway",
        description: "In an admin's private chat, ask the admin to let the gateway read its configuration again or restart. \
                      It happens once the admin confirms it.",
        acts: Acts::Always,
        parameters: || object(json!({"action": choice(&["reload", "restart"])}), &["action"]),
    },
    Entry {
        kind: Kind::Cron,
        name: "cron",
        description: "Scheduled jobs of this chat: work that you or another agent does again and again, or once at a later \
                      time, and whose results come to the chat by themselves. List them or show one; add one, for example \
                      for a reminder or a report each morning; run, pause, resume or remove one. A run knows only the text \
                      of its job, so write down everything that it needs.",
        acts: Acts::Unless(&["list", "show"]),
        parameters: || {
            let schedule = json!({
                "kind": choice(&["cron", "every", "at"]),
                "expr": text("For cron five fields such as 0 9 * * 1-5 or a name such as @daily, for every a span such as \
                              1h30m, for at a time such as 2026-12-24T18:00"),
                "timezone": text("The IANA zone of local times, for example Europe/Berlin. Without it the chat's"),
            });
            let fields = json!({
                "action": choice(&["list", "show", "add", "run", "pause", "resume", "remove"]),
                "id": text("The job's name: letters, digits, - and _. Add makes one if it is left out"),
                "schedule": object(schedule, &["kind", "expr"]),
                "task": text("What is to be done at each run, with everything that one needs to know for it"),
                "delivery": choice(&["announce", "direct", "silent"]),
                "resumeContext": {"type": "boolean", "description": "Whether a run remembers the runs before it"},
            });
            object(fields, &[])
        },
    },
];

/// All tools.
pub(crate) fn list() -> Vec<Tool> {
    let tool = |entry: &Entry| Tool {
        name: entry.name,
        description: entry.description,
        parameters: (entry.parameters)(),
    };
    ENTRIES.iter().map(tool).collect()
}

/// The names of all tools.
pub fn tool_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// The tool of this name.
pub(super) fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn choice(values: &[&str]) -> Value {
    json!({"type": "string", "enum": values})
}
