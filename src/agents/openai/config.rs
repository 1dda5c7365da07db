//! The keys of `kind = "openai"`.

use std::collections::BTreeMap;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::config::{ConfigError, PromptText, Secret, join};
use frontdesk_core::visible;
use frontdesk_http as http;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{failover, openai_api};

/// The keys of `kind = "openai"`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The model that answers, as the provider names it.
    pub model: String,
    /// The URL of the API. `/v1` is added to a URL without a path.
    #[serde(default = "Config::base_url")]
    pub base_url: String,
    /// The provider's key. Servers on your own machine mostly need none.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// Further headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Further models that a chat may choose with `/model`. Empty means no choice.
    #[serde(default)]
    pub models: Vec<String>,
    /// The levels that a chat may choose with `/thinking`, for example `low`, `medium` and `high`. The choice is sent as
    /// `reasoning_effort`. Empty means no choice.
    #[serde(default)]
    pub thinking: Vec<String>,
    /// Further parameters of every request, such as `temperature`, as the provider names them.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// What the model is told about its task before every conversation: a text or `{ file = "..." }`. Frontdesk adds
    /// what it knows about the chat.
    #[serde(default)]
    pub system_prompt: Option<PromptText>,
    /// Whether the model sees images. Otherwise it is told that one came.
    #[serde(default = "Config::on")]
    pub vision: bool,
    /// Whether the model gets the gateway's tools: it can then send a message or a file before its answer is complete, and
    /// read the state of the conversation.
    #[serde(default = "Config::on")]
    pub tools: bool,
    /// Maximum size of an image that is sent to the model, in bytes.
    #[serde(default = "Config::max_image")]
    pub max_image: u64,
    /// The size of the model's context window, in tokens. The conversation is kept within it: set it to what the model
    /// and your server really have.
    #[serde(default = "Config::context_window")]
    pub context_window: u64,
    /// Whether the model summarizes a conversation that fills 65 % of the context window. Otherwise, and if that fails,
    /// what is beyond 75 % is left out.
    #[serde(default = "Config::on")]
    pub compact: bool,
    /// Seconds without any data from the provider after which a request is given up.
    #[serde(default = "Config::timeout")]
    pub timeout: u64,
    /// How often a request is sent again if it failed before anything was shown.
    #[serde(default = "Config::retries")]
    pub retries: u32,
    /// Maximum size of an answer, in bytes.
    #[serde(default = "Config::max_answer")]
    pub max_answer: usize,
    /// What the models cost, by name. Without it only a cost that the provider reports is shown.
    #[serde(default)]
    pub prices: BTreeMap<String, Price>,
    /// Which models and agents answer when this one cannot.
    #[serde(default)]
    pub failover: failover::Config,
    /// Maximum number of turns of this agent that run at once. Unset means that only `turns.max` limits them.
    #[serde(default)]
    pub max_turns: Option<usize>,
}

/// What a model costs, for a million tokens, in a currency of your choice.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens that it reads.
    pub input: f64,
    /// Tokens that it writes.
    pub output: f64,
    /// Tokens that it reads from the provider's cache. Unset means the price of `input`.
    #[serde(default)]
    pub cached: Option<f64>,
}

/// The endpoint beneath the base URL.
const COMPLETIONS: &str = "/chat/completions";

/// Parameters that Frontdesk sets by itself.
const OURS: [&str; 8] =
    ["model", "messages", "stream", "n", "tools", "tool_choice", "functions", "reasoning_effort"];

impl Config {
    /// The config of a model with all other keys at their defaults.
    pub fn of(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            base_url: Self::base_url(),
            api_key: None,
            headers: BTreeMap::new(),
            models: Vec::new(),
            thinking: Vec::new(),
            parameters: BTreeMap::new(),
            system_prompt: None,
            vision: true,
            tools: true,
            max_image: Self::max_image(),
            context_window: Self::context_window(),
            compact: true,
            timeout: Self::timeout(),
            retries: Self::retries(),
            max_answer: Self::max_answer(),
            prices: BTreeMap::new(),
            failover: failover::Config::default(),
            max_turns: None,
        }
    }

    fn base_url() -> String {
        openai_api::OPENAI.to_owned()
    }

    fn on() -> bool {
        true
    }

    fn max_image() -> u64 {
        5 * 1024 * 1024
    }

    fn context_window() -> u64 {
        128_000
    }

    fn timeout() -> u64 {
        120
    }

    fn retries() -> u32 {
        2
    }

    fn max_answer() -> usize {
        4 * 1024 * 1024
    }

    /// The model and where it runs, for people: `gpt-5-mini at api.openai.com`.
    pub fn describe(&self) -> String {
        let url = http::base_url(&self.base_url);
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("an unknown host");
        format!("{} at {host}", self.model)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        if self.endpoint().is_none() {
            return wrong("base_url", openai_api::WRONG_BASE);
        }
        let named = std::iter::once(("model", &self.model));
        let named = named.chain(self.models.iter().map(|model| ("models", model)));
        for (key, name) in named.chain(self.thinking.iter().map(|level| ("thinking", level))) {
            if name.is_empty() || name.contains(char::is_whitespace) {
                return wrong(key, "must be a name without white space, as the provider and chats send it");
            }
            if name.chars().count() > visible::NAME {
                return wrong(key, "must be a name of at most 128 characters");
            }
        }
        if openai_api::bearer(self.api_key.as_ref()).is_err() {
            return wrong("api_key", openai_api::WRONG_KEY);
        }
        for (name, value) in &self.headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value.expose()).is_err() {
                return Err(ConfigError::new(
                    join("headers", name),
                    "is no HTTP header, or its value cannot be in one",
                ));
            }
        }
        if let Some(name) = self.parameters.keys().find(|name| OURS.contains(&name.as_str())) {
            return Err(ConfigError::new(join("parameters", name), "is set by Frontdesk"));
        }
        if !(1024..=100_000_000).contains(&self.context_window) {
            return wrong("context_window", "must be between 1024 and 100000000 tokens");
        }
        if !(1..=3600).contains(&self.timeout) {
            return wrong("timeout", "must be between 1 and 3600 seconds");
        }
        if self.retries > 10 {
            return wrong("retries", "must be at most 10");
        }
        if !(1..=256 * 1024 * 1024).contains(&self.max_answer) {
            return wrong("max_answer", "must be between 1 and 268435456 bytes");
        }
        if self.max_image > 20 * 1024 * 1024 {
            return wrong("max_image", "must be at most 20971520 bytes");
        }
        for (model, price) in &self.prices {
            let numbers = [Some(price.input), Some(price.output), price.cached];
            if numbers.into_iter().flatten().any(|number| !number.is_finite() || number < 0.0) {
                return Err(ConfigError::new(join("prices", model), "must be numbers of at least 0"));
            }
        }
        self.failover.check()?;
        self.check_fallbacks()
    }

    /// The URL to which requests are sent. A URL that names the endpoint itself is understood too.
    pub(super) fn endpoint(&self) -> Option<Url> {
        openai_api::url(&self.base_url, COMPLETIONS)
    }

    /// The URL with the list of the provider's models.
    pub(super) fn models_endpoint(&self) -> Option<Url> {
        let mut url = self.endpoint()?;
        let path = url.path().trim_end_matches(COMPLETIONS).to_owned();
        url.set_path(&format!("{path}/models"));
        Some(url)
    }

    /// What the agent can do.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut models = Vec::new();
        if !self.models.is_empty() {
            models.push(self.model.clone());
            models.extend(self.models.iter().filter(|model| **model != self.model).cloned());
        }
        Capabilities {
            steer: false,
            compact: true,
            client_tools: self.tools,
            models,
            thinking: self.thinking.clone(),
            default_model: Some(self.model.clone()),
            default_thinking: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_the_endpoint_however_the_url_is_written() {
        for (base_url, endpoint) in [
            ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1/chat/completions"),
            ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
            ("http://llm/v1beta/openai//", "http://llm/v1beta/openai/chat/completions"),
            ("http://llm/v1/chat/completions", "http://llm/v1/chat/completions"),
        ] {
            let config = Config { base_url: base_url.to_owned(), ..Config::of("m") };
            assert_eq!(config.endpoint().unwrap().as_str(), endpoint, "{base_url}");
        }
    }

    #[test]
    fn a_config_that_cannot_work_says_why() {
        let sound = Config::of("m");
        assert_eq!(sound.check(), Ok(()));
        assert_eq!(Config::of("ä".repeat(128)).check(), Ok(()));
        let price = |input| BTreeMap::from([("m".to_owned(), Price { input, output: 1.0, cached: None })]);
        let secret = |text: &str| Some(Secret::new(text));
        let ours = BTreeMap::from([("stream".to_owned(), Value::Bool(false))]);
        for (wrong, why) in [
            (Config::of(""), "model: must be a name"),
            (Config { base_url: "llm:8080".into(), ..sound.clone() }, "base_url"),
            (Config { base_url: "http://me:pass@llm".into(), ..sound.clone() }, "base_url"),
            (Config { models: vec!["a b".into()], ..sound.clone() }, "models: must be a name"),
            (Config::of("ä".repeat(129)), "model: must be a name of at most 128 characters"),
            (
                Config { models: vec!["x".repeat(129)], ..sound.clone() },
                "models: must be a name of at most 128",
            ),
            (Config { api_key: secret("a\nb"), ..sound.clone() }, "api_key"),
            (
                Config { headers: BTreeMap::from([("a b".into(), Secret::new("x"))]), ..sound.clone() },
                "headers.\"a b\"",
            ),
            (Config { parameters: ours, ..sound.clone() }, "parameters.stream: is set by Frontdesk"),
            (Config { context_window: 10, ..sound.clone() }, "context_window"),
            (Config { timeout: 0, ..sound.clone() }, "timeout"),
            (Config { retries: 11, ..sound.clone() }, "retries"),
            (Config { max_answer: 0, ..sound.clone() }, "max_answer"),
            (Config { prices: price(-1.0), ..sound.clone() }, "prices.m"),
        ] {
            let message = wrong.check().unwrap_err().to_string();
            assert!(message.contains(why) && !message.contains("pass"), "{message}");
        }
    }

    #[test]
    fn a_chat_chooses_between_all_models_or_none() {
        assert_eq!(Config::of("a").capabilities().models, Vec::<String>::new());
        let several = Config { models: vec!["b".into(), "a".into()], ..Config::of("a") };
        assert_eq!(several.capabilities().models, ["a", "b"]);
    }
}
