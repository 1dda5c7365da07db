//! Where a completion request goes, and how long it is worked on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use frontdesk_core::port::PromptInput;
use sha2::{Digest, Sha256};

use super::image::Image;
use super::request::{Asked, CompletionRequest};
use crate::error::ApiError;
use crate::prompt;
use crate::random;
use crate::request::ApiRequest;

/// Names the chat that a request belongs to. Without it the request carries its whole conversation.
pub(crate) const CHAT: &str = "x-frontdesk-chat";

/// How long a request is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// As long as its client stays, and no longer than this process: nobody else can read the answer.
    WhileConnected,
    /// As long as its client stays. People see its chat, so it is answered after a restart of the gateway.
    WhileWanted,
    /// Until it is answered: the same key gets the answer.
    UntilAnswered,
}

/// What becomes of a request.
pub(crate) struct Destination {
    pub(crate) chat: String,
    /// Unique in the chat.
    pub(crate) id: String,
    pub(crate) input: PromptInput,
    pub(crate) images: Vec<Image>,
    pub(crate) lasts: Lasts,
}

impl Destination {
    /// The chat that a request names, or a chat of its own. A request without a name carries a whole conversation from a
    /// program. Its text may quote anybody, so it is never read as a command.
    pub(crate) fn of(request: &ApiRequest, asked: &CompletionRequest) -> Result<Self, ApiError> {
        let named = request.parts.headers.get(CHAT).map(|chat| chat.to_str().map(str::to_owned)).transpose();
        let named = named.map_err(|_| ApiError::bad_request("X-Frontdesk-Chat: the name must be ASCII"))?;
        let key = request.idempotency_key()?;
        let lasts = match (&key, &named) {
            (Some(_), _) => Lasts::UntilAnswered,
            (None, Some(_)) => Lasts::WhileWanted,
            (None, None) => Lasts::WhileConnected,
        };
        let Asked { text, images } = match named {
            Some(_) => asked.last_prompt()?,
            None => asked.whole_prompt()?,
        };
        let is_named = named.is_some();
        let chat = named.map_or_else(|| own_chat(request.person(), key.as_deref()), Ok)?;
        prompt::check(&chat, &text, !images.is_empty())?;
        let chat = request.caller()?.chat(chat);
        let input = if is_named { PromptInput::Message(text) } else { PromptInput::Plain(text) };
        let id = key.map_or_else(random::id, Ok)?;
        Ok(Self { chat, id, input, images, lasts })
    }
}

/// The chat of a request that names none. A caller that repeats a key is in the same one again.
fn own_chat(token: &str, key: Option<&str>) -> Result<String, ApiError> {
    let name = match key {
        None => random::id()?,
        Some(key) => {
            let mut hash = Sha256::new();
            hash.update((token.len() as u64).to_be_bytes());
            hash.update(token);
            hash.update(key);
            URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
        }
    };
    Ok(format!("v1-{name}"))
}
