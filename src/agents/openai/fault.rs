//! What goes wrong with a request to a model provider.

use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::circuit::CircuitFailure;
use frontdesk_core::delta::AgentError;
use frontdesk_core::visible;
use serde_json::Value;

use crate::outage;
use crate::responder::{Broken, Patience, Verdict};

/// Maximum length of a provider's message that is kept, in characters.
const MESSAGE: usize = 400;
/// Maximum length of a provider's code, in bytes. The codes of the known providers are shorter than half of this.
const CODE: usize = 64;

/// Removes secrets from a text.
pub(crate) type Clean<'c> = &'c dyn Fn(&str) -> String;

/// Why a request has no whole answer. No text here contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection was made.
    Unreachable(String),
    /// The connection broke.
    Lost(String),
    /// The provider sent nothing for so many seconds.
    Silent(u64),
    /// The response ended without a sign that it was whole.
    Incomplete,
    /// The response is not what the API promises.
    Malformed(String),
    /// The response is whole and has no text.
    Empty,
    /// The provider refused the request with an HTTP status.
    Refused {
        status: u16,
        report: Report,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider reported an error within its answer.
    Reported(Report),
}

/// An error as a provider reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Report {
    /// Its kind or code, for programs. One word, so that it can be logged.
    pub(crate) code: String,
    /// Its message, on one line.
    pub(super) message: String,
}

impl Report {
    /// Reads the `error` of a response, which is an object or a text.
    pub(super) fn of(error: &Value, clean: Clean<'_>) -> Self {
        let named = |keys: [&str; 2]| {
            let value = keys.into_iter().map(|key| &error[key]).find(|value| !value.is_null());
            match value {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            }
        };
        let message = error.as_str().map_or_else(|| named(["message", "detail"]), str::to_owned);
        Self { code: code(&named(["code", "type"]), clean), message: plain(&message, clean) }
    }

    /// The report in the body of a refused request; a body that is no JSON, such as the page of a proxy, has none.
    pub(crate) fn in_body(body: &[u8], clean: Clean<'_>) -> Self {
        let Ok(body) = crate::json::from_slice::<Value>(body) else { return Self::default() };
        let body = body.get(0).unwrap_or(&body);
        match body.get("error").filter(|error| !error.is_null()) {
            Some(error) => Self::of(error, clean),
            None => Self::of(body, clean),
        }
    }

    /// Whether the request was longer than the model's context.
    fn says_too_long(&self) -> bool {
        let text = format!("{} {}", self.code, self.message).to_lowercase();
        [
            "context_length",
            "context length",
            "context size",
            "context_size",
            "context window",
            "too many tokens",
        ]
        .iter()
        .any(|sign| text.contains(sign))
    }

    /// The code in brackets, behind a text of the gateway; empty if there is none.
    fn bracketed_code(&self) -> String {
        if self.code.is_empty() { String::new() } else { format!(" ({})", self.code) }
    }

    /// The message, for the operator.
    fn told(&self) -> String {
        let message = if self.message.is_empty() { "without a message" } else { &self.message };
        message.to_owned()
    }

    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.told(), self.bracketed_code())
    }
}

/// A provider's code, without secrets; empty if it is a text, which may quote the request.
fn code(text: &str, clean: Clean<'_>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    let code = plain(text, clean);
    if code.len() <= CODE && code.chars().all(is_word) { code } else { String::new() }
}

/// A text of a provider on one line, without secrets. Providers repeat a part of a wrong key.
fn plain(text: &str, clean: Clean<'_>) -> String {
    let words: Vec<String> = clean(text)
        .split_whitespace()
        .map(|word| {
            if word.trim_start_matches(['\'', '"', '(']).starts_with("sk-") {
                "***".to_owned()
            } else {
                word.to_owned()
            }
        })
        .collect();
    visible::escaped(&words.join(" "), MESSAGE)
}

impl Fault {
    /// A line or an event beyond the limit.
    pub(super) fn too_long() -> Self {
        Fault::Malformed("a piece of the answer does not end".to_owned())
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Fault::Refused { status, .. } => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
            Fault::Reported(report) => !self.is_too_long() && !report.code.contains("invalid"),
            _ => true,
        }
    }

    /// How often a request that ended like this is repeated at most, whatever is configured.
    pub(super) fn retries(&self, patience: Patience) -> u32 {
        match self {
            _ if patience == Patience::Probe => 0,
            // Each time-out is minutes in which another model could answer.
            Fault::Silent(_) if patience == Patience::Replaceable => 0,
            Fault::Incomplete | Fault::Malformed(_) | Fault::Empty => 1,
            _ => u32::MAX,
        }
    }

    /// Whether the conversation does not fit into the model's context.
    pub(super) fn is_too_long(&self) -> bool {
        match self {
            Fault::Refused { status: 413, .. } => true,
            Fault::Refused { report, .. } | Fault::Reported(report) => report.says_too_long(),
            _ => false,
        }
    }

    /// Whether the request was refused because it offered tools.
    pub(super) fn refuses_tools(&self) -> bool {
        let report = match self {
            Fault::Refused { status: 400 | 404 | 405 | 422 | 500 | 501, report, .. }
            | Fault::Reported(report) => report,
            _ => return false,
        };
        let text = format!("{} {}", report.code, report.message).to_lowercase();
        // Ollama, vLLM, llama.cpp and OpenRouter, in this order.
        ["does not support tools", "tool choice requires", "tools param requires", "support tool use"]
            .iter()
            .any(|sign| text.contains(sign))
    }

    /// How long the provider asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Fault::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What follows from it for the provider, after all repetitions.
    pub(super) fn verdict(&self, has_shown: bool) -> Verdict {
        let odd = Verdict::Failed(CircuitFailure::Odd);
        match self {
            _ if self.is_too_long() => Verdict::Final,
            Fault::Incomplete | Fault::Malformed(_) | Fault::Empty => odd,
            Fault::Reported(_) if !self.is_passing() => Verdict::Final,
            // Bad keys, no money, no such model; and what was repeated without success.
            Fault::Refused { status: 401..=404 | 407, .. } => {
                Verdict::Failed(CircuitFailure::Down { retry_after: None })
            }
            Fault::Refused { .. } if !self.is_passing() => Verdict::Final,
            _ if has_shown => odd,
            _ => Verdict::Failed(CircuitFailure::Down { retry_after: self.retry_after() }),
        }
    }

    /// Its kind, for the log: no text of the provider, which may quote what people wrote.
    pub(super) fn kind(&self) -> String {
        match self {
            Fault::Unreachable(_) => "unreachable".to_owned(),
            Fault::Lost(_) => "connection lost".to_owned(),
            Fault::Silent(_) => "no data".to_owned(),
            Fault::Incomplete => "incomplete answer".to_owned(),
            Fault::Malformed(_) => "malformed answer".to_owned(),
            Fault::Empty => "empty answer".to_owned(),
            Fault::Refused { status, report, .. } => {
                format!("status {status} {}", report.code).trim_end().to_owned()
            }
            Fault::Reported(report) => format!("reported error {}", report.code).trim_end().to_owned(),
        }
    }

    /// How an answer ends that this broke off.
    fn answer_end(&self) -> AnswerEnd {
        match self {
            Fault::Reported(_) => AnswerEnd::ErrorReported,
            _ => AnswerEnd::BrokenOff,
        }
    }
}

impl From<&Fault> for Cause {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Unreachable(why) => Cause::plain(format!("the model provider cannot be reached: {why}")),
            Fault::Lost(why) => Cause::plain(format!("the connection to the model provider was lost: {why}")),
            Fault::Silent(seconds) => Cause::plain(format!(
                "the connection to the model provider was lost: it sent nothing for {seconds} s"
            )),
            Fault::Incomplete => "the model provider's answer ended too early".into(),
            Fault::Malformed(why) => {
                Cause::plain(format!("the model provider's answer cannot be read: {why}"))
            }
            Fault::Empty => "the model gave an empty answer".into(),
            Fault::Refused { status, report, .. } => Cause::quoting(
                format!("the model provider answered with status {status}{}", report.bracketed_code()),
                report.told(),
            ),
            Fault::Reported(report) => Cause::quoting(
                format!("the model provider reported an error{}", report.bracketed_code()),
                report.told(),
            ),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Cause::from(self).fmt(f)
    }
}

impl From<Fault> for AgentError {
    /// Faults of the provider or the key make the agent unavailable. All others fail only this request.
    fn from(fault: Fault) -> AgentError {
        let cause = Cause::from(&fault);
        match fault {
            Fault::Unreachable(_) | Fault::Lost(_) | Fault::Silent(_) => AgentError::Unavailable(cause),
            Fault::Refused { status, .. } if outage::is_for_everybody(status) => {
                AgentError::Unavailable(cause)
            }
            _ => AgentError::Failed(cause),
        }
    }
}

impl From<Fault> for Broken {
    /// Before anything was shown.
    fn from(fault: Fault) -> Self {
        fault.broken(false)
    }
}

impl Fault {
    /// The end of an attempt.
    pub(super) fn broken(self, has_shown: bool) -> Broken {
        Broken {
            end: has_shown.then(|| self.answer_end()),
            verdict: self.verdict(has_shown),
            kind: self.kind(),
            error: self.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(body: &str) -> (String, String) {
        let report = Report::in_body(body.as_bytes(), &|text| text.replace("hunter2", "***"));
        (report.code, report.message)
    }

    #[test]
    fn an_error_is_read_from_every_form_and_loses_its_secrets() {
        for (body, code, message) in [
            (r#"{"error":{"message":"no\nkey hunter2","type":"auth","code":null}}"#, "auth", "no key ***"),
            (
                r#"{"error":{"message":"key 'sk-abc*xyz' is wrong","code":"invalid_api_key"}}"#,
                "invalid_api_key",
                "key *** is wrong",
            ),
            (r#"{"error":"model not found"}"#, "", "model not found"),
            (r#"{"detail":"Not Found"}"#, "", "Not Found"),
            (r#"{"error":{"code":429,"message":"slow down"}}"#, "429", "slow down"),
            ("<html>502</html>", "", ""),
            ("[]", "", ""),
        ] {
            assert_eq!(report(body), (code.to_owned(), message.to_owned()), "{body}");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(10_000));
        assert!(report(&long).1.chars().count() <= MESSAGE + 1);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |status| Fault::Refused { status, report: Report::default(), retry_after: None };
        for status in [408, 429, 500, 502, 503, 529] {
            assert!(refused(status).is_passing(), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 413, 422] {
            assert!(!refused(status).is_passing(), "{status}");
        }
        let coded = |code: &str| Fault::Reported(Report { code: code.to_owned(), message: String::new() });
        assert!(coded("server_error").is_passing() && !coded("invalid_request_error").is_passing());
        assert!(
            coded("context_length_exceeded").is_too_long() && !coded("context_length_exceeded").is_passing()
        );
    }
}
