//! Files that are to be sent: each is copied while it is known to lie in the folder, and sent from the copy.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use frontdesk_core::act::MediaFile;
use frontdesk_core::markup::{self, Part};
use frontdesk_core::profile::{Limit, Profile};
use frontdesk_core::prompt;
use frontdesk_store::row::OutgoingFile;

use super::partial::Partial;
use super::{Media, MediaError, OUT, beneath, kind};

impl Media {
    /// Takes a file over, to be sent with this beneath it, or after it where it does not fit beneath. Whatever becomes
    /// of the file afterwards, what is sent is what it was now.
    pub(crate) async fn adopt(
        &self,
        path: &Path,
        caption: Option<&str>,
        profile: &Profile,
    ) -> Result<OutgoingFile, MediaError> {
        let source = beneath::relative([&self.root, &self.real], path)?;
        let most = profile.media.ok_or(MediaError::NotHere)?.min(self.limits.max_out_bytes);
        let (caption, after) = caption.map(|text| self::caption(text, profile)).unwrap_or_default();
        let name = shown(&source);
        let (kind, mime) = kind::of(&name);
        let (root, extension) = (self.root.clone(), kind::extension_of(&name));
        let copied = blocking(move || copy(&root, &source, most, &extension)).await?;
        let file = format!("{OUT}/{copied}");
        Ok(OutgoingFile { file, name, mime: mime.map(Into::into), kind, caption, after })
    }

    /// The copy that a stored part names, open.
    pub(crate) async fn opened(&self, media: &OutgoingFile) -> Result<MediaFile, MediaError> {
        let source = beneath::relative([&self.root, &self.real], Path::new(&media.file))?;
        let root = self.root.clone();
        let (handle, size) = blocking(move || beneath::open(&root, &source)).await?;
        let OutgoingFile { name, mime, kind, .. } = media.clone();
        Ok(MediaFile { handle: Arc::new(handle), size, name, mime, kind })
    }
}

/// What stands beneath a file; or, where the text does not fit there, the messages that follow it. A text is never cut:
/// a sentence in two places is harder to read than one below a picture.
fn caption(text: &str, profile: &Profile) -> (Option<Part>, Vec<Part>) {
    let limit = Limit { max: profile.caption, unit: profile.limit.unit };
    let mut beneath = markup::render_with(text, profile.dialect, limit);
    match (beneath.pop(), beneath.is_empty()) {
        (Some(whole), true) => (Some(whole), Vec::new()),
        _ => (None, markup::render(text, profile)),
    }
}

/// The name that the reader sees.
fn shown(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    prompt::inert(&name)
}

fn copy(root: &Path, source: &Path, most: u64, extension: &str) -> Result<String, MediaError> {
    let (from, size) = beneath::open(root, source)?;
    if size > most {
        return Err(MediaError::TooLarge { most });
    }
    let (partial, mut to) = Partial::create(&root.join(OUT))?;
    // It may grow while it is read.
    let copied = io::copy(&mut from.take(most.saturating_add(1)), &mut to)?;
    match copied {
        0 => Err(MediaError::Empty),
        copied if copied > most => Err(MediaError::TooLarge { most }),
        _ => Ok(partial.finish(&to, extension)?),
    }
}

/// Does what may wait for the disk where nobody else waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MediaError> + Send + 'static,
) -> Result<T, MediaError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(MediaError::Disk(io::Error::other(error))),
    }
}
