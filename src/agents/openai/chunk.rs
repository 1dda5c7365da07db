//! Reads what a provider sends: a piece of a streamed answer, or a whole answer.
//!
//! Every field is optional and read on its own: providers differ, and an odd field must not cost the answer.

use frontdesk_core::delta::Usage;
use serde_json::Value;

use super::calls::CallPiece;

/// What one piece says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chunk {
    /// The name of the model that answers.
    pub(super) model: Option<String>,
    /// Text for the person: of the answer, or of the model's refusal.
    pub(super) text: String,
    /// Whether the model has thought, which is not shown.
    pub(super) has_reasoning: bool,
    /// Parts of calls of tools.
    pub(super) calls: Vec<CallPiece>,
    /// Why the answer ends here. An empty reason is none.
    pub(super) finish: Option<String>,
    /// What the answer has cost so far.
    pub(super) usage: Option<Usage>,
}

impl Chunk {
    /// Reads a piece; `None` if it is no JSON object, which no provider sends.
    pub(super) fn read(value: &Value) -> Option<Self> {
        value.as_object()?;
        let choice = &value["choices"][0];
        let said = ["delta", "message"].into_iter().map(|key| &choice[key]).find(|said| said.is_object());
        let said = said.unwrap_or(&Value::Null);
        let mut text = text_of(&said["content"]);
        text.push_str(&text_of(&said["refusal"]));
        if said.is_null() {
            // The form of completions without a chat, which some gateways send.
            text.push_str(&text_of(&choice["text"]));
        }
        Some(Self {
            model: filled(&value["model"]),
            text,
            has_reasoning: ["reasoning_content", "reasoning"]
                .iter()
                .any(|key| !text_of(&said[*key]).is_empty()),
            calls: CallPiece::read(said),
            finish: filled(&choice["finish_reason"]),
            usage: usage(&value["usage"]),
        })
    }
}

/// A text, or the texts of a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let is_text = |part: &&Value| {
                matches!(part["type"].as_str(), Some("text" | "output_text" | "refusal") | None)
            };
            let texts = parts.iter().filter(is_text);
            texts.filter_map(|part| part["text"].as_str().or(part["refusal"].as_str())).collect()
        }
        _ => String::new(),
    }
}

fn filled(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The tokens, and the cost where a provider reports one.
fn usage(value: &Value) -> Option<Usage> {
    value.as_object()?;
    let count = |value: &Value| value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(rounded));
    let (input, output) = (count(&value["prompt_tokens"]), count(&value["completion_tokens"]));
    let cached = [&value["prompt_tokens_details"]["cached_tokens"], &value["prompt_cache_hit_tokens"]];
    let cache_read = cached.into_iter().find_map(count);
    let cost_micro =
        value["cost"].as_f64().filter(|cost| *cost >= 0.0).map(|cost| rounded(cost * 1_000_000.0));
    // Some providers send an empty object in every piece.
    input.or(output)?;
    Some(Usage { input, output, cache_read, cost_micro, ..Usage::default() })
}

/// The nearest whole number; a number beyond the range is its end.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and that is meant"
)]
pub(super) fn rounded(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Chunk {
        Chunk::read(&value).unwrap()
    }

    #[test]
    fn text_is_found_in_every_form() {
        for (value, text) in [
            (json!({"choices": [{"delta": {"content": "hi"}}]}), "hi"),
            (json!({"choices": [{"delta": {"content": null, "refusal": "I will not."}}]}), "I will not."),
            (
                json!({"choices": [{"delta": {"content": [{"type": "thinking", "text": "x"}, {"type": "text", "text": "hi"}]}}]}),
                "hi",
            ),
            (json!({"choices": [{"message": {"content": "whole"}, "delta": null}]}), "whole"),
            (json!({"choices": [{"text": "old"}]}), "old"),
            (json!({"choices": []}), ""),
            (json!({"choices": [{"delta": {"content": 7}}], "model": 3, "usage": []}), ""),
        ] {
            assert_eq!(read(value).text, text);
        }
        assert_eq!(Chunk::read(&json!([1])), None);
        assert!(read(json!({"choices": [{"delta": {"reasoning_content": "hm"}}]})).has_reasoning);
    }

    #[test]
    fn an_empty_reason_and_an_empty_usage_are_none() {
        let chunk = read(json!({"choices": [{"delta": {}, "finish_reason": ""}], "usage": {}}));
        assert_eq!((chunk.finish, chunk.usage), (None, None));
        let chunk = read(json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": null}));
        assert_eq!((chunk.finish.as_deref(), chunk.usage), (Some("stop"), None));
    }

    #[test]
    fn usage_has_what_the_provider_counts() {
        let usage = |value: Value| read(json!({"choices": [], "usage": value})).usage.unwrap();
        let counted = usage(
            json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}),
        );
        assert_eq!((counted.input, counted.output, counted.cache_read), (Some(100), Some(20), Some(40)));
        let counted = usage(json!({"prompt_tokens": 100.0, "completion_tokens": 2, "cost": 0.00125}));
        assert_eq!((counted.input, counted.cost_micro), (Some(100), Some(1250)));
        assert_eq!(usage(json!({"prompt_tokens": 1, "prompt_tokens_details": null})).cache_read, None);
    }
}
