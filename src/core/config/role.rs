//! Roles: what an agent is given where a chat or a person has one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent is given where a chat or a person has this role. A role says nothing about who may write, and makes nobody
/// an admin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Role {
    /// The name of the agent that answers with this role. An `agent` beside the `role`, and one of a narrower place, comes
    /// before it.
    pub agent: Option<String>,
    /// With `append` the role adds to what the agent has, with `replace` each key that the role sets takes the place of
    /// the agent's.
    pub merge_mode: MergeMode,
    /// The model, unless the chat chooses another one with `/model`. The agent has to offer it (`models`).
    pub model: Option<String>,
    /// The level of thinking, unless the chat chooses another one with `/thinking`. The agent has to offer it.
    pub thinking: Option<String>,
    /// What the agent is told: a text or `{ file = "..." }`. Added to its system prompt.
    pub append_system_prompt: Option<PromptText>,
    /// Files or folders with skills, before those of the agent. Of two skills with one name the first counts.
    #[schemars(with = "Vec<PathBuf>")]
    pub skills: Option<Vec<PathBuf>>,
    /// Extensions, each a file, before those of the agent.
    #[schemars(with = "Vec<PathBuf>")]
    pub extensions: Option<Vec<PathBuf>>,
    /// Files or folders with prompt templates, before those of the agent.
    #[schemars(with = "Vec<PathBuf>")]
    pub prompt_templates: Option<Vec<PathBuf>>,
    /// What is done about each of the agent's own tools, by its name; `*` stands for all others. What is not named here is
    /// decided by the agent's `approvals`.
    pub approvals: BTreeMap<String, Permission>,
    /// The gateway's tools that the agent has, by their names. Without this key it has all of them, with an empty list
    /// none.
    #[schemars(with = "Vec<String>")]
    pub tools: Option<Vec<String>>,
}

/// How a role and an agent are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MergeMode {
    /// The role adds to what the agent has.
    #[default]
    Append,
    /// What the role sets takes the place of what the agent has.
    Replace,
}

/// What is done about a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It runs.
    Allow,
    /// The people whose messages the turn answers are asked first.
    Ask,
    /// It does not run.
    Deny,
}

/// A text for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PromptText {
    /// The text.
    Text(String),
    /// A file with the text.
    File(PromptFile),
}

/// A file with a text. It is read for each answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptFile {
    /// The file; a relative path starts at the home folder.
    pub file: PathBuf,
}

impl Role {
    /// A list of the role and the same list of the agent, put together.
    pub fn merged<T: Clone>(&self, own: Option<&Vec<T>>, of_agent: &[T]) -> Vec<T> {
        match own {
            Some(own) if self.merge_mode == MergeMode::Replace => own.clone(),
            Some(own) => own.iter().chain(of_agent).cloned().collect(),
            None => of_agent.to_vec(),
        }
    }

    /// Whether the role takes the place of what the agent has, where it sets `own`.
    pub fn replaces<T>(&self, own: Option<&T>) -> bool {
        own.is_some() && self.merge_mode == MergeMode::Replace
    }

    /// Whether the agent has a tool of the gateway.
    pub fn has_tool(&self, name: &str) -> bool {
        self.tools.as_ref().is_none_or(|tools| tools.iter().any(|tool| tool == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_comes_before_the_agent_or_takes_its_place() {
        let both = |merge_mode, own: Option<Vec<&str>>| {
            let role = Role { merge_mode, ..Role::default() };
            role.merged(own.as_ref(), &["gateway", "base"]).join(" ")
        };
        assert_eq!(both(MergeMode::Append, Some(vec!["role"])), "role gateway base");
        assert_eq!(both(MergeMode::Append, Some(vec![])), "gateway base");
        assert_eq!(both(MergeMode::Replace, Some(vec!["role"])), "role");
        assert_eq!(both(MergeMode::Replace, Some(vec![])), "");
        assert_eq!(both(MergeMode::Replace, None), "gateway base");
    }

    #[test]
    fn a_role_without_a_list_of_tools_has_all_of_them() {
        let has = |tools: Option<Vec<String>>| Role { tools, ..Role::default() }.has_tool("send_message");
        assert!(has(None) && has(Some(vec!["send_message".to_owned()])));
        assert!(!has(Some(Vec::new())) && !has(Some(vec!["send_media".to_owned()])));
    }
}
