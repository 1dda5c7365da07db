//! Files that an agent sends: each is copied at once and sent from the copy, so that a later change of the original has
//! no effect.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use frontdesk_core::delivery::MediaFile;
use frontdesk_core::markup::{self, Part};
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::{Limit, Profile};
use frontdesk_core::prompt;
use frontdesk_store::row::OutgoingFile;

use super::unfinished::UnfinishedFile;
use super::{Media, MediaError, OUT, beneath, kind};

impl Media {
    /// Copies a file that is to be sent. The caption goes beneath it, or after it if it does not fit there.
    pub(crate) async fn adopt(
        &self,
        path: &Path,
        caption: Option<&str>,
        profile: &Profile,
    ) -> Result<OutgoingFile, MediaError> {
        let source = beneath::relative([&self.root, &self.real], path)?;
        let most = profile.media.ok_or(MediaError::NotHere)?.min(self.limits().max_out_bytes);
        let (caption, after) = caption.map(|text| self::caption(text, profile)).unwrap_or_default();
        let name = display_name(&source);
        let (kind, mime) = kind::of(&name);
        let (root, extension) = (self.root.clone(), kind::extension_of(&name));
        let (copied, size) = blocking(move || copy(&root, &source, most, &extension)).await?;
        let file = format!("{OUT}/{copied}");
        let (mime, size) = (mime.map(Into::into), Some(size));
        Ok(OutgoingFile { file, name, mime, kind, size, caption, after, joins: false })
    }

    /// Keeps a text as a file to be sent.
    pub(crate) async fn made(&self, name: String, text: String) -> Result<OutgoingFile, MediaError> {
        let (kind, mime) = kind::of(&name);
        let (root, extension) = (self.root.clone(), kind::extension_of(&name));
        let size = u64::try_from(text.len()).ok();
        let made = blocking(move || {
            let (unfinished, mut to) = UnfinishedFile::create(&root.join(OUT))?;
            to.write_all(text.as_bytes())?;
            Ok(unfinished.finish(&to, &extension)?)
        });
        let file = format!("{OUT}/{}", made.await?);
        Ok(OutgoingFile {
            file,
            name,
            mime: mime.map(Into::into),
            kind,
            size,
            caption: None,
            after: Vec::new(),
            joins: false,
        })
    }

    /// Opens the copy that a stored part names.
    pub(crate) async fn opened(&self, media: &OutgoingFile) -> Result<MediaFile, MediaError> {
        let (handle, size) = self.open_stored(&media.file).await?;
        let OutgoingFile { name, mime, kind, .. } = media.clone();
        Ok(MediaFile { handle: Arc::new(handle), size, name, mime, kind, tried: false })
    }
}

/// The caption of a file, or the messages that follow it if the text is too long for a caption. The text is never split
/// between the two, because that is hard to read.
pub(crate) fn caption(text: &str, profile: &Profile) -> (Option<Part>, Vec<Part>) {
    let limit = Limit { max: profile.caption, unit: profile.limit.unit };
    let mut beneath = markup::render(text, profile.dialect, limit);
    match (beneath.pop(), beneath.is_empty()) {
        (Some(whole), true) => (Some(whole), Vec::new()),
        _ => (None, profile.render(text)),
    }
}

/// Whether a file of this name can be shown as it is asked for.
pub(crate) fn check_kind(path: &Path, asked: Option<FileKind>) -> Result<(), MediaError> {
    match asked {
        Some(asked) if !kind::can_be(&display_name(path), asked) => Err(MediaError::Kind(asked)),
        _ => Ok(()),
    }
}

/// The name that readers see.
fn display_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    prompt::sanitized(&name)
}

/// The name of the copy, and its size.
fn copy(root: &Path, source: &Path, most: u64, extension: &str) -> Result<(String, u64), MediaError> {
    let (from, size) = beneath::open(root, source)?;
    if size > most {
        return Err(MediaError::TooLarge { most });
    }
    let (unfinished, mut to) = UnfinishedFile::create(&root.join(OUT))?;
    // The file may grow while it is read.
    let copied = io::copy(&mut from.take(most.saturating_add(1)), &mut to)?;
    match copied {
        0 => Err(MediaError::Empty),
        copied if copied > most => Err(MediaError::TooLarge { most }),
        copied => Ok((unfinished.finish(&to, extension)?, copied)),
    }
}

/// Runs work that waits for the disk on the blocking pool.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(MediaError::Disk(io::Error::other(error))),
    }
}
