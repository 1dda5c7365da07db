//! Reads secrets that are given as a file or as a command.
//!
//! The schema marks secrets (`writeOnly`), so that they are read before anything is typed and never shown.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Reads the secret that a value describes. Errors never contain any of it.
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
        "" => Err("the secret is empty".into()),
        text => Ok(text.to_owned()),
    }
}

fn printed_by(words: &[&str], folder: &Path) -> Result<String, String> {
    let [program, arguments @ ..] = words else {
        return Err("the secret's command is empty; write a program and its arguments".into());
    };
    // The program's error output is inherited, because it tells the operator why `op read` or `pass` failed.
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
    use serde_json::json;

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
        for (value, expected) in [
            (json!({"file": "missing"}), "cannot be read"),
            (json!({"file": "empty"}), "empty"),
            (json!({"command": []}), "empty"),
            (json!({"command": ["sh", "-c", "echo hunter2; exit 3"]}), "failed"),
            (json!({"command": ["/no/such/program"]}), "cannot be run"),
        ] {
            let error = resolve(&value, dir.path()).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }
}
