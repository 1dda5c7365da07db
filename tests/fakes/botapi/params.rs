//! What a request says, whichever way it was written: JSON, a form, a query, multipart.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::{Map, Value};

use crate::answer::Refusal;
use crate::multipart;

/// A file that came with a request.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name, as the sender gave it.
    pub name: String,
    /// Its media type, if the sender gave one.
    pub mime: Option<String>,
    /// What is in it.
    pub bytes: Bytes,
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Params {
    fields: Map<String, Value>,
    /// Files by the name of their field.
    pub uploads: HashMap<String, Upload>,
}

impl Params {
    /// Reads the query and the body.
    pub fn read(query: &str, content_type: &str, body: &Bytes) -> Result<Self, Refusal> {
        let mut params = Self::default();
        params.read_pairs(query.as_bytes());
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            _ if body.is_empty() => {}
            "application/json" => match serde_json::from_slice(body) {
                Ok(Value::Object(fields)) => params.fields.extend(fields),
                _ => return Err(Refusal::bad("can't parse request JSON object")),
            },
            "multipart/form-data" => {
                for part in multipart::parts(content_type, body) {
                    match part.upload() {
                        Some(upload) => drop(params.uploads.insert(part.name, upload)),
                        None => drop(params.fields.insert(part.name, lossy(&part.bytes).into())),
                    }
                }
            }
            _ => params.read_pairs(body),
        }
        params.fields.retain(|_, value| !value.is_null());
        Ok(params)
    }

    /// The parameters of a method call that is itself JSON.
    pub fn of(fields: Map<String, Value>) -> Self {
        Self { fields, uploads: HashMap::new() }
    }

    /// All of it but the files.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// All of it but the files, and nothing is left.
    pub fn into_fields(self) -> Map<String, Value> {
        self.fields
    }

    /// A text; numbers are written out.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.fields.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Whether it is said to be so.
    pub fn flag(&self, name: &str) -> bool {
        match self.fields.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A list or an object, which a form carries as JSON text.
    pub fn json(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(Refusal::bad(format!("can't parse {} JSON object", name.replace('_', " ")))),
            },
            Some(value) => Ok(Some(value.clone())),
        }
    }

    fn read_pairs(&mut self, pairs: &[u8]) {
        for (name, value) in form_urlencoded::parse(pairs) {
            self.fields.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_says_the_same() {
        let form = "chat_id=42&text=a+b&disable_notification=True&reply_markup=%7B%22a%22%3A1%7D";
        let json = r#"{"chat_id":42,"text":"a b","disable_notification":true,"reply_markup":{"a":1},"caption":null}"#;
        let parts = concat!(
            "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n",
            "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na b\r\n",
            "--x\r\nContent-Disposition: form-data; name=\"disable_notification\"\r\n\r\ntrue\r\n",
            "--x\r\nContent-Disposition: form-data; name=\"reply_markup\"\r\n\r\n{\"a\":1}\r\n--x--\r\n"
        );
        for (query, kind, body) in [
            (form, "", ""),
            ("", "application/x-www-form-urlencoded", form),
            ("", "application/json; charset=utf-8", json),
            ("", "multipart/form-data; boundary=x", parts),
        ] {
            let params = Params::read(query, kind, &Bytes::from(body)).unwrap();
            assert_eq!(params.int("chat_id"), Some(42), "{kind}");
            assert_eq!(params.text("text").as_deref(), Some("a b"), "{kind}");
            assert!(params.flag("disable_notification"), "{kind}");
            assert_eq!(params.json("reply_markup").unwrap().unwrap()["a"], 1, "{kind}");
            assert_eq!(params.text("caption"), None, "{kind}");
        }
    }
}
