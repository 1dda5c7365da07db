//! Faults of calls, and their consequences.

use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::group::LookupError;
use frontdesk_core::port::{AdapterError, FetchError};
use frontdesk_kit::http::HttpFault;
use thiserror::Error;

/// Why a call of the Bot API failed. The token has been removed from all texts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// Nothing was sent.
    #[error("Telegram cannot be reached: {0}")]
    Unsent(String),
    /// The request was sent, and no response came.
    #[error("no answer from Telegram: {0}")]
    Unanswered(String),
    /// The response did not come from the Bot API but from a proxy or gateway.
    #[error("HTTP {0} instead of an answer of the Bot API")]
    Foreign(u16),
    /// The call was accepted, and its result cannot be parsed.
    #[error("an answer of the Bot API that cannot be read: {0}")]
    Unreadable(String),
    /// The Bot API refused the call.
    #[error("{0}")]
    Refused(Refusal),
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Unsent(detail) => Fault::Unsent(detail),
            HttpFault::Unanswered(detail) => Fault::Unanswered(detail),
            HttpFault::TooLong => Fault::Unreadable("it does not end".to_owned()),
        }
    }
}

/// A refusal of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code} {description}")]
pub(crate) struct Refusal {
    /// `error_code`, which is an HTTP status.
    pub code: i64,
    /// `description`: the only way to tell many refusals apart.
    pub description: String,
    /// `parameters.retry_after`.
    pub retry_after: Option<Duration>,
    /// `parameters.migrate_to_chat_id`.
    pub moved_to: Option<i64>,
}

impl Refusal {
    /// Whether the description contains one of these texts, ignoring case.
    pub(crate) fn says(&self, phrases: &[&str]) -> bool {
        let description = self.description.to_ascii_lowercase();
        phrases.iter().any(|phrase| description.contains(&phrase.to_ascii_lowercase()))
    }
}

/// Descriptions of refusals with code 400 that mean that the chat is gone.
const GONE: [&str; 6] = [
    "chat not found",
    "group chat was deactivated",
    "PEER_ID_INVALID",
    "USER_IS_BLOCKED",
    "INPUT_USER_DEACTIVATED",
    "user is deactivated",
];
/// Descriptions that mean that a topic is gone or closed, while its chat exists.
const THREAD_GONE: [&str; 4] =
    ["message thread not found", "TOPIC_DELETED", "TOPIC_CLOSED", "TOPIC_ID_INVALID"];
/// Descriptions that mean that the formatting could not be parsed.
const MARKUP: [&str; 5] = [
    "can't parse entities",
    "can't parse caption entities",
    "ENTITY_BOUNDS_INVALID",
    "ENTITIES_TOO_LONG",
    "ENTITY_TEXTURL_INVALID",
];
/// The message has this text already.
const NOT_MODIFIED: [&str; 1] = ["message is not modified"];
/// The message does not exist any more.
const NOTHING_TO_DELETE: [&str; 1] = ["message to delete not found"];
/// Telegram cannot show the file as a photo, voice message or sticker, or not to this person. It may be accepted as a
/// document.
const AS_A_FILE: [&str; 6] = [
    "PHOTO_INVALID_DIMENSIONS",
    "PHOTO_EXT_INVALID",
    "PHOTO_SAVE_FILE_INVALID",
    "IMAGE_PROCESS_FAILED",
    "VOICE_MESSAGES_FORBIDDEN",
    "STICKER_INVALID",
];

impl Fault {
    /// The consequence for the outbox if a send failed like this.
    pub(crate) fn for_send(self) -> SendError {
        match self {
            Fault::Unsent(_) => SendError::Offline(Cause::plain(self.to_string())),
            Fault::Unanswered(_) => SendError::Unknown(Cause::plain(self.to_string())),
            Fault::Unreadable(why) => {
                SendError::Unknown(Cause::quoting("an answer of the Bot API that cannot be read", why))
            }
            // A proxy in front of the Bot API has a fault, or the Bot API is down for a moment.
            Fault::Foreign(_) => later(None, Cause::plain(self.to_string())),
            Fault::Refused(refusal) => refusal.for_send(),
        }
    }

    /// The consequence for the connection if a call failed like this.
    pub(crate) fn for_connection(self) -> AdapterError {
        match &self {
            // The token is part of the path, so a malformed one gives "not found".
            Fault::Refused(Refusal { code: 401 | 404, .. }) => AdapterError::Credentials(format!(
                "Telegram does not know this token ({self}): get it from @BotFather and write it into the configuration"
            )),
            Fault::Refused(Refusal { retry_after: Some(after), .. }) => {
                AdapterError::Later { detail: self.to_string(), after: *after }
            }
            _ => AdapterError::Lost(self.to_string()),
        }
    }

    /// The consequence for a look-up of a group that failed like this.
    pub(crate) fn for_lookup(self) -> LookupError {
        match &self {
            Fault::Refused(refusal) if refusal.says(&GONE) || refusal.code == 403 => LookupError::NoSuchGroup,
            Fault::Refused(Refusal { code: 400..=428 | 430..=499, .. }) => {
                LookupError::Refused(self.to_string())
            }
            _ => LookupError::Later(self.to_string()),
        }
    }

    /// The consequence for a download that failed like this.
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

    /// Whether a message could not be deleted because it does not exist any more.
    pub(crate) fn is_deleted(&self) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.code == 400 && refusal.says(&NOTHING_TO_DELETE))
    }

    /// Whether the same file may be accepted as a document.
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

    /// How long to wait, if there were too many calls.
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
    /// The description, with what may quote a message apart: Telegram quotes after a second colon or in quotation marks, as
    /// in `Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 0`.
    fn cause(&self) -> Cause {
        let text = self.to_string();
        let colon = text.match_indices(": ").nth(1).map(|(at, _)| at);
        let mark = text.find(['"', '“', '«', '`']).into_iter().chain(text.find(" '")).min();
        match colon.into_iter().chain(mark).min() {
            Some(at) => Cause::quoting(
                text[..at].trim_end_matches([':', ' ']),
                text[at..].trim_start_matches(": ").trim_start(),
            ),
            None => Cause::plain(text),
        }
    }

    fn for_send(self) -> SendError {
        if let Some(to) = self.moved_to {
            return SendError::Moved { to: to.to_string() };
        }
        let detail = self.cause();
        match self.code {
            401 => SendError::Credentials(detail),
            403 => SendError::Gone(detail),
            429 => later(self.retry_after, detail),
            500.. => later(None, detail),
            400 if self.says(&MARKUP) => SendError::Markup(detail),
            400 if self.says(&GONE) => SendError::Gone(detail),
            400 if self.says(&THREAD_GONE) => SendError::ThreadGone(detail),
            // Everything else concerns this message only.
            _ => SendError::Refused(detail),
        }
    }
}

/// Telegram does not say which limit was reached. It is usually the chat's and not the bot's, so only the chat waits, until
/// other chats are refused as well (`pace`).
fn later(after: Option<Duration>, detail: Cause) -> SendError {
    SendError::Later { after, scope: Bucket::Chat, detail }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn no(code: i64, description: &str) -> Fault {
        Fault::Refused(Refusal { code, description: description.into(), retry_after: None, moved_to: None })
    }

    /// The name of the consequence of a failed send.
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
            SendError::Offline(_) => "offline",
        }
    }

    // Descriptions of the real Bot API server.
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
    fn each_refusal_has_the_right_consequence(
        #[case] code: i64,
        #[case] description: &str,
        #[case] next: &str,
    ) {
        assert_eq!(means(no(code, description)), next);
    }

    #[test]
    fn the_log_gets_the_cause_and_nothing_that_telegram_quotes() {
        for (description, logged) in [
            ("Bad Request: message is too long", "400 Bad Request: message is too long"),
            (
                "Bad Request: can't parse entities: Unsupported start tag \"hunter2\" at byte offset 0",
                "400 Bad Request: can't parse entities",
            ),
            (
                "Bad Request: inline keyboard button URL 'hunter2' is invalid",
                "400 Bad Request: inline keyboard button URL",
            ),
        ] {
            let error = no(400, description).for_send();
            assert_eq!(error.cause().map(Cause::for_log), Some(logged));
            assert_eq!(error.to_string().contains("hunter2"), description.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_request_that_was_sent_may_have_arrived_and_one_that_was_not_has_not() {
        assert_eq!(means(Fault::Unsent("refused".into())), "offline");
        assert_eq!(means(Fault::Unanswered("timed out".into())), "unknown");
        assert_eq!(means(Fault::Unreadable("no message_id".into())), "unknown");
        assert_eq!(means(Fault::Foreign(502)), "later");
    }

    #[test]
    fn a_flood_pauses_its_chat_for_the_requested_time() {
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
