//! Prompts of clients, from HTTP and WebSocket alike: their checks, and how they are stored.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::{Scope as SessionScope, SessionKey};
use frontdesk_core::message::{Attachment, Outcome};
use frontdesk_core::port::Busy;
use futures_channel::oneshot::Canceled;

use crate::error::ApiError;
use crate::prompt_queue::NewPrompt;
use crate::server::ServerState;
use crate::token::Caller;

/// Maximum length of a chat's name, in bytes.
pub(crate) const MAX_CHAT_NAME: usize = 200;

/// Maximum number of uploads that one prompt names.
pub(crate) const MAX_FILES: usize = 10;

/// A prompt that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcceptedPrompt {
    pub(crate) message: MessageId,
    pub(crate) session: SessionKey,
    /// Whether it was stored by an earlier request, so that its answer may exist already.
    pub(crate) duplicate: bool,
}

/// The chat of a prompt that names none.
pub(crate) fn default_chat() -> String {
    "main".to_owned()
}

/// Refuses an invalid chat name, and an empty text without files.
pub(crate) fn check(chat: &str, text: &str, has_files: bool) -> Result<(), ApiError> {
    check_chat(chat)?;
    if text.trim().is_empty() && !has_files {
        return Err(ApiError::bad_request("the text is empty"));
    }
    Ok(())
}

/// Refuses an invalid chat name.
pub(crate) fn check_chat(chat: &str) -> Result<(), ApiError> {
    if chat.is_empty() || chat.len() > MAX_CHAT_NAME || chat.chars().any(char::is_control) {
        return Err(ApiError::bad_request(format!(
            "a chat's name has 1 to {MAX_CHAT_NAME} bytes and no control characters"
        )));
    }
    Ok(())
}

/// The address of a chat.
pub(crate) fn address(chat: &str) -> Result<Address, ApiError> {
    Address::new("web", None, chat, None).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The address of a session; `None` if it is not a session of the web channel.
pub(crate) fn address_of(session: &SessionKey) -> Option<Address> {
    let web = *session.account() == AccountId::default_of("web") && session.scope() == SessionScope::Dm;
    web.then(|| Address::new("web", None, session.id(), None).ok()).flatten()
}

/// The uploads of a caller that a prompt names, as its attachments.
pub(crate) async fn uploads(
    server: &ServerState,
    caller: &Caller,
    names: &[String],
) -> Result<Vec<Attachment>, ApiError> {
    if names.len() > MAX_FILES {
        return Err(ApiError::bad_request(format!("a message has at most {MAX_FILES} files")));
    }
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let upload = server.handle.store().upload(&caller.principal, name).await?;
        files.push(upload.ok_or_else(|| ApiError::unknown_file(name))?.attachment);
    }
    Ok(files)
}

/// Submits a prompt and waits for its commit.
pub(crate) async fn submit(
    server: &ServerState,
    caller: &Caller,
    prompt: NewPrompt,
) -> Result<AcceptedPrompt, ApiError> {
    accepted(stored(server, caller, prompt).await?)
}

/// Submits a pressed button and waits for its commit.
pub(crate) async fn press(server: &ServerState, caller: &Caller, press: NewPrompt) -> Result<(), ApiError> {
    match stored(server, caller, press).await? {
        Ok(Ok(Outcome::Answered { .. })) => Ok(()),
        outcome => accepted(outcome).map(drop),
    }
}

async fn stored(
    server: &ServerState,
    caller: &Caller,
    prompt: NewPrompt,
) -> Result<Result<Result<Outcome, Busy>, Canceled>, ApiError> {
    let outcome = server.hub.submit(&caller.person, prompt)?;
    tokio::select! {
        outcome = outcome => Ok(outcome),
        // The adapter may have ended before it stored the prompt. A request with the same id after the restart tells.
        () = server.stop.cancelled() => Err(ApiError::stopping()),
    }
}

/// The stored prompt, or the error that tells the client why it was not accepted.
pub(crate) fn accepted(outcome: Result<Result<Outcome, Busy>, Canceled>) -> Result<AcceptedPrompt, ApiError> {
    match outcome.unwrap_or(Err(Busy::Stopping))? {
        Outcome::Accepted { message, session } => Ok(AcceptedPrompt { message, session, duplicate: false }),
        Outcome::Duplicate { message, session } => Ok(AcceptedPrompt { message, session, duplicate: true }),
        Outcome::Conflict { message } => Err(ApiError::conflict(message)),
        Outcome::Erased { message } => Err(ApiError::erased(message)),
        Outcome::Refused { message, reason } => Err(ApiError::refused(reason, message)),
        Outcome::Denied => Err(ApiError::denied()),
        Outcome::Unstorable { message } => Err(ApiError::internal().about(message)),
        Outcome::NotAnswered { error, .. } => Err(ApiError::answer(&error)),
        // A prompt has none of these outcomes: it is addressed to the agent and edits nothing.
        Outcome::Noted | Outcome::Answered { .. } | Outcome::Ignored | Outcome::DeadLetter => {
            Err(ApiError::bad_request("the prompt contains nothing that an agent could answer"))
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::id::MessageId;

    use super::*;

    #[test]
    fn a_prompt_that_cannot_be_stored_is_the_gateways_fault_and_not_the_clients() {
        let outcome = Outcome::Unstorable { message: MessageId(7) };
        let error = accepted(Ok(Ok(outcome))).unwrap_err().frame(None);
        assert_eq!((error["code"].as_str(), error["about"].as_str()), (Some("internal"), Some("m7")));
    }
}
