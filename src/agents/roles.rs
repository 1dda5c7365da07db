//! What an agent cannot do with a role.

use std::path::{Path, PathBuf};

use frontdesk_core::agent::{Capabilities, SessionOption, TurnRole};
use frontdesk_core::config::PromptText;

use crate::paths::Paths;
use crate::{Config, Host};

/// What of a role the agent cannot use or find, one sentence each. Starts nothing.
pub fn problems_with(name: &str, config: &Config, role: &TurnRole, host: &Host) -> Vec<String> {
    let mut problems = Vec::new();
    let unused = config.cannot_use(role);
    if !unused.is_empty() {
        let (role, keys) = (&role.name, unused.join("`, `"));
        problems.push(format!("the role {role} sets `{keys}`, which the agent {name} cannot use"));
    }
    let Some(capabilities) = config.capabilities() else { return problems };
    for (option, key, set) in [
        (SessionOption::Model, "model", &role.gives.model),
        (SessionOption::Thinking, "thinking", &role.gives.thinking),
    ] {
        let offered = capabilities.choices(option);
        let Some(set) = set.as_ref().filter(|set| !offered.contains(*set)) else { continue };
        let all = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
        problems.push(format!(
            "the role {} sets {key} = {set:?}, which the agent {name} does not offer to choose (it offers {all})",
            role.name
        ));
    }
    let paths = Paths::new(&host.home, &host.env);
    let missing = config.files_of(role).into_iter().map(|file| paths.absolute(file));
    for file in missing.filter(|file| !file.exists()) {
        problems.push(format!("the role {} names {}, which does not exist", role.name, file.display()));
    }
    problems
}

impl Config {
    /// The keys of a role that an agent of this kind cannot use.
    fn cannot_use(&self, role: &TurnRole) -> Vec<&'static str> {
        let role = &role.gives;
        let files = [
            (role.skills.is_some(), "skills"),
            (role.extensions.is_some(), "extensions"),
            (role.prompt_templates.is_some(), "prompt_templates"),
            (!role.approvals.is_empty(), "approvals"),
        ];
        let prompt = (role.append_system_prompt.is_some(), "append_system_prompt");
        let options = [(role.model.is_some(), "model"), (role.thinking.is_some(), "thinking")];
        let tools = (role.tools.is_some(), "tools");
        let all = match self {
            Config::Pi(_) => Vec::new(),
            Config::OpenAi(_) => files.to_vec(),
            Config::Command(_) => [&files[..], &[prompt]].concat(),
            Config::Echo(_) => [&files[..], &[prompt, tools], &options].concat(),
        };
        all.into_iter().filter(|(set, _)| *set).map(|(_, key)| key).collect()
    }

    /// What a chat may choose; `None` for a kind without choices.
    fn capabilities(&self) -> Option<Capabilities> {
        match self {
            Config::Echo(_) => None,
            Config::Command(config) => Some(config.capabilities()),
            Config::OpenAi(config) => Some(config.capabilities()),
            Config::Pi(config) => Some(config.capabilities()),
        }
    }

    /// The files of a role that an agent of this kind reads.
    fn files_of<'r>(&self, role: &'r TurnRole) -> Vec<&'r Path> {
        let role = &role.gives;
        let prompt = match &role.append_system_prompt {
            Some(PromptText::File(prompt)) => Some(prompt.file.as_path()),
            _ => None,
        };
        let files = [&role.skills, &role.extensions, &role.prompt_templates];
        let files = files.into_iter().flatten().flatten().map(PathBuf::as_path);
        match self {
            Config::Pi(_) => files.chain(prompt).collect(),
            Config::OpenAi(_) => prompt.into_iter().collect(),
            Config::Command(_) | Config::Echo(_) => Vec::new(),
        }
    }
}
