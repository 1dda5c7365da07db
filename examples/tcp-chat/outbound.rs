//! From deliveries and signals to lines. Pure.

use frontdesk_core::ask::{PostedAsk, Press};
use frontdesk_core::delivery::{Delivery, Post, SendError, Signal};
use sha2::{Digest, Sha256};

use crate::line::{escape, shown_chat};

/// A message as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Its id, which the client acknowledges.
    pub(crate) id: String,
    /// The only person who gets it.
    pub(crate) only: Option<String>,
    /// The lines, the one with the id last.
    pub(crate) lines: Vec<String>,
}

/// The lines of a delivery.
pub(crate) fn delivery(chat: &str, delivery: Delivery) -> Result<Outgoing, SendError> {
    let shown = shown_chat(chat);
    match delivery {
        Delivery::Post(post) => {
            let id = message_id(&post);
            let word = if post.audience.is_some() { "WHISPER" } else { "MSG" };
            let reply = post.reply_to.as_deref().unwrap_or("-");
            let mut lines = buttons(shown, &id, post.ask.as_ref());
            lines.push(format!("{word} {shown} {id} {reply} {}", escape(&post.part.body)));
            Ok(Outgoing { id, only: post.audience.map(|person| person.id().to_owned()), lines })
        }
        Delivery::Edit { target, post } => {
            let mut lines = buttons(shown, &target, post.ask.as_ref());
            lines.push(format!("EDIT {shown} {target} {}", escape(&post.part.body)));
            Ok(Outgoing { id: target, only: None, lines })
        }
        Delivery::Delete { target } => {
            let lines = vec![format!("DELETE {shown} {target}")];
            Ok(Outgoing { id: target, only: None, lines })
        }
        Delivery::Media { .. } | Delivery::Album(_) => {
            Err(SendError::Refused("this chat shows no files".into()))
        }
        Delivery::React { .. } | Delivery::Pin { .. } => {
            Err(SendError::Refused("this chat has neither reactions nor pinned messages".into()))
        }
    }
}

/// The line of a signal; `None` for what the chat does not show.
pub(crate) fn signal(chat: &str, signal: Signal) -> Option<String> {
    let shown = shown_chat(chat);
    match signal {
        Signal::Typing => Some(format!("TYPING {shown}")),
        Signal::Grow { target, text } => Some(format!("EDIT {shown} {target} {}", escape(&text))),
        Signal::Draft { .. }
        | Signal::Waits { .. }
        | Signal::Delta { .. }
        | Signal::Progress { .. }
        | Signal::End { .. } => None,
    }
}

/// The id of a message. It is the same in every attempt to send it, so that a client recognises a repetition.
fn message_id(post: &Post) -> String {
    Sha256::digest(post.key.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// One line for each choice of an open question.
fn buttons(shown: &str, id: &str, ask: Option<&PostedAsk>) -> Vec<String> {
    let Some(ask) = ask.filter(|ask| ask.closed.is_none()) else { return Vec::new() };
    let button = |(choice, label): (usize, &str)| {
        format!("BUTTON {shown} {id} {} {}", Press { ask: ask.id, choice }, escape(label))
    };
    ask.choices.iter().map(|choice| choice.label.as_str()).enumerate().map(button).collect()
}

#[cfg(test)]
mod tests {
    use frontdesk_core::address::Principal;
    use frontdesk_core::delivery::{MessageRefs, PostKind};
    use frontdesk_core::id::OutId;
    use frontdesk_core::markup::Part;

    use super::*;

    fn post(text: &str) -> Post {
        Post {
            part: Part { key: 0, body: text.into(), plain: text.into() },
            out: OutId(1),
            key: "db/t1/0".into(),
            reply_to: None,
            kind: PostKind::Answer,
            about: MessageRefs::default(),
            seq: None,
            more: false,
            ask: None,
            task: None,
            audience: None,
            file: None,
            native: None,
        }
    }

    #[test]
    fn a_message_has_the_same_id_in_every_attempt() {
        let id = |post| delivery("anna", Delivery::Post(post)).unwrap().id;
        assert_eq!(id(post("hello")), id(post("hello")));
        assert_ne!(id(post("hello")), id(Post { key: "db/t1/1".into(), ..post("hello") }));
    }

    #[test]
    fn a_post_for_one_person_is_a_whisper_to_that_person() {
        let audience = Principal::new("tcp", None, "bert").ok();
        let whisper = Post { audience, reply_to: Some("7".into()), ..post("only for you") };
        let outgoing = delivery("#garden", Delivery::Post(whisper)).unwrap();
        assert_eq!(outgoing.only.as_deref(), Some("bert"));
        assert_eq!(outgoing.lines, [format!("WHISPER #garden {} 7 only for you", outgoing.id)]);
    }
}
