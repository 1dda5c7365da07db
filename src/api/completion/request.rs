//! The body of a chat completion request, and the prompt that it makes.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;

/// The parts of a request that Frontdesk reads. How a model samples is decided by the agent's own configuration, so those
/// fields are ignored, like those that this version does not know.
#[derive(Debug, Deserialize)]
pub(crate) struct CompletionRequest {
    /// The name of an agent.
    pub(crate) model: String,
    messages: Vec<ChatMessage>,
    #[serde(default)]
    pub(crate) stream: bool,
    stream_options: Option<StreamOptions>,
    n: Option<u32>,
    tools: Option<Vec<Value>>,
    tool_choice: Option<Value>,
    functions: Option<Vec<Value>>,
    response_format: Option<ResponseFormat>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Debug, Deserialize)]
struct ResponseFormat {
    r#type: String,
}

#[derive(Debug, Deserialize)]
struct ChatMessage {
    role: Role,
    content: Option<Content>,
    #[serde(default)]
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Deserialize)]
struct ContentPart {
    r#type: String,
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    function: FunctionCall,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    name: String,
    #[serde(default)]
    arguments: String,
}

impl CompletionRequest {
    /// Whether a stream ends with the usage.
    pub(crate) fn include_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// Refuses what the answer could not comply with.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let tools = !(self.tools.as_ref().is_none_or(Vec::is_empty)
            && self.functions.as_ref().is_none_or(Vec::is_empty));
        if tools && self.tool_choice.as_ref().is_none_or(|choice| choice != "none") {
            return Err(unsupported("tools", "agents call their own tools and none of a client"));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(unsupported("n", "a request gets one answer"));
        }
        if self.response_format.as_ref().is_some_and(|format| format.r#type != "text") {
            return Err(unsupported("response_format", "an agent answers in text"));
        }
        Ok(())
    }

    /// The prompt of a request that carries its whole conversation: all of its messages, or its only one as it is.
    pub(crate) fn whole_prompt(&self) -> Result<String, ApiError> {
        let (last, before) = self.last()?;
        let question = last.text()?;
        if before.is_empty() {
            return Ok(question);
        }
        let mut prompt = String::new();
        let (instructions, said): (Vec<_>, Vec<_>) = before.iter().partition(|message| message.instructs());
        for message in instructions {
            prompt.push_str(&message.text()?);
            prompt.push_str("\n\n");
        }
        if !said.is_empty() {
            prompt.push_str("The conversation so far:\n\n");
            for message in &said {
                message.write(&mut prompt)?;
            }
            prompt.push_str("User: ");
        }
        prompt.push_str(&question);
        Ok(prompt)
    }

    /// The prompt of a request to a chat, which knows what was said before: the last message.
    pub(crate) fn last_prompt(&self) -> Result<String, ApiError> {
        self.last()?.0.text()
    }

    fn last(&self) -> Result<(&ChatMessage, &[ChatMessage]), ApiError> {
        match self.messages.split_last() {
            Some((last, before)) if last.role == Role::User => Ok((last, before)),
            Some(_) => Err(ApiError::bad_request("the last of the messages must have the role `user`")),
            None => Err(ApiError::bad_request("messages: there must be at least one")),
        }
    }
}

impl ChatMessage {
    fn instructs(&self) -> bool {
        matches!(self.role, Role::System | Role::Developer)
    }

    fn text(&self) -> Result<String, ApiError> {
        match &self.content {
            None => Ok(String::new()),
            Some(Content::Text(text)) => Ok(text.clone()),
            Some(Content::Parts(parts)) => {
                let texts = parts.iter().map(ContentPart::text).collect::<Result<Vec<_>, _>>()?;
                Ok(texts.join("\n"))
            }
        }
    }

    /// Adds the message to a conversation in text.
    fn write(&self, prompt: &mut String) -> Result<(), ApiError> {
        let name = match self.role {
            Role::User => "User",
            Role::Assistant => "Assistant",
            Role::Tool | Role::Function => "Result of a tool",
            Role::System | Role::Developer => "System",
        };
        prompt.push_str(name);
        prompt.push_str(": ");
        prompt.push_str(&self.text()?);
        for ToolCall { function: FunctionCall { name, arguments } } in &self.tool_calls {
            write!(prompt, "\n(called the tool {name} with {arguments})")
                .map_err(|_| ApiError::internal())?;
        }
        prompt.push_str("\n\n");
        Ok(())
    }
}

impl ContentPart {
    fn text(&self) -> Result<&str, ApiError> {
        match (&*self.r#type, &self.text, &self.refusal) {
            ("text", Some(text), _) | ("refusal", _, Some(text)) => Ok(text),
            (other, ..) => {
                let other: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                let why = format!("the web channel takes text and no `{other}`");
                Err(unsupported("messages", why))
            }
        }
    }
}

fn unsupported(field: &'static str, why: impl std::fmt::Display) -> ApiError {
    let mut error = ApiError::bad_request(format!("{field}: {why}"));
    error.code = "unsupported_parameter".into();
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(messages: Value) -> CompletionRequest {
        serde_json::from_value(json!({"model": "main", "messages": messages})).unwrap()
    }

    #[test]
    fn a_single_message_is_the_prompt_as_it_is() {
        let text = request(json!([{"role": "user", "content": "/help"}]));
        assert_eq!(text.whole_prompt().unwrap(), "/help");
        let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        assert_eq!(request(json!([{"role": "user", "content": parts}])).whole_prompt().unwrap(), "a\nb");
    }

    #[test]
    fn a_conversation_is_told_in_order_after_its_instructions() {
        let conversation = request(json!([
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": null,
             "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "rain"},
            {"role": "user", "content": "and now?"},
        ]));
        assert_eq!(
            conversation.whole_prompt().unwrap(),
            "Be brief.\n\nThe conversation so far:\n\nUser: hello\n\nAssistant: \n(called the tool look with {})\n\n\
             Result of a tool: rain\n\nUser: and now?"
        );
        assert_eq!(conversation.last_prompt().unwrap(), "and now?");
        let instructed = request(json!([
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"},
        ]));
        assert_eq!(instructed.whole_prompt().unwrap(), "Be brief.\n\nhello");
    }

    #[test]
    fn what_an_answer_could_not_comply_with_is_refused() {
        let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]);
        let error = request(image).whole_prompt().unwrap_err();
        assert_eq!((&*error.code, error.message.contains("image_url")), ("unsupported_parameter", true));
        for messages in [json!([]), json!([{"role": "assistant", "content": "hi"}])] {
            assert_eq!(&*request(messages).whole_prompt().unwrap_err().code, "bad_request");
        }
        for (field, value) in [
            ("tools", json!([{"type": "function"}])),
            ("functions", json!([{"name": "f"}])),
            ("n", json!(2)),
            ("response_format", json!({"type": "json_object"})),
        ] {
            let mut body = json!({"model": "main", "messages": [{"role": "user", "content": "a"}]});
            body[field] = value;
            let refused: CompletionRequest = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(&*refused.check().unwrap_err().code, "unsupported_parameter", "{field}");
            body["tool_choice"] = "none".into();
            body["n"] = 1.into();
            body["response_format"] = json!({"type": "text"});
            assert_eq!(serde_json::from_value::<CompletionRequest>(body).unwrap().check(), Ok(()), "{field}");
        }
    }
}
