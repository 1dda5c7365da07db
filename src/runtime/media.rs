//! Files of incoming and outgoing messages, in the folders `in` and `out` beneath the media root.
//!
//! An incoming file is stored once, however often it is sent: several messages name the same file. It is read-only (mode
//! 0400; an agent that wants to change it makes a copy) and is deleted when no message names it any more. There are no
//! hard links, because [`MediaError::Odd`] refuses to send a file with several names.
//!
//! Names on disk are random; a name that a sender chose is display data. The content of a file is never examined.

mod adopt;
mod albums;
mod beneath;
mod budget;
mod fetch;
mod kept;
mod kind;
mod media_lines;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;
mod transcripts;
mod unfinished;
mod uploads;

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use frontdesk_core::message::FileKind;
use frontdesk_core::port::Mono;
use frontdesk_store::Store;
use tokio::sync::Semaphore;

use crate::config;
use crate::health::StorageHealth;
use crate::time::Time;

pub(crate) use adopt::{caption, check_kind};
pub(crate) use albums::join;
use budget::DiskBudget;
pub(crate) use fetch::{Fetcher, MessageFiles};
pub(crate) use kind::kind_of;
pub(crate) use media_lines::split as without_files;
pub(crate) use transcripts::Transcripts;
pub use uploads::{Described, IncomingFile, UploadError};

/// The folder of fetched files.
const IN: &str = "in";
/// The folder of files to send: copies that are not changed any more.
const OUT: &str = "out";

/// Pause before a file is tried again because the machine ran short of descriptors, memory or disk space.
pub(crate) const SHORTAGE_PAUSE: Duration = Duration::from_secs(4);

/// The media folder and its limits.
pub(crate) struct Media {
    root: PathBuf,
    /// The root with links resolved: agents may use either path.
    real: PathBuf,
    limits: ArcSwap<config::Media>,
    budget: DiskBudget,
    /// When the folder was last swept.
    swept: Mutex<Option<Mono>>,
    /// Limits the files that clients upload at the same time.
    uploading: Arc<Semaphore>,
}

/// The media folder together with its rows in the database.
#[derive(Clone, Copy)]
pub(crate) struct MediaFiles<'a> {
    pub(crate) media: &'a Media,
    pub(crate) store: &'a Store,
    pub(crate) health: &'a StorageHealth,
    pub(crate) time: &'a Time,
}

/// Why a file is not sent. The text continues the sentence "A file could not be sent:".
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The path leads, or tries to lead, out of the folder.
    #[error("it must lie in the media folder")]
    Outside,
    /// There is no such file.
    #[error("there is no such file in the media folder")]
    Missing,
    /// A folder, a pipe, or a file that has other names elsewhere.
    #[error("it is not an ordinary file")]
    Odd,
    /// The file is empty.
    #[error("it is empty")]
    Empty,
    /// The file exceeds the configured or the platform's limit.
    #[error("it has more than {most} bytes")]
    TooLarge {
        /// The limit in bytes.
        most: u64,
    },
    /// It cannot be shown as it is asked for.
    #[error("its name is not that of a {}", .0.name())]
    Kind(FileKind),
    /// The platform accepts no files.
    #[error("this chat takes no files")]
    NotHere,
    /// The file could not be read or copied.
    #[error("it could not be read or kept")]
    Disk(#[from] io::Error),
}

impl Media {
    /// Opens the folder, and creates it if it is missing, accessible only to this user. Unfinished files of an earlier
    /// process are deleted.
    pub(crate) fn open(root: &Path, limits: config::Media) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        for folder in [root.clone(), root.join(IN), root.join(OUT)] {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        }
        for folder in [IN, OUT] {
            // A link would lead files elsewhere.
            if !std::fs::symlink_metadata(root.join(folder))?.is_dir() {
                return Err(io::Error::other(format!("{folder} is a link")));
            }
            unfinished::clear(&root.join(folder))?;
        }
        let real = root.canonicalize()?;
        let budget = DiskBudget::new(limits.max_bytes);
        let limits = ArcSwap::from_pointee(limits);
        let uploading = Arc::new(Semaphore::new(uploads::AT_ONCE));
        Ok(Self { root, real, limits, budget, swept: Mutex::default(), uploading })
    }

    /// The limits as they are configured now.
    fn limits(&self) -> Arc<config::Media> {
        self.limits.load_full()
    }

    /// Keeps to these limits from the next file on.
    pub(crate) fn set_limits(&self, limits: config::Media) {
        self.limits.store(Arc::new(limits));
    }

    /// The path of a stored file.
    fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Whether the folder is due for a sweep: at the start, and then once in `every`.
    fn due(&self, now: Mono, every: Duration) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| now.since(last) >= every);
        if due {
            *swept = Some(now);
        }
        due
    }
}
