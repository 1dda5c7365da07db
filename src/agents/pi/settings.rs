//! The model and the thinking level of pi.

use serde_json::Value;

use super::wire::tokens;

/// A model, as pi names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) provider: String,
    pub(super) id: String,
}

impl Model {
    fn of(model: &Value) -> Option<Model> {
        let text = |name: &str| model.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Model { provider: text("provider")?, id: text("id")? })
    }

    /// All models in the answer to `get_available_models`.
    pub(super) fn all(data: &Value) -> Vec<Model> {
        let models = data.get("models").and_then(Value::as_array);
        models.into_iter().flatten().filter_map(Model::of).collect()
    }
}

/// What pi uses, or what it is to use; `None` leaves it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings {
    pub(super) model: Option<Model>,
    pub(super) thinking: Option<String>,
    /// The size of the model's context window, in tokens.
    pub(super) window: Option<u64>,
    /// The URL of the model's provider, as pi tells it.
    pub(super) base_url: Option<String>,
}

impl Settings {
    /// What the answer to `get_state` says.
    pub(super) fn of_state(state: &Value) -> Settings {
        let model = state.get("model").unwrap_or(&Value::Null);
        let thinking = state.get("thinkingLevel").and_then(Value::as_str).map(str::to_owned);
        Settings { thinking, ..Settings::of_model(model) }
    }

    /// What a model of pi says, as in the answer to `set_model`.
    pub(super) fn of_model(model: &Value) -> Settings {
        let window = model.get("contextWindow").and_then(tokens);
        let base_url = model.get("baseUrl").and_then(Value::as_str).map(str::to_owned);
        Settings { model: Model::of(model), thinking: None, window, base_url }
    }
}
