//! The body of a chat completion request, and the prompt that it makes.

use frontdesk_core::tool::ClientTools;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::error::unsupported;
use super::image::{Image, Images};
use super::message::{ChatMessage, Role, or_default};
use super::tools::{self, OfferedTool};
use crate::error::ApiError;

/// Ends a conversation whose last words are results of tools.
const GO_ON: &str = "(The results of your tool calls are above. Go on.)";

/// The parts of a request that Frontdesk reads. How a model samples is decided by the agent's own configuration, so those
/// fields are ignored, like those that this version does not know.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CompletionRequest {
    /// The name of an agent.
    pub(crate) model: String,
    messages: Vec<ChatMessage>,
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "Option<bool>")]
    pub(crate) stream: bool,
    stream_options: Option<StreamOptions>,
    n: Option<u32>,
    tools: Option<Vec<OfferedTool>>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    functions: Option<Vec<Value>>,
    response_format: Option<ResponseFormat>,
}

/// What a stream has besides the answer.
#[derive(Debug, Deserialize, JsonSchema)]
struct StreamOptions {
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "Option<bool>")]
    include_usage: bool,
}

/// The form of the answer: `text`.
#[derive(Debug, Deserialize, JsonSchema)]
struct ResponseFormat {
    r#type: String,
}

/// What an agent is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) images: Vec<Image>,
}

impl CompletionRequest {
    /// Whether a stream ends with the usage.
    pub(crate) fn include_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// Refuses what the answer could not comply with.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        if self.functions.as_ref().is_some_and(|functions| !functions.is_empty()) {
            return Err(unsupported("functions", "offer them as `tools`"));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(unsupported("n", "a request gets one answer"));
        }
        if self.response_format.as_ref().is_some_and(|format| format.r#type != "text") {
            return Err(unsupported("response_format", "an agent answers in text"));
        }
        for (n, message) in self.messages.iter().enumerate() {
            message.check(format_args!("messages[{n}]"))?;
        }
        Ok(())
    }

    /// The tools that the client offers. An answer has at most one call if the client wants it so.
    pub(crate) fn client_tools(&self) -> Result<ClientTools, ApiError> {
        tools::read(self.tools.as_deref().unwrap_or_default(), self.tool_choice.as_ref())
    }

    /// Whether an answer may have several calls.
    pub(crate) fn takes_many_calls(&self) -> bool {
        self.parallel_tool_calls != Some(false)
    }

    /// The prompt of a request that carries its whole conversation: all of its messages, or its only one as it is. The
    /// images of all messages belong to it; where there are several messages, the text says where each one stood.
    pub(crate) fn whole_prompt(&self) -> Result<Asked, ApiError> {
        let mut images = Images::default();
        if let [only] = &*self.messages
            && only.role == Role::User
        {
            let text = only.text(&mut images, false)?;
            return Ok(Asked { text, images: images.into_list() });
        }
        let (question, before) = match self.messages.split_last() {
            Some((last, before)) if last.role == Role::User => (Some(last), before),
            // The results of tools that the agent has called.
            Some((last, _)) if last.role == Role::Tool => (None, &*self.messages),
            last => return Err(no_question(last.is_none())),
        };
        let mut text = String::new();
        let (instructions, said): (Vec<_>, Vec<_>) = before.iter().partition(|message| message.instructs());
        for message in instructions {
            text.push_str(&message.text(&mut images, true)?);
            text.push_str("\n\n");
        }
        if !said.is_empty() {
            text.push_str("The conversation so far:\n\n");
            for message in &said {
                message.write(&mut text, &mut images)?;
            }
        }
        match question {
            Some(question) => {
                if !said.is_empty() {
                    text.push_str("User: ");
                }
                text.push_str(&question.text(&mut images, true)?);
            }
            None => text.push_str(GO_ON),
        }
        Ok(Asked { text, images: images.into_list() })
    }

    /// The prompt of a request to a chat, which knows what was said before: the last message.
    pub(crate) fn last_prompt(&self) -> Result<Asked, ApiError> {
        let last = self.messages.last().filter(|last| last.role == Role::User);
        let last = last.ok_or_else(|| no_question(self.messages.is_empty()))?;
        let mut images = Images::default();
        Ok(Asked { text: last.text(&mut images, false)?, images: images.into_list() })
    }
}

fn no_question(is_empty: bool) -> ApiError {
    ApiError::bad_request(match is_empty {
        true => "messages: there must be at least one",
        false => "the last of the messages must have the role `user`, or be the result of a tool",
    })
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
        assert_eq!(text.whole_prompt().unwrap().text, "/help");
        let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        assert_eq!(request(json!([{"role": "user", "content": parts}])).whole_prompt().unwrap().text, "a\nb");
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
            conversation.whole_prompt().unwrap().text,
            "Be brief.\n\nThe conversation so far:\n\nUser: hello\n\nAssistant: \n(called the tool look with {})\n\n\
             Result of a tool: rain\n\nUser: and now?"
        );
        assert_eq!(conversation.last_prompt().unwrap().text, "and now?");
        let instructed = request(json!([
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"},
        ]));
        assert_eq!(instructed.whole_prompt().unwrap().text, "Be brief.\n\nhello");
    }

    #[test]
    fn what_an_answer_could_not_comply_with_is_refused() {
        let sound =
            json!([{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]}]);
        let error = request(sound).whole_prompt().unwrap_err();
        assert_eq!((&*error.code, error.message.contains("input_audio")), ("unsupported_parameter", true));
        for messages in [json!([]), json!([{"role": "assistant", "content": "hi"}])] {
            assert_eq!(&*request(messages).whole_prompt().unwrap_err().code, "bad_request");
        }
        for (field, value) in [
            ("functions", json!([{"name": "f"}])),
            ("n", json!(2)),
            ("response_format", json!({"type": "json_object"})),
        ] {
            let mut body = json!({"model": "main", "messages": [{"role": "user", "content": "a"}]});
            body[field] = value;
            let refused: CompletionRequest = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(&*refused.check().unwrap_err().code, "unsupported_parameter", "{field}");
            body["functions"] = json!([]);
            body["n"] = 1.into();
            body["response_format"] = json!({"type": "text"});
            assert_eq!(serde_json::from_value::<CompletionRequest>(body).unwrap().check(), Ok(()), "{field}");
        }
    }

    #[test]
    fn null_is_the_same_as_nothing() {
        let body = json!({"model": "main", "stream": null, "stream_options": {"include_usage": null}, "tools": null,
        "n": null, "response_format": null, "tool_choice": null, "parallel_tool_calls": null, "functions": null,
        "messages": [
            {"role": "assistant", "content": "hi", "tool_calls": null},
            {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": null}}]},
            {"role": "user", "content": "a"},
        ]});
        let read: CompletionRequest = serde_json::from_value(body).unwrap();
        assert_eq!((read.check(), read.stream, read.include_usage()), (Ok(()), false, false));
        assert_eq!(read.client_tools().unwrap(), ClientTools::default());
        assert!(read.whole_prompt().unwrap().text.contains("Assistant: hi\n\n"));
        let without: CompletionRequest =
            serde_json::from_value(json!({"model": "main", "messages": [], "stream_options": null})).unwrap();
        assert!(!without.include_usage());
    }

    #[test]
    fn a_part_that_lacks_what_it_is_says_so_and_where() {
        for (part, wrong) in [
            (json!({"type": "text"}), "messages[1].content[1]: a part of the type `text` must have a `text`"),
            (
                json!({"type": "image_url"}),
                "messages[1].content[1]: a part of the type `image_url` must have",
            ),
            (
                json!({"type": "file"}),
                "messages[1].content[1]: the web channel takes text and images, and no `file`",
            ),
        ] {
            let parts = json!([{"type": "text", "text": "a"}, part]);
            let asked =
                request(json!([{"role": "user", "content": "b"}, {"role": "user", "content": parts}]));
            let error = asked.check().unwrap_err();
            assert!(error.message.starts_with(wrong), "{error:?}");
        }
    }

    #[test]
    fn images_are_put_aside_and_marked_where_there_are_several_messages() {
        let png = "data:image/png;base64,iVBORw0KGgo=";
        let image = json!({"type": "image_url", "image_url": {"url": png, "detail": "low"}});
        let look = json!({"role": "user", "content": [{"type": "text", "text": "look"}, image]});
        let asked = request(json!([look])).whole_prompt().unwrap();
        assert_eq!((&*asked.text, asked.images.len(), asked.images[0].mime), ("look", 1, "image/png"));
        let only = json!([{"role": "user", "content": [image]}]);
        assert_eq!(request(only).whole_prompt().unwrap().text, "");
        let conversation = request(json!([look, {"role": "assistant", "content": "a dog"}, look]));
        let asked = conversation.whole_prompt().unwrap();
        let said =
            "The conversation so far:\n\nUser: look\n[image 1]\n\nAssistant: a dog\n\nUser: look\n[image 2]";
        assert_eq!((&*asked.text, asked.images.len()), (said, 2));
        let asked = conversation.last_prompt().unwrap();
        assert_eq!((&*asked.text, asked.images.len()), ("look", 1), "a chat has seen the earlier one");
    }

    #[test]
    fn the_results_of_tools_are_a_question_of_their_own() {
        let conversation = request(json!([
            {"role": "user", "content": "the weather?"},
            {"role": "assistant", "content": null,
             "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "rain"},
        ]));
        let text = conversation.whole_prompt().unwrap().text;
        assert!(text.ends_with(&format!("Result of a tool: rain\n\n{GO_ON}")), "{text}");
        assert!(conversation.last_prompt().is_err(), "a chat has called no tool of a client");
    }
}
