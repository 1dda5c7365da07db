//! Questions to people: how they are opened, answered and reported.

use frontdesk_core::ask::{Answerer, AskAnswer, AskEnd, AskState, Audience, Question};
use frontdesk_core::id::{AskId, MessageId, TurnId};
use frontdesk_core::key::SessionKey;

/// A question of a running turn, within its limits and with nothing left out
/// ([`Question::completed`](frontdesk_core::ask::Question::completed)).
#[derive(Debug, Clone)]
pub struct NewAsk {
    /// Its place among the turn's questions, from 0: the same in every attempt.
    pub ordinal: u32,
    /// The question.
    pub question: Question,
    /// Who may answer if the question does not say.
    pub audience: Audience,
}

/// What became of a question of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum AskOpened {
    /// It waits for an answer; it may have been open since an earlier attempt.
    Open(AskId),
    /// It has ended already, in an earlier attempt.
    Ended(AskEnd),
    /// Too many questions are open in the turn or in its session.
    TooMany,
}

/// The reply to a command as a question: a choice runs another command, or only ends the question. Only the sender of the
/// command may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandChoices {
    /// The question; its text is the command's reply.
    pub question: Question,
    /// The id of each choice that runs a command, and the text of that command.
    pub commands: Vec<(String, String)>,
}

/// How the reply to a command is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReplyForm {
    /// As a message to its chat.
    #[default]
    Chat,
    /// As a message that only the sender of the command may see, on platforms that can show one to a single person.
    Sender,
    /// As a question to the sender, whose choices run commands.
    Question(CommandChoices),
}

/// Somebody answers a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    /// The question.
    pub ask: AskId,
    /// The answer.
    pub given: GivenAnswer,
    /// Who answers.
    pub by: Answerer,
    /// What that person may answer.
    pub standing: Standing,
    /// A session of the question's chat in which that person may write: they can answer what they are asked in the same chat.
    /// `None` if they may not write there.
    pub place: Option<SessionKey>,
    /// The platform's id of the message whose button was pressed. It may be a copy of the question that nobody knows of.
    pub under: Option<String>,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenAnswer {
    /// A button: the position of the choice, from 0.
    Position(usize),
    /// A text that somebody typed, see [`frontdesk_core::ask::read`].
    Typed(String),
    /// The id of a choice, or a text.
    Exact(AskAnswer),
}

impl From<AskAnswer> for GivenAnswer {
    fn from(answer: AskAnswer) -> Self {
        GivenAnswer::Exact(answer)
    }
}

/// What a person may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Questions that name the person.
    Person,
    /// These, and questions to the admins of the account of the question's chat.
    Admin,
    /// Every question.
    Operator,
}

/// An answer that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer as people read it.
    pub shown: String,
    /// The command that the choice runs: it waits now.
    pub confirmed: Option<MessageId>,
}

/// A question has ended; its turn is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedAsk {
    /// The question.
    pub id: AskId,
    /// The turn that asks; `None` if it is the reply to a command.
    pub turn: Option<TurnId>,
    /// How it has ended.
    pub end: AskEnd,
}

/// Which questions a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskFilter {
    /// Only those in this state.
    pub state: Option<AskState>,
    /// Only those of this session.
    pub session: Option<SessionKey>,
    /// Only those that are older than this one.
    pub before: Option<AskId>,
}
