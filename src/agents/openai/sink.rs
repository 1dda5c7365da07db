//! Where the words of a model go while they arrive.

use frontdesk_core::delta::{AgentError, Delta};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::mpsc;

use super::calls::Calls;

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
    /// Whether what comes next is a paragraph of its own.
    begins_paragraph: bool,
    /// Whether the model need not say anything more.
    pub(super) may_end: bool,
    /// The tools that the model wants to call at the end of its reply.
    pub(super) calls: Calls,
}

impl Sink {
    /// For an answer, which is shown as it arrives.
    pub(super) fn shown(reports: Reports) -> Self {
        Self { shows: true, ..Self::hidden(Some(reports)) }
    }

    /// For a text that nobody sees while it arrives. The turn that waits for it shows signs of life, if there is one.
    pub(super) fn hidden(reports: Option<Reports>) -> Self {
        Self {
            reports,
            shows: false,
            text: String::new(),
            begins_paragraph: false,
            may_end: false,
            calls: Calls::default(),
        }
    }

    /// Takes what has arrived, which may be nothing.
    pub(super) async fn say(&mut self, mut text: String) {
        if self.begins_paragraph && !text.is_empty() {
            self.begins_paragraph = false;
            text.insert_str(0, "\n\n");
        }
        self.text.push_str(&text);
        match self.shows && !text.is_empty() {
            true => self.report(Delta::Text(text)).await,
            false => self.is_alive().await,
        }
    }

    /// The model goes on after it has called tools: in a paragraph of its own, or not at all.
    pub(super) fn go_on(&mut self) {
        (self.begins_paragraph, self.may_end) = (!self.text.is_empty(), true);
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
