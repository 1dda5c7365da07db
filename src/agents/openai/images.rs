//! The images of a turn, as the model gets them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_core::image::media_type;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::Turn;

/// Maximum number of images in a request.
const MAX_IMAGES: usize = 8;

/// The images of a turn, each with its path and as a data URL. They are in the order in which the messages name their files,
/// by which the model knows which is which; a file that is named twice is there twice.
#[derive(Default)]
pub(super) struct Images(Vec<(PathBuf, String)>);

impl Images {
    /// Reads the images that came with the messages, or with the messages that they reply to. What is too large or in no
    /// format that models take is left out: the model is then told of a file that it does not see.
    pub(super) async fn of(turn: &Turn, max: u64) -> Self {
        let files = turn.prompt.iter().flat_map(|prompt| prompt.files.iter().chain(&prompt.quoted_files));
        let pictures = files.filter(|file| {
            matches!(
                file.kind,
                FileKind::Photo | FileKind::Document | FileKind::Sticker | FileKind::Animation
            )
        });
        let paths: Vec<PathBuf> = pictures.filter_map(|file| file.got.as_ref().ok()).cloned().collect();
        if paths.is_empty() {
            return Self::default();
        }
        let read = tokio::task::spawn_blocking(move || {
            let images = paths.into_iter().filter_map(|path| data_url(&path, max).map(|url| (path, url)));
            Self(images.take(MAX_IMAGES).collect())
        });
        // Without them the model still gets the text.
        read.await.unwrap_or_default()
    }

    /// Whether the model sees this file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|(known, _)| known == Path::new(path))
    }

    /// The data URLs, in order.
    pub(super) fn urls(&self) -> Vec<String> {
        self.0.iter().map(|(_, url)| url.clone()).collect()
    }

    /// Their number.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// The image in a file, if it is one of at most `max` bytes.
fn data_url(path: &Path, max: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.by_ref().take(16).read_to_end(&mut bytes).ok()?;
    let mime = media_type(&bytes)?;
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).ok()?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|len| len <= max);
    fits.then(|| format!("data:{mime};base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_first_bytes_and_has_a_limit() {
        let dir = tempfile::tempdir().unwrap();
        let url = |bytes: &[u8], max| {
            let path = dir.path().join("file");
            std::fs::write(&path, bytes).unwrap();
            data_url(&path, max)
        };
        assert_eq!(url(b"\xff\xd8\xff\xe0", 4).as_deref(), Some("data:image/jpeg;base64,/9j/4A=="));
        assert_eq!(url(b"\xff\xd8\xff\xe0", 3), None);
        assert_eq!(url(b"RIFF____WAVEfmt ", 99), None);
        assert!(url(b"RIFF____WEBPVP8 ", 99).unwrap().starts_with("data:image/webp;base64,"));
        assert_eq!(url(b"just text", 99), None);
        assert_eq!(url(b"", 99), None);
        assert_eq!(data_url(Path::new("/no/such/file"), 99), None);
    }
}
