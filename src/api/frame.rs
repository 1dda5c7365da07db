//! What readers see: one line of JSON per frame, made once and shared by all of them.

use axum::extract::ws::Utf8Bytes;
use frontdesk_core::act::{About, Ending, PostKind};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Frame;
use frontdesk_store::row::OutboxRow;
use serde::Serialize;
use serde_json::{Value, json};

/// A frame on its way to readers.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) kind: Kind,
    /// What it is about; nobody's session if it was sent to a bare address.
    pub(crate) about: About,
    /// Its place in the session; 0 if it has none.
    pub(crate) seq: u64,
    pub(crate) json: Utf8Bytes,
}

/// What a frame is, as far as the door must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A piece of an answer: may be left out.
    Delta,
    /// An answer.
    Done,
    /// Another durable line.
    Message,
    /// A turn has ended.
    End(Ending),
    /// Somebody is writing: may be left out.
    Typing,
    /// Something was left out.
    Gap,
    /// A durable line that is too large to wait here: the database has it. Never shown as it is.
    Stored,
}

impl Shown {
    /// A frame of the runtime.
    pub(crate) fn new(frame: Frame) -> Self {
        match frame {
            Frame::Delta { about, attempt, text } => Self::delta(about, attempt, &text),
            Frame::Line { about, seq, kind, text } => Self::line(about, seq, kind, &text),
            Frame::End { about, ending, usage } => Self::end(about, ending, usage.as_ref()),
            Frame::Typing => Self {
                kind: Kind::Typing,
                about: About::default(),
                seq: 0,
                json: r#"{"type":"typing"}"#.into(),
            },
        }
    }

    /// The durable line that a row of the outbox holds, as it was or will be shown live.
    pub(crate) fn from_row(row: OutboxRow) -> Self {
        let post = row.post;
        Self::line(post.about, post.seq.unwrap_or(0), post.kind, &post.part.body)
    }

    /// Says that pieces of answers in this session were left out.
    pub(crate) fn gap(session: Option<SessionKey>) -> Self {
        let json = text(&json!({"type": "gap", "session": session.as_ref().map(SessionKey::as_str)}));
        Self { kind: Kind::Gap, about: About { session, messages: Vec::new() }, seq: 0, json }
    }

    /// Stands for a durable line in a reader's queue.
    pub(crate) fn stored(line: &Shown) -> Self {
        Self {
            kind: Kind::Stored,
            about: line.about.clone(),
            seq: line.seq,
            json: Utf8Bytes::from_static(""),
        }
    }

    /// An answer, as it is shown to who asked for it again.
    pub(crate) fn answer(about: About, seq: u64, answer: &str) -> Self {
        Self::line(about, seq, PostKind::Answer, answer)
    }

    fn delta(about: About, attempt: u32, piece: &str) -> Self {
        let json = text(&Delta { r#type: "delta", text: piece, turn: TurnOf::new(&about), attempt });
        Self { kind: Kind::Delta, about, seq: 0, json }
    }

    fn line(about: About, seq: u64, kind: PostKind, body: &str) -> Self {
        let turn = TurnOf::new(&about);
        let seq_shown = (seq > 0).then_some(seq);
        let (shown, json) = match kind {
            PostKind::Answer => {
                (Kind::Done, text(&Done { r#type: "done", full_text: body, turn, seq: seq_shown }))
            }
            PostKind::Notice | PostKind::Send => {
                let kind = kind.name();
                (Kind::Message, text(&Message { r#type: "message", text: body, kind, turn, seq: seq_shown }))
            }
        };
        Self { kind: shown, about, seq, json }
    }

    fn end(about: About, ending: Ending, usage: Option<&Usage>) -> Self {
        let turn = TurnOf::new(&about);
        let json = match failure(ending) {
            None => text(&Status {
                r#type: "status",
                state: ending.name(),
                model: usage.and_then(|usage| usage.model.as_deref()),
                usage: usage.map(Tokens::of),
                turn,
            }),
            Some((code, message)) => {
                let TurnOf { session, message: about, messages } = turn;
                text(&Failed { r#type: "error", code, message, session, about, messages })
            }
        };
        Self { kind: Kind::End(ending), about, seq: 0, json }
    }

    /// Whether a reader who cannot keep up may miss it.
    pub(crate) fn is_fleeting(&self) -> bool {
        matches!(self.kind, Kind::Delta | Kind::Typing)
    }

    /// Whether it is about this message.
    pub(crate) fn is_about(&self, message: MessageId) -> bool {
        self.about.messages.contains(&message)
    }

    /// The name of its server-sent event.
    pub(crate) fn event(&self) -> &'static str {
        match self.kind {
            Kind::Delta => "delta",
            Kind::Done => "done",
            Kind::Message => "message",
            Kind::End(ending) if failure(ending).is_some() => "error",
            Kind::End(_) => "status",
            Kind::Typing => "typing",
            Kind::Gap | Kind::Stored => "gap",
        }
    }
}

/// The code and the sentence of a turn that ended without an answer.
pub(crate) fn failure(ending: Ending) -> Option<(&'static str, &'static str)> {
    match ending {
        Ending::Answered => None,
        Ending::Cancelled => Some(("cancelled", "This was cancelled before it was answered.")),
        Ending::Superseded => Some(("superseded", "A newer message took its place.")),
        Ending::Refused => Some(("refused", "This message was not passed on.")),
        Ending::Dead => Some(("agent_failed", "The agent could not answer. Send /retry to try again.")),
    }
}

/// What a turn cost, on the wire.
pub(crate) fn usage(usage: &Usage) -> Value {
    json!({"model": usage.model, "input": usage.input, "output": usage.output})
}

/// A value as the text of a frame.
pub(crate) fn text(value: &impl Serialize) -> Utf8Bytes {
    match serde_json::to_string(value) {
        Ok(text) => text.into(),
        // Cannot happen with the types of this room: no map has keys that are no text.
        Err(error) => {
            tracing::error!(%error, "a frame could not be written");
            r#"{"type":"error","code":"internal","message":"a frame could not be written"}"#.into()
        }
    }
}

/// A turn's place in the world. `message` is the newest of the messages that it answers; where there are
/// several, `messages` has all of them.
#[derive(Serialize)]
struct TurnOf<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<String>,
}

impl<'a> TurnOf<'a> {
    fn new(about: &'a About) -> Self {
        let several = if about.messages.len() > 1 { about.messages.as_slice() } else { &[] };
        Self {
            session: about.session.as_ref().map(SessionKey::as_str),
            message: about.messages.last().map(MessageId::to_string),
            messages: several.iter().map(MessageId::to_string).collect(),
        }
    }
}

#[derive(Serialize)]
struct Delta<'a> {
    r#type: &'static str,
    text: &'a str,
    #[serde(flatten)]
    turn: TurnOf<'a>,
    attempt: u32,
}

#[derive(Serialize)]
struct Done<'a> {
    r#type: &'static str,
    #[serde(rename = "fullText")]
    full_text: &'a str,
    #[serde(flatten)]
    turn: TurnOf<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    text: &'a str,
    kind: &'static str,
    #[serde(flatten)]
    turn: TurnOf<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

#[derive(Serialize)]
struct Status<'a> {
    r#type: &'static str,
    state: &'static str,
    model: Option<&'a str>,
    usage: Option<Tokens>,
    #[serde(flatten)]
    turn: TurnOf<'a>,
}

#[derive(Serialize)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
}

impl Tokens {
    fn of(usage: &Usage) -> Self {
        Self { input: usage.input, output: usage.output }
    }
}

#[derive(Serialize)]
struct Failed<'a> {
    r#type: &'static str,
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(messages: &[i64]) -> About {
        let session = Some("agent:main:web:dm:main".parse().unwrap());
        About { session, messages: messages.iter().copied().map(MessageId).collect() }
    }

    fn shown(frame: Frame) -> Value {
        serde_json::from_str(Shown::new(frame).json.as_str()).unwrap()
    }

    #[test]
    fn each_frame_has_the_fields_that_the_interface_names() {
        let session = "agent:main:web:dm:main";
        let delta = Frame::Delta { about: about(&[7]), attempt: 2, text: "a\"b".into() };
        assert_eq!(
            shown(delta),
            json!({"type": "delta", "text": "a\"b", "session": session, "message": "m7", "attempt": 2})
        );
        let line = |kind| Frame::Line { about: about(&[7]), seq: 3, kind, text: "hi".into() };
        assert_eq!(
            shown(line(PostKind::Answer)),
            json!({"type": "done", "fullText": "hi", "session": session, "message": "m7", "seq": 3})
        );
        assert_eq!(
            shown(line(PostKind::Notice)),
            json!({"type": "message", "text": "hi", "kind": "notice", "session": session, "message": "m7", "seq": 3})
        );
        let usage = Some(Usage { model: Some("m".into()), input: Some(1), output: None });
        assert_eq!(
            shown(Frame::End { about: about(&[7]), ending: Ending::Answered, usage }),
            json!({"type": "status", "state": "answered", "model": "m", "usage": {"input": 1, "output": null},
                   "session": session, "message": "m7"})
        );
        let failed = shown(Frame::End { about: about(&[7]), ending: Ending::Cancelled, usage: None });
        assert_eq!((&failed["code"], &failed["about"]), (&json!("cancelled"), &json!("m7")));
    }

    #[test]
    fn a_turn_that_answers_several_messages_names_them_all() {
        let frame =
            shown(Frame::Line { about: about(&[7, 8]), seq: 1, kind: PostKind::Answer, text: String::new() });
        assert_eq!((&frame["message"], &frame["messages"]), (&json!("m8"), &json!(["m7", "m8"])));
    }
}
