//! What an agent does with earlier messages of its chat.

use chrono::{DateTime, Utc};
use frontdesk_core::ask::{Audience, Question};
use frontdesk_core::id::ChatMessageId;
use frontdesk_core::markup::Part;

use super::Author;

/// Something that is done with a message that was received or sent before.
#[derive(Debug, Clone)]
pub struct MessageChange {
    /// The message.
    pub of: ChatMessageId,
    /// What is done with it.
    pub change: Change,
    /// The same for every repetition of this request.
    pub key: String,
    /// Who does it, for the audit.
    pub author: Author,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What is done with a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It gets another text. Only a message of the agent itself.
    Edit(Part),
    /// It is deleted. Only a message of the agent itself.
    Delete,
    /// It gets a reaction; an empty one takes back what was put there before.
    React(String),
    /// It is pinned.
    Pin,
}

/// Why something cannot be done with a message. The text is for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// It is unknown, belongs to another conversation, or the platform gave no id for it.
    #[error("there is no such message in this conversation")]
    NoSuchMessage,
    /// A person or the gateway wrote it.
    #[error("only a message that you have sent can be edited or deleted")]
    NotYours,
    /// It has a file.
    #[error("a message with a file cannot be edited: delete it and send another one")]
    HasFile,
    /// It is a question to people.
    #[error("a message with choices ends with its answer and cannot be changed before or after that")]
    IsQuestion,
    /// It never reached the chat.
    #[error("this message has not reached the chat")]
    NotSent,
    /// The platform's id of it is not known yet.
    #[error("this message is still on its way: reply to it later")]
    OnItsWay,
}

/// A question that an agent leaves in its chat: it does not wait for the answer.
#[derive(Debug, Clone)]
pub struct OfferedQuestion {
    /// The question, within its limits and with nothing left out
    /// ([`Question::completed`](frontdesk_core::ask::Question::completed)).
    pub question: Question,
    /// Who may answer.
    pub audience: Audience,
    /// What follows from the answer.
    pub then: AfterAnswer,
    /// The message that it replies to.
    pub reply_to: Option<ChatMessageId>,
    /// Who asks, for the audit.
    pub author: Author,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterAnswer {
    /// The label of the choice is the next message of the person to the agent.
    Input,
    /// The choice with this id runs a command in the name of the person who made it.
    Command {
        /// The id of the choice.
        confirm: String,
        /// The text of the command.
        command: String,
    },
}

/// Why a question is not asked. The text is for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferRefused {
    /// Too many questions are open in the session.
    #[error("too many questions are open; wait for an answer first")]
    TooMany,
    /// It replies to a message that cannot be replied to.
    #[error(transparent)]
    Reply(#[from] ChangeRefused),
}
