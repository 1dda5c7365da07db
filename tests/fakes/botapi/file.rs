//! Files: what was sent, by both of their ids and by their path.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::{Value, json};

/// Nobody downloads more.
pub const MOST: u64 = 20 << 20;

/// What a file is for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    pub fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Voice => "voice",
            Self::Animation => "animation",
            Self::Sticker => "sticker",
            Self::VideoNote => "video_note",
        }
    }

    /// The kind that a field carries.
    pub fn of(field: &str) -> Option<Self> {
        [
            Self::Photo,
            Self::Document,
            Self::Audio,
            Self::Video,
            Self::Voice,
            Self::Animation,
            Self::Sticker,
            Self::VideoNote,
        ]
        .into_iter()
        .find(|kind| kind.field() == field)
    }

    /// Folder, ending and start of an id.
    fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Photo => ("photos", "jpg", "AgACAgIAAxkBAAI"),
            Self::Document => ("documents", "bin", "BQACAgIAAxkBAAI"),
            Self::Audio => ("music", "mp3", "CQACAgIAAxkBAAI"),
            Self::Video => ("videos", "mp4", "BAACAgIAAxkBAAI"),
            Self::Voice => ("voice", "oga", "AwACAgIAAxkBAAI"),
            Self::Animation => ("animations", "mp4", "CgACAgIAAxkBAAI"),
            Self::Sticker => ("stickers", "webp", "CAACAgIAAxkBAAI"),
            Self::VideoNote => ("video_notes", "mp4", "DQACAgIAAxkBAAI"),
        }
    }
}

/// Something to store.
#[derive(Debug, Clone)]
pub struct Content {
    /// The bytes.
    pub bytes: Bytes,
    /// How large it claims to be, if that is more than the bytes.
    pub claimed: u64,
    /// Its name.
    pub name: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
}

impl Content {
    /// Bytes without a name.
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), claimed: 0, name: None, mime: None }
    }

    /// Gives it a name.
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// Gives it a media type.
    pub fn typed(self, mime: &str) -> Self {
        Self { mime: Some(mime.to_owned()), ..self }
    }

    /// A file that is said to be so large, without the bytes.
    pub fn claiming(size: u64) -> Self {
        Self { claimed: size, ..Self::of(&b"too large to be here"[..]) }
    }

    /// How large it is.
    pub fn size(&self) -> u64 {
        self.claimed.max(self.bytes.len() as u64)
    }
}

/// A stored file.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What a bot names it by.
    pub id: String,
    /// The same for all bots; names nothing.
    pub unique_id: String,
    /// What it is.
    pub kind: Kind,
    /// What is in it.
    pub content: Content,
    /// Where it can be downloaded.
    pub path: String,
}

impl Stored {
    /// A `File`.
    pub fn to_json(&self) -> Value {
        json!({
            "file_id": self.id,
            "file_unique_id": self.unique_id,
            "file_size": self.content.size(),
            "file_path": self.path,
        })
    }

    /// What a message carries for it, besides photos.
    pub fn to_media(&self) -> Value {
        let mut media = json!({
            "file_id": self.id,
            "file_unique_id": self.unique_id,
            "file_size": self.content.size(),
        });
        let fields = match self.kind {
            Kind::Photo | Kind::Document => json!({}),
            Kind::Audio | Kind::Voice => json!({"duration": 3}),
            Kind::Video | Kind::Animation => json!({"duration": 3, "width": 320, "height": 240}),
            Kind::VideoNote => json!({"duration": 3, "length": 240}),
            Kind::Sticker => json!({
                "width": 512, "height": 512, "is_animated": false, "is_video": false,
                "type": "regular", "emoji": "👍", "set_name": "frontdesk",
            }),
        };
        if let (Some(media), Value::Object(fields)) = (media.as_object_mut(), fields) {
            media.extend(fields);
        }
        if !matches!(self.kind, Kind::Photo | Kind::Sticker | Kind::VideoNote) {
            let (mime, name) = (&self.content.mime, &self.content.name);
            media["mime_type"] = json!(mime.as_deref().unwrap_or(self.default_mime()));
            if let (Some(name), true) = (name, self.kind != Kind::Voice) {
                media["file_name"] = json!(name);
            }
        }
        media
    }

    fn default_mime(&self) -> &'static str {
        match self.kind {
            Kind::Audio => "audio/mpeg",
            Kind::Voice => "audio/ogg",
            Kind::Video | Kind::Animation => "video/mp4",
            _ => "application/octet-stream",
        }
    }
}

/// All files.
#[derive(Debug, Default)]
pub struct Files {
    by_id: HashMap<String, Stored>,
    by_path: HashMap<String, String>,
    count: u64,
}

impl Files {
    /// Keeps a file and gives it its names.
    pub fn keep(&mut self, kind: Kind, content: Content) -> Stored {
        self.count += 1;
        let (folder, ending, prefix) = kind.place();
        let name = content.name.as_deref().and_then(|name| name.rsplit_once('.'));
        let ending = name.map_or(ending, |(_, ending)| ending);
        let stored = Stored {
            id: format!("{prefix}{:08}AAE", self.count),
            unique_id: format!("AQAD{:08}", self.count),
            kind,
            path: format!("{folder}/file_{}.{ending}", self.count),
            content,
        };
        self.by_path.insert(stored.path.clone(), stored.id.clone());
        self.by_id.insert(stored.id.clone(), stored.clone());
        stored
    }

    /// A file by its id.
    pub fn get(&self, id: &str) -> Option<&Stored> {
        self.by_id.get(id)
    }

    /// A file by its path.
    pub fn at(&self, path: &str) -> Option<&Stored> {
        self.by_path.get(path).and_then(|id| self.by_id.get(id))
    }

    /// The three sizes that the platform makes of a photo; the last one is the original.
    pub fn photo(&mut self, content: &Content) -> Vec<Value> {
        let (width, height) = dimensions(&content.bytes).unwrap_or((800, 600));
        let mut sizes = Vec::new();
        for longest in [90, 320] {
            let scale = |side: u32| (side * longest / width.max(height).max(1)).max(1);
            if longest < width.max(height) {
                sizes.push((scale(width), scale(height)));
            }
        }
        sizes.push((width, height));
        let size_of = |(width, height): (u32, u32)| {
            let stored = self.keep(Kind::Photo, content.clone());
            json!({
                "file_id": stored.id, "file_unique_id": stored.unique_id,
                "file_size": stored.content.size(), "width": width, "height": height,
            })
        };
        sizes.into_iter().map(size_of).collect()
    }
}

/// Width and height of a picture.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}
