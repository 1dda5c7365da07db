//! Names of agents, roles and tools that are used somewhere and do not exist, and roles that cannot be used.

use std::collections::BTreeSet;

use frontdesk_core::config::{ConfigError, PromptText, Role, join};
use frontdesk_core::nearest::nearest;
use frontdesk_kit::ConfiguredAccount;

use super::Config;

/// How many names an error lists at most.
const LISTED: usize = 20;

/// What is named and does not exist, each at its key. `more` are agents that are not in the file.
pub(super) fn unknown(config: &Config, accounts: &[ConfiguredAccount], more: &[String]) -> Vec<ConfigError> {
    let agents: BTreeSet<&str> = config.agents.keys().chain(more).map(String::as_str).collect();
    let roles: BTreeSet<&str> = config.runtime.roles.keys().map(String::as_str).collect();
    let assigned = || accounts.iter().flat_map(ConfiguredAccount::assignments);
    let mut named = vec![("default_agent".to_owned(), config.default_agent())];
    named.extend(assigned().filter_map(|one| Some((join(&one.path, "agent"), one.agent?))));
    let of_roles = config.runtime.roles.iter();
    named.extend(of_roles.filter_map(|(name, role)| Some((key(name, "agent"), role.agent.as_deref()?))));
    let of_jobs = config.runtime.jobs.iter().enumerate();
    named.extend(of_jobs.filter_map(|(n, job)| Some((format!("jobs[{n}].agent"), job.agent.as_deref()?))));
    named.extend(config.hooks.agents());
    let mut wrong: Vec<ConfigError> =
        named.into_iter().filter_map(|(path, name)| missing(path, "agent", name, &agents)).collect();
    let given = assigned().filter_map(|one| Some((join(&one.path, "role"), one.role?)));
    wrong.extend(given.filter_map(|(path, name)| missing(path, "role", name, &roles)));
    let limits = &config.runtime.limits;
    let of_role = |path: &str, name: &String| missing(join(path, name), "role", name, &roles);
    wrong.extend(limits.role.keys().filter_map(|name| of_role("limits.role", name)));
    wrong.extend(limits.budget.role.keys().filter_map(|name| of_role("limits.budget.role", name)));
    wrong.extend(config.runtime.roles.iter().flat_map(|(name, role)| unusable(name, role)));
    wrong
}

/// The path of a key of a role.
fn key(role: &str, key: &str) -> String {
    join(&join("roles", role), key)
}

/// The error about a name that does not exist.
fn missing(path: String, what: &str, name: &str, there: &BTreeSet<&str>) -> Option<ConfigError> {
    if there.contains(name) {
        return None;
    }
    let add = format!("Add [{what}s.{name}]");
    if there.is_empty() {
        return Some(ConfigError::new(path, format!("there is no {what} `{name}`. {add}")));
    }
    let names: Vec<&str> = there.iter().copied().take(LISTED).collect();
    let others = if there.len() > LISTED { ", ..." } else { "" };
    let near = nearest(name, there.iter().copied());
    let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    let names = names.join(", ");
    let problem =
        format!("there is no {what} `{name}`; {hint}there are: {names}{others}. {add} or name one of these");
    Some(ConfigError::new(path, problem))
}

/// What keeps a role from being used.
fn unusable(name: &str, role: &Role) -> Vec<ConfigError> {
    let mut wrong = Vec::new();
    if frontdesk_agents::check_name(name).is_err() {
        let problem =
            "the name of a role has 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or a digit";
        wrong.push(ConfigError::new(join("roles", name), problem));
    }
    let tools: BTreeSet<&str> = frontdesk_runtime::tool_names().collect();
    for (n, tool) in role.tools.iter().flatten().enumerate() {
        let path = format!("{}[{n}]", key(name, "tools"));
        if !tools.contains(tool.as_str()) {
            let near = nearest(tool, tools.iter().copied());
            let hint = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let names = tools.iter().copied().collect::<Vec<_>>().join(", ");
            wrong
                .push(ConfigError::new(path, format!("there is no tool `{tool}`; {hint}there are: {names}")));
        }
    }
    let text = match &role.append_system_prompt {
        Some(PromptText::Text(text)) => text.as_str(),
        Some(PromptText::File(_)) | None => "",
    };
    if text.contains('\0') {
        wrong.push(ConfigError::new(key(name, "append_system_prompt"), "must not contain a NUL character"));
    }
    wrong
}
