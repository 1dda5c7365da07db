//! A prompt on its way through the door, from HTTP and from sockets alike.

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Outcome;
use frontdesk_core::port::Busy;

use crate::error::ApiError;
use crate::hub::Reply;
use crate::server::ServerState;
use crate::token::Caller;

/// The longest name of a chat, in bytes.
const CHAT: usize = 200;

/// A prompt that is a row now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) message: MessageId,
    pub(crate) session: SessionKey,
    /// Whether it was known already: its answer may be there.
    pub(crate) again: bool,
}

/// The chat that is meant when none is named.
pub(crate) fn default_chat() -> String {
    "main".to_owned()
}

/// Refuses a chat that has no usable name, and a text that says nothing.
pub(crate) fn check(chat: &str, text: &str) -> Result<(), ApiError> {
    check_chat(chat)?;
    if text.trim().is_empty() {
        return Err(ApiError::bad_request("the text is empty"));
    }
    Ok(())
}

/// Refuses a chat that has no usable name.
pub(crate) fn check_chat(chat: &str) -> Result<(), ApiError> {
    if chat.is_empty() || chat.len() > CHAT || chat.chars().any(char::is_control) {
        return Err(ApiError::bad_request(format!(
            "a chat's name has 1 to {CHAT} bytes and no control characters"
        )));
    }
    Ok(())
}

/// Hands a prompt in and waits for its commit.
pub(crate) async fn take(
    server: &ServerState,
    caller: &Caller,
    chat: &str,
    id: &str,
    text: String,
) -> Result<Taken, ApiError> {
    let reply = server.hub.submit(&caller.token, chat, id, text)?;
    tokio::select! {
        outcome = wait(reply) => outcome,
        // The adapter may have ended with the prompt in its hands; the same id later finds out.
        () = server.stop.cancelled() => Err(ApiError::stopping()),
    }
}

async fn wait(reply: Reply) -> Result<Taken, ApiError> {
    settle(reply.await.unwrap_or(Err(Busy::Stopping)))
}

/// What became of a prompt, in the door's words.
pub(crate) fn settle(outcome: Result<Outcome, Busy>) -> Result<Taken, ApiError> {
    match outcome? {
        Outcome::Accepted { message, session } => Ok(Taken { message, session, again: false }),
        Outcome::Duplicate { message, session } => Ok(Taken { message, session, again: true }),
        Outcome::Conflict { message } => Err(ApiError::conflict(message)),
        Outcome::Refused { message, reason } => Err(ApiError::refused(reason, message)),
        Outcome::Denied => Err(ApiError::denied()),
        // Neither can come of a prompt: it is said to the agent, and edits nothing.
        Outcome::Noted | Outcome::Ignored | Outcome::DeadLetter => {
            Err(ApiError::bad_request("nothing in this that an agent could answer"))
        }
    }
}
