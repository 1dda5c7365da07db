//! What the turn of a background task does differently: nobody sees its text before the end, and its chat is shown how far
//! it is.

use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{MessageRefs, SendError, Signal};
use frontdesk_core::id::{OutId, TaskId};
use frontdesk_core::markup::followed_by;
use frontdesk_core::port::{Mono, Stop};
use frontdesk_core::progress::Progress;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::{Fenced, OutgoingFile};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::TurnRun;
use crate::shared::Shared;

/// Maximum number of messages of a result. A longer one is sent as a file below its beginning.
const PARTS: usize = 3;
/// Maximum time that the end of a turn waits for an edit under way.
const LAST_EDIT: Duration = Duration::from_secs(10);
/// How much of a result is shown above the file with the whole of it, in bytes.
const BEGINNING: usize = 1500;

/// How far the task of this turn is, as it was reported and as it was shown.
pub(super) struct TaskProgress {
    task: TaskId,
    title: String,
    now: Progress,
    shown: Progress,
    every: Duration,
    /// When it may be shown next.
    next: Mono,
    /// The edit under way.
    pending: Option<BoxFuture<'static, Option<Duration>>>,
}

impl TaskProgress {
    pub(super) fn new(task: TaskId, title: &str, every: Duration, now: Mono) -> Self {
        let title = title.to_owned();
        Self {
            task,
            title,
            now: Progress::default(),
            shown: Progress::default(),
            every,
            next: now,
            pending: None,
        }
    }

    /// The agent has reported this. What it leaves out stays as it was.
    pub(super) fn report(&mut self, reported: Progress) {
        let Progress { percent, line } = reported;
        self.now.percent = percent.or(self.now.percent);
        self.now.line = line.or_else(|| self.now.line.take());
    }

    /// When there is something new to show.
    pub(super) fn due(&self) -> Option<Mono> {
        (self.pending.is_none() && self.now != self.shown).then_some(self.next)
    }

    /// Waits for the edit under way, if there is one. Cancel-safe.
    pub(super) async fn edited(&mut self) -> Option<Duration> {
        let pause = self.pending.as_mut()?.await;
        self.pending = None;
        pause
    }

    /// Shows nothing for this long.
    pub(super) fn pause(&mut self, now: Mono, pause: Duration) {
        self.next = self.next.max(now + pause);
        // What was refused is shown then.
        self.shown = Progress::default();
    }

    fn text(&self) -> String {
        format!("⏳ Background task: {} ({})\n{}", quoted_label(&self.title), self.task, self.now.shown())
    }
}

impl TurnRun<'_> {
    /// Notes how far the task is.
    pub(super) async fn progressed(&mut self, reported: Progress) {
        match &mut self.progress {
            Some(progress) => progress.report(reported),
            None => self.flow.tell(reported).await,
        }
    }

    /// Stores how far the task is, and begins to show it.
    pub(super) async fn show_progress(&mut self, stop: &Stop) {
        let (shared, claim, stop) = (self.shared.clone(), self.turn.claim, stop.clone());
        let Some(progress) = &mut self.progress else { return };
        let now = shared.time.mono();
        if progress.due().is_none_or(|due| due > now) {
            return;
        }
        progress.next = now + progress.every;
        progress.shown = progress.now.clone();
        let (text, reported) = (progress.text(), progress.now.clone());
        let address = self.turn.address.clone();
        let stored =
            shared.store.task_progress(claim, reported.clone(), text.clone(), shared.time.wall()).await;
        match stored {
            Ok(Fenced::Done(Some(out))) => {
                let edit = async move { edited(&shared, &address, out, text, stop).await };
                progress.pending = Some(edit.boxed());
            }
            Ok(Fenced::Done(None)) => {
                let about = MessageRefs { session: Some(self.turn.chat().clone()), messages: Vec::new() };
                let (task, attempt) = (progress.task, self.turn.attempt);
                shared
                    .adapters
                    .signal(
                        &address,
                        Signal::Progress { about, task: Some(task), attempt, progress: reported },
                    )
                    .await;
            }
            Ok(Fenced::Stale) => {}
            Err(error) => {
                shared.health.note(Some(&error));
                tracing::debug!(turn = %claim.id, %error, "the progress of a task was not stored");
            }
        }
    }

    /// The edit under way has ended; the platform may want a pause now.
    pub(super) fn progress_paused(&mut self, pause: Option<Duration>) {
        if let (Some(progress), Some(pause)) = (&mut self.progress, pause) {
            progress.pause(self.shared.time.mono(), pause);
        }
    }

    /// Waits until the edit under way has ended, so that none comes after the last one.
    pub(super) async fn progress_settled(&mut self) {
        let shared = self.shared.clone();
        let deadline = shared.time.mono() + LAST_EDIT;
        if let Some(progress) = &mut self.progress
            && progress.pending.is_some()
        {
            tokio::select! {
                _ = progress.edited() => {}
                () = shared.time.sleep_until(deadline) => progress.pending = None,
            }
        }
    }

    /// What the chat of a task or a job is sent of a result that is too long for a few messages: its beginning, and the whole of it
    /// as a file. `None` for a shorter one, and where no files can be sent.
    pub(super) async fn shortened(&mut self, text: &str) -> Option<(String, OutgoingFile)> {
        let name = match (&self.turn.task, &self.turn.job) {
            (Some(task), _) => task.id.to_string(),
            (None, Some(job)) if job.delivers => format!("{}-{}", job.job, job.run),
            _ => return None,
        };
        if self.rendered(text).len() <= PARTS {
            return None;
        }
        let profile = self.shared.renderer.profile(&self.turn.address)?;
        profile.media.filter(|most| *most >= text.len() as u64)?;
        let beginning = &text[..text.floor_char_boundary(BEGINNING.min(profile.limit.max / 2))];
        match self.shared.media.made(format!("{name}.md"), text.to_owned()).await {
            Ok(file) => Some((followed_by(beginning, "(The whole result is in the file.)"), file)),
            Err(error) => {
                tracing::warn!(turn = %self.turn.claim.id, %error, "a long result is sent as messages");
                None
            }
        }
    }
}

/// Waits for the edit under way; for ever if there is none. Cancel-safe.
pub(super) async fn shown(progress: &mut Option<TaskProgress>) -> Option<Option<Duration>> {
    match progress.as_mut().filter(|progress| progress.pending.is_some()) {
        Some(progress) => Some(progress.edited().await),
        None => std::future::pending().await,
    }
}

/// Shows how far a task is in the message for that, once the platform has it. Returns how long nothing may be shown, if the
/// platform says so.
async fn edited(
    shared: &Shared,
    address: &Address,
    out: OutId,
    text: String,
    stop: Stop,
) -> Option<Duration> {
    let connection = shared.adapters.at(address)?;
    if !connection.adapter().profile().changes.edit {
        return None;
    }
    let row = shared.store.part(out).await.ok().flatten()?;
    let target = row.platform_message?;
    let _alone = connection.alone_in(address).await;
    if stop.is_cancelled() {
        return None;
    }
    if let Some(pause) = connection.paused_for(address) {
        return Some(pause);
    }
    match connection.signal(address, Signal::Grow { target, text }).await {
        Err(SendError::Later { after, .. }) => after,
        _ => None,
    }
}
