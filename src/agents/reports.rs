//! Work that reports deltas while it runs, as the stream of a turn.

use frontdesk_core::delta::Delta;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::mpsc;

/// Number of reports that wait for the turn to read them.
const BUFFER: usize = 16;

/// Where a turn's reports go. A turn that nobody reads any more is dropped as a whole, so a report cannot fail.
pub(crate) struct Reports<E>(mpsc::Sender<Result<Delta, E>>);

impl<E> Clone for Reports<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> Reports<E> {
    pub(crate) async fn send(&self, delta: Delta) {
        drop(self.0.send(Ok(delta)).await);
    }
}

/// The reports of `work` as a stream, which ends with its error if it fails. Dropping the stream drops the work.
pub(crate) fn reported<F, E>(work: impl FnOnce(Reports<E>) -> F) -> BoxStream<'static, Result<Delta, E>>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Send + 'static,
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

fn received<T: Send>(receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> + Send {
    stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) })
}
