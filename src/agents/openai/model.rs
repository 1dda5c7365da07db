//! A model as an agent: its configuration, its provider, and what is remembered between turns.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::config::{ConfigError, PromptText};
use frontdesk_core::delta::{AgentError, Usage};
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Clock, Mono, Turn};
use frontdesk_core::tool::ClientTools;
use serde_json::{Value, json};
use tracing::warn;

use super::memory::{Memory, Share, SmallerWindows, TokenSizes, shares};
use super::provider::Provider;
use super::{Config, calls, chunk, messages};
use crate::paths::Paths;
use crate::running_turns::lock;
use crate::{Host, openai_api, regular_file};

/// Maximum size of a system prompt in a file, in bytes.
const MAX_PROMPT: u64 = 1024 * 1024;
/// How long a conversation is not compacted again after that failed.
const COMPACTION_PAUSE: Duration = Duration::from_secs(600);

/// How often the context window of a conversation is halved.
const HALVINGS: u32 = 4;

/// A model.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) provider: Provider,
    pub(super) token_sizes: TokenSizes,
    windows: SmallerWindows,
    paths: Paths,
    clock: Arc<dyn Clock>,
    /// When compactions failed.
    failed_compactions: Mutex<HashMap<SessionKey, Mono>>,
    /// Whether the provider has refused requests with tools.
    refuses_tools: AtomicBool,
}

impl Model {
    pub(super) fn new(name: &str, config: &Config, host: &Host) -> Result<Self, ConfigError> {
        Ok(Self {
            name: name.to_owned(),
            config: config.clone(),
            provider: Provider::new(name, config, host.clock.clone())?,
            token_sizes: TokenSizes::default(),
            windows: SmallerWindows::default(),
            paths: Paths::new(&host.home, &host.env),
            clock: host.clock.clone(),
            failed_compactions: Mutex::default(),
            refuses_tools: AtomicBool::new(false),
        })
    }

    /// The file of the system prompt.
    fn prompt_file(&self) -> Option<PathBuf> {
        match &self.config.system_prompt {
            Some(PromptText::File(prompt)) => Some(self.paths.absolute(&prompt.file)),
            _ => None,
        }
    }

    /// The system prompt of a turn: the agent's, then that of the role.
    pub(super) async fn system(&self, turn: &Turn) -> Result<String, AgentError> {
        let role = turn.role.as_ref().map(|role| &role.gives);
        let own = role.and_then(|role| role.append_system_prompt.as_ref());
        let of_agent = self.config.system_prompt.as_ref();
        let of_agent = of_agent.filter(|_| !role.is_some_and(|role| role.replaces(own)));
        let mut configured = Vec::new();
        for prompt in of_agent.into_iter().chain(own) {
            let text = self.text(prompt).await?;
            configured.extend(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned));
        }
        Ok(messages::system(Some(&configured.join("\n\n")), turn))
    }

    async fn text(&self, prompt: &PromptText) -> Result<String, AgentError> {
        let file = match prompt {
            PromptText::Text(text) => return Ok(text.clone()),
            PromptText::File(prompt) => self.paths.absolute(&prompt.file),
        };
        let shown = file.display().to_string();
        let read = tokio::task::spawn_blocking(move || regular_file::read_text(&file, MAX_PROMPT)).await;
        let text = read.map_err(std::io::Error::other).and_then(|text| text);
        text.map_err(|error| {
            AgentError::Unavailable(Cause::plain(format!(
                "the system prompt {shown} cannot be read: {error}"
            )))
        })
    }

    /// What prevents it from answering.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(file) = self.prompt_file().filter(|file| !file.is_file()) {
            return Some(format!("there is no file {} for its system prompt", file.display()));
        }
        let needs_key = self.config.endpoint().is_some_and(|url| openai_api::needs_key(&url));
        let has_key = self.config.api_key.as_ref().is_some_and(|key| !key.expose().trim().is_empty());
        (needs_key && !has_key && self.config.headers.is_empty())
            .then(|| "api.openai.com needs a key: set api_key".to_owned())
    }

    /// The size of the context window for a turn, in tokens: as configured, unless the provider has refused a request of
    /// this conversation as too long.
    pub(super) fn window(&self, turn: &Turn) -> u64 {
        self.windows.of(turn, self.chosen(turn)).unwrap_or(self.config.context_window)
    }

    /// The provider has refused a request of this conversation as too long: from now on the window is half as large.
    /// `false` if it is too small for that.
    pub(super) fn halve_window(&self, turn: &Turn) -> bool {
        let half = self.window(turn) / 2;
        if half < self.config.context_window >> HALVINGS {
            return false;
        }
        warn!(
            agent = self.name, session = %turn.session, window = half,
            "the conversation does not fit into the model's context; less of it is sent. Set context_window"
        );
        self.windows.note(turn, self.chosen(turn), Some(half));
        true
    }

    /// The refused request was longer than the window, because its tokens were counted too low.
    pub(super) fn restore_window(&self, turn: &Turn, window: u64) {
        let window = (window < self.config.context_window).then_some(window);
        self.windows.note(turn, self.chosen(turn), window);
    }

    /// The conversation goes on in another epoch.
    pub(super) fn forget(&self, session: &SessionKey, epoch: u64) {
        self.windows.forget(session, epoch);
    }

    /// How much of a conversation is sent besides `fixed` tokens.
    pub(super) fn share(&self, turn: &Turn, fixed: u64) -> Share {
        let (whole, tail) = shares(self.window(turn), fixed);
        let bytes = |tokens| self.token_sizes.bytes(&turn.session, tokens);
        Share { whole: bytes(whole), tail: bytes(tail) }
    }

    /// What was said in the conversation before the turn.
    pub(super) async fn past(&self, turn: &Turn, share: Share) -> Result<Memory, AgentError> {
        let past = Memory::read(&*turn.history, share, messages::is_private(turn)).await;
        past.map_err(|error| AgentError::Failed(error.to_string().into()))
    }

    /// The name of the model that answers a turn.
    fn chosen<'t>(&'t self, turn: &'t Turn) -> &'t str {
        turn.options.model.as_deref().unwrap_or(&self.config.model)
    }

    /// A request with these messages.
    pub(super) fn body(&self, turn: &Turn, messages: Vec<Value>) -> Value {
        let mut body = json!({"stream_options": {"include_usage": true}});
        for (name, value) in &self.config.parameters {
            body[name] = value.clone();
        }
        body["model"] = self.chosen(turn).into();
        body["messages"] = messages.into();
        body["stream"] = true.into();
        if let Some(level) = &turn.options.thinking {
            body["reasoning_effort"] = level.as_str().into();
        }
        body
    }

    /// Whether the provider has not refused requests with tools.
    pub(super) fn takes_tools(&self) -> bool {
        !self.refuses_tools.load(Ordering::Relaxed)
    }

    /// The tools that a turn's requests offer, if there are any.
    pub(super) fn tools(&self, turn: &Turn, of_client: &ClientTools) -> Option<Value> {
        if !self.config.tools || !self.takes_tools() {
            return None;
        }
        let offered = calls::offered(turn.tools_in_role(), of_client);
        (!offered.is_empty()).then(|| offered.into())
    }

    /// The provider refuses requests with tools: later ones have none. The log says so once.
    pub(super) fn without_tools(&self) {
        if !self.refuses_tools.swap(true, Ordering::Relaxed) {
            warn!(
                agent = self.name,
                "the model takes no tools, so it gets none until the next start; `tools = false` says so from the beginning"
            );
        }
    }

    /// Whether a conversation may be compacted now.
    pub(super) fn may_compact(&self, session: &SessionKey) -> bool {
        let now = self.clock.mono();
        let mut failed = lock(&self.failed_compactions);
        failed.retain(|_, at| now.since(*at) < COMPACTION_PAUSE);
        !failed.contains_key(session)
    }

    /// A compaction has failed: the next turns go on without one for a while.
    pub(super) fn compaction_failed(&self, session: &SessionKey) {
        lock(&self.failed_compactions).insert(session.clone(), self.clock.mono());
    }

    /// What an answer has cost, with the use of the context.
    pub(super) fn priced(&self, turn: &Turn, usage: Usage, context: u64) -> Usage {
        let price = self.config.prices.get(self.chosen(turn));
        let cost = price.map(|price| {
            let float = |tokens: Option<u64>| {
                tokens.map_or(0.0, |tokens| f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)))
            };
            let (input, output, cached) = (float(usage.input), float(usage.output), float(usage.cache_read));
            let cached = cached.min(input);
            // A price for a million tokens is one in millionths for a token.
            chunk::rounded(
                (input - cached) * price.input
                    + cached * price.cached.unwrap_or(price.input)
                    + output * price.output,
            )
        });
        Usage {
            model: usage.model.clone().or_else(|| Some(self.chosen(turn).to_owned())),
            cost_micro: cost.filter(|_| usage.input.is_some()).or(usage.cost_micro),
            context_used: Some(context),
            context_window: Some(self.window(turn)),
            ..usage
        }
    }
}
