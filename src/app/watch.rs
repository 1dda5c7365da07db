//! Reloads the configuration when its file has changed.
//!
//! The file is read again by its path, once a second. An editor puts another file into its place, and Kubernetes replaces a
//! symbolic link somewhere in the path; notifications of the file system would have to follow every link, and do not
//! arrive from network file systems.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::port::{Mono, Stop};
use frontdesk_store::row::Author;

use crate::config::LARGEST;
use crate::regular_file;
use crate::reload::Reloader;

/// The time between two looks at the file. A change is applied when two looks have found the same text, so that no
/// file is read while it is being written.
const EVERY: Duration = Duration::from_secs(1);

/// How many looks in a row must find the same. A file may be missing for a moment while it is replaced.
const LOOKS: u32 = 2;
const LOOKS_AT_NOTHING: u32 = 4;
/// A file that was refused is tried again after this time: the cause may be outside of it, such as a secret.
const AGAIN: Duration = Duration::from_secs(10);

/// What a look at the file has found.
#[derive(PartialEq)]
enum Look {
    Text(Vec<u8>),
    /// It cannot be read, for this reason.
    Nothing(String),
}

/// Watches the file until `stop`, while `reload.watch` is set.
pub(crate) async fn run(reloader: Arc<Reloader>, stop: Stop) {
    let Some(file) = reloader.source.file().map(Path::to_owned) else { return };
    let clock = reloader.platforms.clock.clone();
    let mut watch = Watch { reloader, taken: None, found: None, refused: None };
    loop {
        let is_on = watch.reloader.config.load().reload.watch;
        tokio::select! {
            () = clock.sleep_until(clock.mono() + EVERY), if is_on => {}
            () = watch.reloader.taken_over.notified(), if !is_on => {
                watch.taken = None;
                continue;
            }
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = watch.look(&file) => {}
            // A secret may take a while.
            () = stop.cancelled() => return,
        }
    }
}

struct Watch {
    reloader: Arc<Reloader>,
    /// What was reloaded last. The first content is compared with the configuration in use, because the file may have changed
    /// since the start.
    taken: Option<Look>,
    /// What is there now, and how many looks have found it.
    found: Option<(Look, u32)>,
    /// When a reload of the file was last refused.
    refused: Option<Mono>,
}

impl Watch {
    async fn look(&mut self, file: &Path) {
        let look = read(file).await;
        if self.taken.as_ref() == Some(&look) {
            self.found = None;
            return self.try_again().await;
        }
        let looks = match self.found.take() {
            Some((before, looks)) if before == look => looks + 1,
            _ => 1,
        };
        if looks < if matches!(look, Look::Nothing(_)) { LOOKS_AT_NOTHING } else { LOOKS } {
            self.found = Some((look, looks));
            return;
        }
        let is_first = self.taken.replace(look).is_none();
        if !is_first || self.is_refused() || !self.reloader.plan().await.is_ok_and(|plan| plan.is_empty()) {
            self.reload().await;
        }
    }

    /// Whether the status shows an error of the file.
    fn is_refused(&self) -> bool {
        self.reloader.handle.config_error().is_some()
    }

    /// The file is as it was, and the status shows an error all the same: another caller has found the file wrong in between, or
    /// the cause was outside of it. Nothing is logged until it is right.
    async fn try_again(&mut self) {
        let now = self.reloader.platforms.clock.mono();
        let is_early = self.refused.is_some_and(|at| now.since(at) < AGAIN);
        if !self.is_refused() || is_early {
            return;
        }
        match self.reloader.plan().await {
            Ok(_) => self.reload().await,
            Err(_) => self.refused = Some(self.reloader.platforms.clock.mono()),
        }
    }

    async fn reload(&mut self) {
        let author = Author { name: "watch".to_owned(), via: "file" };
        // The log and the health say what came of it.
        let done = self.reloader.reload(author).await;
        if let Err(error) = &done {
            tracing::debug!(%error, "the changed configuration was not applied");
        }
        self.refused = done.is_err().then(|| self.reloader.platforms.clock.mono());
    }
}

async fn read(file: &Path) -> Look {
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || regular_file::read(&file, LARGEST)).await;
    match read {
        Ok(Ok(text)) => Look::Text(text),
        Ok(Err(error)) => Look::Nothing(error.to_string()),
        Err(error) => Look::Nothing(error.to_string()),
    }
}
