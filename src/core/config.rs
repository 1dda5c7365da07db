//! What the configurations of all components share: secrets, errors, paths, the rules of chats, and roles.
//!
//! A component owns its part of the configuration: a struct with `Default`, and a `check` that returns
//! [`ConfigError`]s.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

mod role;
mod routing;

pub use role::{MergeMode, Permission, PromptFile, PromptText, Role};
pub use routing::{Assignment, Chat, Rate, Routing, Sharing};

/// A configured value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The key as a dotted path, beneath the component that checks it; empty for the component as a whole.
    pub path: String,
    /// What is wrong and what to write instead. Never a value that could be a secret.
    pub problem: String,
}

impl ConfigError {
    /// An error about the key at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The same error with its path beneath `table`.
    pub fn under(self, table: &str) -> Self {
        let path = if self.path.is_empty() { table.to_owned() } else { format!("{table}.{}", self.path) };
        Self { path, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

/// Appends `name` to a dotted path of keys, quoted if necessary.
pub fn join(path: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let name = if bare { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// A text that is never shown: it has no `Display` and no `Serialize`, and its `Debug` is `***`.
///
/// In a file it is a text, `{ file = ... }` or `{ command = [...] }`. The program replaces the latter two with
/// the secret's text before anything is deserialized.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the code that uses the secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    /// `writeOnly` marks the key as a secret for everything that reads the schema.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A secret: the text itself, or where to get it.",
            "writeOnly": true,
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "description": "A file that holds the secret and nothing else; whitespace around it is dropped.",
                    "properties": {"file": {"type": "string", "description": "The file; a relative path starts at the configuration's folder."}},
                    "required": ["file"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "description": "A program that prints the secret; whitespace around it is dropped.",
                    "properties": {"command": {"type": "array", "items": {"type": "string"}, "description": "The program and its arguments; no shell reads them."}},
                    "required": ["command"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn only_odd_keys_are_quoted_in_a_path() {
        assert_eq!(join("", "gateway"), "gateway");
        assert_eq!(join("channels.web.chats", "a.b"), "channels.web.chats.\"a.b\"");
    }

    #[test]
    fn an_error_names_its_key_where_it_has_one() {
        let error = ConfigError::new("limit", "must be at least 1");
        assert_eq!(error.clone().under("gateway").to_string(), "gateway.limit: must be at least 1");
        assert_eq!(ConfigError::new("", "no").under("agents.a").to_string(), "agents.a: no");
        assert_eq!(ConfigError::new("", "no").to_string(), "no");
    }
}
