//! Frames for clients: one JSON object per WebSocket frame or server-sent event, serialized once for all clients.

mod wire;

use axum::extract::ws::Utf8Bytes;
use frontdesk_core::ask::{AskView, Audience, PostedAsk};
use frontdesk_core::delivery::{Ending, MessageRefs, Post, PostKind, Signal};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TaskId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup;
use frontdesk_core::message::Attachment;
use frontdesk_core::progress::Progress;
use frontdesk_core::task::TaskChange;
use serde::Serialize;
use serde_json::Value;

use crate::ask::{AskEnding, Question};
use crate::attachment::{ReceivedFile, SentFile};
use crate::ending::failure;
use crate::task::TaskError;
pub(crate) use wire::Wire;
use wire::{ErrorFrame, TurnFields};

/// A serialized frame with what the server must know about it.
#[derive(Debug)]
pub(crate) struct ServerFrame {
    pub(crate) kind: FrameKind,
    pub(crate) about: MessageRefs,
    /// Its sequence number in the session; 0 if the frame is not stored.
    pub(crate) seq: u64,
    pub(crate) json: Utf8Bytes,
    /// Of an open question: the frame for those who may not answer it.
    pub(crate) for_others: Option<Box<ForOthers>>,
}

/// An open question as those see it who may not answer it.
#[derive(Debug)]
pub(crate) struct ForOthers {
    /// Who may answer.
    audience: Audience,
    json: Utf8Bytes,
}

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A piece of an answer in progress. Left out for a client that reads too slowly.
    Delta,
    /// What somebody has written, for others who follow the session.
    Prompt,
    /// A whole answer.
    Done,
    /// A question during a turn.
    Ask,
    /// A question that is the whole reply to a command.
    AskReply,
    /// The end of a question.
    AskClosed,
    /// A change of a background task's state.
    Task,
    /// How far a background task is. Left out for a client that reads too slowly.
    Progress,
    /// A file that was sent.
    File,
    /// Any other stored message.
    Message,
    /// The end of a turn.
    End(Ending),
    /// The typing indicator. Left out for a client that reads too slowly.
    Typing,
    /// Tells the client that deltas were left out.
    Gap,
    /// Stands for a stored frame that is too large for a client's queue. It is read from the database instead, and is
    /// never sent itself.
    Stored,
}

impl ServerFrame {
    /// The frame of a signal, or `None` if the web channel does not show signals of its kind.
    pub(crate) fn signal(signal: Signal) -> Option<Self> {
        match signal {
            Signal::Delta { about, attempt, text } => Some(Self::delta(about, attempt, &text)),
            Signal::End { about, ending, usage } => Some(Self::end(about, ending, usage.as_ref())),
            Signal::Progress { about, task, attempt, progress } => {
                Some(Self::progress(about, task, attempt, &progress))
            }
            Signal::Typing => Some(Self {
                kind: FrameKind::Typing,
                about: MessageRefs::default(),
                seq: 0,
                json: text(&Wire::Typing),
                for_others: None,
            }),
            Signal::Draft { .. } | Signal::Grow { .. } | Signal::Waits { .. } => None,
        }
    }

    /// The frame of a post, the same whether it is shown live or read from the outbox.
    pub(crate) fn post(post: Post) -> Self {
        let seq = post.seq.unwrap_or(0);
        if let Some(ask) = post.ask {
            return Self::ask(post.about, post.kind == PostKind::Answer, seq, ask);
        }
        if let Some(change) = &post.task {
            return Self::task(post.about, seq, change, &post.part.body);
        }
        if let Some(file) = &post.file {
            let json = text(&Wire::File {
                file: SentFile::new(post.out, file),
                text: &post.part.body,
                markup: markup::tree(&post.part.body),
                kind: post.kind.name(),
                turn: TurnFields::new(&post.about),
                seq: (seq > 0).then_some(seq),
            });
            return Self { kind: FrameKind::File, about: post.about, seq, json, for_others: None };
        }
        match post.kind {
            PostKind::Answer => Self::answer(post.about, seq, &post.part.body),
            PostKind::Notice | PostKind::Send | PostKind::Result => {
                let json = text(&Wire::Message {
                    text: &post.part.body,
                    markup: markup::tree(&post.part.body),
                    kind: post.kind.name(),
                    turn: TurnFields::new(&post.about),
                    seq: (seq > 0).then_some(seq),
                });
                Self { kind: FrameKind::Message, about: post.about, seq, json, for_others: None }
            }
        }
    }

    /// The frame of an answer. `seq` is 0 if the answer is shown again to a client that repeated its request.
    pub(crate) fn answer(about: MessageRefs, seq: u64, answer: &str) -> Self {
        let json = text(&Wire::Done {
            full_text: answer,
            markup: markup::tree(answer),
            turn: TurnFields::new(&about),
            seq: (seq > 0).then_some(seq),
        });
        Self { kind: FrameKind::Done, about, seq, json, for_others: None }
    }

    /// The frame of an open question, for a client that repeated its request.
    pub(crate) fn open_ask(about: MessageRefs, ask: AskView) -> Self {
        let AskView { id, kind, text, choices, deadline, audience, .. } = ask;
        Self::ask(about, false, 0, PostedAsk { id, kind, text, choices, deadline, audience, closed: None })
    }

    /// The frame of a change of a task's state.
    fn task(about: MessageRefs, seq: u64, change: &TaskChange, title: &str) -> Self {
        let json = text(&Wire::Task {
            task: change.task.to_string(),
            session: about.session.as_ref().map(SessionKey::as_str),
            state: change.state.name(),
            attempt: change.attempt,
            title,
            error: change.problem.as_ref().map(TaskError::from),
            seq: (seq > 0).then_some(seq),
        });
        Self { kind: FrameKind::Task, about, seq, json, for_others: None }
    }

    /// The frame that says how far a task is, or what the agent does before it answers.
    pub(crate) fn progress(
        about: MessageRefs,
        task: Option<TaskId>,
        attempt: u32,
        progress: &Progress,
    ) -> Self {
        let json = text(&Wire::Progress {
            task: task.map(|task| task.to_string()),
            turn: TurnFields::new(&about),
            attempt,
            percent: progress.percent,
            text: progress.line.as_deref(),
        });
        Self { kind: FrameKind::Progress, about, seq: 0, json, for_others: None }
    }

    /// The frame of a question, or of its end. `reply`: nothing else answers its message.
    fn ask(about: MessageRefs, reply: bool, seq: u64, ask: PostedAsk) -> Self {
        let (id, seq_field) = (ask.id.to_string(), (seq > 0).then_some(seq));
        if let Some(end) = &ask.closed {
            let (turn, end) = (TurnFields::new(&about), AskEnding::new(end));
            let json = text(&Wire::AskClosed { id: None, ask: id, turn, end, seq: seq_field });
            return Self { kind: FrameKind::AskClosed, about, seq, json, for_others: None };
        }
        let frame = |may_answer| {
            let (turn, question) = (TurnFields::new(&about), Question::new(&ask, may_answer));
            text(&Wire::Ask { ask: id.clone(), reply, turn, question, seq: seq_field })
        };
        let (json, others) = (frame(true), frame(false));
        let for_others = Some(Box::new(ForOthers { audience: ask.audience, json: others }));
        let kind = if reply { FrameKind::AskReply } else { FrameKind::Ask };
        Self { kind, about, seq, json, for_others }
    }

    /// The frame as a client gets it. `may_answer` says whether its holder is one of those who may answer a question.
    pub(crate) fn json_for(&self, may_answer: impl FnOnce(&Audience) -> bool) -> &Utf8Bytes {
        match &self.for_others {
            Some(others) if !may_answer(&others.audience) => &others.json,
            _ => &self.json,
        }
    }

    /// Tells a client that deltas of this session were left out.
    pub(crate) fn gap(session: Option<SessionKey>) -> Self {
        let json = text(&Wire::Gap { session: session.as_ref().map(SessionKey::as_str) });
        Self {
            kind: FrameKind::Gap,
            about: MessageRefs { session, messages: Vec::new() },
            seq: 0,
            json,
            for_others: None,
        }
    }

    /// Takes the place of a large stored frame in a client's queue.
    pub(crate) fn stored(frame: &ServerFrame) -> Self {
        Self {
            kind: FrameKind::Stored,
            about: frame.about.clone(),
            seq: frame.seq,
            json: Utf8Bytes::from_static(""),
            for_others: None,
        }
    }

    /// The frame with the text so far of an answer that is being written.
    pub(crate) fn whole(about: MessageRefs, attempt: u32, so_far: &str) -> Self {
        Self::growing(about, attempt, so_far, true)
    }

    /// The frame of a message that somebody has written.
    pub(crate) fn prompt(
        session: &SessionKey,
        message: MessageId,
        id: &str,
        (words, files): (&str, &[Attachment]),
    ) -> Self {
        let attachments = files.iter().map(ReceivedFile::from).collect();
        let (about, key) = (message.to_string(), session.as_str());
        let json = text(&Wire::Prompt { id, text: words, attachments, message: about, session: key });
        let about = MessageRefs { session: Some(session.clone()), messages: vec![message] };
        Self { kind: FrameKind::Prompt, about, seq: 0, json, for_others: None }
    }

    fn delta(about: MessageRefs, attempt: u32, delta: &str) -> Self {
        Self::growing(about, attempt, delta, false)
    }

    fn growing(about: MessageRefs, attempt: u32, piece: &str, whole: bool) -> Self {
        let json = text(&Wire::Delta { text: piece, turn: TurnFields::new(&about), attempt, whole });
        Self { kind: FrameKind::Delta, about, seq: 0, json, for_others: None }
    }

    fn end(about: MessageRefs, ending: Ending, usage: Option<&Usage>) -> Self {
        let turn = TurnFields::new(&about);
        let json = match failure(ending) {
            None => text(&Wire::Status {
                state: ending.name(),
                model: usage.and_then(|usage| usage.model.as_deref()),
                usage: usage.map(Into::into),
                turn,
            }),
            Some((code, message)) => {
                let TurnFields { session, message: about, messages } = turn;
                let error =
                    ErrorFrame { code, message: &message, session, about, messages, ..ErrorFrame::default() };
                text(&Wire::Error { error })
            }
        };
        Self { kind: FrameKind::End(ending), about, seq: 0, json, for_others: None }
    }

    /// Whether the frame may be left out for a client that reads too slowly.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self.kind, FrameKind::Delta | FrameKind::Progress | FrameKind::Typing)
    }

    /// Whether it is about this message.
    pub(crate) fn is_about(&self, message: MessageId) -> bool {
        self.about.messages.contains(&message)
    }

    /// The text of an answer, or of a question that is the reply.
    pub(crate) fn full_text(&self) -> String {
        let frame = serde_json::from_str::<Value>(self.json.as_str()).unwrap_or_default();
        frame["fullText"].as_str().or_else(|| frame["text"].as_str()).unwrap_or_default().to_owned()
    }

    /// The name of its server-sent event.
    pub(crate) fn event_name(&self) -> &'static str {
        match self.kind {
            FrameKind::Delta => "delta",
            FrameKind::Prompt => "prompt",
            FrameKind::Done => "done",
            FrameKind::Ask | FrameKind::AskReply => "ask",
            FrameKind::AskClosed => "ask_closed",
            FrameKind::Task => "task",
            FrameKind::Progress => "progress",
            FrameKind::File => "file",
            FrameKind::Message => "message",
            FrameKind::End(ending) if failure(ending).is_some() => "error",
            FrameKind::End(_) => "status",
            FrameKind::Typing => "typing",
            FrameKind::Gap | FrameKind::Stored => "gap",
        }
    }
}

/// The frame of a question's end, for the client that has answered it with the frame `id`.
pub(crate) fn answered(id: Option<Value>, view: &AskView) -> Utf8Bytes {
    let about = MessageRefs { session: Some(view.session.clone()), messages: Vec::new() };
    let (ask, turn, end) = (view.id.to_string(), TurnFields::new(&about), AskEnding::of(view));
    text(&Wire::AskClosed { id, ask, turn, end, seq: None })
}

/// The session of a signal, by which its subscribers are found; `None` if its address decides.
pub(crate) fn session_of(signal: &Signal) -> Option<&SessionKey> {
    match signal {
        Signal::Delta { about, .. } | Signal::Progress { about, .. } | Signal::End { about, .. } => {
            about.session.as_ref()
        }
        Signal::Typing | Signal::Draft { .. } | Signal::Grow { .. } | Signal::Waits { .. } => None,
    }
}

/// A value as the text of a frame.
pub(crate) fn text(value: &impl Serialize) -> Utf8Bytes {
    match serde_json::to_string(value) {
        Ok(text) => text.into(),
        // This does not happen with the types of this module: their maps have only strings as keys.
        Err(error) => {
            tracing::error!(%error, "a frame could not be serialized");
            r#"{"type":"error","code":"internal","message":"a frame could not be written"}"#.into()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
