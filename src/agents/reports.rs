//! Work that reports deltas while it runs, as the stream of a turn.

use frontdesk_core::delta::Delta;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};

/// Number of reports that wait for the turn to read them.
const BUFFER: usize = 16;

/// A report, and what is told once the turn has dealt with it: the turn asks for the next report only then.
type Sent<E> = (Result<Delta, E>, Option<oneshot::Sender<()>>);

/// Where a turn's reports go. A turn that nobody reads any more is dropped as a whole, so a report cannot fail.
pub(crate) struct Reports<E>(mpsc::Sender<Sent<E>>);

impl<E> Clone for Reports<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> Reports<E> {
    /// Sends a report. If the turn stores it, this waits for that: the work must not build on what a kill could take back.
    pub(crate) async fn send(&self, delta: Delta) {
        let is_stored = matches!(delta, Delta::Compacted(_) | Delta::Session(_));
        let (done, stored) = oneshot::channel();
        drop(self.0.send((Ok(delta), is_stored.then_some(done))).await);
        // The other end is dropped at once if nothing is to be waited for.
        drop(stored.await);
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
            drop(sender.send((Err(error), None)).await);
        }
    };
    let run = stream::once(run).filter_map(|()| async { None });
    stream::select(received(receiver), run).boxed()
}

fn received<E: Send>(receiver: mpsc::Receiver<Sent<E>>) -> impl Stream<Item = Result<Delta, E>> + Send {
    let before: Option<oneshot::Sender<()>> = None;
    stream::unfold((receiver, before), |(mut receiver, before)| async move {
        // The turn has dealt with the report before. Work that does not wait for that any more has ended.
        if let Some(done) = before
            && done.send(()).is_err()
        {
            tracing::trace!("a report was stored after its work had ended");
        }
        let (report, done) = receiver.recv().await?;
        Some((report, (receiver, done)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use frontdesk_core::delta::Compacted;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_a_summary_is_stored_and_not_before() {
        for (delta, waits) in [
            (Delta::Compacted(Compacted::default()), true),
            (Delta::Session("s".into()), true),
            (Delta::Progress, false),
        ] {
            let went_on = Arc::new(AtomicBool::new(false));
            let noted = Arc::clone(&went_on);
            let mut stream = reported(|reports: Reports<()>| async move {
                reports.send(delta).await;
                noted.store(true, Ordering::Relaxed);
                reports.send(Delta::Progress).await;
                Ok(())
            });
            assert!(matches!(stream.next().await, Some(Ok(_))), "the report arrives");
            assert_eq!(went_on.load(Ordering::Relaxed), !waits);
            assert!(matches!(stream.next().await, Some(Ok(Delta::Progress))));
            assert!(stream.next().await.is_none());
        }
    }
}
