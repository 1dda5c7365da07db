//! Files that the HTTP server receives together with a message or before it, and files that it shows.

use std::io;

use frontdesk_core::address::Principal;
use frontdesk_core::id::{MessageId, OutId};
use frontdesk_core::image::media_type;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_store::UploadLimits;
use frontdesk_store::row::{UploadRow, UploadStored};

use super::GatewayHandle;
use crate::error::GatewayError;
use crate::media::{Described, IncomingFile, UploadError, kind_of, sweep};

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

    /// Maximum size of a file that a client uploads.
    pub fn max_file_bytes(&self) -> u64 {
        self.0.settings().config.media.max_bytes
    }

    /// Begins to take a file that a client uploads, whose size may be known.
    pub fn incoming_file(&self, size: Option<u64>) -> Result<IncomingFile, UploadError> {
        self.0.media.incoming(size)
    }

    /// Stores an upload that has arrived completely, under a random name. `request` names the request, if it may be
    /// repeated: then the first one counts.
    pub async fn uploaded(
        &self,
        owner: &Principal,
        file: IncomingFile,
        described: Described,
        (name, request): (String, Option<String>),
    ) -> Result<UploadRow, GatewayError> {
        let attachment = file.finish(described).await?;
        let upload = UploadRow { name, principal: owner.clone(), attachment };
        let config = &self.0.settings().config.media;
        let limits = UploadLimits { person: config.daily_bytes, total: config.total_bytes };
        let now = self.0.time.wall();
        let stored = self.0.store.uploaded(upload.clone(), request, limits, now).await;
        self.0.health.note(stored.as_ref().err());
        if !matches!(stored, Ok(UploadStored::New)) {
            self.discard_files(std::slice::from_ref(&upload.attachment)).await;
        }
        match stored? {
            UploadStored::New => Ok(upload),
            UploadStored::Before(first) if first.attachment.reference == upload.attachment.reference => {
                Ok(first)
            }
            UploadStored::Before(_) => Err(UploadError::Conflict.into()),
            UploadStored::OverDaily => Err(UploadError::OverDaily.into()),
            UploadStored::OverTotal => Err(UploadError::NoSpace.into()),
        }
    }

    /// Removes an upload. A file that a message names stays with the message.
    pub async fn drop_upload(&self, owner: &Principal, name: &str) -> Result<(), GatewayError> {
        let file = self.0.store.upload_dropped(owner, name).await?;
        let file = file.ok_or_else(|| GatewayError::NotFound(format!("upload {name}")))?;
        Ok(sweep::delete_unused(self.0.media_files(), vec![file]).await?)
    }

    /// Opens the file of an upload.
    pub async fn open_upload(&self, owner: &Principal, name: &str) -> Result<OpenFile, GatewayError> {
        let upload = self.0.store.upload(owner, name).await?;
        let upload = upload.ok_or_else(|| GatewayError::NotFound(format!("upload {name}")))?;
        self.open_file(upload.attachment.kept, upload.attachment.name, upload.attachment.mime).await
    }

    /// Opens a file that came with a message of a session: the `n`-th of its attachments.
    pub async fn open_attachment(
        &self,
        session: &SessionKey,
        message: MessageId,
        n: u32,
    ) -> Result<OpenFile, GatewayError> {
        let found = self.0.store.attachment(session, message, n).await?;
        let (file, Attachment { name, mime, .. }) = found.ok_or_else(no_file)?;
        self.open_file(file, name, mime).await
    }

    /// Opens a file that was sent in a session.
    pub async fn open_sent(&self, session: &SessionKey, out: OutId) -> Result<OpenFile, GatewayError> {
        let sent = self.0.store.sent_file(session, out).await?.ok_or_else(no_file)?;
        self.open_file(Some(sent.file), Some(sent.name), sent.mime).await
    }

    async fn open_file(
        &self,
        file: Option<String>,
        name: Option<String>,
        mime: Option<String>,
    ) -> Result<OpenFile, GatewayError> {
        let file = file.ok_or_else(no_file)?;
        let (handle, size) = self.0.media.open_stored(&file).await.map_err(|error| {
            tracing::debug!(%error, "a file that is asked for cannot be opened");
            no_file()
        })?;
        Ok(OpenFile { handle, size, name, mime })
    }
}

/// A file that a client is shown.
#[derive(Debug)]
pub struct OpenFile {
    /// At its beginning.
    pub handle: std::fs::File,
    /// Its size in bytes.
    pub size: u64,
    /// The name that its sender has given it.
    pub name: Option<String>,
    /// The media type that its sender has stated.
    pub mime: Option<String>,
}

fn no_file() -> GatewayError {
    GatewayError::NotFound("such file, or it is not kept any more".to_owned())
}
