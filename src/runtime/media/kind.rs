//! The kind and media type of a file, by its name and by what the platform says. The content is not examined.

use frontdesk_core::message::{Attachment, FileKind};

/// Extensions with their media types and how such a file is shown. A file of a type gets the first of its extensions.
const KNOWN: [(&str, &str, FileKind); 24] = [
    ("jpg", "image/jpeg", FileKind::Photo),
    ("jpeg", "image/jpeg", FileKind::Photo),
    ("png", "image/png", FileKind::Photo),
    ("webp", "image/webp", FileKind::Photo),
    ("gif", "image/gif", FileKind::Animation),
    ("mp4", "video/mp4", FileKind::Video),
    ("ogg", "audio/ogg", FileKind::Voice),
    ("oga", "audio/ogg", FileKind::Voice),
    ("opus", "audio/ogg", FileKind::Voice),
    ("mp3", "audio/mpeg", FileKind::Audio),
    ("m4a", "audio/mp4", FileKind::Audio),
    ("wav", "audio/wav", FileKind::Document),
    ("webm", "video/webm", FileKind::Document),
    ("mov", "video/quicktime", FileKind::Document),
    ("svg", "image/svg+xml", FileKind::Document),
    ("heic", "image/heic", FileKind::Document),
    ("pdf", "application/pdf", FileKind::Document),
    ("txt", "text/plain", FileKind::Document),
    ("md", "text/markdown", FileKind::Document),
    ("csv", "text/csv", FileKind::Document),
    ("html", "text/html", FileKind::Document),
    ("json", "application/json", FileKind::Document),
    ("zip", "application/zip", FileKind::Document),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", FileKind::Document),
];

/// The extension of files of unknown type.
const UNKNOWN: &str = "bin";

/// How a file of this name is shown, and its media type.
pub(super) fn of(name: &str) -> (FileKind, Option<&'static str>) {
    let extension = extension(name);
    let known = KNOWN.iter().find(|(known, ..)| extension.as_deref() == Some(*known));
    known.map_or((FileKind::Document, None), |(_, mime, kind)| (*kind, Some(*mime)))
}

/// How a file of this name is shown.
pub(crate) fn kind_of(name: &str) -> FileKind {
    of(name).0
}

/// Whether a file of this name can be shown in this way.
pub(super) fn can_be(name: &str, kind: FileKind) -> bool {
    let mime = of(name).1.unwrap_or_default();
    match kind {
        FileKind::Document => true,
        FileKind::Photo => ["image/jpeg", "image/png", "image/webp"].contains(&mime),
        FileKind::Audio | FileKind::Voice => mime.starts_with("audio/"),
        FileKind::Video | FileKind::VideoNote => mime.starts_with("video/"),
        FileKind::Animation => mime == "image/gif" || mime == "video/mp4",
        // Animated stickers have a format of their own.
        FileKind::Sticker => {
            ["image/webp", "video/webm"].contains(&mime) || extension(name).as_deref() == Some("tgs")
        }
    }
}

/// The extension for a copy: only letters and digits, whatever the name contains.
pub(super) fn extension_of(name: &str) -> String {
    extension(name).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The extension for a fetched file: by its name, or else by the platform's media type.
pub(super) fn extension_for(file: &Attachment) -> String {
    let by_name = file.name.as_deref().and_then(extension);
    let by_type = || {
        let stated = file.mime.as_deref()?.split(';').next()?.trim().to_ascii_lowercase();
        KNOWN.iter().find(|(_, mime, _)| *mime == stated).map(|(known, ..)| (*known).to_owned())
    };
    by_name.or_else(by_type).unwrap_or_else(|| {
        match file.kind {
            FileKind::Photo => "jpg",
            FileKind::Voice => "ogg",
            FileKind::Audio => "mp3",
            FileKind::Video | FileKind::VideoNote | FileKind::Animation => "mp4",
            FileKind::Sticker => "webp",
            FileKind::Document => UNKNOWN,
        }
        .to_owned()
    })
}

fn extension(name: &str) -> Option<String> {
    let (stem, last) = name.rsplit_once('.')?;
    let plain = (1..=8).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !stem.is_empty()).then(|| last.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_letters_and_digits_or_none() {
        for (name, expected) in [
            ("a.PNG", "png"),
            ("a.tar.gz", "gz"),
            ("a", "bin"),
            (".bashrc", "bin"),
            ("a.", "bin"),
            ("a.b/c", "bin"),
            ("a.../../x", "bin"),
            ("a.p\u{202e}ng", "bin"),
            ("a.verylongext", "bin"),
        ] {
            assert_eq!(extension_of(name), expected, "{name}");
        }
    }

    #[test]
    fn the_extension_follows_the_name_then_the_media_type_then_the_kind() {
        let file = |name: Option<&str>, mime: Option<&str>, kind| Attachment {
            reference: "r".into(),
            unique: None,
            kind,
            name: name.map(Into::into),
            mime: mime.map(Into::into),
            size: None,
            seconds: None,
            kept: None,
        };
        for (name, mime, kind, expected) in [
            (Some("report.docx"), Some("application/pdf"), FileKind::Document, "docx"),
            (Some("report"), Some("application/pdf; x=1"), FileKind::Document, "pdf"),
            (None, None, FileKind::Photo, "jpg"),
            (None, Some("what/ever"), FileKind::Voice, "ogg"),
            (Some("a.b c"), None, FileKind::Document, "bin"),
        ] {
            assert_eq!(extension_for(&file(name, mime, kind)), expected);
        }
    }

    #[test]
    fn a_file_can_be_shown_in_another_way_if_its_name_fits() {
        for (name, kind, can) in [
            ("a.png", FileKind::Document, true),
            ("a.webp", FileKind::Sticker, true),
            ("a.tgs", FileKind::Sticker, true),
            ("a.png", FileKind::Sticker, false),
            ("a.pdf", FileKind::Photo, false),
            ("a.wav", FileKind::Audio, true),
            ("a.mov", FileKind::Video, true),
            ("a", FileKind::Video, false),
        ] {
            assert_eq!(can_be(name, kind), can, "{name} as {kind:?}");
        }
    }

    #[test]
    fn a_file_is_shown_as_its_name_says() {
        for (name, kind) in [
            ("a.jpg", FileKind::Photo),
            ("a.gif", FileKind::Animation),
            ("a.mp4", FileKind::Video),
            ("a.opus", FileKind::Voice),
            ("a.mp3", FileKind::Audio),
            ("a.svg", FileKind::Document),
            ("a", FileKind::Document),
        ] {
            assert_eq!(of(name).0, kind, "{name}");
        }
    }
}
