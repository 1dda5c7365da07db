//! The body of a request: JSON, or a form of `payload_json` and files.

use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::stream;
use serde_json::{Map, Value};

use crate::answer::Refusal;

/// A file that came with a request.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The number in the name of its field.
    pub index: u64,
    pub name: String,
    pub content_type: String,
    pub bytes: Bytes,
}

#[derive(Debug, Clone, Default)]
pub struct Body {
    pub fields: Map<String, Value>,
    pub files: Vec<Upload>,
}

impl Body {
    pub async fn read(content_type: &str, bytes: Bytes) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let read = match kind {
            "multipart/form-data" => Self::form(content_type, bytes).await,
            _ => Self::json(&bytes),
        };
        read.ok_or_else(|| Refusal::new(400, 50109, "The request body contains invalid JSON."))
    }

    fn json(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes).ok()? {
            Value::Object(fields) => Some(Self { fields, files: Vec::new() }),
            // The list of commands.
            list @ Value::Array(_) => {
                Some(Self { fields: Map::from_iter([("list".to_owned(), list)]), files: Vec::new() })
            }
            _ => None,
        }
    }

    async fn form(content_type: &str, bytes: Bytes) -> Option<Self> {
        let boundary = multer::parse_boundary(content_type).ok()?;
        let mut parts = multer::Multipart::new(stream::once(async { Ok::<_, Infallible>(bytes) }), boundary);
        let mut body = Self::default();
        while let Some(part) = parts.next_field().await.ok()? {
            let field = part.name().unwrap_or_default().to_owned();
            let name = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(|mime| mime.essence_str().to_owned());
            let bytes = part.bytes().await.ok()?;
            let index = field.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
            match (field.as_str(), index) {
                ("payload_json", _) => body.fields.extend(Self::json(&bytes)?.fields),
                (_, Some(index)) => {
                    let content_type = content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
                    body.files.push(Upload { index, name: name.unwrap_or_default(), content_type, bytes });
                }
                _ => _ = body.fields.insert(field, String::from_utf8_lossy(&bytes).into()),
            }
        }
        Some(body)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}
