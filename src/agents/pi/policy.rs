//! Which tools may run, and which a person is asked about first.

use std::collections::BTreeMap;

use frontdesk_core::ask::{AskKind, Question};
use frontdesk_core::visible;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What is done about a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It runs.
    Allow,
    /// The people whose messages the turn answers are asked first.
    Ask,
    /// It does not run.
    Deny,
}

/// What is done about each tool, by its name; `*` stands for all others. Where nothing is set, tools that only read may
/// run, like those of the gateway, and all others may run in the private chat of an admin and ask elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Policy(pub BTreeMap<String, Permission>);

/// Tools of pi that only read.
const READING: [&str; 5] = ["read", "grep", "find", "ls", "glob"];

/// How much of a call's parameters a question shows, in characters.
const SHOWN: usize = 1200;

impl Policy {
    /// What is done about a call of this tool. `trusted` means that the chat is the private chat of an admin, or that the
    /// tool is one of the gateway's, which stay within the chat.
    pub(super) fn of(&self, tool: &str, trusted: bool) -> Permission {
        match self.0.get(tool).or_else(|| self.0.get("*")) {
            Some(permission) => *permission,
            None if trusted || READING.contains(&tool) => Permission::Allow,
            None => Permission::Ask,
        }
    }
}

/// The question whether a tool may run, with its parameters as they are.
pub(super) fn question(tool: &str, params: &Value) -> Question {
    let shown = match (tool, params.get("command").and_then(Value::as_str)) {
        ("bash", Some(command)) => command.to_owned(),
        _ => match params.as_object() {
            Some(fields) => {
                fields.iter().map(|(name, value)| field(name, value)).collect::<Vec<_>>().join("\n")
            }
            None => params.to_string(),
        },
    };
    Question {
        kind: AskKind::Permission,
        text: format!("May the agent use {}?\n\n{}", visible::quoted(tool, 64), literal(&shown)),
        choices: Vec::new(),
        audience: None,
        deadline: None,
        default: None,
    }
}

fn field(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{name}: {text}"),
        value => format!("{name}: {value}"),
    }
}

/// A text as a code block that it cannot end, without characters that deceive its reader.
fn literal(text: &str) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == SHOWN {
            shown.push('…');
            break;
        }
        match c {
            '\n' => shown.push(c),
            c => visible::push(&mut shown, c),
        }
    }
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{shown}\n{fence}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_writes_or_runs_asks_outside_of_an_admins_private_chat() {
        let default = Policy::default();
        for (tool, trusted, permission) in [
            ("read", false, Permission::Allow),
            ("bash", false, Permission::Ask),
            ("mcp__x__y", false, Permission::Ask),
            ("bash", true, Permission::Allow),
        ] {
            assert_eq!(default.of(tool, trusted), permission, "{tool}");
        }
        let set = Policy(BTreeMap::from([("bash".into(), Permission::Deny), ("*".into(), Permission::Ask)]));
        assert_eq!(set.of("bash", true), Permission::Deny);
        assert_eq!(set.of("read", true), Permission::Ask);
    }

    #[test]
    fn a_question_shows_the_parameters_and_cannot_be_forged_by_them() {
        let asked = question("bash", &json!({"command": "echo ```\n**hi** \u{202e}x"}));
        assert_eq!(asked.text, "May the agent use `bash`?\n\n````\necho ```\n**hi** \\u{202e}x\n````");
        let asked = question("write", &json!({"path": "a.txt", "content": "x".repeat(5000)}));
        assert!(asked.text.contains("content: xxx") && asked.completed().is_ok());
    }
}
