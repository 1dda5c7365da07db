//! Questions that the gateway asks people: for an agent, and before an admin's request is carried out.

mod agent;
mod end;
mod press;
mod question;
mod typed;

use chrono::{DateTime, Utc};

pub use agent::{AgentQuestion, AskReply};
pub use end::{Answerer, AskAnswer, AskEnd, AskError, AskState, OPERATOR};
pub use press::{NotAPress, Press};
pub use question::{
    MAX_ANSWER, MAX_CHOICE_ID, MAX_CHOICES, MAX_DEADLINE, MAX_LABEL, MAX_TEXT, Question, QuestionError,
    differ, is_label,
};
pub use typed::{OpenAsk, by_command, instructions, read};

use crate::address::{Address, Principal};
use crate::id::{AskId, TurnId};
use crate::key::SessionKey;

/// The kind of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskKind {
    /// An agent wants to do something that needs permission.
    Permission,
    /// One of several choices.
    Choice,
    /// Whether to do what somebody has just asked for.
    Confirm,
    /// Free text.
    Input,
}

impl AskKind {
    /// All variants.
    pub const ALL: [AskKind; 4] = [AskKind::Permission, AskKind::Choice, AskKind::Confirm, AskKind::Input];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<AskKind> {
        AskKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in the database, in the API and for agents.
    pub fn name(self) -> &'static str {
        match self {
            AskKind::Permission => "permission",
            AskKind::Choice => "choice",
            AskKind::Confirm => "confirm",
            AskKind::Input => "input",
        }
    }
}

/// One choice of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskChoice {
    /// Its id, unique within the question.
    pub id: String,
    /// The text of its button.
    pub label: String,
    /// How its button looks, on platforms whose buttons differ.
    pub style: ChoiceStyle,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChoiceStyle {
    /// Like any other.
    #[default]
    Plain,
    /// The one that is suggested.
    Primary,
    /// One that should be chosen with care.
    Danger,
}

impl ChoiceStyle {
    /// All variants.
    pub const ALL: [ChoiceStyle; 3] = [ChoiceStyle::Plain, ChoiceStyle::Primary, ChoiceStyle::Danger];

    /// The style with this name.
    pub fn named(name: &str) -> Option<ChoiceStyle> {
        ChoiceStyle::ALL.into_iter().find(|style| style.name() == name)
    }

    /// The name in the database, in the API and for agents.
    pub fn name(self) -> &'static str {
        match self {
            ChoiceStyle::Plain => "plain",
            ChoiceStyle::Primary => "primary",
            ChoiceStyle::Danger => "danger",
        }
    }
}

/// Who may answer a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// These people, as long as they may write in the chat of the question.
    People(Vec<Principal>),
    /// Everybody who may administer the account of the question's chat.
    Admins,
}

/// A question as its chat shows it: adapters with [`Profile::buttons`](crate::profile::Profile::buttons) draw the
/// choices as buttons, whose data is a [`Press`]. Elsewhere the text of the post lists the choices already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedAsk {
    /// Its id.
    pub id: AskId,
    /// Its kind.
    pub kind: AskKind,
    /// The question alone, in Markdown, without instructions for answering.
    pub text: String,
    /// Its choices; none for free text.
    pub choices: Vec<AskChoice>,
    /// When it expires.
    pub deadline: DateTime<Utc>,
    /// Who may answer.
    pub audience: Audience,
    /// How it has ended, in the post that closes it: its message then loses its buttons.
    pub closed: Option<AskEnd>,
}

/// A question with its state, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskView {
    /// Its id.
    pub id: AskId,
    /// Its kind.
    pub kind: AskKind,
    /// The question, in Markdown.
    pub text: String,
    /// Its choices; none for free text.
    pub choices: Vec<AskChoice>,
    /// Who may answer.
    pub audience: Audience,
    /// The session in which it is asked.
    pub session: SessionKey,
    /// The chat in which it is asked.
    pub address: Address,
    /// The turn that asks; `None` if it is the reply to a command.
    pub turn: Option<TurnId>,
    /// When it was asked.
    pub created: DateTime<Utc>,
    /// When it expires.
    pub deadline: DateTime<Utc>,
    /// How it has ended; `None` while it is open.
    pub end: Option<AskEnd>,
    /// When it has ended.
    pub ended: Option<DateTime<Utc>>,
    /// Whether it only shows the choices of a command: nothing waits for the answer.
    pub is_menu: bool,
    /// Whether its answer is the person's next message to the agent, which does not wait for it.
    pub answer_is_message: bool,
}

impl AskView {
    /// Whether the question names somebody.
    pub fn names(&self, who: &Principal) -> bool {
        matches!(&self.audience, Audience::People(people) if people.contains(who))
    }

    /// The question as somebody reads it whose message waits behind it.
    pub fn for_reader(&self, reader: &Principal) -> OpenAsk {
        OpenAsk { ask: self.id, how: self.names(reader).then(|| by_command(self.id, &self.choices)) }
    }

    /// Its state.
    pub fn state(&self) -> AskState {
        self.end.as_ref().map_or(AskState::Open, AskEnd::state)
    }
}
