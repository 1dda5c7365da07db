//! A unit of work for the writer, with the channel on which its caller waits.

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::fault::Outcome;
use crate::queue::Work;
use crate::tx::Tx;

/// An operation's closure and the channel on which its caller waits. The closure can run more than once: only what its
/// last run did is committed.
pub(crate) struct Unit<T, F> {
    work: F,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Unit<T, F>
where
    T: Send + 'static,
    F: Fn(&Tx<'_>) -> Outcome<T> + Send + 'static,
{
    pub(crate) fn with_reply(work: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { work, done: None, reply }), answer)
    }
}

impl<T, F> Work for Unit<T, F>
where
    T: Send,
    F: Fn(&Tx<'_>) -> Outcome<T> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()> {
        self.done = None;
        self.done = Some((self.work)(tx)?);
        Ok(())
    }

    fn end(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        let answer = result.and_then(|()| done.ok_or(StoreError::Closed));
        if reply.send(answer).is_err() {
            tracing::trace!("the caller stopped waiting for a unit");
        }
    }
}
