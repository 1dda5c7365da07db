//! One answer of a provider while it arrives: its text, and whether it is whole.

use frontdesk_core::delta::Usage;
use serde_json::Value;

use super::calls::Calls;
use super::chunk::Chunk;
use super::fault::{Clean, Fault, Report};
use super::sse::{Decoder, Event};
use crate::json;

/// Maximum size of an answer that is sent as one JSON object, in bytes.
const MAX_WHOLE: usize = 16 * 1024 * 1024;

/// What ends an answer besides the end of the response.
const DONE: &str = "[DONE]";

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// It had said everything, or the provider does not say why.
    Complete,
    /// It wants to call tools.
    Calls,
    /// The answer reached the limit of its length.
    Length,
    /// The provider's filter ended it.
    Filtered,
}

/// The form of the response, which its first byte shows: some gateways send a whole answer although a stream was asked
/// for, and not every one states the right media type.
enum Form {
    Unknown,
    Stream(Decoder),
    Whole(Vec<u8>),
}

/// An answer while it arrives.
pub(super) struct Reply {
    form: Form,
    /// Whether anything was added to the text.
    pub(super) has_text: bool,
    /// Whether the model has thought.
    has_reasoning: bool,
    /// The tools that the model wants to call.
    pub(super) calls: Calls,
    finish: Option<String>,
    /// What it has cost so far, with the model's name.
    pub(super) usage: Usage,
    has_usage: bool,
    /// Whether the usage came after all text. Some providers send it with every piece, where it shows nothing.
    ends_with_usage: bool,
    done: bool,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            form: Form::Unknown,
            has_text: false,
            has_reasoning: false,
            calls: Calls::default(),
            finish: None,
            usage: Usage::default(),
            has_usage: false,
            ends_with_usage: false,
            done: false,
        }
    }
}

impl Reply {
    /// Takes a piece of the response, which may begin and end anywhere, and adds its words to `text`. Those before an error
    /// were said, too.
    pub(super) fn feed(&mut self, piece: &[u8], text: &mut String, clean: Clean<'_>) -> Result<(), Fault> {
        if let Form::Unknown = self.form {
            match piece.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return Ok(()),
                Some(b'{' | b'[') => self.form = Form::Whole(Vec::new()),
                Some(b'<') => {
                    return Err(Fault::Malformed(
                        "it is a web page, so `base_url` is not that of a model API".into(),
                    ));
                }
                Some(_) => self.form = Form::Stream(Decoder::default()),
            }
        }
        let events = match &mut self.form {
            Form::Stream(decoder) => decoder.feed(piece)?,
            Form::Whole(body) if body.len() + piece.len() > MAX_WHOLE => return Err(Fault::too_long()),
            Form::Whole(body) => {
                body.extend_from_slice(piece);
                Vec::new()
            }
            Form::Unknown => Vec::new(),
        };
        events.iter().try_for_each(|event| self.event(event, text, clean))
    }

    fn event(&mut self, event: &Event, text: &mut String, clean: Clean<'_>) -> Result<(), Fault> {
        let data = event.data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == DONE {
            self.done = true;
            return Ok(());
        }
        let value: Value = match json::from_str(data) {
            Ok(value) => value,
            Err(_) if event.name == "error" => {
                return Err(Fault::Reported(Report::of(&Value::from(data), clean)));
            }
            Err(error) => return Err(Fault::Malformed(format!("no JSON ({})", kind(&error)))),
        };
        if event.name == "error" {
            return Err(Fault::Reported(Report::in_body(data.as_bytes(), clean)));
        }
        // Some gateways keep a connection alive with it.
        if value.is_null() {
            return Ok(());
        }
        self.value(&value, text, clean)
    }

    fn value(&mut self, value: &Value, text: &mut String, clean: Clean<'_>) -> Result<(), Fault> {
        // Google wraps its errors in a list.
        let value = value.get(0).unwrap_or(value);
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            return Err(Fault::Reported(Report::of(error, clean)));
        }
        let chunk = Chunk::read(value).ok_or_else(|| Fault::Malformed("no JSON object".to_owned()))?;
        self.has_reasoning |= chunk.has_reasoning;
        let said_more = !chunk.text.is_empty() || !chunk.calls.is_empty();
        if !chunk.text.is_empty() {
            (self.has_text, self.ends_with_usage) = (true, false);
            text.push_str(&chunk.text);
        }
        if !chunk.calls.is_empty() {
            self.ends_with_usage = false;
            self.calls.add(chunk.calls)?;
        }
        let model = chunk.model.or(self.usage.model.take());
        if let Some(usage) = chunk.usage {
            self.usage = usage;
            (self.has_usage, self.ends_with_usage) = (true, !said_more);
        }
        self.usage.model = model;
        self.finish = chunk.finish.or(self.finish.take());
        Ok(())
    }

    /// Whether the provider has said everything, so that nothing more needs to be waited for.
    pub(super) fn is_done(&self) -> bool {
        self.done || (self.finish.is_some() && self.has_usage)
    }

    /// Whether only the usage can still come.
    pub(super) fn is_finishing(&self) -> bool {
        self.finish.is_some()
    }

    /// What was said about the cost, if anything was.
    pub(super) fn reported(&self) -> Option<&Usage> {
        self.has_usage.then_some(&self.usage)
    }

    /// The response has ended. Adds what was held back until now to `text`, and returns how the answer ended.
    pub(super) fn end(&mut self, text: &mut String, clean: Clean<'_>) -> Result<Finish, Fault> {
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Unknown => {}
            Form::Stream(decoder) => {
                // An event that is cut off is no JSON, and then the answer is incomplete rather than malformed.
                let last = decoder.end().map(|event| self.event(&event, text, clean));
                if let Some(Err(fault @ Fault::Reported(_))) = last {
                    return Err(fault);
                }
            }
            Form::Whole(body) => {
                let value: Value = json::from_slice(&body).map_err(|error| match error.is_eof() {
                    true => Fault::Incomplete,
                    false => Fault::Malformed(format!("no JSON ({})", kind(&error))),
                })?;
                self.value(&value, text, clean)?;
                // Nothing is missing of an object that is closed.
                self.done = true;
            }
        }
        let finish = match self.finish.as_deref() {
            Some("length" | "max_tokens") => Finish::Length,
            Some("content_filter") => Finish::Filtered,
            // Some gateways have no other way to report an error once they have sent something.
            Some(code @ "error") => {
                return Err(Fault::Reported(Report { code: code.to_owned(), message: String::new() }));
            }
            None if !self.done && !self.ends_with_usage => return Err(Fault::Incomplete),
            // Not every provider says `tool_calls`.
            _ if !self.calls.is_empty() => Finish::Calls,
            _ => Finish::Complete,
        };
        match finish {
            Finish::Complete if !self.has_text => Err(Fault::Empty),
            Finish::Length if !self.has_text => Err(Fault::Malformed(match self.has_reasoning {
                true => {
                    "the model thought until it reached the limit of its answer, and said nothing".to_owned()
                }
                false => "the limit of the answer was reached before the first word".to_owned(),
            })),
            finish => Ok(finish),
        }
    }
}

/// What is wrong with a JSON text. The message of `serde_json` may quote the text.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        _ => "it has a syntax error",
    }
}

#[cfg(test)]
mod tests;
