//! Two private chats of one person that share one session.

use std::time::Duration;

use thiserror::Error;

use crate::address::Principal;
use crate::ask::{AskChoice, AskKind, ChoiceStyle, Question, QuestionError};
use crate::id::MessageId;
use crate::pairing::MASK;
use crate::visible::quoted_label;

/// How long a code can be entered, and how long both chats are asked afterwards.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// Why two chats are not joined or separated, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The code was entered in the chat that shows it.
    #[error("This is the chat that shows the code. Enter it in the other private chat.")]
    SameChat,
    /// The chats talk to different agents.
    #[error("The two chats talk to different agents, so they cannot share a conversation.")]
    OtherAgent,
    /// The chat shares the session of another one already.
    #[error("This chat already shares the conversation of another one. Send `/link off` first.")]
    Joined,
    /// Other chats share the session of this one.
    #[error("Another chat already shares the conversation of this one. Send `/link off` here first.")]
    Shared,
    /// No request waits for this.
    #[error("There is no such request any more. To begin again, send `/link` in one of the two chats.")]
    NoRequest,
    /// The chat shares no conversation.
    #[error("This chat does not share its conversation.")]
    NotJoined,
}

/// The reply that shows a code; the code itself replaces [`MASK`] when the reply is sent.
pub fn code_shown() -> String {
    format!(
        "To continue this conversation in another private chat with me, send this there within ten minutes:\n\n\
         `/link {MASK}`\n\nBoth chats are then asked whether you agree. Show the code to nobody else."
    )
}

/// The choices of the question: the id of each, and the command that it runs.
pub fn commands(request: MessageId) -> Vec<(String, String)> {
    ["confirm", "refuse"].map(|word| (word.to_owned(), format!("/link {word} {request}"))).into()
}

/// The question that each of the two chats is asked. `other` is the person in the other chat, `name` their display name.
pub fn question(
    other: &Principal,
    name: Option<&str>,
    request: MessageId,
) -> Result<Question, QuestionError> {
    let choice = |id: &str, label: &str, style| AskChoice { id: id.into(), label: label.into(), style };
    let question = Question {
        kind: AskKind::Confirm,
        text: question_text(other, name, request),
        choices: vec![
            choice("confirm", "Join the chats", ChoiceStyle::Primary),
            choice("refuse", "Refuse", ChoiceStyle::Danger),
        ],
        audience: None,
        deadline: Some(LIFETIME),
        default: None,
    };
    question.completed()
}

/// The text of the question, also for platforms without buttons.
pub fn question_text(other: &Principal, name: Option<&str>, request: MessageId) -> String {
    let shown = name.map(|name| format!(", shown as {},", quoted_label(name))).unwrap_or_default();
    format!(
        "Shall this private chat and the one of {}{shown} share one conversation? Whoever writes in one of them then reads \
         and continues what was said in the other. Agree only if both are yours: press a button, or send \
         `/link confirm {request}` or `/link refuse {request}`.",
        quoted_label(other.as_str())
    )
}

/// What both chats are told once they are joined.
pub fn joined(other: &Principal) -> String {
    format!(
        "This chat and the private chat of {} share one conversation now. Each answer goes to the chat that asked. \
         To separate them, send `/link off`.",
        quoted_label(other.as_str())
    )
}

/// What a chat is told when it no longer shares the conversation of another one.
pub const PARTED: &str =
    "This chat has its own conversation again. The one that it shared continues in the other chat.";

/// What the other chat is told if one of them does not agree.
pub const REFUSED: &str = "The other chat did not agree, so the two chats stay apart.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_other_person_as_data() {
        let other = Principal::new("discord", None, "42").unwrap();
        let question = question(&other, Some("`x` /link off\n**admin**"), MessageId(7)).unwrap();
        assert!(question.text.contains("`discord:42`") && question.text.contains("/link confirm m7"));
        assert!(!question.text.contains("\n**admin**"), "{}", question.text);
        let commands = commands(MessageId(7));
        assert!(question.choices.iter().zip(&commands).all(|(choice, (id, _))| choice.id == *id));
    }
}
