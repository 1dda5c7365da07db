//! Which tools may run, and which a person is asked about first.

use std::collections::BTreeMap;

use frontdesk_core::agent::TurnRole;
use frontdesk_core::ask::{AskKind, Question};
use frontdesk_core::config::{MergeMode, Permission};
use frontdesk_core::visible;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::shown;

/// What is done about each tool, by its name; `*` stands for all others. Where nothing is set, tools that only read may
/// run, like those of the gateway, and all others may run in the private chat of an admin and ask elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Policy(pub BTreeMap<String, Permission>);

/// Tools of pi that only read.
const READING: [&str; 5] = ["read", "grep", "find", "ls", "glob"];

/// The name that stands for all tools that are not named.
const OTHERS: &str = "*";

impl Policy {
    /// The policy in a role. What the role names is decided by it; its `*` stands for every other tool, also for those that
    /// the agent's policy names.
    pub(super) fn in_role(&self, role: Option<&TurnRole>) -> Policy {
        let Some(role) = role.map(|role| &role.gives).filter(|role| !role.approvals.is_empty()) else {
            return self.clone();
        };
        let mut policy = role.approvals.clone();
        if role.merge_mode == MergeMode::Append && !policy.contains_key(OTHERS) {
            for (tool, permission) in &self.0 {
                policy.entry(tool.clone()).or_insert(*permission);
            }
        }
        Policy(policy)
    }

    /// What is done about a call of this tool. `trusted` means that the chat is the private chat of an admin, or that the
    /// tool is one of the gateway's, which stay within the chat.
    pub(super) fn of(&self, tool: &str, trusted: bool) -> Permission {
        match self.0.get(tool).or_else(|| self.0.get(OTHERS)) {
            Some(permission) => *permission,
            None if trusted || READING.contains(&tool) => Permission::Allow,
            None => Permission::Ask,
        }
    }
}

/// The question whether a tool may run, or why nobody can be asked.
pub(super) fn question(tool: &str, params: &Value) -> Result<Question, &'static str> {
    Ok(Question {
        kind: AskKind::Permission,
        text: format!("May the agent use {}?\n\n{}", visible::quoted(tool, 64), shown::params(params)?),
        choices: Vec::new(),
        audience: None,
        deadline: None,
        default: None,
    })
}

#[cfg(test)]
mod tests {
    use frontdesk_core::config::Role;
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
    fn a_role_decides_about_what_it_names_and_with_a_star_about_everything_else() {
        let policy = |named: &[(&str, Permission)]| {
            named.iter().map(|(tool, permission)| ((*tool).to_owned(), *permission)).collect()
        };
        let agent = Policy(policy(&[("bash", Permission::Allow), ("write", Permission::Deny)]));
        let in_role = |merge_mode, approvals: &[(&str, Permission)]| {
            let gives = Role { merge_mode, approvals: policy(approvals), ..Role::default() };
            let policy = agent.in_role(Some(&TurnRole { name: "kids".into(), gives }));
            ["bash", "write", "read"].map(|tool| policy.of(tool, false))
        };
        use Permission::{Allow, Ask, Deny};
        assert_eq!(in_role(MergeMode::Append, &[]), [Allow, Deny, Allow]);
        assert_eq!(in_role(MergeMode::Append, &[("bash", Ask)]), [Ask, Deny, Allow]);
        assert_eq!(in_role(MergeMode::Append, &[("*", Deny)]), [Deny, Deny, Deny]);
        assert_eq!(in_role(MergeMode::Replace, &[("read", Ask)]), [Ask, Ask, Ask]);
        assert_eq!(in_role(MergeMode::Replace, &[]), [Allow, Deny, Allow]);
        assert_eq!(agent.in_role(None), agent);
    }

    #[test]
    fn a_question_shows_the_parameters_and_cannot_be_forged_by_them() {
        let asked = question("bash", &json!({"command": "echo ```\n**hi** \u{202e}x"})).unwrap();
        assert_eq!(asked.text, "May the agent use `bash`?\n\n````\necho ```\n**hi** \\u{202e}x\n````");
        let asked = question("write", &json!({"path": "a.txt", "content": "x".repeat(5000)})).unwrap();
        assert!(asked.text.contains("path: a.txt\ncontent: xxx") && asked.completed().is_ok());
        let most = question(&"t".repeat(100), &json!({"a": "x\n".repeat(500), "command": "y".repeat(1000)}));
        assert!(most.unwrap().completed().is_ok());
        assert!(question("bash", &json!({"command": "y".repeat(3000)})).unwrap_err().contains("script file"));
    }
}
