//! What a message contains beside its text: a shared message of somebody else, and the blocks and attachments of programs.

use frontdesk_core::message::{Forward, ForwardKind, Quote};
use serde_json::Value;

use super::field::{Unread, list, text_of};
use super::{App, person, text};

/// The maximum length of the text that is taken from blocks and attachments, in characters.
const LONGEST: usize = 8_000;

/// The shared message and the words in the blocks and attachments of a message.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub forwarded: Option<Forwarded>,
    /// The text of a message whose own text is empty, as those of many programs are.
    pub words: String,
}

/// A shared message.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub forward: Forward,
    pub quote: Quote,
}

pub(super) fn read(app: &App, message: &Value) -> Result<Shared, Unread> {
    let attachments = list(message, "attachments");
    let shared = attachments.iter().find(|attachment| attachment["is_share"] == true);
    let forwarded = shared.map(|attachment| forwarded(app, attachment)).transpose()?;
    let mut words = String::new();
    if text_of(message, "text").is_none() && forwarded.is_none() {
        let mut found = Vec::new();
        list(message, "blocks").iter().for_each(|block| block_texts(block, &mut found));
        for attachment in attachments {
            for name in ["pretext", "title", "text"] {
                found.extend(text_of(attachment, name));
            }
            let fields = list(attachment, "fields").iter();
            found.extend(
                fields.flat_map(|field| [text_of(field, "title"), text_of(field, "value")]).flatten(),
            );
        }
        if found.is_empty() {
            found.extend(attachments.iter().filter_map(|attachment| text_of(attachment, "fallback")));
        }
        words = text::read(&found.join("\n"), &app.user).text.chars().take(LONGEST).collect();
    }
    Ok(Shared { forwarded, words })
}

fn forwarded(app: &App, attachment: &Value) -> Result<Forwarded, Unread> {
    let author = text_of(attachment, "author_id");
    let id = author.map(|author| {
        person::principal(app, &person::id(app, author, text_of(attachment, "author_team_id")))
    });
    let id = id.transpose()?;
    let name =
        text_of(attachment, "author_name").or(text_of(attachment, "author_subname")).map(str::to_owned);
    let read =
        text::read(text_of(attachment, "text").or(text_of(attachment, "fallback")).unwrap_or_default(), "");
    let kind = match (author, text_of(attachment, "bot_id")) {
        (_, Some(_)) => ForwardKind::Bot,
        (Some(_), None) => ForwardKind::Person,
        (None, None) => ForwardKind::Unknown,
    };
    Ok(Forwarded {
        quote: Quote {
            message: text_of(attachment, "ts").map(str::to_owned),
            id: id.clone(),
            sender: name.clone(),
            links: read.links,
            ours: author == Some(app.user.as_str()),
            ..Quote::of(read.text)
        },
        forward: Forward { kind, id, name },
    })
}

/// The texts of a block, in order.
fn block_texts<'v>(block: &'v Value, found: &mut Vec<&'v str>) {
    match &block["text"] {
        Value::String(text) => found.push(text),
        text => found.extend(text_of(text, "text")),
    }
    found.extend(list(block, "fields").iter().filter_map(|field| text_of(field, "text")));
    // Buttons are no text of the message.
    if block["type"] != "actions" {
        list(block, "elements").iter().for_each(|element| block_texts(element, found));
    }
}
