//! Answers that are being written: their text so far, for a client that comes in the middle of one.

use std::collections::HashMap;

use frontdesk_core::delivery::{MessageRefs, Post, PostKind, Signal};
use frontdesk_core::key::SessionKey;
use frontdesk_core::progress::Progress;

use crate::frame::ServerFrame;

/// Maximum bytes that are kept of one answer. A client that comes in the middle of a longer one waits for its end.
const LONGEST: usize = 1024 * 1024;

/// The answers that are being written, by session: one turn of a session runs at a time.
#[derive(Default)]
pub(crate) struct GrowingAnswers {
    answers: HashMap<SessionKey, GrowingAnswer>,
}

struct GrowingAnswer {
    about: MessageRefs,
    attempt: u32,
    /// `None` once it is too long.
    text: Option<String>,
    /// What the agent does at the moment.
    step: Progress,
}

impl GrowingAnswers {
    /// Notes what a signal says about an answer.
    pub(crate) fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Delta { about, attempt, text } => self.add(about, *attempt, text),
            Signal::Progress { about, task: None, attempt, progress } => {
                self.add(about, *attempt, "");
                if let Some(answer) = about.session.as_ref().and_then(|session| self.answers.get_mut(session))
                {
                    answer.step = progress.clone();
                }
            }
            Signal::End { about, .. } => self.end(about),
            _ => {}
        }
    }

    /// Notes that an answer is stored.
    pub(crate) fn shown(&mut self, post: &Post) {
        if post.kind == PostKind::Answer && post.ask.is_none() {
            self.end(&post.about);
        }
    }

    /// The frames with the text so far of the answer that is being written in a session, and with what its agent does.
    pub(crate) fn frames(&self, session: &SessionKey) -> Vec<ServerFrame> {
        let Some(answer) = self.answers.get(session) else { return Vec::new() };
        let GrowingAnswer { about, attempt, text, step } = answer;
        let text = text.as_deref().filter(|text| !text.is_empty());
        let text = text.map(|text| ServerFrame::whole(about.clone(), *attempt, text));
        let step = Some(step).filter(|step| **step != Progress::default());
        let step = step.map(|step| ServerFrame::progress(about.clone(), None, *attempt, step));
        text.into_iter().chain(step).collect()
    }

    fn add(&mut self, about: &MessageRefs, attempt: u32, piece: &str) {
        let Some(session) = &about.session else { return };
        let new = || GrowingAnswer {
            about: about.clone(),
            attempt,
            text: Some(String::new()),
            step: Progress::default(),
        };
        let answer = match self.answers.get_mut(session) {
            Some(answer) => answer,
            None => self.answers.entry(session.clone()).or_insert_with(new),
        };
        if answer.attempt != attempt || answer.about != *about {
            *answer = new();
        }
        let fits = answer.text.as_ref().is_some_and(|text| text.len() + piece.len() <= LONGEST);
        match &mut answer.text {
            Some(text) if fits => text.push_str(piece),
            text => *text = None,
        }
    }

    fn end(&mut self, about: &MessageRefs) {
        let Some(session) = &about.session else { return };
        let is_it = |answer: &GrowingAnswer| {
            answer.about.messages.iter().any(|message| about.messages.contains(message))
        };
        if self.answers.get(session).is_some_and(is_it) {
            self.answers.remove(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::delivery::Ending;
    use frontdesk_core::id::MessageId;

    use super::*;
    use crate::frame::tests::post;

    fn about(message: i64) -> MessageRefs {
        let session = Some("agent:main:web:dm:main".parse().unwrap());
        MessageRefs { session, messages: vec![MessageId(message)] }
    }

    fn delta(message: i64, attempt: u32, text: &str) -> Signal {
        Signal::Delta { about: about(message), attempt, text: text.to_owned() }
    }

    fn text(answers: &GrowingAnswers) -> Option<String> {
        let frames = answers.frames(about(1).session.as_ref().unwrap());
        let frame = frames.first()?;
        let frame: serde_json::Value = serde_json::from_str(&frame.json).unwrap();
        assert_eq!((&frame["type"], &frame["whole"]), (&"delta".into(), &true.into()));
        frame["text"].as_str().map(str::to_owned)
    }

    #[test]
    fn the_text_so_far_is_kept_until_the_answer_is_stored_or_given_up() {
        let mut answers = GrowingAnswers::default();
        answers.signal(&delta(1, 1, "a"));
        answers.signal(&delta(1, 1, "b"));
        assert_eq!(text(&answers).as_deref(), Some("ab"));
        answers.signal(&delta(1, 2, "c"));
        assert_eq!(text(&answers).as_deref(), Some("c"), "another attempt begins anew");
        answers.signal(&Signal::End { about: about(7), ending: Ending::Cancelled, usage: None });
        answers.shown(&post(about(1), 1, PostKind::Notice, "a notice"));
        assert_eq!(text(&answers).as_deref(), Some("c"), "neither is the end of this answer");
        answers.shown(&post(about(1), 2, PostKind::Answer, "c"));
        assert_eq!(text(&answers), None);
        answers.signal(&delta(2, 1, "d"));
        answers.signal(&Signal::End { about: about(2), ending: Ending::Cancelled, usage: None });
        assert_eq!(text(&answers), None);
    }

    #[test]
    fn of_an_answer_that_is_too_long_nothing_is_kept() {
        let mut answers = GrowingAnswers::default();
        answers.signal(&delta(1, 1, &"x".repeat(LONGEST)));
        assert!(text(&answers).is_some());
        answers.signal(&delta(1, 1, "x"));
        answers.signal(&delta(1, 1, "x"));
        assert_eq!(text(&answers), None);
    }
}
