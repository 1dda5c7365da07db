//! Other models of the same agent, as its fallbacks.

use std::collections::BTreeMap;

use frontdesk_core::config::{ConfigError, Secret};
use reqwest::Url;

use super::Config;
use crate::failover::{self, Fallback, ModelFallback};
use crate::responder::Target;

impl Config {
    /// What a model of this agent is, as something that may fail: its name, its provider and the key.
    pub(super) fn target(&self, model: &str) -> Target {
        let endpoint = self.endpoint();
        let host = endpoint.as_ref().and_then(Url::host_str).unwrap_or("an unknown host");
        let endpoint = endpoint.as_ref().map_or("", Url::as_str);
        let mut texts = vec![endpoint, model, self.api_key.as_ref().map_or("", Secret::expose)];
        texts.extend(self.headers.iter().flat_map(|(name, value)| [name.as_str(), value.expose()]));
        Target::of(&texts, model, format!("{model} at {host}"))
    }

    /// Whether two agents ask the same model at the same provider with the same key.
    pub(crate) fn asks_the_same_as(&self, other: &Self) -> bool {
        self.target(&self.model).id == other.target(&other.model).id
    }

    /// The agent with another model. Nothing that is meant for its own provider goes to another one.
    pub(crate) fn with_fallback(&self, fallback: &ModelFallback) -> Self {
        let base_url = fallback.base_url.clone().unwrap_or_else(|| self.base_url.clone());
        let is_elsewhere = Self { base_url: base_url.clone(), ..Self::of("") }.endpoint() != self.endpoint();
        let inherited = if is_elsewhere {
            Self { api_key: None, headers: BTreeMap::new(), parameters: BTreeMap::new(), ..self.clone() }
        } else {
            self.clone()
        };
        Self {
            model: fallback.model.clone(),
            models: Vec::new(),
            base_url,
            api_key: fallback.api_key.clone().or(inherited.api_key),
            headers: fallback.headers.clone().unwrap_or(inherited.headers),
            parameters: fallback.parameters.clone().unwrap_or(inherited.parameters),
            context_window: fallback.context_window.unwrap_or(inherited.context_window),
            vision: fallback.vision.unwrap_or(inherited.vision),
            failover: failover::Config::default(),
            ..inherited
        }
    }

    /// Checks the models among the fallbacks.
    pub(super) fn check_fallbacks(&self) -> Result<(), ConfigError> {
        let mut known = vec![(self.target(&self.model).id, "this agent's model".to_owned())];
        for (index, fallback) in self.failover.fallbacks.iter().enumerate() {
            let Fallback::Model(fallback) = fallback else { continue };
            let (path, config) = (failover::Config::path(index), self.with_fallback(fallback));
            config.check().map_err(|error| error.under(&path))?;
            let target = config.target(&config.model).id;
            if let Some((_, same)) = known.iter().find(|(known, _)| *known == target) {
                let problem =
                    format!("is the same as {same}; a fallback has another model, base_url or api_key");
                return Err(ConfigError::new(path, problem));
            }
            known.push((target, format!("the fallback {}", config.model)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main() -> Config {
        Config {
            api_key: Some(Secret::new("key of a")),
            headers: [("x-team".to_owned(), Secret::new("team"))].into(),
            parameters: [("temperature".to_owned(), 1.into())].into(),
            models: vec!["large".into()],
            base_url: "http://a/v1".into(),
            ..Config::of("small")
        }
    }

    fn fallback(model: &str) -> ModelFallback {
        ModelFallback {
            model: model.into(),
            base_url: None,
            api_key: None,
            headers: None,
            parameters: None,
            context_window: None,
            vision: None,
        }
    }

    #[test]
    fn another_provider_gets_nothing_that_is_meant_for_the_first() {
        let here = main().with_fallback(&fallback("other"));
        assert_eq!((here.model.as_str(), here.models.len()), ("other", 0));
        assert_eq!((&here.api_key, &here.parameters), (&main().api_key, &main().parameters));
        let same = ModelFallback { base_url: Some(" http://a/v1/".into()), ..fallback("other") };
        assert_eq!(main().with_fallback(&same).api_key, main().api_key);
        let elsewhere = ModelFallback { base_url: Some("http://b/v1".into()), ..fallback("other") };
        let there = main().with_fallback(&elsewhere);
        assert_eq!((there.api_key, there.headers.len(), there.parameters.len()), (None, 0, 0));
    }

    #[test]
    fn the_same_model_is_no_fallback() {
        let checked = |fallbacks: Vec<ModelFallback>| {
            let fallbacks = fallbacks.into_iter().map(Box::new).map(Fallback::Model).collect();
            let failover = failover::Config { fallbacks, ..Default::default() };
            Config { failover, ..main() }.check().map_err(|error| error.to_string())
        };
        assert_eq!(checked(vec![fallback("other"), fallback("third")]), Ok(()));
        let other_key = ModelFallback { api_key: Some(Secret::new("key of b")), ..fallback("small") };
        assert_eq!(checked(vec![other_key]), Ok(()));
        let error = checked(vec![fallback("other"), fallback("small")]).unwrap_err();
        assert!(error.starts_with("failover.fallbacks[1]: is the same as this agent's model"), "{error}");
        let error = checked(vec![fallback("other"), fallback("other")]).unwrap_err();
        assert!(error.contains("is the same as the fallback other"), "{error}");
        let wrong = ModelFallback { base_url: Some("nowhere".into()), ..fallback("x") };
        let error = checked(vec![wrong]).unwrap_err();
        assert!(error.starts_with("failover.fallbacks[0].base_url: must be a URL"), "{error}");
    }
}
