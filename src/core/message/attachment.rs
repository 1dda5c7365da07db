//! Files that come with a message.

/// A reference to a file that came with a message. The bytes are fetched after the event was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What [`Adapter::fetch`](crate::port::Adapter::fetch) needs to download the file.
    pub reference: String,
    /// The platform's id of the content, the same whenever the same file is sent; `None` where it has none.
    /// It must come from the platform, never from a sender.
    pub unique: Option<String>,
    /// How the chat shows the file.
    pub kind: FileKind,
    /// The file name that the sender chose. Only for display.
    pub name: Option<String>,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// The size in bytes, as the platform states it.
    pub size: Option<u64>,
    /// The length of a recording in seconds, as the platform states it.
    pub seconds: Option<u64>,
    /// The file's name beneath the media root, if the gateway has stored it before the event: then nothing is downloaded.
    /// Adapters of platforms set `None`.
    pub kept: Option<String>,
}

/// How a chat shows a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FileKind {
    /// A picture.
    Photo,
    /// A file without a preview.
    #[default]
    Document,
    /// A voice message.
    Voice,
    /// Music.
    Audio,
    /// A video.
    Video,
    /// A video message, as a person records it of themselves.
    VideoNote,
    /// A silent video that plays by itself.
    Animation,
    /// A sticker.
    Sticker,
}

impl FileKind {
    /// All variants.
    pub const ALL: [FileKind; 8] = [
        FileKind::Photo,
        FileKind::Document,
        FileKind::Voice,
        FileKind::Audio,
        FileKind::Video,
        FileKind::VideoNote,
        FileKind::Animation,
        FileKind::Sticker,
    ];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is something that a person has said, or may have.
    pub fn is_recording(self) -> bool {
        matches!(self, FileKind::Voice | FileKind::Audio | FileKind::VideoNote)
    }

    /// The name in the database and for agents.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Photo => "photo",
            FileKind::Document => "document",
            FileKind::Voice => "voice",
            FileKind::Audio => "audio",
            FileKind::Video => "video",
            FileKind::VideoNote => "video_note",
            FileKind::Animation => "animation",
            FileKind::Sticker => "sticker",
        }
    }
}
