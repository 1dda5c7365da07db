//! Calls of tools: put together from the pieces of a stream, carried out, and answered to the model.

use std::sync::Arc;

use frontdesk_core::tool::{ClientCall, ClientTools, Tool, ToolChoice, Tools};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use crate::json;

/// Maximum number of calls in one reply, and maximum size of all their texts, in bytes.
const CALLS: usize = 32;
const BYTES: usize = 512 * 1024;
/// Maximum length of a tool's name, and the result's maximum size that the model gets, in bytes.
const NAME: usize = 64;
const RESULT: usize = 32 * 1024;

/// A part of a call, as one piece of a stream has it. A whole answer has whole calls.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct CallPiece {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// The calls of a reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Calls(Vec<CallPiece>);

impl CallPiece {
    /// The pieces in what the model has said.
    pub(super) fn read(said: &Value) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |call: &Value| Self {
            index: call["index"].as_u64(),
            id: text(&call["id"]),
            name: text(&call["function"]["name"]),
            // Some servers send an object instead of its text.
            arguments: match &call["function"]["arguments"] {
                arguments @ Value::Object(_) => arguments.to_string(),
                arguments => text(arguments),
            },
        };
        said["tool_calls"].as_array().into_iter().flatten().map(read).collect()
    }

    /// Whether a later piece belongs to this call. Some providers give no index, others the same one to all calls.
    fn continues_with(&self, next: &Self) -> bool {
        let same_id = next.id.is_empty() || next.id == self.id || self.id.is_empty();
        same_id && (next.index.is_none() || next.index == self.index) && !self.is_followed_by(next)
    }

    /// Whether a later piece shows without an id that it begins another call: by another name, or by the same name and
    /// arguments although those of this call are complete. A repeated name alone shows nothing.
    fn is_followed_by(&self, next: &Self) -> bool {
        let lacks_id = self.id.is_empty() || next.id.is_empty();
        let both_named = !self.name.is_empty() && !next.name.is_empty();
        let is_more = !next.arguments.trim().is_empty() && self.arguments.trim_end().ends_with('}');
        lacks_id && both_named && (next.name != self.name || is_more && self.params().is_ok())
    }

    /// Whether the piece has a name, but nothing else that says to which call it belongs.
    fn has_only_a_name(&self) -> bool {
        self.index.is_none() && self.id.is_empty() && !self.name.is_empty()
    }

    /// The parameters, or why they cannot be read.
    fn params(&self) -> Result<Value, String> {
        if self.arguments.trim().is_empty() {
            return Ok(json!({}));
        }
        match json::from_str(&self.arguments) {
            Ok(params @ Value::Object(_)) => Ok(params),
            Ok(_) => Err("the arguments must be a JSON object".to_owned()),
            Err(error) => Err(format!("the arguments are not valid JSON: {error}")),
        }
    }

    /// The call as the model's own message repeats it. What a provider would refuse is replaced.
    fn repeated(&self, n: usize) -> Value {
        let arguments =
            if self.params().is_ok() && !self.arguments.trim().is_empty() { &*self.arguments } else { "{}" };
        let function = json!({"name": self.name(), "arguments": arguments});
        json!({"id": self.id(n), "type": "function", "function": function})
    }

    fn id(&self, n: usize) -> String {
        if self.id.is_empty() { format!("call_{n}") } else { self.id.clone() }
    }

    fn name(&self) -> String {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
        let name: String = self.name.chars().map(allowed).take(NAME).collect();
        if name.is_empty() { "unnamed".to_owned() } else { name }
    }
}

impl Calls {
    /// Adds the pieces of one event of a stream, or the calls of a whole answer. One event has at most one piece of a call.
    pub(super) fn add(&mut self, pieces: Vec<CallPiece>) -> Result<(), Fault> {
        let mut of_earlier_events = self.0.len();
        for piece in pieces {
            let reach = if piece.has_only_a_name() { of_earlier_events } else { self.0.len() };
            let found = self.0.iter().take(reach).rposition(|call| call.continues_with(&piece));
            // A call that this event continues has had its piece.
            of_earlier_events = of_earlier_events.min(found.unwrap_or(of_earlier_events));
            match found.and_then(|n| self.0.get_mut(n)) {
                Some(call) => {
                    if call.id.is_empty() {
                        call.id = piece.id;
                    }
                    // Some providers repeat the name in each piece.
                    if call.name.is_empty() {
                        call.name = piece.name;
                    }
                    call.arguments.push_str(&piece.arguments);
                }
                None => self.0.push(piece),
            }
        }
        let bytes: usize =
            self.0.iter().map(|call| call.id.len() + call.name.len() + call.arguments.len()).sum();
        if self.0.len() > CALLS || bytes > BYTES {
            return Err(Fault::Malformed("it has too many or too large tool calls".to_owned()));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The calls of these tools, in the model's order.
    pub(super) fn of(&self, client: &ClientTools) -> Vec<ClientCall> {
        let calls = self.0.iter().enumerate();
        let theirs = calls.filter(|(_, call)| client.tools.iter().any(|tool| tool.name == call.name));
        theirs
            .map(|(n, call)| ClientCall {
                id: call.id(n),
                name: call.name.clone(),
                // An empty text is no JSON.
                arguments: if call.arguments.trim().is_empty() {
                    "{}".to_owned()
                } else {
                    call.arguments.clone()
                },
            })
            .collect()
    }

    /// Calls the tools one after another. Returns the messages that the model gets: its own with the calls, and the result
    /// of each. `said` is what the model has said before them.
    pub(super) async fn carried_out(self, tools: &Arc<dyn Tools>, said: &str) -> Vec<Value> {
        let repeated: Vec<Value> = self.0.iter().enumerate().map(|(n, call)| call.repeated(n)).collect();
        let said = if said.is_empty() { Value::Null } else { said.into() };
        let mut messages = vec![json!({"role": "assistant", "content": said, "tool_calls": repeated})];
        for (n, call) in self.0.iter().enumerate() {
            let result = match call.params() {
                Ok(params) => tools.call(&call.name, params).await.map_err(|error| error.0),
                Err(why) => Err(why),
            };
            let mut text = result.unwrap_or_else(|why| format!("error: {why}"));
            text.truncate(text.floor_char_boundary(RESULT));
            messages.push(json!({"role": "tool", "tool_call_id": call.id(n), "content": text}));
        }
        messages
    }
}

/// The tools as a request offers them. Where a name is taken twice, the client's tool has it. A client that demands a call
/// means one of its own tools, and the model could call ours instead: it is offered none of them then.
pub(super) fn offered(ours: Vec<Tool>, of_client: &ClientTools) -> Vec<Value> {
    let function = |function: Map<String, Value>| json!({"type": "function", "function": function});
    let is_free = |tool: &Tool| {
        of_client.choice == ToolChoice::Auto && of_client.tools.iter().all(|taken| taken.name != tool.name)
    };
    let ours = ours.into_iter().filter(is_free).map(|tool| {
        let mut offered = Map::new();
        offered.insert("name".into(), tool.name.into());
        offered.insert("description".into(), tool.description.into());
        offered.insert("parameters".into(), tool.parameters);
        function(offered)
    });
    let of_client = of_client.tools.iter().map(|tool| {
        let mut offered = Map::new();
        offered.insert("name".into(), tool.name.clone().into());
        if !tool.description.is_empty() {
            offered.insert("description".into(), tool.description.clone().into());
        }
        if !tool.parameters.is_null() {
            offered.insert("parameters".into(), tool.parameters.clone());
        }
        if tool.strict {
            offered.insert("strict".into(), true.into());
        }
        function(offered)
    });
    ours.chain(of_client).collect()
}

/// What a request says about the choice of tools; `None` if the model decides.
pub(super) fn chosen(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(json!({"type": "function", "function": {"name": name}})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_together(pieces: &[Value]) -> Calls {
        let mut calls = Calls::default();
        for piece in pieces {
            calls.add(CallPiece::read(&json!({ "tool_calls": piece }))).unwrap();
        }
        calls
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn fragments_are_put_together_in_every_form() {
        let function = |name: Option<&str>, arguments: &str| match name {
            Some(name) => json!({"name": name, "arguments": arguments}),
            None => json!({"arguments": arguments}),
        };
        let two = vec![call("a", "f", r#"{"x":1}"#), call("b", "g", "")];
        let usual = [
            json!([{"index": 0, "id": "a", "type": "function", "function": function(Some("f"), "")}]),
            json!([{"index": 0, "function": function(None, "{\"x\"")}]),
            json!([{"index": 1, "id": "b", "function": function(Some("g"), "")}]),
            json!([{"index": 0, "function": function(None, ":1}")}]),
        ];
        let without_index = [
            json!([{"id": "a", "function": function(Some("f"), "{\"x\"")}]),
            json!([{"id": "a", "function": function(Some("f"), ":1}")}, {"id": "b", "function": function(Some("g"), "")}]),
        ];
        let one_index = [
            json!([{"index": 0, "id": "a", "function": function(Some("f"), "{\"x\":1}")}]),
            json!([{"index": 0, "id": "b", "function": function(Some("g"), "")}]),
        ];
        let whole = [json!([{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}},
                            {"id": "b", "function": {"name": "g"}}])];
        let without_id = [
            json!([{"index": 0, "function": function(Some("f"), "{\"x\"")}]),
            json!([{"index": 0, "function": function(Some("f"), ":1}")}]),
            json!([{"index": 0, "id": "a", "function": function(Some("f"), "")}]),
            json!([{"index": 1, "id": "b", "function": function(Some("g"), "")}]),
        ];
        for pieces in [&usual[..], &without_index, &one_index, &whole, &without_id] {
            let calls = put_together(pieces).0;
            let found: Vec<_> = calls.into_iter().map(|one| (one.id, one.name, one.arguments)).collect();
            assert_eq!(found, two, "{pieces:?}");
        }
        assert!(put_together(&[json!(null), json!({"x": 1}), json!([])]).is_empty());
    }

    #[test]
    fn calls_without_index_and_id_are_kept_apart() {
        let piece = |name: &str, arguments: &str| json!({"function": {"name": name, "arguments": arguments}});
        let more = |arguments: &str| json!({"function": {"arguments": arguments}});
        let (f, g) = (call("", "f", r#"{"x":1}"#), call("", "g", "{}"));
        for (pieces, expected) in [
            (vec![json!([piece("f", "{\"x\":1}"), piece("g", "{}")])], vec![f.clone(), g.clone()]),
            (vec![json!([piece("f", "{\"x\":1}")]), json!([piece("g", "{}")])], vec![f.clone(), g.clone()]),
            (vec![json!([piece("f", "{\"x\":1}"), piece("f", "{\"x\":1}")])], vec![f.clone(), f.clone()]),
            (
                vec![json!([piece("f", "{\"x\":1}")]), json!([piece("f", "{\"x\":1}")])],
                vec![f.clone(), f.clone()],
            ),
            (vec![json!([piece("f", ""), piece("f", "")])], vec![call("", "f", ""), call("", "f", "")]),
            (
                vec![json!([piece("f", "{\"x\"")]), json!([more(":1}")]), json!([piece("g", "{}")])],
                vec![f.clone(), g],
            ),
            (
                vec![json!([piece("f", "{\"x\"")]), json!([piece("f", ":1}")]), json!([piece("f", "")])],
                vec![f],
            ),
        ] {
            let found: Vec<_> =
                put_together(&pieces).0.into_iter().map(|one| (one.id, one.name, one.arguments)).collect();
            assert_eq!(found, expected, "{pieces:?}");
        }
    }

    #[test]
    fn too_many_and_too_large_calls_are_refused() {
        let mut calls = Calls::default();
        let many: Vec<Value> = (0..=CALLS).map(|n| json!({"index": n, "id": n.to_string()})).collect();
        assert!(calls.add(CallPiece::read(&json!({ "tool_calls": many }))).is_err());
        let large = json!([{"index": 0, "function": {"name": "f", "arguments": "x".repeat(BYTES + 1)}}]);
        assert!(Calls::default().add(CallPiece::read(&json!({ "tool_calls": large }))).is_err());
    }

    #[test]
    fn what_a_provider_would_refuse_is_not_repeated_to_it() {
        let calls = put_together(&[
            json!([{"index": 0, "function": {"name": "send message!", "arguments": "{\"x\":"}}]),
        ]);
        let repeated = calls.0[0].repeated(0);
        assert_eq!(
            (&repeated["id"], &repeated["function"]["name"]),
            (&json!("call_0"), &json!("send_message_"))
        );
        assert_eq!(repeated["function"]["arguments"], "{}");
        assert!(calls.0[0].params().unwrap_err().contains("not valid JSON"));
    }
}
