//! The fields of a line: reads each as the protocol says, and names the one that is wrong.

use serde_json::{Map, Value};
use thiserror::Error;

/// Maximum length of an id that a program gives to a call or a question, in bytes.
pub(super) const MAX_ID: usize = 2048;

/// A field that does not follow the protocol. The value is never quoted: it may contain what people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}` must be {expected}")]
pub(super) struct WrongField {
    /// Its path in the line: `choices[1].label`.
    pub(super) field: String,
    pub(super) expected: String,
}

/// The fields of an object. Each can be taken once; a field that is `null` counts as missing.
pub(super) struct Fields {
    values: Map<String, Value>,
    /// The path of this object in the line.
    path: String,
}

impl Fields {
    /// The fields of a value, if it is an object.
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(values) => Some(Self { values, path: String::new() }),
            _ => None,
        }
    }

    pub(super) fn value(&mut self, name: &str) -> Value {
        self.values.remove(name).unwrap_or_default()
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, WrongField> {
        self.text_if_any(name)?.ok_or_else(|| self.wrong(name, "text"))
    }

    pub(super) fn text_if_any(&mut self, name: &str) -> Result<Option<String>, WrongField> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(self.wrong(name, "text")),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, WrongField> {
        self.flag_if_any(name)?.ok_or_else(|| self.wrong(name, "true or false"))
    }

    pub(super) fn flag_if_any(&mut self, name: &str) -> Result<Option<bool>, WrongField> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(flag)),
            _ => Err(self.wrong(name, "true or false")),
        }
    }

    /// A whole number, also one that is written with a decimal point. A number that is too large is the largest one.
    pub(super) fn whole_number(&mut self, name: &str) -> Result<Option<u64>, WrongField> {
        let value = self.value(name);
        let float = || value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
        match value
            .as_u64()
            .or_else(|| float().map(|number| format!("{number:.0}").parse().unwrap_or(u64::MAX)))
        {
            None if value.is_null() => Ok(None),
            None => Err(self.wrong(name, "a whole number of 0 or more")),
            number => Ok(number),
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Result<LineId, WrongField> {
        self.id_if_any(name)?.ok_or_else(|| self.wrong_id(name))
    }

    pub(super) fn id_if_any(&mut self, name: &str) -> Result<Option<LineId>, WrongField> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::String(id) if id.len() > MAX_ID => Err(self.wrong_id(name)),
            id @ (Value::String(_) | Value::Number(_)) => Ok(Some(LineId(id))),
            _ => Err(self.wrong_id(name)),
        }
    }

    /// The objects of a list; none if it is missing.
    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Fields>, WrongField> {
        let items = match self.value(name) {
            Value::Null => Vec::new(),
            Value::Array(items) => items,
            _ => return Err(self.wrong(name, "a list of objects")),
        };
        let object = |(at, item)| match item {
            Value::Object(values) => Ok(Fields { values, path: format!("{}{name}[{at}].", self.path) }),
            _ => Err(self.wrong(&format!("{name}[{at}]"), "an object")),
        };
        items.into_iter().enumerate().map(object).collect()
    }

    pub(super) fn wrong(&self, name: &str, expected: impl Into<String>) -> WrongField {
        WrongField { field: format!("{}{name}", self.path), expected: expected.into() }
    }

    fn wrong_id(&self, name: &str) -> WrongField {
        self.wrong(name, format!("text of at most {MAX_ID} bytes, or a number"))
    }
}

/// The program's id of a call, a question or a request: text or a number, given back as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LineId(Value);

impl LineId {
    pub(super) fn value(&self) -> Value {
        self.0.clone()
    }

    /// The id as text, by which the ends of calls find their starts.
    pub(super) fn text(&self) -> String {
        match &self.0 {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::of(value).unwrap()
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path_and_without_its_value() {
        let mut line =
            fields(json!({"choices": [{"label": "a"}, {"label": 7}], "text": ["secret"], "n": -1, "id": {}}));
        let mut choices = line.objects("choices").unwrap();
        assert_eq!(choices[0].text("label"), Ok("a".into()));
        let wrong = [
            choices[1].text("label").map(drop),
            choices[0].text("id").map(drop),
            line.text("text").map(drop),
            line.whole_number("n").map(drop),
            line.id("id").map(drop),
        ];
        let wrong: Vec<String> = wrong.into_iter().map(|wrong| wrong.unwrap_err().to_string()).collect();
        assert_eq!(
            wrong,
            [
                "`choices[1].label` must be text",
                "`choices[0].id` must be text",
                "`text` must be text",
                "`n` must be a whole number of 0 or more",
                "`id` must be text of at most 2048 bytes, or a number",
            ]
        );
    }

    #[test]
    fn numbers_are_read_as_all_languages_write_them() {
        let mut line = fields(json!({"a": 20, "b": 20.0, "c": 1e30, "d": 1.5, "e": "20"}));
        assert_eq!((line.whole_number("a"), line.whole_number("b")), (Ok(Some(20)), Ok(Some(20))));
        assert_eq!((line.whole_number("c"), line.whole_number("z")), (Ok(Some(u64::MAX)), Ok(None)));
        assert!(line.whole_number("d").is_err() && line.whole_number("e").is_err());
    }

    #[test]
    fn an_id_is_text_or_a_number_and_comes_back_as_it_was() {
        let mut line = fields(json!({"a": 7, "b": "7", "c": "x".repeat(MAX_ID + 1)}));
        let (number, text) = (line.id("a").unwrap(), line.id("b").unwrap());
        assert_eq!((number.value(), text.value()), (json!(7), json!("7")));
        assert_eq!(number.text(), text.text());
        assert!(line.id("c").is_err());
    }
}
