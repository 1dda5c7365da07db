//! The agent that the environment gives where the file has none: with `OPENAI_API_KEY` alone, the first start talks to a
//! model.

use frontdesk_core::config::ConfigError;

use super::interpolate::Lookup;
use super::problem::Problem;
use super::syntax::Syntax;
use crate::document::{Node, Position, Value};

/// The variable that makes a model the default agent.
const KEY: &str = "OPENAI_API_KEY";

/// What stands in a file that does the same.
const AGENT: &str = r#"
[agents.main]
kind = "openai"
api_key = "${OPENAI_API_KEY}"
base_url = "${OPENAI_BASE_URL:-https://api.openai.com/v1}"
model = "${OPENAI_MODEL:-gpt-5-mini}"
"#;

/// The variables by the keys that they give.
const VARIABLES: [(&str, &str); 3] = [
    ("agents.main.api_key", KEY),
    ("agents.main.base_url", "OPENAI_BASE_URL"),
    ("agents.main.model", "OPENAI_MODEL"),
];

/// Adds the agent of the environment to a file without agents.
pub fn add_agent(document: &mut Node, env: Lookup<'_>) -> Result<(), Problem> {
    let is_set = env(KEY).is_some_and(|key| !key.trim().is_empty());
    if !is_set || document.get("agents").is_some() {
        return Ok(());
    }
    let mut added = Syntax::Toml.parse(AGENT)?;
    forget_positions(&mut added);
    if let (Value::Table(entries), Value::Table(added)) = (&mut document.value, added.value) {
        entries.extend(added);
    }
    Ok(())
}

/// Marks values as not from the file.
fn forget_positions(node: &mut Node) {
    node.position = Position::NOWHERE;
    if let Value::Table(entries) = &mut node.value {
        for (key, inner) in entries {
            key.position = Position::NOWHERE;
            forget_positions(inner);
        }
    }
}

/// An error with its position in the file; an error in a value of the environment names the variable.
pub fn placed(document: &Node, error: ConfigError) -> Problem {
    let position = document.position_of(&error.path);
    if position != Some(Position::NOWHERE) {
        return Problem { position, error };
    }
    let variable =
        VARIABLES.iter().find(|(path, _)| *path == error.path).map_or(KEY, |(_, variable)| variable);
    let problem = format!("the environment variable {variable}: {}", error.problem);
    Problem { position: None, error: ConfigError::new("", problem) }
}
