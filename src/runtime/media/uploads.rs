//! Files that clients upload before they name them in a message: written piece by piece, and stored only as a whole.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use frontdesk_core::image::media_type;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::prompt;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::unfinished::UnfinishedFile;
use super::{IN, Media, kind};

/// How long an upload can be named in a message.
pub(super) const KEPT: chrono::Duration = chrono::Duration::days(1);

/// Maximum number of files that are uploaded at the same time.
pub(super) const AT_ONCE: usize = 16;

/// Space that uploads leave free on the disk, in bytes: the database needs it to accept messages.
const SPARE: u64 = 100 * 1024 * 1024;

/// Number of first bytes by which a picture is recognised.
const HEAD: usize = 12;

/// The media type of a file whose type nobody names.
const UNKNOWN: &str = "application/octet-stream";

/// Why an upload is not taken. The text is a sentence for the person who uploads.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UploadError {
    /// It is larger than `media.max_bytes`.
    #[error("the file has more than {most} bytes, the maximum (media.max_bytes)")]
    TooLarge {
        /// The limit in bytes.
        most: u64,
    },
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The person has uploaded as much as may wait for messages (`media.daily_bytes`).
    #[error("too many uploaded files wait for a message: send or remove some of them first")]
    OverDaily,
    /// As many files are kept as may be (`media.total_bytes`), or the disk is full.
    #[error("the gateway has no space for this file: tell its operator")]
    NoSpace,
    /// Too many files are uploaded at the same time.
    #[error("too many files are being uploaded: try again in a moment")]
    Busy,
    /// The same request has uploaded another file.
    #[error("this Idempotency-Key was already used for another file: use a new one")]
    Conflict,
    /// It could not be written.
    #[error("the file could not be kept")]
    Disk(Arc<io::Error>),
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => UploadError::NoSpace,
            _ => UploadError::Disk(Arc::new(error)),
        }
    }
}

/// How a client describes a file.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// The name that people and the agent read.
    pub name: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Whether it is a recording of what a person says.
    pub is_voice: bool,
}

/// A file that arrives. One that is dropped before its end leaves nothing.
pub struct IncomingFile {
    unfinished: UnfinishedFile,
    disk: tokio::fs::File,
    hash: Sha256,
    size: u64,
    most: u64,
    head: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl Media {
    /// Begins to take a file, whose size may be known.
    pub(crate) fn incoming(&self, size: Option<u64>) -> Result<IncomingFile, UploadError> {
        let most = self.limits().max_bytes;
        if size.is_some_and(|size| size > most) {
            return Err(UploadError::TooLarge { most });
        }
        let place =
            Semaphore::try_acquire_owned(Arc::clone(&self.uploading)).map_err(|_| UploadError::Busy)?;
        let folder = self.path(IN);
        if !has_space(&folder, size.unwrap_or(most)) {
            return Err(UploadError::NoSpace);
        }
        let (unfinished, disk) = UnfinishedFile::create(&folder)?;
        let disk = tokio::fs::File::from_std(disk);
        let (hash, head) = (Sha256::new(), Vec::with_capacity(HEAD));
        Ok(IncomingFile { unfinished, disk, hash, size: 0, most, head, _place: place })
    }

    /// The path beneath the root, and the size, of a file that a message or an upload names.
    pub(crate) async fn open_stored(&self, file: &str) -> Result<(std::fs::File, u64), super::MediaError> {
        let name = super::beneath::relative([&self.root, &self.real], Path::new(file))?;
        let root = self.root.clone();
        let opened = tokio::task::spawn_blocking(move || super::beneath::open(&root, &name)).await;
        opened.map_err(|error| super::MediaError::Disk(io::Error::other(error)))?
    }
}

impl IncomingFile {
    /// Writes the next piece.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), UploadError> {
        self.size = self.size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.size > self.most {
            return Err(UploadError::TooLarge { most: self.most });
        }
        let missing = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..missing).unwrap_or_default());
        self.hash.update(piece);
        Ok(self.disk.write_all(piece).await?)
    }

    /// Makes the file durable, and describes it for a message.
    pub(crate) async fn finish(mut self, described: Described) -> Result<Attachment, UploadError> {
        if self.size == 0 {
            return Err(UploadError::Empty);
        }
        self.disk.flush().await?;
        let disk = self.disk.into_std().await;
        disk.set_permissions(std::fs::Permissions::from_mode(0o400))?;
        let reference = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = attachment(reference, self.size, &self.head, described);
        let (unfinished, extension) = (self.unfinished, kind::extension_for(&file));
        let stored = tokio::task::spawn_blocking(move || unfinished.finish(&disk, &extension)).await;
        file.kept = Some(format!("{IN}/{}", stored.map_err(io::Error::other)??));
        Ok(file)
    }
}

/// A file as a message has it. The first bytes say whether it is a picture, whatever the client says.
fn attachment(reference: String, size: u64, head: &[u8], described: Described) -> Attachment {
    let picture = media_type(head);
    let name = described.name.as_deref().and_then(shown_name);
    let stated = described.mime.filter(|mime| is_media_type(mime)).map(|mime| mime.to_ascii_lowercase());
    let is_voice = described.is_voice && picture.is_none();
    let kind = match (&name, picture) {
        (_, Some("image/gif")) => FileKind::Animation,
        (_, Some(_)) => FileKind::Photo,
        _ if is_voice => FileKind::Voice,
        (Some(name), None) => kind::kind_of(name),
        (None, None) => FileKind::Document,
    };
    let by_name = || name.as_deref().and_then(|name| kind::of(name).1).map(str::to_owned);
    let mime = picture.map(str::to_owned).or(stated.filter(|mime| mime != UNKNOWN)).or_else(by_name);
    Attachment {
        reference,
        unique: None,
        kind,
        name,
        mime: Some(mime.unwrap_or_else(|| UNKNOWN.to_owned())),
        size: Some(size),
        seconds: None,
        kept: None,
    }
}

/// The name of a file without the folders before it; `None` if nothing is left of it.
fn shown_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = prompt::sanitized(last.trim());
    (!name.is_empty() && !name.chars().all(|c| c == '.')).then_some(name)
}

/// Whether a text is a media type without parameters: `image/png`.
fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Whether a file fits on the disk of a folder. If its space cannot be read, writing tells.
fn has_space(folder: &Path, size: u64) -> bool {
    rustix::fs::statvfs(folder)
        .map_or(true, |space| space.f_bavail.saturating_mul(space.f_frsize) >= size.saturating_add(SPARE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, mime: &str) -> Described {
        Described { name: Some(name.to_owned()), mime: Some(mime.to_owned()), is_voice: false }
    }

    #[test]
    fn the_name_of_a_file_never_leads_anywhere() {
        for (name, expected) in [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\anna\\a.pdf", Some("a.pdf")),
            ("/", None),
            ("..", None),
            (" ", None),
            ("a\u{202e}gpj.exe", Some("agpj.exe")),
        ] {
            assert_eq!(shown_name(name).as_deref(), expected, "{name:?}");
        }
    }

    #[test]
    fn the_first_bytes_say_whether_a_file_is_a_picture() {
        let of = |head: &[u8], described| {
            let file = attachment("r".into(), 1, head, described);
            (file.kind, file.mime.unwrap())
        };
        let png = b"\x89PNG\r\n\x1a\n....";
        assert_eq!(of(png, described("a.txt", "text/html")), (FileKind::Photo, "image/png".into()));
        let page = described("a.png", "text/html; charset=utf-8");
        assert_eq!(of(b"<script>", page).1, "image/png", "parameters are no part of a media type");
        let voice = Described { is_voice: true, ..described("a.webm", "audio/webm") };
        assert_eq!(of(b"\x1aE\xdf\xa3", voice), (FileKind::Voice, "audio/webm".into()));
        assert_eq!(of(b"%PDF", described("a", "A/B c")), (FileKind::Document, UNKNOWN.to_owned()));
    }
}
