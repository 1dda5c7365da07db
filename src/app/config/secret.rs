//! Secrets: written as a text, as a file that holds it, or as a command that prints it.
//!
//! The schema marks them (`writeOnly`), so that they are resolved before anything is typed and never shown.
//! Whoever uses one gets a [`Secret`], which has no `Display`, no `Serialize` and a `Debug` of `***`.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value, json};

/// A text that nobody but its user sees.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one place that hands it to its owner.
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

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        match schema() {
            Value::Object(object) => object.into(),
            _ => Schema::default(),
        }
    }
}

/// The three ways to write one.
pub fn schema() -> Value {
    json!({
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

/// The secret that a value stands for. The error never holds any of it.
pub fn resolve(value: &Value, folder: &Path) -> Result<String, String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let text = match (value.get("file").and_then(Value::as_str), value.get("command")) {
        (Some(file), _) => std::fs::read_to_string(folder.join(file))
            .map_err(|error| format!("the secret's file {file} cannot be read: {error}"))?,
        (None, Some(Value::Array(words))) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            printed_by(&words, folder)?
        }
        _ => return Err("a secret is a text, { file = \"...\" } or { command = [...] }".into()),
    };
    match text.trim() {
        "" => Err("the secret is empty; it must say something".into()),
        text => Ok(text.to_owned()),
    }
}

fn printed_by(words: &[&str], folder: &Path) -> Result<String, String> {
    let [program, arguments @ ..] = words else {
        return Err("the secret's command is empty; write a program and its arguments".into());
    };
    // Its error output goes to ours: it is what tells the operator why `op read` or `pass` did not work.
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("the secret's command {program} cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the secret's command {program} failed: {}", output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("what the secret's command {program} prints is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_text_a_file_or_a_command() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s"), "from a file\n").unwrap();
        let resolved = |value: Value| resolve(&value, dir.path());
        assert_eq!(resolved(json!("plain")), Ok("plain".into()));
        assert_eq!(resolved(json!({"file": "s"})), Ok("from a file".into()));
        assert_eq!(resolved(json!({"command": ["printf", " printed\n"]})), Ok("printed".into()));
    }

    #[test]
    fn a_secret_that_cannot_be_had_is_an_error_that_does_not_tell_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("empty"), "\n").unwrap();
        for (value, said) in [
            (json!({"file": "missing"}), "cannot be read"),
            (json!({"file": "empty"}), "empty"),
            (json!({"command": []}), "empty"),
            (json!({"command": ["sh", "-c", "echo hunter2; exit 3"]}), "failed"),
            (json!({"command": ["/no/such/program"]}), "cannot be run"),
        ] {
            let error = resolve(&value, dir.path()).unwrap_err();
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let secret: Secret = serde_json::from_value(json!("hunter2")).unwrap();
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "hunter2");
    }
}
