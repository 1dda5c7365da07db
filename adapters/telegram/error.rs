//! What went wrong with a call, and what follows from it.

use std::time::Duration;

use frontdesk_core::act::{Bucket, SendError};
use frontdesk_core::port::{AdapterError, FetchError};
use thiserror::Error;

/// Why a call of the Bot API did not do what it was to do. Its texts have been through
/// [`Api::clean`](crate::api::Api::clean): the token is in none of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// Nothing left the house.
    #[error("Telegram cannot be reached: {0}")]
    Unsent(String),
    /// It left, and no answer came back.
    #[error("no answer from Telegram: {0}")]
    Unanswered(String),
    /// Something answered that is not the Bot API: a proxy, a gateway with a fault.
    #[error("HTTP {0} instead of an answer of the Bot API")]
    Foreign(u16),
    /// The Bot API took it, and its answer cannot be read.
    #[error("an answer of the Bot API that cannot be read: {0}")]
    Unreadable(String),
    /// The Bot API said no.
    #[error("{0}")]
    Refused(Refusal),
}

/// A "no" of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code} {description}")]
pub(crate) struct Refusal {
    /// `error_code`, which is an HTTP status.
    pub code: i64,
    /// `description`: the only thing that tells many refusals apart.
    pub description: String,
    /// `parameters.retry_after`.
    pub retry_after: Option<Duration>,
    /// `parameters.migrate_to_chat_id`.
    pub moved_to: Option<i64>,
}

impl Refusal {
    /// Whether the description has one of these in it, in any case.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        let description = self.description.to_ascii_lowercase();
        words.iter().any(|word| description.contains(&word.to_ascii_lowercase()))
    }
}

/// Chats that are gone although the code is 400.
const GONE: [&str; 6] = [
    "chat not found",
    "group chat was deactivated",
    "PEER_ID_INVALID",
    "USER_IS_BLOCKED",
    "INPUT_USER_DEACTIVATED",
    "user is deactivated",
];
/// Topics that are gone, or that take nothing from us, in a chat that is there.
const THREAD_GONE: [&str; 4] =
    ["message thread not found", "TOPIC_DELETED", "TOPIC_CLOSED", "TOPIC_ID_INVALID"];
/// Markup that was not understood.
const MARKUP: [&str; 5] = [
    "can't parse entities",
    "can't parse caption entities",
    "ENTITY_BOUNDS_INVALID",
    "ENTITIES_TOO_LONG",
    "ENTITY_TEXTURL_INVALID",
];
/// The message says already what it is to say.
const NOT_MODIFIED: [&str; 1] = ["message is not modified"];
/// The message to take back is not there any more.
const NOTHING_TO_DELETE: [&str; 1] = ["message to delete not found"];
/// A picture, a voice message or a sticker that Telegram cannot show as one, or not to this person. As a plain
/// file it may go.
const AS_A_FILE: [&str; 6] = [
    "PHOTO_INVALID_DIMENSIONS",
    "PHOTO_EXT_INVALID",
    "PHOTO_SAVE_FILE_INVALID",
    "IMAGE_PROCESS_FAILED",
    "VOICE_MESSAGES_FORBIDDEN",
    "STICKER_INVALID",
];

impl Fault {
    /// What a send that ended like this means for the outbox.
    pub(crate) fn for_send(self) -> SendError {
        match self {
            Fault::Unsent(_) => SendError::Offline,
            Fault::Unanswered(_) | Fault::Unreadable(_) => SendError::Unknown(self.to_string()),
            // What stands in front of the Bot API has a fault, or is down for a moment.
            Fault::Foreign(_) => later(None, self.to_string()),
            Fault::Refused(refusal) => refusal.for_send(),
        }
    }

    /// What a call that ended like this means for the connection.
    pub(crate) fn for_connection(self) -> AdapterError {
        match &self {
            // A token with a wrong form is "not found", for it is a part of the path.
            Fault::Refused(Refusal { code: 401 | 404, .. }) => AdapterError::Credentials(format!(
                "Telegram does not know this token ({self}): get it from @BotFather and write it into the configuration"
            )),
            Fault::Refused(Refusal { retry_after: Some(after), .. }) => {
                AdapterError::Later { detail: self.to_string(), after: *after }
            }
            _ => AdapterError::Lost(self.to_string()),
        }
    }

    /// What a call that ended like this means for a file that is to be fetched.
    pub(crate) fn for_fetch(self) -> FetchError {
        match &self {
            Fault::Refused(Refusal { code: 400 | 403 | 404, description, .. }) => {
                FetchError::Refused(match description.to_ascii_lowercase().contains("file is too big") {
                    true => "Telegram hands out files of 20 MB at most to bots".to_owned(),
                    false => self.to_string(),
                })
            }
            _ => FetchError::Later(self.to_string()),
        }
    }

    /// Whether an edit was refused because it would change nothing.
    pub(crate) fn is_not_modified(&self) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.code == 400 && refusal.says(&NOT_MODIFIED))
    }

    /// Whether a message that was to be deleted is gone already.
    pub(crate) fn is_deleted(&self) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.code == 400 && refusal.says(&NOTHING_TO_DELETE))
    }

    /// Whether the same file may be taken as a document.
    pub(crate) fn wants_document(&self) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.code == 400 && refusal.says(&AS_A_FILE))
    }

    /// The description, if another program receives this bot's updates.
    pub(crate) fn conflict(&self) -> Option<&str> {
        match self {
            Fault::Refused(refusal) if refusal.code == 409 => Some(&refusal.description),
            _ => None,
        }
    }

    /// How long to wait, if the Bot API was asked too often.
    pub(crate) fn flood(&self) -> Option<Duration> {
        match self {
            Fault::Refused(refusal) if refusal.code == 429 => {
                Some(refusal.retry_after.unwrap_or(Duration::from_secs(1)))
            }
            _ => None,
        }
    }
}

impl Refusal {
    fn for_send(self) -> SendError {
        if let Some(to) = self.moved_to {
            return SendError::Moved { to: to.to_string() };
        }
        let detail = self.to_string();
        match self.code {
            401 => SendError::Credentials(detail),
            403 => SendError::Gone(detail),
            429 => later(self.retry_after, detail),
            500.. => later(None, detail),
            400 if self.says(&MARKUP) => SendError::Markup(detail),
            400 if self.says(&GONE) => SendError::Gone(detail),
            400 if self.says(&THREAD_GONE) => SendError::ThreadGone(detail),
            // A topic that is gone too: the rest of its chat lives, and the text is for nobody else in it.
            _ => SendError::Refused(detail),
        }
    }
}

/// Telegram does not say which limit was hit. The one for a chat is hit far more often than the one for the bot,
/// and where it was the bot's, every chat soon gets an answer of its own: so only the chat waits.
fn later(after: Option<Duration>, detail: String) -> SendError {
    SendError::Later { after, scope: Bucket::Chat, detail }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn no(code: i64, description: &str) -> Fault {
        Fault::Refused(Refusal { code, description: description.into(), retry_after: None, moved_to: None })
    }

    /// The name of what a send that ended like this means.
    fn means(fault: Fault) -> &'static str {
        match fault.for_send() {
            SendError::Later { after: None, scope: Bucket::Chat, .. } => "later",
            SendError::Later { .. } => "later, at a time or for all",
            SendError::Refused(_) => "refused",
            SendError::Markup(_) => "markup",
            SendError::Gone(_) => "gone",
            SendError::ThreadGone(_) => "thread gone",
            SendError::Moved { .. } => "moved",
            SendError::Credentials(_) => "credentials",
            SendError::Unknown(_) => "unknown",
            SendError::Offline => "offline",
        }
    }

    // The descriptions are those of the Bot API server.
    #[rstest]
    #[case(400, "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0", "markup")]
    #[case(400, "Bad Request: chat not found", "gone")]
    #[case(400, "Bad Request: group chat was deactivated", "gone")]
    #[case(400, "Bad Request: PEER_ID_INVALID", "gone")]
    #[case(400, "Bad Request: message is too long", "refused")]
    #[case(400, "Bad Request: message text is empty", "refused")]
    #[case(400, "Bad Request: message to edit not found", "refused")]
    #[case(400, "Bad Request: message thread not found", "thread gone")]
    #[case(400, "Bad Request: TOPIC_DELETED", "thread gone")]
    #[case(400, "Bad Request: TOPIC_CLOSED", "thread gone")]
    #[case(400, "Bad Request: not enough rights to send text messages to the chat", "refused")]
    #[case(401, "Unauthorized", "credentials")]
    #[case(403, "Forbidden: bot was blocked by the user", "gone")]
    #[case(403, "Forbidden: user is deactivated", "gone")]
    #[case(403, "Forbidden: bot was kicked from the supergroup chat", "gone")]
    #[case(403, "Forbidden: bot can't initiate conversation with a user", "gone")]
    #[case(404, "Not Found", "refused")]
    #[case(413, "Request Entity Too Large", "refused")]
    #[case(429, "Too Many Requests", "later")]
    #[case(500, "Internal Server Error", "later")]
    #[case(502, "Bad Gateway", "later")]
    fn each_refusal_says_what_to_do_next(#[case] code: i64, #[case] description: &str, #[case] next: &str) {
        assert_eq!(means(no(code, description)), next);
    }

    #[test]
    fn what_left_the_house_may_have_arrived_and_what_did_not_has_not() {
        assert_eq!(means(Fault::Unsent("refused".into())), "offline");
        assert_eq!(means(Fault::Unanswered("timed out".into())), "unknown");
        assert_eq!(means(Fault::Unreadable("no message_id".into())), "unknown");
        assert_eq!(means(Fault::Foreign(502)), "later");
    }

    #[test]
    fn a_flood_holds_its_chat_for_as_long_as_it_is_told() {
        let refusal = Refusal {
            code: 429,
            description: "Too Many Requests: retry after 7".into(),
            retry_after: Some(Duration::from_secs(7)),
            moved_to: None,
        };
        let fault = Fault::Refused(refusal);
        assert_eq!(fault.flood(), Some(Duration::from_secs(7)));
        let SendError::Later { after, scope, .. } = fault.for_send() else { panic!("not a flood") };
        assert_eq!((after, scope), (Some(Duration::from_secs(7)), Bucket::Chat));
    }

    #[test]
    fn a_group_that_became_a_supergroup_says_where_it_is() {
        let refusal = Refusal {
            code: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".into(),
            retry_after: None,
            moved_to: Some(-1_001_234),
        };
        assert_eq!(Fault::Refused(refusal).for_send(), SendError::Moved { to: "-1001234".into() });
    }

    #[test]
    fn a_refused_token_is_told_apart_from_a_lost_connection() {
        for code in [401, 404] {
            let error = no(code, "Unauthorized").for_connection();
            assert!(matches!(error, AdapterError::Credentials(_)), "{error}");
        }
        assert!(matches!(no(500, "x").for_connection(), AdapterError::Lost(_)));
        assert!(matches!(Fault::Foreign(502).for_connection(), AdapterError::Lost(_)));
    }

    #[test]
    fn a_file_that_is_too_big_is_never_asked_for_again() {
        let error = no(400, "Bad Request: file is too big").for_fetch();
        assert!(matches!(&error, FetchError::Refused(why) if why.contains("20 MB")), "{error}");
        assert!(matches!(no(502, "Bad Gateway").for_fetch(), FetchError::Later(_)));
        assert!(matches!(Fault::Unsent("x".into()).for_fetch(), FetchError::Later(_)));
    }
}
