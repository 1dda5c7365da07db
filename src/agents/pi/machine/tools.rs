//! What the gateway answers to dialogs: when a tool wants to begin, or one of its own has ended.

use frontdesk_core::tool::ToolError;
use serde_json::{Map, Value, json};

use super::{Act, Machine};
use crate::pi::wire::{self, UiAnswer};

impl Machine {
    /// A dialog has an answer.
    pub(in crate::pi) fn dialog_ended(&mut self, dialog: &str, answer: &UiAnswer) -> Vec<Act> {
        match self.dialogs.remove(dialog) {
            Some(_) => vec![Act::Write(wire::ui_response(dialog, answer))],
            None => Vec::new(),
        }
    }

    /// The tool call behind a dialog may begin, with other parameters if there are any.
    pub(in crate::pi) fn tool_allowed(&mut self, dialog: &str, params: Option<Value>) -> Vec<Act> {
        let Some(Some(call)) = self.dialogs.get(dialog) else { return Vec::new() };
        self.answer.tool_allowed(&call.clone());
        let params = params.map(|params| ("params".to_owned(), params));
        let answer = Value::Object(Map::from_iter(params)).to_string();
        self.dialog_ended(dialog, &UiAnswer::Value(answer))
    }

    /// The call of one of the gateway's own tools may begin. The gateway itself reports it.
    pub(in crate::pi) fn our_tool_allowed(&mut self, dialog: &str) -> Vec<Act> {
        let Some(Some(call)) = self.dialogs.get(dialog) else { return Vec::new() };
        self.answer.our_tool_allowed(&call.clone());
        self.dialog_ended(dialog, &UiAnswer::Value("{}".to_owned()))
    }

    /// One of the gateway's own tools has ended.
    pub(in crate::pi) fn our_tool_ended(
        &mut self,
        dialog: &str,
        result: &Result<String, ToolError>,
    ) -> Vec<Act> {
        let answer = match result {
            Ok(text) => json!({"text": text}),
            Err(error) => json!({"error": error.to_string()}),
        };
        self.dialog_ended(dialog, &UiAnswer::Value(answer.to_string()))
    }

    /// The tool call behind a dialog may not begin.
    pub(in crate::pi) fn tool_denied(&mut self, dialog: &str, reason: &str) -> Vec<Act> {
        let answer = json!({"deny": reason}).to_string();
        self.dialog_ended(dialog, &UiAnswer::Value(answer))
    }
}
