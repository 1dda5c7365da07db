//! The environment of a program. The gateway's own contains its tokens, so everything in it is denied by default.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use frontdesk_core::config::ConfigError;
use frontdesk_core::port::Turn;
use frontdesk_core::tool::ToolEndpoint;

use super::strays;

/// Variables of the gateway that every program gets. They contain no secrets.
const INHERITED: [&str; 7] = ["PATH", "HOME", "LANG", "TERM", "TZ", "TMPDIR", "USER"];

/// The variable with the turn that a program was started for. Together with [`MEDIA`] it identifies a program whose
/// gateway was killed.
pub(super) const TURN: &str = "FRONTDESK_TURN";
/// The variable with the folder for files.
pub(super) const MEDIA: &str = "FRONTDESK_MEDIA";
/// The value of [`TURN`] in a program that was started before there was a turn for it.
pub(super) const NO_TURN: &str = "none";

const AGENT: &str = "FRONTDESK_AGENT";
const SESSION: &str = "FRONTDESK_SESSION";
const EPOCH: &str = "FRONTDESK_EPOCH";
const ATTEMPT: &str = "FRONTDESK_ATTEMPT";
const RESUMED: &str = "FRONTDESK_RESUMED";

/// Where the program finds the gateway's tools, and the token for that.
const MCP_URL: &str = "FRONTDESK_MCP_URL";
const MCP_TOKEN: &str = "FRONTDESK_MCP_TOKEN";

const SET_BY_FRONTDESK: [&str; 10] =
    [MEDIA, AGENT, SESSION, EPOCH, TURN, ATTEMPT, RESUMED, MCP_URL, MCP_TOKEN, strays::VARIABLE];

/// Checks the variables of a config: those it sets (key `env`) and those it passes on (key `inherit_env`). `reserved`
/// are further names that this kind of agent sets by itself.
pub fn check<'a>(
    set: impl IntoIterator<Item = (&'a str, &'a str)>,
    inherited: &'a [String],
    reserved: &[&str],
) -> Result<(), ConfigError> {
    for (name, value) in set {
        check_name("env", name, reserved)?;
        if value.contains('\0') {
            return Err(ConfigError::new(
                "env",
                format!("the value of {name} must not contain a NUL character"),
            ));
        }
    }
    inherited.iter().try_for_each(|name| check_name("inherit_env", name, reserved))
}

fn check_name(key: &str, name: &str, reserved: &[&str]) -> Result<(), ConfigError> {
    if name.is_empty() || name.contains(['=', '\0', '*']) {
        return Err(ConfigError::new(key, format!("`{name}` is not the name of one variable")));
    }
    if SET_BY_FRONTDESK.contains(&name) || reserved.contains(&name) {
        return Err(ConfigError::new(key, format!("{name} is set by Frontdesk for every program")));
    }
    Ok(())
}

/// What every start of a program has: the harmless part of the gateway's environment, the variables whose names are
/// listed, and those that are set.
pub(super) fn of(
    gateway: &[(OsString, OsString)],
    inherited: &[String],
    set: Vec<(OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let allowed = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            INHERITED.contains(&name) || name.starts_with("LC_") || inherited.iter().any(|n| n == name)
        })
    };
    gateway.iter().filter(|(name, _)| allowed(name)).cloned().chain(set).collect()
}

/// The variables that Frontdesk sets. They describe the turn that the program is started for; a persistent program gets
/// later turns on stdin. A program that is started ahead has no turn and no session yet.
pub(super) fn facts(agent: &str, media: &Path, turn: Option<&Turn>) -> Vec<(&'static str, OsString)> {
    let mut facts: Vec<(&str, OsString)> = vec![(MEDIA, media.into()), (AGENT, agent.into())];
    let Some(turn) = turn else {
        facts.push((TURN, NO_TURN.into()));
        return facts;
    };
    facts.extend([
        (TURN, turn.id.to_string().into()),
        (SESSION, turn.session.to_string().into()),
        (EPOCH, turn.epoch.to_string().into()),
        (ATTEMPT, turn.attempt.to_string().into()),
        (RESUMED, u8::from(turn.resumed).to_string().into()),
    ]);
    if let Some(ToolEndpoint { url, token }) = turn.tools.endpoint() {
        facts.extend([(MCP_URL, url.into()), (MCP_TOKEN, token.into())]);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_inherits_what_is_harmless_or_listed_and_no_more() {
        let gateway = ["PATH", "LC_ALL", "TELEGRAM_BOT_TOKEN", "OPENAI_API_KEY", "PATHOLOGY"];
        let gateway: Vec<_> = gateway.into_iter().map(|name| (name.into(), "x".into())).collect();
        let environment = of(&gateway, &["OPENAI_API_KEY".into()], Vec::new());
        let names: Vec<_> = environment.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["PATH", "LC_ALL", "OPENAI_API_KEY"]);
    }
}
