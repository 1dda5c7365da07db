//! The parameters of a request, however it was written: as JSON, a form, a query or multipart.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::stream;
use serde_json::{Map, Value};

/// A file that came with a request.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The name that its sender gave it.
    pub name: String,
    /// Its media type, if its sender said one.
    pub mime: Option<String>,
    /// The content.
    pub bytes: Bytes,
}

/// What cannot be read as parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParams {
    /// The body is said to be JSON and is no object.
    #[error("the body is no JSON object")]
    Json,
    /// The body is said to be multipart and is not.
    #[error("the body is no multipart form")]
    Multipart,
    /// The text of this parameter is no JSON.
    #[error("{0} is no JSON")]
    Field(String),
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Params {
    /// Everything except files.
    pub fields: Map<String, Value>,
    /// Files by the name of their field.
    pub uploads: HashMap<String, Upload>,
}

impl Params {
    /// Reads the query and the body. Later parameters replace earlier ones of the same name.
    pub async fn read(query: &str, content_type: &str, body: Bytes) -> Result<Self, BadParams> {
        let mut params = Self::default();
        params.read_pairs(query.as_bytes());
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            _ if body.is_empty() => {}
            "application/json" => match serde_json::from_slice(&body) {
                Ok(Value::Object(fields)) => params.fields.extend(fields),
                _ => return Err(BadParams::Json),
            },
            "multipart/form-data" => {
                params.read_multipart(content_type, body).await.map_err(|_| BadParams::Multipart)?;
            }
            _ => params.read_pairs(&body),
        }
        params.fields.retain(|_, value| !value.is_null());
        Ok(params)
    }

    fn read_pairs(&mut self, pairs: &[u8]) {
        for (name, value) in form_urlencoded::parse(pairs) {
            self.fields.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    async fn read_multipart(&mut self, content_type: &str, body: Bytes) -> multer::Result<()> {
        let boundary = multer::parse_boundary(content_type)?;
        let body = stream::once(async { Ok::<_, Infallible>(body) });
        let mut parts = multer::Multipart::new(body, boundary);
        while let Some(part) = parts.next_field().await? {
            let field = part.name().unwrap_or_default().to_owned();
            let (file, mime) =
                (part.file_name().map(str::to_owned), part.content_type().map(|mime| mime.to_string()));
            let bytes = part.bytes().await?;
            if let Some(name) = file {
                self.uploads.insert(field, Upload { name, mime, bytes });
            } else {
                self.fields.insert(field, String::from_utf8_lossy(&bytes).into());
            }
        }
        Ok(())
    }

    /// The parameters of a call that is itself JSON.
    pub fn of(fields: Map<String, Value>) -> Self {
        Self { fields, uploads: HashMap::new() }
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

    /// A number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// Whether it is switched on.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str()))
    }

    /// A list or an object, which a form carries as JSON text.
    pub fn json(&self, name: &str) -> Result<Option<Value>, BadParams> {
        match self.fields.get(name) {
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map(Some).map_err(|_| BadParams::Field(name.to_owned()))
            }
            other => Ok(other.cloned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_way_of_writing_says_the_same() {
        let form = "chat_id=42&text=a+b&disable_notification=True&reply_markup=%7B%22a%22%3A1%7D";
        let json = r#"{"chat_id":42,"text":"a b","disable_notification":true,"reply_markup":{"a":1},"caption":null}"#;
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts = part("chat_id", "42")
            + &part("text", "a b")
            + &part("disable_notification", "true")
            + &part("reply_markup", "{\"a\":1}")
            + "--x--\r\n";
        for (query, kind, body) in [
            (form, "", ""),
            ("", "application/x-www-form-urlencoded", form),
            ("", "application/json; charset=utf-8", json),
            ("", "multipart/form-data; boundary=x", parts.as_str()),
        ] {
            let params = Params::read(query, kind, Bytes::from(body.to_owned())).await.unwrap();
            assert_eq!(params.int("chat_id"), Some(42), "{kind}");
            assert_eq!(params.text("text").as_deref(), Some("a b"), "{kind}");
            assert!(params.flag("disable_notification"), "{kind}");
            assert_eq!(params.json("reply_markup").unwrap().unwrap()["a"], 1, "{kind}");
            assert_eq!(params.text("caption"), None, "{kind}");
        }
    }
}
