//! Faults of calls, and their consequences.

use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::group::LookupError;
use frontdesk_core::port::{AdapterError, FetchError};
use frontdesk_kit::http::HttpFault;
use thiserror::Error;

/// Why a call of the Web API failed. Secrets have been removed from all texts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// Nothing was sent.
    #[error("Slack cannot be reached: {0}")]
    Unsent(String),
    /// The request was sent, and no response came.
    #[error("no answer from Slack: {0}")]
    Unanswered(String),
    /// The response did not come from the Web API but from a proxy in front of it.
    #[error("HTTP {0} instead of an answer of the Web API")]
    Foreign(u16),
    /// The call was accepted, and its result cannot be read.
    #[error("an answer of the Web API that cannot be read: {0}")]
    Unreadable(String),
    /// Slack refused the call.
    #[error("{0}")]
    Refused(Refusal),
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Unsent(detail) => Fault::Unsent(detail),
            HttpFault::Unanswered(detail) => Fault::Unanswered(detail),
            HttpFault::TooLong => Fault::Unreadable("it is longer than 16 MiB".to_owned()),
        }
    }
}

/// A refusal by the name that Slack gives it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{method}: {error}{}", needed.as_ref().map(|scope| format!(" (needs the scope {scope})")).unwrap_or_default())]
pub(crate) struct Refusal {
    pub method: &'static str,
    pub error: String,
    /// The scope that the token lacks.
    pub needed: Option<String>,
    /// The header `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// The token is not accepted.
const CREDENTIALS: [&str; 8] = [
    "account_inactive",
    "invalid_auth",
    "not_authed",
    "org_login_required",
    "team_disabled",
    "token_expired",
    "token_revoked",
    "user_removed_from_team",
];
/// An operator has to change something about the app.
const SETUP: [&str; 7] = [
    "access_denied",
    "forbidden_team",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "socket_mode_not_enabled",
    "team_access_not_granted",
];
/// The channel is gone, or the app is not in it.
const GONE: [&str; 7] = [
    "cannot_dm_bot",
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "user_disabled",
    "user_not_found",
    "user_not_visible",
];
const THREAD_GONE: [&str; 4] =
    ["cannot_reply_to_message", "invalid_thread_ts", "thread_locked", "thread_not_found"];
const MARKUP: [&str; 2] = ["invalid_blocks", "invalid_blocks_format"];
/// Slack's documentation: "It's possible some aspect of the operation succeeded before the error was raised."
const UNKNOWN: [&str; 2] = ["fatal_error", "internal_error"];
/// Slack itself cannot at the moment, or its limit is reached.
const LATER: [&str; 5] =
    ["message_limit_exceeded", "rate_limited", "ratelimited", "request_timeout", "service_unavailable"];

impl Refusal {
    pub(crate) fn is(&self, errors: &[&str]) -> bool {
        errors.contains(&self.error.as_str())
    }

    /// Whether Slack itself has a fault or is busy.
    pub(crate) fn is_passing(&self) -> bool {
        self.is(&LATER) || self.is(&UNKNOWN)
    }

    /// Whether its consequence is known.
    pub(crate) fn is_known(&self) -> bool {
        self.is(&SETUP) || self.is(&GONE) || self.is(&THREAD_GONE)
    }

    /// Whether the channel or the thread does not exist any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.is(&["channel_not_found", "thread_not_found"])
    }

    /// Slack's names for errors quote nothing. A proxy may answer in other words.
    fn cause(&self) -> Cause {
        match is_name(&self.error) {
            true => Cause::plain(self.to_string()),
            false => Cause::quoting(self.method, self.error.as_str()),
        }
    }

    fn for_send(self) -> SendError {
        let detail = self.cause();
        match () {
            () if self.retry_after.is_some() || self.is(&LATER) => later(self.retry_after, detail),
            () if self.is(&UNKNOWN) => SendError::Unknown(detail),
            () if self.is(&CREDENTIALS) => SendError::Credentials(detail),
            () if self.is(&GONE) => SendError::Gone(detail),
            () if self.is(&THREAD_GONE) => SendError::ThreadGone(detail),
            () if self.is(&MARKUP) => SendError::Markup(detail),
            // Everything else concerns this message only; a missing scope may concern one kind of them.
            () => SendError::Refused(detail),
        }
    }
}

/// Whether a text has the form of a name that Slack gives an error.
pub(crate) fn is_name(error: &str) -> bool {
    error.len() <= 64
        && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Slack limits a method in a workspace, and posts by channel. Only the chat waits: if it was the method's limit, the
/// calls for other chats get this answer as well, and typing must not hold back answers.
fn later(after: Option<Duration>, detail: Cause) -> SendError {
    SendError::Later { after, scope: Bucket::Chat, detail }
}

impl Fault {
    /// The consequence for the outbox if a send failed like this.
    pub(crate) fn for_send(self) -> SendError {
        match self {
            Fault::Unsent(_) => SendError::Offline(Cause::plain(self.to_string())),
            // A proxy that answers for Slack, such as 504, does not know whether Slack has carried out the call.
            Fault::Unanswered(_) | Fault::Foreign(500..) => {
                SendError::Unknown(Cause::plain(self.to_string()))
            }
            Fault::Unreadable(why) => {
                SendError::Unknown(Cause::quoting("an answer of the Web API that cannot be read", why))
            }
            Fault::Foreign(_) => later(None, Cause::plain(self.to_string())),
            Fault::Refused(refusal) => refusal.for_send(),
        }
    }

    /// The consequence for what leaves nothing behind if it failed: it can be tried again.
    pub(crate) fn for_preparation(self) -> SendError {
        match self.for_send() {
            SendError::Unknown(detail) => later(None, detail),
            other => other,
        }
    }

    /// The consequence for the connection if a call failed like this.
    pub(crate) fn for_connection(self) -> AdapterError {
        match &self {
            Fault::Refused(refusal) if refusal.is(&CREDENTIALS) => AdapterError::Credentials(format!(
                "Slack does not accept this token ({self}): take it from the app's page at api.slack.com and write it \
                 into the configuration"
            )),
            Fault::Refused(refusal) if refusal.is(&SETUP) => AdapterError::Setup(format!(
                "the app must be set up differently ({self}): compare its manifest with the one in the documentation"
            )),
            Fault::Refused(Refusal { retry_after: Some(after), .. }) => {
                AdapterError::Later { detail: self.to_string(), after: *after }
            }
            _ => AdapterError::Lost(self.to_string()),
        }
    }

    /// The consequence for a download that failed like this.
    pub(crate) fn for_fetch(self) -> FetchError {
        match &self {
            Fault::Refused(refusal)
                if refusal.retry_after.is_none() && !refusal.is(&LATER) && !refusal.is(&UNKNOWN) =>
            {
                FetchError::Refused(self.to_string())
            }
            _ => FetchError::Later(self.to_string()),
        }
    }

    /// The consequence for a look-up of a channel that failed like this.
    pub(crate) fn for_lookup(self) -> LookupError {
        match &self {
            Fault::Refused(refusal) if refusal.is(&GONE) => LookupError::NoSuchGroup,
            Fault::Refused(refusal)
                if refusal.retry_after.is_none() && !refusal.is(&LATER) && !refusal.is(&UNKNOWN) =>
            {
                LookupError::Refused(self.to_string())
            }
            _ => LookupError::Later(self.to_string()),
        }
    }

    /// Whether Slack refuses this call and always will, and the token is not the reason.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.retry_after.is_none()
            && ![&LATER[..], &UNKNOWN, &CREDENTIALS].into_iter().any(|errors| refusal.is(errors)))
    }

    /// Whether an operator has to change something about the app.
    pub(crate) fn is_setup(&self) -> bool {
        self.is(&SETUP)
    }

    /// Whether it was refused with one of these errors.
    pub(crate) fn is(&self, errors: &[&str]) -> bool {
        matches!(self, Fault::Refused(refusal) if refusal.is(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(error: &str, retry_after: Option<u64>) -> Fault {
        let retry_after = retry_after.map(Duration::from_secs);
        Fault::Refused(Refusal {
            method: "chat.postMessage",
            error: error.to_owned(),
            needed: None,
            retry_after,
        })
    }

    /// The name of the consequence of a failed send.
    fn means(fault: Fault) -> &'static str {
        match fault.for_send() {
            SendError::Later { after: Some(_), scope: Bucket::Chat, .. } => "later, at a time",
            SendError::Later { scope: Bucket::Chat, .. } => "later",
            SendError::Later { .. } => "later for all",
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

    #[test]
    fn the_log_gets_slacks_name_for_the_error_and_no_other_words() {
        let logged = |error: &str| no(error, None).for_send().cause().map(|cause| cause.for_log().to_owned());
        assert_eq!(logged("msg_too_long").as_deref(), Some("chat.postMessage: msg_too_long"));
        assert_eq!(logged("Your text hunter2 is odd").as_deref(), Some("chat.postMessage"));
    }

    #[test]
    fn each_error_has_the_right_consequence() {
        for (error, consequence) in [
            ("channel_not_found", "gone"),
            ("not_in_channel", "gone"),
            ("is_archived", "gone"),
            ("restricted_action_read_only_channel", "refused"),
            ("msg_too_long", "refused"),
            ("message_not_found", "refused"),
            ("cant_update_message", "refused"),
            ("missing_scope", "refused"),
            ("invalid_blocks", "markup"),
            ("thread_locked", "thread gone"),
            ("invalid_auth", "credentials"),
            ("token_revoked", "credentials"),
            ("rate_limited", "later"),
            ("service_unavailable", "later"),
            ("fatal_error", "unknown"),
            ("internal_error", "unknown"),
            ("an_error_of_tomorrow", "refused"),
        ] {
            assert_eq!(means(no(error, None)), consequence, "{error}");
        }
        assert_eq!(means(no("ratelimited", Some(7))), "later, at a time");
    }

    #[test]
    fn a_request_that_was_sent_may_have_arrived_and_one_that_was_not_has_not() {
        assert_eq!(means(Fault::Unsent("refused".into())), "offline");
        assert_eq!(means(Fault::Unanswered("timed out".into())), "unknown");
        assert_eq!(means(Fault::Foreign(502)), "unknown");
        assert_eq!(means(Fault::Foreign(403)), "later");
        assert!(matches!(Fault::Foreign(502).for_preparation(), SendError::Later { .. }));
        assert!(matches!(Fault::Unanswered("x".into()).for_preparation(), SendError::Later { .. }));
    }

    #[test]
    fn a_token_a_setup_and_a_limit_are_told_apart_from_a_lost_connection() {
        assert!(matches!(no("invalid_auth", None).for_connection(), AdapterError::Credentials(_)));
        assert!(matches!(no("not_allowed_token_type", None).for_connection(), AdapterError::Setup(_)));
        assert!(matches!(no("ratelimited", Some(3)).for_connection(), AdapterError::Later { .. }));
        assert!(matches!(no("internal_error", None).for_connection(), AdapterError::Lost(_)));
        assert!(matches!(no("file_not_found", None).for_fetch(), FetchError::Refused(_)));
        assert!(matches!(Fault::Foreign(502).for_fetch(), FetchError::Later(_)));
    }
}
