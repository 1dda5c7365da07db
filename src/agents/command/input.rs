//! A program's stdin, written by a task of its own: a program that does not read blocks nobody.

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

/// So many lines may wait for the program to read them.
const WAITING: usize = 64;

/// The queue to the program. The pipe is closed when the last clone is gone and all is written.
#[derive(Clone)]
pub(super) struct Input(mpsc::Sender<Vec<u8>>);

/// The program does not read its stdin.
#[derive(Debug)]
pub(super) struct Unread;

impl Input {
    pub(super) fn open(
        tasks: &TaskTracker,
        stdin: ChildStdin,
        end: CancellationToken,
        gone: CancellationToken,
    ) -> Self {
        let (sender, queue) = mpsc::channel(WAITING);
        tasks.spawn(async move {
            tokio::select! {
                () = write(stdin, queue) => {}
                () = end.cancelled() => {}
                // Somebody who left the group may still hold the pipe.
                () = gone.cancelled() => {}
            }
        });
        Self(sender)
    }

    /// Puts bytes into the queue. A full queue and a closed pipe are the same to the caller.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), Unread> {
        self.0.try_send(bytes).map_err(|_| Unread)
    }
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = queue.recv().await {
        if let Err(why) = stdin.write_all(&bytes).await {
            debug!(%why, "an agent's program has closed its stdin");
            return;
        }
    }
}
