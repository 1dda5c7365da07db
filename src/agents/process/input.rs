//! A program's stdin, written by a task of its own, so that a program that does not read blocks nobody.

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

/// The maximum number of lines that wait for the program to read them.
const QUEUE: usize = 64;

/// The queue of lines for the program. The pipe is closed when the last clone is dropped and everything is written.
#[derive(Clone)]
pub struct Input(mpsc::Sender<Vec<u8>>);

/// The program does not read its stdin.
#[derive(Debug)]
pub struct NotReading;

impl Input {
    pub(super) fn open(
        tasks: &TaskTracker,
        stdin: ChildStdin,
        end: CancellationToken,
        gone: CancellationToken,
    ) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        tasks.spawn(async move {
            tokio::select! {
                () = write(stdin, queue) => {}
                () = end.cancelled() => {}
                // A child process that left the group may still hold the pipe open.
                () = gone.cancelled() => {}
            }
        });
        Self(sender)
    }

    /// Queues bytes. A full queue and a closed pipe are the same error.
    pub fn send(&self, bytes: Vec<u8>) -> Result<(), NotReading> {
        self.0.try_send(bytes).map_err(|_| NotReading)
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
