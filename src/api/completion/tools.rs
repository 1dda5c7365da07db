//! Tools that a client offers with a request, and carries out itself.

use std::collections::HashSet;

use frontdesk_core::tool::{ClientTool, ClientTools, ToolChoice};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::error::unsupported;
use crate::error::ApiError;

/// Maximum number of tools, and of characters in a name: the limits of OpenAI.
const MAX_TOOLS: usize = 128;
const MAX_NAME: usize = 64;

/// A tool as a request describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct OfferedTool {
    r#type: String,
    function: Option<Function>,
}

/// A function that a client offers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "OfferedFunction")]
struct Function {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Value,
    #[serde(default)]
    strict: Option<bool>,
}

/// The tools of a request; none if the client does not want any to be called.
pub(super) fn read(tools: &[OfferedTool], choice: Option<&Value>) -> Result<ClientTools, ApiError> {
    let choice = choice.unwrap_or(&Value::Null);
    let choice = match (choice.as_str(), choice["function"]["name"].as_str()) {
        (Some("none"), _) => return Ok(ClientTools::default()),
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("required"), _) => ToolChoice::Required,
        (None, Some(name)) => ToolChoice::Named(name.to_owned()),
        (None, None) if choice.is_null() => ToolChoice::Auto,
        _ => return Err(unsupported("tool_choice", "it must be none, auto, required or a function")),
    };
    let read = functions(tools)?;
    match &choice {
        ToolChoice::Named(name) if read.iter().all(|tool| tool.name != *name) => {
            Err(ApiError::bad_request("tool_choice: there is no such tool in tools"))
        }
        ToolChoice::Required if read.is_empty() => {
            Err(ApiError::bad_request("tool_choice: there are no tools to choose from"))
        }
        _ => Ok(ClientTools { tools: read, choice }),
    }
}

/// The functions that the tools are, checked.
fn functions(tools: &[OfferedTool]) -> Result<Vec<ClientTool>, ApiError> {
    let wrong = |why: &str| ApiError::bad_request(format!("tools: {why}"));
    if tools.len() > MAX_TOOLS {
        return Err(wrong("there are more than 128"));
    }
    let mut names = HashSet::new();
    let mut read = Vec::with_capacity(tools.len());
    for tool in tools {
        let function = tool.function.clone().filter(|_| tool.r#type == "function");
        let Some(Function { name, description, parameters, strict }) = function else {
            return Err(unsupported("tools", "every tool must be a function"));
        };
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_letter) {
            return Err(wrong("a name has 1 to 64 letters, digits, _ and -"));
        }
        if !names.insert(name.clone()) {
            return Err(wrong("two of them have the same name"));
        }
        if !parameters.is_null() && !parameters.is_object() {
            return Err(wrong("parameters must be a JSON schema"));
        }
        let (description, strict) = (description.unwrap_or_default(), strict.unwrap_or_default());
        read.push(ClientTool { name, description, parameters, strict });
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools(tools: Value, choice: Value) -> Result<ClientTools, ApiError> {
        let tools: Vec<OfferedTool> = serde_json::from_value(tools).unwrap();
        read(&tools, Some(&choice))
    }

    #[test]
    fn tools_are_read_with_their_schemas_and_the_choice() {
        let schema = json!({"type": "object", "properties": {}});
        let look = json!({"type": "function", "function": {"name": "look", "description": "Looks", "parameters": schema,
                                                           "strict": true}});
        let bare = json!({"type": "function", "function": {"name": "bare"}});
        let named = json!({"type": "function", "function": {"name": "look"}});
        let read = tools(json!([look, bare]), named).unwrap();
        assert_eq!(read.choice, ToolChoice::Named("look".to_owned()));
        let expected =
            ClientTool { name: "look".into(), description: "Looks".into(), parameters: schema, strict: true };
        assert_eq!(read.tools[0], expected);
        assert_eq!((&*read.tools[1].name, &read.tools[1].parameters), ("bare", &Value::Null));
        assert_eq!(tools(json!([bare]), json!("required")).unwrap().choice, ToolChoice::Required);
        assert_eq!(tools(json!([bare]), json!("none")).unwrap(), ClientTools::default());
        assert_eq!(tools(json!([]), json!(null)).unwrap(), ClientTools::default());
    }

    #[test]
    fn tools_that_cannot_be_called_are_refused() {
        let bare = json!({"type": "function", "function": {"name": "f"}});
        for (offered, choice) in [
            (json!([{"type": "custom", "custom": {"name": "f"}}]), json!(null)),
            (json!([{"type": "function"}]), json!(null)),
            (json!([{"type": "function", "function": {"name": "a b"}}]), json!(null)),
            (json!([{"type": "function", "function": {"name": ""}}]), json!(null)),
            (json!([{"type": "function", "function": {"name": "f", "parameters": "x"}}]), json!(null)),
            (json!([bare, bare]), json!(null)),
            (json!([bare]), json!("sometimes")),
            (json!([bare]), json!({"type": "allowed_tools"})),
            (json!([bare]), json!({"type": "function", "function": {"name": "other"}})),
            (json!([]), json!("required")),
            (json!(vec![bare; 129]), json!(null)),
        ] {
            assert!(tools(offered.clone(), choice.clone()).is_err(), "{offered} {choice}");
        }
    }
}
