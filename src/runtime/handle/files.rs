//! Files that the HTTP server receives together with a message.

use std::io;

use frontdesk_core::image::media_type;
use frontdesk_core::message::{Attachment, FileKind};

use super::GatewayHandle;
use crate::media::kind_of;

/// The media type of a file whose type nobody names.
const UNKNOWN: &str = "application/octet-stream";

impl GatewayHandle {
    /// Stores a picture that a client sends with its message, and describes it for the message. The limits of `[media]` are
    /// checked when the message's turn begins. A file whose message is not accepted must be discarded.
    pub async fn keep_picture(&self, bytes: Vec<u8>, mime: &str) -> io::Result<Attachment> {
        self.0.media.keep(bytes, None, FileKind::Photo, mime).await
    }

    /// The same with any other file. Its kind follows from its name, or it is a picture by its first bytes.
    pub async fn keep_file(
        &self,
        bytes: Vec<u8>,
        name: Option<String>,
        mime: Option<String>,
    ) -> io::Result<Attachment> {
        let picture = media_type(&bytes);
        let kind = match &name {
            _ if picture.is_some() => FileKind::Photo,
            Some(name) => kind_of(name),
            None => FileKind::Document,
        };
        let mime = picture.map(str::to_owned).or(mime).unwrap_or_else(|| UNKNOWN.to_owned());
        self.0.media.keep(bytes, name, kind, &mime).await
    }

    /// Deletes the files of a message that was not accepted.
    pub async fn discard_files(&self, files: &[Attachment]) {
        self.0.media.discard(files).await;
    }
}
