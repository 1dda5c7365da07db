//! A turn as pi gets it: the text of people, images, and the facts apart from the text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{File, Prompt, Turn};
use frontdesk_core::prompt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::debug;

use super::wire::Image;

/// Sent in place of a text where there is none, because model providers refuse an empty text.
const NO_TEXT: &str = "(no text)";
/// The media types that models take.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Maximum number of images in one prompt.
const MAX_IMAGES: usize = 10;
/// The first line of the facts.
const ABOUT: &str = "Facts from the gateway about the next message. Names, quotes and nearby messages in them were chosen by people.";
/// The maximum length of the readable part of a session's id.
const READABLE: usize = 48;
/// Commands that pi has built in. They change pi itself and are nothing for chats.
const BUILTIN: [&str; 2] = ["/llama", "/mcp"];

/// The text of a turn.
pub(super) fn text(turn: &Turn) -> String {
    shown(prompt::text(turn))
}

/// The text of one message.
pub(super) fn text_of(prompt: &Prompt) -> String {
    shown(prompt::words(prompt))
}

fn shown(text: String) -> String {
    if text.trim().is_empty() {
        return NO_TEXT.to_owned();
    }
    // With a space before it a command is text for the model.
    match BUILTIN.contains(&text.split_whitespace().next().unwrap_or_default()) && text.starts_with('/') {
        true => format!(" {text}"),
        false => text,
    }
}

/// What is known about a turn, without the texts that pi gets anyway, and without empty fields.
pub(super) fn facts(turn: &Turn) -> String {
    let mut facts = prompt::facts(turn);
    for known in ["agent_ref", "options", "attempt"] {
        facts.remove(known);
    }
    let mut facts = Value::Object(facts);
    if let Some(messages) = facts.get_mut("messages").and_then(Value::as_array_mut) {
        for message in messages.iter_mut().filter_map(Value::as_object_mut) {
            message.remove("text");
            let files = message.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten();
            for file in files.filter_map(Value::as_object_mut) {
                file.remove("transcript");
            }
        }
    }
    without_empty(&mut facts);
    format!("{ABOUT}\n{facts}")
}

fn without_empty(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(without_empty);
            fields.retain(|_, value| match value {
                Value::Null | Value::Bool(false) => false,
                Value::Array(values) => !values.is_empty(),
                _ => true,
            });
        }
        Value::Array(values) => values.iter_mut().for_each(without_empty),
        _ => {}
    }
}

/// The images among the files of these messages that are not larger than `most` bytes each. What cannot be read is left
/// out: the facts name it anyway.
pub(super) async fn images(prompts: &[Prompt], most: u64) -> Vec<Image> {
    let mut images = Vec::new();
    for prompt in prompts {
        for file in prompt.files.iter().chain(&prompt.quoted_files) {
            if images.len() < MAX_IMAGES
                && let Some(image) = image(file, most).await
            {
                images.push(image);
            }
        }
    }
    images
}

async fn image(file: &File, most: u64) -> Option<Image> {
    let mime = file.mime.as_deref().filter(|mime| IMAGES.contains(mime))?;
    let path = file.got.as_ref().ok()?;
    let read = async {
        match tokio::fs::metadata(path).await?.len() <= most {
            true => tokio::fs::read(path).await.map(Some),
            false => Ok(None),
        }
    };
    match read.await {
        Ok(bytes) => bytes.map(|bytes| Image { mime: mime.to_owned(), data: STANDARD.encode(bytes) }),
        Err(error) => {
            debug!(%error, "an image cannot be read");
            None
        }
    }
}

/// The id of pi's session for an epoch of a conversation: readable for people, and unique by a digest of the whole key.
/// pi allows letters, digits, `.`, `_` and `-`, with a letter or a digit at both ends.
pub(super) fn session_id(session: &SessionKey, epoch: u64) -> String {
    let key = session.as_str();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let readable: String =
        key.splitn(3, ':').nth(2).unwrap_or(key).chars().take(READABLE).map(plain).collect();
    let digest = Sha256::digest(key.as_bytes());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("fd-{readable}-{digest}-e{epoch}")
}

/// Whether pi takes this as the id of a session.
pub(super) fn is_session_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    id.len() < 200 && id.chars().all(plain) && ends(id.chars().next()) && ends(id.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_pi_is_named_by_key_and_epoch_and_the_name_never_changes() {
        let id = |key: &str, epoch| session_id(&key.parse().unwrap(), epoch);
        let main = id("agent:main:telegram:dm:1001", 3);
        assert_eq!(main, "fd-telegram-dm-1001-2def3e77d75ee1b256f51772e6292a68-e3");
        let long = format!("agent:main:web:dm:{}", "ä/".repeat(300));
        for key in ["agent:main:web:dm:main", "agent:other:web:dm:main", "agent:main:web:dm:..", &long] {
            assert!(is_session_id(&id(key, u64::MAX)), "{key}");
            assert_ne!(id(key, 3), main);
            assert_ne!(id(key, 3), id(key, 4));
        }
        for odd in ["", "-a", "a-", "a/b", "..", &"a".repeat(200)] {
            assert!(!is_session_id(odd), "{odd}");
        }
    }

    #[test]
    fn pis_own_commands_are_text_and_an_empty_text_is_said_to_be_one() {
        assert_eq!(shown("/mcp list".into()), " /mcp list");
        assert_eq!(shown("/mcpx".into()), "/mcpx");
        assert_eq!(shown(" ".into()), NO_TEXT);
    }
}
