//! Files: what was sent, by both of their ids and by their path.

use std::collections::HashMap;

use axum::body::Bytes;
use base64::Engine;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::name_of;

/// What a file is for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Photo,
    Document,
    Audio,
    Video,
    Voice,
    Animation,
    Sticker,
    VideoNote,
}

impl Kind {
    /// The field of a message that carries it.
    pub fn field(self) -> String {
        name_of(self)
    }

    /// The folder, the file extension, the start of an id, and the media type.
    fn facts(self) -> [&'static str; 4] {
        match self {
            Self::Photo => ["photos", "jpg", "AgAC", "image/jpeg"],
            Self::Document => ["documents", "bin", "BQAC", "application/octet-stream"],
            Self::Audio => ["music", "mp3", "CQAC", "audio/mpeg"],
            Self::Video => ["videos", "mp4", "BAAC", "video/mp4"],
            Self::Voice => ["voice", "oga", "AwAC", "audio/ogg"],
            Self::Animation => ["animations", "mp4", "CgAC", "video/mp4"],
            Self::Sticker => ["stickers", "webp", "CAAC", "image/webp"],
            Self::VideoNote => ["video_notes", "mp4", "DQAC", "video/mp4"],
        }
    }
}

/// What is in a file. The control port takes `{"base64", "size", "name", "mime"}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    #[serde(rename = "base64", deserialize_with = "from_base64")]
    pub(crate) bytes: Bytes,
    /// The size that it claims, if that is more than there are bytes.
    #[serde(rename = "size")]
    pub claimed: u64,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
}

fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(from)?;
    base64::engine::general_purpose::STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
}

impl Content {
    /// Bytes without a name.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), ..Self::default() }
    }

    /// Gives it a name.
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    pub(crate) fn size(&self) -> u64 {
        self.claimed.max(self.bytes.len() as u64)
    }
}

/// A stored file.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: String,
    pub kind: Kind,
    pub content: Content,
    pub path: String,
    unique_id: String,
    /// The fields of a message that carries it.
    message: Map<String, Value>,
}

impl Stored {
    /// A `File`.
    pub fn to_json(&self) -> Value {
        json!({
            "file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.content.size(),
            "file_path": self.path,
        })
    }

    /// The fields of a message that carries it.
    pub fn to_message(&self) -> Map<String, Value> {
        self.message.clone()
    }

    fn to_media(&self, size: Option<(u32, u32)>) -> Map<String, Value> {
        let mut media = json!({
            "file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.content.size(),
        });
        let more = match self.kind {
            Kind::Photo => {
                let (width, height) = size.unwrap_or((800, 600));
                json!({"width": width, "height": height})
            }
            Kind::Document => json!({}),
            Kind::Audio | Kind::Voice => json!({"duration": 3}),
            Kind::Video | Kind::Animation => json!({"duration": 3, "width": 320, "height": 240}),
            Kind::VideoNote => json!({"duration": 3, "length": 240}),
            Kind::Sticker => json!({
                "width": 512, "height": 512, "is_animated": false, "is_video": false,
                "type": "regular", "emoji": "👍", "set_name": "frontdesk",
            }),
        };
        if !matches!(self.kind, Kind::Photo | Kind::Sticker | Kind::VideoNote) {
            let [.., mime] = self.kind.facts();
            media["mime_type"] = json!(self.content.mime.as_deref().unwrap_or(mime));
            if let (Some(name), true) = (&self.content.name, self.kind != Kind::Voice) {
                media["file_name"] = json!(name);
            }
        }
        [media, more].into_iter().filter_map(|fields| fields.as_object().cloned()).flatten().collect()
    }
}

/// All files.
#[derive(Debug, Default)]
pub struct Files {
    by_id: HashMap<String, Stored>,
    by_path: HashMap<String, String>,
}

impl Files {
    /// Stores a file; returns the fields of a message that carries it. A photo is stored in three sizes.
    pub fn attach(&mut self, kind: Kind, content: Content) -> Map<String, Value> {
        let mut fields = Map::new();
        if kind == Kind::Photo {
            let sizes: Vec<_> = photo_sizes(&content.bytes)
                .into_iter()
                .map(|size| self.store(kind, content.clone(), Some(size)))
                .collect();
            fields.insert(kind.field(), json!(sizes));
            return fields;
        }
        let media = self.store(kind, content, None);
        if kind == Kind::Animation {
            // Old clients know animations as documents, so a message carries both.
            let mut document = media.clone();
            document.retain(|name, _| !["duration", "width", "height"].contains(&name.as_str()));
            fields.insert("document".to_owned(), document.into());
        }
        fields.insert(kind.field(), media.clone().into());
        if let Some(stored) = media["file_id"].as_str().and_then(|id| self.by_id.get_mut(id)) {
            stored.message.clone_from(&fields);
        }
        fields
    }

    fn store(&mut self, kind: Kind, content: Content, size: Option<(u32, u32)>) -> Map<String, Value> {
        let number = self.by_id.len() + 1;
        let [folder, extension, prefix, _] = kind.facts();
        let name = content.name.as_deref().and_then(|name| name.rsplit_once('.'));
        let extension = name.map_or(extension, |(_, extension)| extension);
        let mut stored = Stored {
            id: format!("{prefix}AgIAAxkBAAI{number:08}AAE"),
            unique_id: format!("AQAD{number:08}"),
            path: format!("{folder}/file_{number}.{extension}"),
            kind,
            content,
            message: Map::new(),
        };
        let media = stored.to_media(size);
        stored.message.insert(kind.field(), json!([media]));
        self.by_path.insert(stored.path.clone(), stored.id.clone());
        self.by_id.insert(stored.id.clone(), stored);
        media
    }

    pub fn get(&self, id: &str) -> Option<&Stored> {
        self.by_id.get(id)
    }

    pub fn at(&self, path: &str) -> Option<&Stored> {
        self.by_path.get(path).and_then(|id| self.by_id.get(id))
    }
}

/// The sizes that the platform makes of a photo; the last one is the original.
fn photo_sizes(bytes: &[u8]) -> Vec<(u32, u32)> {
    let (width, height) = dimensions(bytes).unwrap_or((800, 600));
    let original = width.max(height);
    let scale = |longest: u32| {
        let side = |side: u32| (side * longest / original.max(1)).max(1);
        (side(width), side(height))
    };
    let smaller = [90, 320].into_iter().filter(|longest| *longest < original).map(scale);
    smaller.chain([(width, height)]).collect()
}

/// Width and height of a picture.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}
