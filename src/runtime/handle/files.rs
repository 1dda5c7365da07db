//! Files that the HTTP server receives together with a message.

use std::io;

use frontdesk_core::message::{Attachment, FileKind};

use super::GatewayHandle;

impl GatewayHandle {
    /// Stores a picture that a client sends with its message, and describes it for the message. The limits of `[media]` are
    /// checked when the message's turn begins. A file whose message is not accepted must be discarded.
    pub async fn keep_picture(&self, bytes: Vec<u8>, mime: &str) -> io::Result<Attachment> {
        self.0.media.keep(bytes, FileKind::Photo, mime).await
    }

    /// Deletes the files of a message that was not accepted.
    pub async fn discard_files(&self, files: &[Attachment]) {
        self.0.media.discard(files).await;
    }
}
