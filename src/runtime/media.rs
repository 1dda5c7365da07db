//! Files that come with messages and go out with answers: `in` and `out` in a folder of ours.
//!
//! What came in is kept once, however often it is sent: several messages name one file, which nobody may write to
//! (mode 0400; an agent that wants to change it makes a copy), and which is deleted when no message names it any
//! more. No links: a file with several names is one that [`MediaError::Odd`] refuses to send.
//!
//! Names on disk are random and ours; a name that somebody else chose is display data. Nothing here looks into a
//! file: what it holds is the agent's business, and the platform's.

mod adopt;
mod beneath;
mod budget;
mod fetch;
mod kind;
mod lines;
mod partial;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::config;

use budget::DiskBudget;
pub(crate) use fetch::{Fetched, fetch};
pub(crate) use lines::split as without_files;

/// Where fetched files lie, beneath the root.
const IN: &str = "in";
/// Where files lie that are to be sent: copies, which nobody changes any more.
const OUT: &str = "out";

/// How long a file waits when the machine has too little of something for it: descriptors, memory, room on the disk.
pub(crate) const SHORTAGE_PAUSE: Duration = Duration::from_secs(4);

/// The folder and its limits.
pub(crate) struct Media {
    root: PathBuf,
    /// The same folder by its real name: an agent may have found it by either.
    real: PathBuf,
    limits: config::Media,
    budget: DiskBudget,
    /// When the folder was last tidied up.
    swept: Mutex<Option<Mono>>,
}

/// Why a file is not sent, so that it can be said behind "A file could not be sent:".
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Its name leads, or tries to lead, out of the folder.
    #[error("it must lie in the media folder")]
    Outside,
    /// There is none of this name.
    #[error("there is no such file in the media folder")]
    Missing,
    /// A folder, a pipe, or a file that has other names elsewhere.
    #[error("it is not an ordinary file")]
    Odd,
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// The operator or the platform allows less.
    #[error("it has more than {most} bytes")]
    TooLarge {
        /// So many bytes may be sent there.
        most: u64,
    },
    /// The platform takes no files from us.
    #[error("this chat takes no files")]
    NotHere,
    /// The disk.
    #[error("it could not be read or kept")]
    Disk(#[from] io::Error),
}

impl Media {
    /// The folder, made where it is missing, open to nobody else. What an earlier life was writing is gone.
    pub(crate) fn open(root: &Path, limits: config::Media) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        for folder in [root.clone(), root.join(IN), root.join(OUT)] {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        }
        for folder in [IN, OUT] {
            // A link would put files elsewhere.
            if !std::fs::symlink_metadata(root.join(folder))?.is_dir() {
                return Err(io::Error::other(format!("{folder} is a link")));
            }
            partial::clear(&root.join(folder))?;
        }
        let real = root.canonicalize()?;
        let budget = DiskBudget::new(limits.max_bytes);
        Ok(Self { root, real, limits, budget, swept: Mutex::default() })
    }

    /// Where a file of ours lies.
    fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Whether the folder is to be tidied up: at the start, and then once in `every`.
    fn due(&self, now: Mono, every: Duration) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|last| now.since(last) >= every);
        if due {
            *swept = Some(now);
        }
        due
    }
}
