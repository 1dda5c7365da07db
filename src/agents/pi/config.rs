//! The keys of `kind = "pi"`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::visible;
use schemars::JsonSchema;
use serde::Deserialize;

use super::policy::Policy;
use super::settings::Model;
use crate::failover;
use crate::process::{self, Confinement, RunWith};

/// The keys of `kind = "pi"`. Paths are relative to the home folder; `~/` is the home of the user.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The program and its first arguments; Frontdesk adds the others. Unset means the pi that `frontdesk agents install pi` has
    /// installed in the home folder, or without it the `pi` of PATH.
    pub command: Option<Vec<String>>,
    /// The provider of the models, as pi names it. Unset means pi's own setting.
    pub provider: Option<String>,
    /// The model. Unset means pi's own setting; without `provider` it is `provider/model`.
    pub model: Option<String>,
    /// The models that a chat may choose with `/model`: models of `provider`, or `provider/model` without it.
    pub models: Vec<String>,
    /// How much the model thinks: `off`, `minimal`, `low`, `medium`, `high`, and for some models `xhigh` and `max`. Unset
    /// means pi's own setting.
    pub thinking: Option<String>,
    /// The levels that a chat may choose with `/thinking`. Empty means no choice.
    pub thinking_levels: Vec<String>,
    /// Files or folders with skills. Of two skills with one name the first counts.
    pub skills: Vec<PathBuf>,
    /// Extensions of pi, each a file. They run inside pi and may do everything that pi may.
    pub extensions: Vec<PathBuf>,
    /// Files or folders with prompt templates.
    pub prompt_templates: Vec<PathBuf>,
    /// Texts that are added to pi's system prompt; the name of a file stands for its content.
    pub append_system_prompt: Vec<String>,
    /// Replaces pi's system prompt; the name of a file stands for its content.
    pub system_prompt: Option<String>,
    /// The tools that the model has. Empty means pi's own choice.
    pub tools: Vec<String>,
    /// Tools that the model does not have.
    pub exclude_tools: Vec<String>,
    /// Which tools may run without a person's permission.
    pub approvals: Policy,
    /// pi's own folder with its settings, models and credentials (`PI_CODING_AGENT_DIR`). Unset means `~/.pi/agent`.
    pub agent_dir: Option<PathBuf>,
    /// The folder of pi's own package (`PI_PACKAGE_DIR`).
    pub package_dir: Option<PathBuf>,
    /// Whether pi loads what the working folder's `.pi` contains: extensions, skills, settings and MCP servers.
    pub approve: bool,
    /// Whether pi gets a home of its own in the agent's folder, and no longer reads `~/.pi/agent`.
    pub isolate: bool,
    /// Environment variables for pi.
    pub env: BTreeMap<String, Secret>,
    /// Names of environment variables that the gateway passes on to pi, besides PATH, HOME, LANG, LC_*, TERM, TZ, TMPDIR
    /// and USER. For example the variable with the provider's key.
    pub inherit_env: Vec<String>,
    /// The working folder. Unset means `agents/NAME`, which is created if it is missing.
    pub cwd: Option<PathBuf>,
    /// Whether every session has a working folder of its own, in `sessions` beneath the working folder.
    pub cwd_per_session: bool,
    /// What closes pi in: `bubblewrap`, `bubblewrap-offline` or the words of a prefix before the command. Unset, pi can do all that the gateway can,
    /// and read its token and its database.
    pub run_with: Option<RunWith>,
    /// With `bubblewrap`: further files and folders that pi may read. Its own folders, and what is configured here, are
    /// among them in any case.
    pub readable: Vec<PathBuf>,
    /// With `bubblewrap`: further files and folders that pi may read and change.
    pub writable: Vec<PathBuf>,
    /// How many processes there are.
    pub pool: PoolConfig,
    /// Maximum size of an answer, in bytes.
    pub max_answer: usize,
    /// Maximum length of a line that pi writes, in bytes. Longer lines are skipped.
    pub max_line: usize,
    /// Maximum size of an image that is shown to the model, in bytes. Of larger ones it gets the path.
    pub max_image: u64,
    /// Seconds between SIGTERM and SIGKILL when pi is ended.
    pub grace: u64,
    /// Which agents answer when this one cannot.
    pub failover: failover::Config,
    /// Maximum number of turns of this agent that run at once; never more than `pool.max`.
    pub max_turns: Option<usize>,
}

/// How many processes of pi there are.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// Number of processes that are started ahead for new conversations, from the first turn on. Each needs about 115 MB.
    pub min: usize,
    /// Maximum number of processes. If all are at work, further conversations wait.
    pub max: usize,
    /// Seconds without a turn after which a process that has served a conversation is ended. The next message of the
    /// conversation starts one that knows it.
    pub idle_timeout: u64,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { min: 1, max: 4, idle_timeout: 300 }
    }
}

impl Default for Config {
    fn default() -> Self {
        let levels = ["off", "minimal", "low", "medium", "high"];
        Self {
            command: None,
            provider: None,
            model: None,
            models: Vec::new(),
            thinking: None,
            thinking_levels: levels.map(str::to_owned).to_vec(),
            skills: Vec::new(),
            extensions: Vec::new(),
            prompt_templates: Vec::new(),
            append_system_prompt: Vec::new(),
            system_prompt: None,
            tools: Vec::new(),
            exclude_tools: Vec::new(),
            approvals: Policy::default(),
            agent_dir: None,
            package_dir: None,
            approve: false,
            isolate: false,
            env: BTreeMap::new(),
            inherit_env: Vec::new(),
            cwd: None,
            cwd_per_session: false,
            run_with: None,
            readable: Vec::new(),
            writable: Vec::new(),
            pool: PoolConfig::default(),
            max_answer: 4 * 1024 * 1024,
            max_line: 16 * 1024 * 1024,
            max_image: 5 * 1024 * 1024,
            grace: 2,
            failover: failover::Config::default(),
            max_turns: None,
        }
    }
}

/// The levels that pi knows.
const LEVELS: [&str; 7] = ["off", "minimal", "low", "medium", "high", "xhigh", "max"];
/// The longest allowed `pool.idle_timeout`, in seconds.
const MAX_IDLE_TIMEOUT: u64 = 86_400;
/// Variables that this kind of agent sets.
const RESERVED: [&str; 2] = ["PI_CODING_AGENT_DIR", "PI_PACKAGE_DIR"];

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        self.command.as_deref().map_or(Ok(()), process::check_command)?;
        self.failover.check()?;
        self.failover.check_no_models()?;
        for model in self.model.iter().chain(&self.models) {
            self.named(model)?;
        }
        for level in self.thinking.iter().chain(&self.thinking_levels) {
            if !LEVELS.contains(&level.as_str()) {
                let problem = format!("`{level}` is not one of {}", LEVELS.join(", "));
                return Err(ConfigError::new("thinking", problem));
            }
        }
        for (key, names) in [("tools", &self.tools), ("exclude_tools", &self.exclude_tools)] {
            if names.iter().any(|name| name.is_empty() || name.contains([',', '\0'])) {
                return wrong(key, "must be names of tools");
            }
        }
        let texts = self.append_system_prompt.iter().chain(&self.system_prompt);
        if texts.chain(&self.provider).any(|text| text.contains('\0')) {
            return wrong("system_prompt", "must not contain a NUL character");
        }
        if !(1..=256 * 1024 * 1024).contains(&self.max_answer) {
            return wrong("max_answer", "must be between 1 and 268435456 bytes");
        }
        if !(64 * 1024..=256 * 1024 * 1024).contains(&self.max_line) {
            return wrong("max_line", "must be between 65536 and 268435456 bytes");
        }
        if self.grace > 60 {
            return wrong("grace", "must be at most 60 seconds");
        }
        self.check_pool()?;
        let Self { run_with, readable, writable, .. } = self.clone();
        Confinement { run_with, readable, writable }.check(false)?;
        let set = self.env.iter().map(|(name, value)| (name.as_str(), value.expose()));
        process::check_environment(set, &self.inherit_env, &RESERVED)
    }

    fn check_pool(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        let PoolConfig { min, max, idle_timeout } = self.pool;
        if max == 0 {
            return wrong("pool.max", "must be at least 1");
        }
        if min > max {
            return wrong("pool.min", "must be at most pool.max");
        }
        if !(1..=MAX_IDLE_TIMEOUT).contains(&idle_timeout) {
            return wrong("pool.idle_timeout", "must be between 1 and 86400 seconds (a day)");
        }
        Ok(())
    }

    /// A model of the configuration as pi names it.
    pub(super) fn named(&self, model: &str) -> Result<Model, ConfigError> {
        let problem = "must be names without white space: `provider/model`, or a model of `provider`";
        let wrong = || ConfigError::new("models", problem);
        if model.is_empty() || model.contains(char::is_whitespace) {
            return Err(wrong());
        }
        if model.chars().count() > visible::NAME {
            return Err(ConfigError::new("models", "must be names of at most 128 characters"));
        }
        let (provider, id) = match &self.provider {
            Some(provider) => (provider.as_str(), model),
            None => model.split_once('/').ok_or_else(wrong)?,
        };
        Ok(Model { provider: provider.to_owned(), id: id.to_owned() })
    }

    /// How many processes are started ahead.
    pub(super) fn ahead(&self) -> usize {
        match self.cwd_per_session {
            // A process that is started ahead has no session yet, and so no folder.
            true => 0,
            // One at least is for the conversation that has a turn.
            false => self.pool.min.min(self.pool.max.saturating_sub(1)),
        }
    }

    /// The maximum number of turns at once: a turn without a process would only wait.
    pub(crate) fn most_turns(&self) -> usize {
        self.max_turns.map_or(self.pool.max, |turns| turns.min(self.pool.max))
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        Capabilities {
            steer: true,
            compact: true,
            client_tools: false,
            models: self.models.clone(),
            thinking: self.thinking_levels.clone(),
            default_model: self.model.clone(),
            default_thinking: self.thinking.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_has_at_most_128_characters() {
        let named = |model: String| Config { models: vec![model], ..Config::default() }.check();
        assert_eq!(named(format!("p/{}", "ä".repeat(126))), Ok(()));
        let error = named(format!("p/{}", "x".repeat(127))).unwrap_err().to_string();
        assert!(error.contains("at most 128 characters"), "{error}");
    }
}
