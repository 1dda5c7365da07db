//! Reloads the configuration when its file has changed.
//!
//! The file is read again by its path, once a second. An editor puts another file into its place, and Kubernetes replaces a
//! symbolic link somewhere in the path; notifications of the file system would have to follow every link, and do not
//! arrive from network file systems.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::port::Stop;
use frontdesk_store::row::Author;

use crate::config::LARGEST;
use crate::regular_file;
use crate::reload::Reloader;

/// The time between two looks at the file. A change is applied when two looks have found the same text, so that no
/// file is read while it is being written.
const EVERY: Duration = Duration::from_secs(1);

/// Watches the file until `stop`, while `reload.watch` is set.
pub(crate) async fn run(reloader: Arc<Reloader>, stop: Stop) {
    let Some(file) = reloader.source.file().map(Path::to_owned) else { return };
    let clock = &reloader.platforms.clock;
    // The first content is compared with the configuration in use, because the file may have changed since the start.
    let (mut taken, mut found) = (None, None);
    loop {
        let is_on = reloader.config.load().reload.watch;
        tokio::select! {
            () = clock.sleep_until(clock.mono() + EVERY), if is_on => {}
            () = reloader.taken_over.notified(), if !is_on => {
                taken = None;
                continue;
            }
            () = stop.cancelled() => return,
        }
        let text = read(&file).await;
        // It may be missing for a moment while it is replaced.
        if text.is_none() || text == taken {
            found = None;
        } else if text != found {
            found = text;
        } else {
            let is_first = taken.is_none();
            taken = found.take();
            if is_first && reloader.plan().await.is_ok_and(|plan| plan.is_empty()) {
                continue;
            }
            let author = Author { name: "watch".to_owned(), via: "file" };
            tokio::select! {
                // The log and the health say what came of it.
                done = reloader.reload(author) => if let Err(error) = done {
                    tracing::debug!(%error, "the changed configuration was not applied");
                },
                // A secret may take a while.
                () = stop.cancelled() => return,
            }
        }
    }
}

async fn read(file: &Path) -> Option<Vec<u8>> {
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || regular_file::read(&file, LARGEST).ok()).await.ok().flatten()
}
