//! Faults of requests, and their consequences.

use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::group::LookupError;
use frontdesk_core::port::{AdapterError, FetchError};
use frontdesk_kit::http::HttpFault;
use thiserror::Error;

/// The maximum size of a response. A hundred messages of the longest kind are smaller.
pub(crate) const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Why a request failed. The token has been removed from all texts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// Nothing was sent.
    #[error("Discord cannot be reached: {0}")]
    Unsent(String),
    /// The request was sent, and no response came.
    #[error("no answer from Discord: {0}")]
    Unanswered(String),
    /// The response did not come from the API but from a proxy in front of it.
    #[error("HTTP {status} instead of an answer of Discord")]
    Foreign {
        /// The status.
        status: u16,
        /// `Retry-After`.
        after: Option<Duration>,
    },
    /// The request was accepted, and its result cannot be parsed.
    #[error("an answer of Discord that cannot be read: {0}")]
    Unreadable(String),
    /// There were too many requests.
    #[error("too many requests ({scope:?})")]
    TooMany {
        /// How long to wait.
        after: Duration,
        /// Who shares the limit.
        scope: Scope,
    },
    /// Discord refused the request.
    #[error("{0}")]
    Refused(Refusal),
}

/// Who shares a limit (`X-RateLimit-Scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// This bot on this route, or everybody at this channel.
    Route,
    /// This bot everywhere.
    Global,
}

/// A refusal of Discord.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", self.cause())]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Discord's JSON error code; 0 if it names none.
    pub code: u64,
    /// Its words, which are the same for every refusal with this code.
    pub message: String,
    /// The fields that they are about, which may quote the request.
    pub fields: String,
}

impl Refusal {
    fn cause(&self) -> Cause {
        let code = if self.code == 0 { String::new() } else { format!("{} ", self.code) };
        Cause::quoting(format!("{code}{}", self.message), self.fields.clone())
    }
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Unsent(detail) => Fault::Unsent(detail),
            HttpFault::Unanswered(detail) => Fault::Unanswered(detail),
            HttpFault::TooLong => Fault::too_long(),
        }
    }
}

/// Codes of Discord's documentation, "JSON Error Codes".
pub(crate) mod code {
    /// Unknown Channel.
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10003;
    /// Unknown Message.
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10008;
    /// The interaction has been acknowledged already.
    pub(crate) const ACKNOWLEDGED: u64 = 40060;
    /// Unknown Emoji.
    pub(crate) const UNKNOWN_EMOJI: u64 = 10014;
    /// Cannot reply without permission to read message history.
    pub(crate) const NO_REPLY: u64 = 160_002;
    /// A forum has posts, and no messages of its own.
    pub(crate) const FORUM: u64 = 40058;
    /// The message has a thread already.
    pub(crate) const THREAD_EXISTS: u64 = 160_004;
    /// A thread is archived.
    pub(crate) const ARCHIVED: u64 = 50083;
}

/// The chat does not exist, or the bot cannot write there any more: channel, guild, access, a person who takes no
/// messages.
const GONE: [u64; 5] = [code::UNKNOWN_CHANNEL, 10004, 50001, 50007, 50278];
/// The thread is closed.
const THREAD_GONE: [u64; 1] = [160_005];
/// Discord cannot do it now: private chats opened too fast, sending disabled, a busy resource, slow mode, limits of
/// announcements and of guilds, edits of old messages, overload.
const LATER: [u64; 9] = [40003, 40004, 40062, 20016, 20022, 20028, 20029, 30046, 130_000];

impl Fault {
    /// An answer that is not read to its end.
    pub(crate) fn too_long() -> Self {
        Fault::Unreadable(format!("it is longer than {} MiB", LONGEST_ANSWER >> 20))
    }

    /// Whether Discord refused it with one of these codes.
    pub(crate) fn is(&self, codes: &[u64]) -> bool {
        matches!(self, Fault::Refused(refusal) if codes.contains(&refusal.code))
    }

    /// Its text, with what may quote a message apart.
    fn cause(&self) -> Cause {
        match self {
            Fault::Refused(refusal) => refusal.cause(),
            Fault::Unreadable(why) => {
                Cause::quoting("an answer of Discord that cannot be read", why.as_str())
            }
            fault => Cause::plain(fault.to_string()),
        }
    }

    /// The consequence for the outbox if a send failed like this. `in_thread` says whether it was for a thread.
    pub(crate) fn for_send(self, in_thread: bool) -> SendError {
        let detail = self.cause();
        match self {
            Fault::Unsent(_) => SendError::Offline(detail),
            Fault::Unanswered(_) | Fault::Unreadable(_) => SendError::Unknown(detail),
            // Without Discord's own format a refusal for speed is a ban of the address.
            Fault::Foreign { status: 429, after } => later(after, Bucket::Account, detail),
            Fault::Foreign { after, .. } => later(after, Bucket::Chat, detail),
            Fault::TooMany { after, scope: Scope::Global } => later(Some(after), Bucket::Account, detail),
            Fault::TooMany { after, scope: Scope::Route } => later(Some(after), Bucket::Chat, detail),
            Fault::Refused(Refusal { status: 401, .. } | Refusal { code: 50014, .. }) => {
                SendError::Credentials(detail)
            }
            Fault::Refused(Refusal { code, .. }) if LATER.contains(&code) => {
                later(None, Bucket::Chat, detail)
            }
            Fault::Refused(Refusal { code, .. }) if THREAD_GONE.contains(&code) => {
                SendError::ThreadGone(detail)
            }
            Fault::Refused(Refusal { code: code::UNKNOWN_CHANNEL, .. }) if in_thread => {
                SendError::ThreadGone(detail)
            }
            Fault::Refused(Refusal { code, .. }) if GONE.contains(&code) => SendError::Gone(detail),
            Fault::Refused(Refusal { status: 500.., .. }) => later(None, Bucket::Chat, detail),
            // Everything else concerns this message only.
            Fault::Refused(_) => SendError::Refused(detail),
        }
    }

    /// The consequence for the connection if a request failed like this.
    pub(crate) fn for_connection(self) -> AdapterError {
        let detail = self.to_string();
        match self {
            Fault::Refused(Refusal { status: 401, .. }) => AdapterError::Credentials(format!(
                "Discord does not know this token ({detail}): get it from the developer portal, Bot, Reset Token, and \
                 write it into the configuration"
            )),
            Fault::TooMany { after, .. } | Fault::Foreign { after: Some(after), .. } => {
                AdapterError::Later { detail, after }
            }
            _ => AdapterError::Lost(detail),
        }
    }

    /// The consequence for a look-up of a group that failed like this.
    pub(crate) fn for_lookup(self) -> LookupError {
        match &self {
            Fault::Refused(Refusal { code, .. }) if GONE.contains(code) => LookupError::NoSuchGroup,
            Fault::Refused(Refusal { status: 400..=499, .. }) => LookupError::Refused(self.to_string()),
            _ => LookupError::Later(self.to_string()),
        }
    }

    /// The consequence for a download that failed like this.
    pub(crate) fn for_fetch(self) -> FetchError {
        match &self {
            Fault::Refused(Refusal { status: 400..=499, .. }) => FetchError::Refused(self.to_string()),
            _ => FetchError::Later(self.to_string()),
        }
    }
}

fn later(after: Option<Duration>, scope: Bucket, detail: Cause) -> SendError {
    SendError::Later { after, scope, detail }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn no(status: u16, code: u64) -> Fault {
        Fault::Refused(Refusal { status, code, message: "words".into(), fields: String::new() })
    }

    /// The name of the consequence of a failed send.
    fn means(fault: Fault, in_thread: bool) -> &'static str {
        match fault.for_send(in_thread) {
            SendError::Later { after: None, scope: Bucket::Chat, .. } => "later",
            SendError::Later { scope: Bucket::Account, .. } => "later for all",
            SendError::Later { .. } => "later at a time",
            SendError::Refused(_) => "refused",
            SendError::Gone(_) => "gone",
            SendError::ThreadGone(_) => "thread gone",
            SendError::Credentials(_) => "credentials",
            SendError::Unknown(_) => "unknown",
            SendError::Offline(_) => "offline",
            SendError::Markup(_) | SendError::Moved { .. } => "never",
        }
    }

    #[rstest]
    #[case(404, 10003, "gone")]
    #[case(404, 10008, "refused")]
    #[case(403, 50001, "gone")]
    #[case(403, 50007, "gone")]
    #[case(403, 50013, "refused")]
    #[case(400, 50035, "refused")]
    #[case(400, 160_005, "thread gone")]
    #[case(401, 0, "credentials")]
    #[case(429, 20028, "later")]
    #[case(403, 200_000, "refused")]
    #[case(500, 0, "later")]
    #[case(503, 130_000, "later")]
    fn each_refusal_has_the_right_consequence(#[case] status: u16, #[case] code: u64, #[case] next: &str) {
        assert_eq!(means(no(status, code), false), next);
    }

    #[test]
    fn the_log_gets_the_cause_and_not_the_fields_which_may_quote_the_message() {
        let (message, fields) =
            ("Invalid Form Body".into(), r#"{"content":"hunter2 is no snowflake"}"#.into());
        let fault = Fault::Refused(Refusal { status: 400, code: 50035, message, fields });
        let error = fault.for_send(false);
        assert_eq!(error.cause().map(Cause::for_log), Some("50035 Invalid Form Body"));
        assert!(error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn an_unknown_channel_is_a_lost_thread_where_it_was_one() {
        assert_eq!(means(no(404, 10003), true), "thread gone");
    }

    #[test]
    fn a_limit_holds_for_those_who_share_it() {
        let after = Duration::from_millis(650);
        assert_eq!(means(Fault::TooMany { after, scope: Scope::Route }, false), "later at a time");
        assert_eq!(means(Fault::TooMany { after, scope: Scope::Global }, false), "later for all");
        assert_eq!(means(Fault::Foreign { status: 429, after: None }, false), "later for all");
        assert_eq!(means(Fault::Foreign { status: 502, after: None }, false), "later");
    }

    #[test]
    fn a_request_that_was_sent_may_have_arrived_and_one_that_was_not_has_not() {
        assert_eq!(means(Fault::Unsent("refused".into()), false), "offline");
        assert_eq!(means(Fault::Unanswered("timed out".into()), false), "unknown");
        assert_eq!(means(Fault::Unreadable("no id".into()), false), "unknown");
    }

    #[test]
    fn a_refused_token_is_told_apart_from_a_lost_connection() {
        assert!(matches!(no(401, 0).for_connection(), AdapterError::Credentials(_)));
        assert!(matches!(no(500, 0).for_connection(), AdapterError::Lost(_)));
        let after = Duration::from_secs(7);
        let error = Fault::TooMany { after, scope: Scope::Global }.for_connection();
        assert!(matches!(error, AdapterError::Later { after: seven, .. } if seven == after));
    }
}
