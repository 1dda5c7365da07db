//! How people set up an account: the steps on the platform's own pages, and what a look at the platform finds.
//!
//! Findings are sentences for an operator. They contain names that people chose on the platform, never the words of a
//! foreign server: those are for the log, at debug.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::config::join;
use frontdesk_core::port::Clock;
use frontdesk_http::HttpFault;
use serde::Serialize;
use serde_json::{Map, Value};

/// A section whose accounts people set up step by step.
#[async_trait]
pub trait Setup: Send + Sync {
    /// The platform's name as people write it.
    fn title(&self) -> &'static str;
    /// What the platform makes an app of, ready to paste; `None` for platforms without such a file. An error says which
    /// name it does not accept.
    fn manifest(&self, names: &AppNames) -> Option<Result<Value, String>>;
    /// Whether the account has a token, with which one can look at it.
    fn has_token(&self, account: &AccountId) -> bool;
    /// The steps of an account, and what the platform says about it now. Without a token nothing is asked. It changes
    /// nothing on the platform, and every request has a time limit.
    async fn inspect(&self, account: &AccountId, host: &CheckHost) -> Report;
}

/// Names in a manifest, where they are not the usual ones.
#[derive(Debug, Clone, Default)]
pub struct AppNames {
    /// The name of the app.
    pub name: Option<String>,
    /// Its slash command, with the slash.
    pub command: Option<String>,
}

/// What a check needs from the program.
#[derive(Clone)]
pub struct CheckHost {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The public URL at which the account receives webhooks, if the gateway has one.
    pub webhook_url: Option<String>,
}

/// The result of checking an account: the steps of its setup, with the findings for each.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// The steps in their order, each with its findings.
    pub steps: Vec<Step>,
    /// The same as fields for `--json`. They contain no secrets.
    pub data: Map<String, Value>,
}

impl Report {
    /// The findings of all steps.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().flat_map(|step| &step.findings)
    }

    /// Adds a field to its data.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.data.insert(name.to_owned(), value.into());
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The title, an instruction: "Copy the token of its bot".
    pub title: String,
    /// Every click, one line each.
    pub how: Vec<String>,
    /// What the person needs for it, such as a link: shown also if the step is done.
    pub notes: Vec<String>,
    /// The results of the checks that belong to it.
    pub findings: Vec<Finding>,
    /// Whether it is done, as far as one can see.
    pub done: bool,
}

impl Step {
    /// A step that is not done.
    pub fn new<H: Into<String>>(title: &str, how: impl IntoIterator<Item = H>) -> Step {
        let how = how.into_iter().map(Into::into).collect();
        Step { title: title.to_owned(), how, notes: Vec::new(), findings: Vec::new(), done: false }
    }

    /// With these notes.
    pub fn noted(self, notes: impl IntoIterator<Item = String>) -> Step {
        Step { notes: notes.into_iter().collect(), ..self }
    }

    /// With what was found: the step is done if something was, and nothing of it is an error.
    pub fn found(self, findings: impl IntoIterator<Item = Finding>) -> Step {
        let findings: Vec<Finding> = findings.into_iter().collect();
        let done = !findings.is_empty() && findings.iter().all(|finding| finding.level < Level::Error);
        Step { findings, done, ..self }
    }

    /// Done if `done`: another step shows it.
    pub fn done(self, done: bool) -> Step {
        Step { done, ..self }
    }

    /// The step in which the program gets the tokens of an account.
    pub fn give_tokens(account: &AccountId, tokens: &[TokenKey]) -> Step {
        let channel = account.channel();
        let (table, is_first) = match account.name() {
            DEFAULT_ACCOUNT => (format!("[channels.{channel}]"), true),
            name => (format!("[{}]", join(&format!("channels.{channel}.accounts"), name)), false),
        };
        let names: Vec<&str> = tokens.iter().map(|token| token.variable).collect();
        let (noun, which, plural) =
            if tokens.len() == 1 { ("token", "the", "") } else { ("tokens", "each", "s") };
        let file = format!(
            "eep {which} token in a file beside frontdesk.toml that only you can read (chmod 600), and write into frontdesk.toml:"
        );
        let mut how = match is_first {
            true => vec![
                format!("Set the environment variable{plural} {} to the {noun}.", names.join(" and ")),
                format!("Or k{file}"),
            ],
            false => vec![format!("K{file}")],
        };
        how.push(format!("    {table}"));
        let key = |token: &TokenKey| format!("    {} = {{ file = \"{}\" }}", token.key, token.file);
        how.extend(tokens.iter().map(key));
        how.push(format!("Then check it: frontdesk onboard {channel}"));
        Step::new(&format!("Give the {noun} to Frontdesk"), how)
    }

    /// The last step: `write` says how people write to the bot.
    pub fn talk(account: &AccountId, write: impl Into<String>) -> Step {
        let admin = format!(
            "It does not know you yet, and answers with your id. Make yourself an admin, with that id in the place of YOUR_ID: \
             frontdesk access allow {account} YOUR_ID --admin"
        );
        Step::new(
            "Start it and write to it",
            ["Start the gateway: frontdesk run".to_owned(), write.into(), admin],
        )
    }
}

/// A key of the configuration with a token.
#[derive(Debug, Clone, Copy)]
pub struct TokenKey {
    /// The key.
    pub key: &'static str,
    /// The environment variable that gives the first account's.
    pub variable: &'static str,
    /// The name of a file for it.
    pub file: &'static str,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// It works, but perhaps not as it was meant.
    Warning,
    /// It does not work.
    Error,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a fixed name in small letters, such as `bot_token`.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// The result in one sentence.
    pub found: String,
    /// What to do now, in one sentence.
    pub next: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Finding {
        Finding { check, level: Level::Ok, found: found.into(), next: None }
    }

    /// It may not be as it was meant.
    pub fn warning(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { check, level: Level::Warning, found: found.into(), next: Some(next.into()) }
    }

    /// It does not work.
    pub fn error(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Finding {
        Finding { check, level: Level::Error, found: found.into(), next: Some(next.into()) }
    }
}

/// Why a platform said nothing about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It could not be reached.
    Unsent(String),
    /// It did not answer.
    Unanswered(String),
    /// It, or something in front of it, answered with this HTTP status and nothing else.
    Status(u16),
    /// It says that it has a fault or is busy.
    Busy,
    /// Its answer could not be read.
    Unreadable,
    /// There were too many requests.
    TooMany(Duration),
}

impl Trouble {
    /// What an operator should know. `platform` is its name, `host` what cannot be reached.
    pub fn finding(self, check: &'static str, platform: &str, host: &str) -> Finding {
        let network = format!(
            "Check that this machine reaches {host}: its network, its firewall, and the proxy in HTTPS_PROXY, if that is set."
        );
        let again = "Try again in a few minutes.";
        match self {
            Trouble::Unsent(detail) => {
                Finding::error(check, format!("{platform} cannot be reached ({host}): {detail}."), network)
            }
            Trouble::Unanswered(detail) => {
                Finding::error(check, format!("{platform} does not answer ({host}): {detail}."), network)
            }
            Trouble::Status(status @ 500..) => Finding::error(
                check,
                format!("{platform} has a fault at the moment ({host}): HTTP {status}."),
                again,
            ),
            Trouble::Busy => {
                Finding::error(check, format!("{platform} has a fault at the moment ({host})."), again)
            }
            Trouble::Status(status) => Finding::error(
                check,
                format!("Something else than {platform} answers at {host}: HTTP {status}."),
                network,
            ),
            Trouble::Unreadable => Finding::error(
                check,
                format!("Something else than {platform} answers at {host}: its answer cannot be read."),
                network,
            ),
            Trouble::TooMany(after) => Finding::error(
                check,
                format!("{platform} answers that there were too many requests."),
                format!("Try again in {} s.", after.as_secs().max(1)),
            ),
        }
    }
}

impl From<HttpFault> for Trouble {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Unsent(detail) => Trouble::Unsent(detail),
            HttpFault::Unanswered(detail) => Trouble::Unanswered(detail),
            HttpFault::TooLong => Trouble::Unreadable,
        }
    }
}

/// The longest name from a platform that is shown, in characters.
const LONGEST_NAME: usize = 80;

/// A name that somebody chose on a platform, cut to a length that can be shown.
pub fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Where an address leads, without its path, which may contain a secret.
pub fn host_of(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(reqwest::Url::host_str).unwrap_or("an address that cannot be read");
    match parsed.as_ref().and_then(reqwest::Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_done_if_something_was_found_and_nothing_is_wrong() {
        let step = || Step::new("Copy the token", ["Click."]);
        assert!(!step().done && !step().found([]).done);
        assert!(step().found([Finding::ok("token", "x"), Finding::warning("token", "y", "z")]).done);
        assert!(!step().found([Finding::ok("token", "x"), Finding::error("token", "y", "z")]).done);
    }

    #[test]
    fn an_address_is_shown_without_its_path_and_a_long_name_is_cut() {
        assert_eq!(
            host_of("https://user:pass@hook.example.org:8443/bot/123:secret?a"),
            "hook.example.org:8443"
        );
        assert_eq!(host_of("123:secret"), "an address that cannot be read");
        assert_eq!(shown("Anna"), "Anna");
        assert_eq!(shown(&"ä".repeat(90)), format!("{}…", "ä".repeat(80)));
    }

    #[test]
    fn a_fault_says_who_is_to_act() {
        let next = |trouble: Trouble| trouble.finding("token", "Slack", "slack.com").next.unwrap();
        for network in [Trouble::Unsent("x".into()), Trouble::Unanswered("x".into()), Trouble::Status(407)] {
            assert!(next(network).contains("HTTPS_PROXY"));
        }
        assert!(next(Trouble::Status(503)).contains("few minutes"));
        assert_eq!(next(Trouble::TooMany(Duration::from_secs(30))), "Try again in 30 s.");
    }
}
