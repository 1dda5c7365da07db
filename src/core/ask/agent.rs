//! A question of an agent, and how it gets the answer.

use std::fmt;

use futures_channel::oneshot;

use super::{AskEnd, Question};

/// A question that an agent asks during its turn.
#[derive(Debug)]
pub struct AgentQuestion {
    /// The question.
    pub question: Question,
    /// Receives what becomes of it.
    pub reply: AskReply,
}

/// Passes the end of a question to the agent. If it is dropped, the turn ends without an answer.
pub struct AskReply(oneshot::Sender<Result<AskEnd, String>>);

impl AskReply {
    /// A reply, and the receiver on which the agent waits for it. An error says why the question was not asked.
    pub fn channel() -> (Self, oneshot::Receiver<Result<AskEnd, String>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// The question has ended. This is dropped if the agent does not wait any more.
    pub fn ended(self, end: AskEnd) {
        drop(self.0.send(Ok(end)));
    }

    /// The question is not asked, for this reason.
    pub fn refused(self, why: impl Into<String>) {
        drop(self.0.send(Err(why.into())));
    }
}

impl fmt::Debug for AskReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AskReply")
    }
}
