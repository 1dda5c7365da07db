//! One message of a chat completion request, and how it reads as text.

use std::borrow::Cow;
use std::fmt::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::unsupported;
use super::image::Images;
use crate::error::ApiError;

/// A message as a client sends it.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ChatMessage {
    pub(super) role: Role,
    content: Option<Content>,
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "Option<Vec<ToolCall>>")]
    tool_calls: Vec<ToolCall>,
}

/// Who has said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

#[derive(Debug)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

/// Written by hand, so that an error says what is wrong and where.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrParts;

        impl<'de> Visitor<'de> for TextOrParts {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Content, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
            }
        }

        deserializer.deserialize_any(TextOrParts)
    }
}

impl JsonSchema for Content {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Content".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let part = generator.subschema_for::<ContentPart>();
        json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": part}]})
    }
}

/// A part of a message.
#[derive(Debug, Deserialize, JsonSchema)]
struct ContentPart {
    r#type: String,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<ImageUrl>,
}

/// Where an image is.
#[derive(Debug, Deserialize, JsonSchema)]
struct ImageUrl {
    url: String,
}

/// A call of a tool in an earlier answer.
#[derive(Debug, Deserialize, JsonSchema)]
struct ToolCall {
    function: FunctionCall,
}

/// The function that was called.
#[derive(Debug, Deserialize, JsonSchema)]
struct FunctionCall {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "Option<String>")]
    arguments: String,
}

impl ChatMessage {
    /// Refuses parts that no agent could take. `place` is that of the message in the request.
    pub(super) fn check(&self, place: impl fmt::Display) -> Result<(), ApiError> {
        let Some(Content::Parts(parts)) = &self.content else { return Ok(()) };
        for (m, part) in parts.iter().enumerate() {
            part.read(format_args!("{place}.content[{m}]"))?;
        }
        Ok(())
    }

    /// Whether it tells the agent how to answer, and is no part of the conversation.
    pub(super) fn instructs(&self) -> bool {
        matches!(self.role, Role::System | Role::Developer)
    }

    /// The text. Images are put aside, and `marks` says whether their place is marked.
    pub(super) fn text(&self, images: &mut Images, marks: bool) -> Result<String, ApiError> {
        match &self.content {
            None => Ok(String::new()),
            Some(Content::Text(text)) => Ok(text.clone()),
            Some(Content::Parts(parts)) => {
                let mut texts = Vec::with_capacity(parts.len());
                for part in parts {
                    texts.extend(part.text(images, marks)?);
                }
                Ok(texts.join("\n"))
            }
        }
    }

    /// Adds the message to a conversation in text.
    pub(super) fn write(&self, prompt: &mut String, images: &mut Images) -> Result<(), ApiError> {
        let name = match self.role {
            Role::User => "User",
            Role::Assistant => "Assistant",
            Role::Tool | Role::Function => "Result of a tool",
            Role::System | Role::Developer => "System",
        };
        prompt.push_str(name);
        prompt.push_str(": ");
        prompt.push_str(&self.text(images, true)?);
        for ToolCall { function: FunctionCall { name, arguments } } in &self.tool_calls {
            write!(prompt, "\n(called the tool {name} with {arguments})")
                .map_err(|_| ApiError::internal())?;
        }
        prompt.push_str("\n\n");
        Ok(())
    }
}

/// What a part of a message is.
enum Part<'p> {
    Text(&'p str),
    /// An image with this URL.
    Image(&'p str),
}

impl ContentPart {
    /// Reads the kind of this part of a message; an error names the place of the part in the request.
    fn read(&self, place: impl fmt::Display) -> Result<Part<'_>, ApiError> {
        let lacks = |field: &str| {
            let kind = &self.r#type;
            ApiError::bad_request(format!("{place}: a part of the type `{kind}` must have a `{field}`"))
        };
        match &*self.r#type {
            "text" => self.text.as_deref().map(Part::Text).ok_or_else(|| lacks("text")),
            "refusal" => self.refusal.as_deref().map(Part::Text).ok_or_else(|| lacks("refusal")),
            "image_url" => {
                let url = self.image_url.as_ref().map(|image| Part::Image(&image.url));
                url.ok_or_else(|| lacks("image_url"))
            }
            other => {
                let other: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                let why = format!("the web channel takes text and images, and no `{other}`");
                Err(unsupported(&place, why))
            }
        }
    }

    fn text(&self, images: &mut Images, marks: bool) -> Result<Option<Cow<'_, str>>, ApiError> {
        match self.read("messages")? {
            Part::Text(text) => Ok(Some(text.into())),
            Part::Image(url) => {
                let number = images.add(url)?;
                Ok(marks.then(|| format!("[image {number}]").into()))
            }
        }
    }
}

/// A field whose `null` means the same as its absence.
pub(super) fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<T, D::Error> {
    Option::deserialize(field).map(Option::unwrap_or_default)
}
