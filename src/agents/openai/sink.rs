//! Where the words of a model go while they arrive.

use frontdesk_core::delta::{AgentError, Delta};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::mpsc;

pub(super) type DeltaResult = Result<Delta, AgentError>;

/// Number of reports that wait for the turn to read them.
const BUFFER: usize = 16;

/// Where a turn's reports go. A turn that nobody reads any more is dropped as a whole, so a report cannot fail.
#[derive(Clone)]
pub(super) struct Reports(mpsc::Sender<DeltaResult>);

impl Reports {
    pub(super) async fn send(&self, delta: Delta) {
        drop(self.0.send(Ok(delta)).await);
    }
}

/// The reports of `work` as a stream, which ends with its error if it fails. Dropping the stream drops the work.
pub(super) fn reported<F>(work: impl FnOnce(Reports) -> F) -> BoxStream<'static, DeltaResult>
where
    F: Future<Output = Result<(), AgentError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(BUFFER);
    let reports = Reports(sender.clone());
    let work = work(reports);
    let run = async move {
        if let Err(error) = work.await {
            drop(sender.send(Err(error)).await);
        }
    };
    let run = stream::once(run).filter_map(|()| async { None });
    stream::select(received(receiver), run).boxed()
}

fn received(receiver: mpsc::Receiver<DeltaResult>) -> impl Stream<Item = DeltaResult> + Send {
    stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) })
}

/// Collects an answer, and shows it if it is for a person.
pub(super) struct Sink {
    reports: Option<Reports>,
    shows: bool,
    /// Everything so far.
    pub(super) text: String,
}

impl Sink {
    /// For an answer, which is shown as it arrives.
    pub(super) fn shown(reports: Reports) -> Self {
        Self { reports: Some(reports), shows: true, text: String::new() }
    }

    /// For a text that nobody sees while it arrives. The turn that waits for it shows signs of life, if there is one.
    pub(super) fn hidden(reports: Option<Reports>) -> Self {
        Self { reports, shows: false, text: String::new() }
    }

    /// Takes what has arrived, which may be nothing.
    pub(super) async fn say(&mut self, text: String) {
        self.text.push_str(&text);
        match self.shows && !text.is_empty() {
            true => self.report(Delta::Text(text)).await,
            false => self.is_alive().await,
        }
    }

    /// Shows a sign of life.
    pub(super) async fn is_alive(&self) {
        self.report(Delta::Progress).await;
    }

    async fn report(&self, delta: Delta) {
        if let Some(reports) = &self.reports {
            reports.send(delta).await;
        }
    }
}
