//! Reads secrets that are given as a file or as a command.
//!
//! The schema marks secrets (`writeOnly`), so that they are read before anything is typed and never shown.

use std::path::Path;

use serde_json::Value;

use crate::regular_file;

mod command;

pub use command::end_all;

/// The largest secret, in bytes.
const LARGEST: u64 = 64 << 10;

/// Reads the secret that a value describes. Errors never contain any of it. `still_waits` is called with a sentence about
/// what is waited for, if that takes a while.
pub fn resolve(
    value: &Value,
    path: &str,
    folder: &Path,
    still_waits: &dyn Fn(&str),
) -> Result<String, String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let text = match (value.get("file").and_then(Value::as_str), value.get("command")) {
        (Some(file), _) => regular_file::read_text(&folder.join(file), LARGEST)
            .map_err(|error| format!("the secret's file {file} cannot be read: {error}"))?,
        (None, Some(Value::Array(words))) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            let (program, limit) = (words.first().unwrap_or(&""), command::TIME_LIMIT.as_secs());
            let told = || {
                still_waits(&format!("waiting for the command {program} of {path}, for at most {limit} s"));
            };
            command::printed_by(&words, folder, &told)?
        }
        _ => return Err("a secret is a text, { file = \"...\" } or { command = [...] }".into()),
    };
    match text.trim() {
        "" => Err("the secret is empty".into()),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_a_text_a_file_or_a_command() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s"), "from a file\n").unwrap();
        let resolved = |value: Value| resolve(&value, "key", dir.path(), &|_| {});
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
            let error = resolve(&value, "key", dir.path(), &|_| {}).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_command_that_does_not_end_is_killed_with_what_it_started_and_somebody_is_told_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let waits = std::cell::RefCell::new(Vec::new());
        let told = |what: &str| waits.borrow_mut().push(what.to_owned());
        let script = "sleep 1000 & echo $! > pid; echo hunter2; wait";
        let error =
            resolve(&json!({"command": ["sh", "-c", script]}), "api.key", dir.path(), &told).unwrap_err();
        assert!(error.contains("had not ended after 10 s") && !error.contains("hunter2"), "{error}");
        assert_eq!(waits.take(), ["waiting for the command sh of api.key, for at most 10 s"]);
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        let status = || std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
        // A killed program is gone only when the system has next given it a turn.
        let is_gone = |status: String| status.is_empty() || status.contains("State:\tZ");
        assert!((0..100_000).any(|_| is_gone(status())), "it runs on: {}", status());
    }

    #[test]
    fn a_command_that_prints_without_end_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let error = resolve(&json!({"command": ["yes"]}), "key", dir.path(), &|_| {}).unwrap_err();
        assert!(error.contains("more than 64 KiB"), "{error}");
        std::fs::write(dir.path().join("large"), vec![b'x'; 1 << 17]).unwrap();
        let error = resolve(&json!({"file": "large"}), "key", dir.path(), &|_| {}).unwrap_err();
        assert!(error.contains("larger than 64 KiB"), "{error}");
    }

    #[test]
    fn what_a_command_leaves_running_does_not_delay_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let waits = |what: &str| panic!("{what}");
        let script = "sleep 3 & echo printed";
        let printed = resolve(&json!({"command": ["sh", "-c", script]}), "key", dir.path(), &waits);
        assert_eq!(printed, Ok("printed".into()));
    }
}
