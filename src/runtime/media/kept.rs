//! Files that the HTTP server receives together with a message. They are stored before the message is accepted, and are
//! limited and named like those that are fetched.

use std::fs::Permissions;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;

use frontdesk_core::message::{Attachment, FileKind};
use sha2::{Digest, Sha256};

use super::fetch::FetchedFile;
use super::unfinished::UnfinishedFile;
use super::{IN, Media, kind};

impl Media {
    /// Stores a file and describes it for a message. Until a turn of the message has begun, only its age keeps the file.
    pub(crate) async fn keep(
        &self,
        bytes: Vec<u8>,
        name: Option<String>,
        kind: FileKind,
        mime: &str,
    ) -> io::Result<Attachment> {
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut file = Attachment {
            reference: digest,
            unique: None,
            kind,
            name,
            mime: Some(mime.to_owned()),
            size: u64::try_from(bytes.len()).ok(),
            seconds: None,
            kept: None,
        };
        let (folder, extension) = (self.path(IN), kind::extension_for(&file));
        let stored = tokio::task::spawn_blocking(move || {
            let (unfinished, mut disk) = UnfinishedFile::create(&folder)?;
            disk.write_all(&bytes)?;
            disk.set_permissions(Permissions::from_mode(0o400))?;
            unfinished.finish(&disk, &extension)
        });
        file.kept = Some(format!("{IN}/{}", stored.await.map_err(io::Error::other)??));
        Ok(file)
    }

    /// Deletes the files of a message that was not accepted.
    pub(crate) async fn discard(&self, files: &[Attachment]) {
        for kept in files.iter().filter_map(|file| file.kept.as_deref()) {
            self.delete(kept).await;
        }
    }

    /// A file that was stored with its message.
    pub(super) async fn stored_before(&self, name: &str) -> io::Result<FetchedFile> {
        let path = self.path(name);
        let read = tokio::task::spawn_blocking(move || -> io::Result<(u64, Vec<u8>)> {
            let (mut hash, mut size) = (Sha256::new(), 0);
            let (mut file, mut piece) = (std::fs::File::open(path)?, vec![0; 64 * 1024]);
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok((size, hash.finalize().to_vec())),
                    read => {
                        hash.update(piece.get(..read).unwrap_or_default());
                        size += u64::try_from(read).unwrap_or_default();
                    }
                }
            }
        });
        let (size, sha256) = read.await.map_err(io::Error::other)??;
        Ok(FetchedFile { name: name.to_owned(), size, sha256 })
    }
}
