//! A connection whose last progress is known.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use frontdesk_core::port::{Clock, Mono};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// When bytes last moved on a connection.
pub(super) struct Progress {
    clock: Arc<dyn Clock>,
    /// In milliseconds of the monotonic clock.
    last: AtomicU64,
}

impl Progress {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let progress = Arc::new(Self { clock, last: AtomicU64::new(0) });
        progress.note();
        progress
    }

    fn note(&self) {
        let now = u64::try_from(self.clock.mono().0.as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Returns after this long.
    pub(super) async fn clock_after(&self, time: Duration) {
        self.clock.sleep_until(self.clock.mono() + time).await;
    }

    /// Returns when nothing has moved for this long.
    pub(super) async fn idle(&self, longest: Duration) {
        loop {
            let deadline = Mono(Duration::from_millis(self.last.load(Ordering::Relaxed)) + longest);
            if self.clock.mono() >= deadline {
                return;
            }
            self.clock.sleep_until(deadline).await;
        }
    }
}

pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) progress: Arc<Progress>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.note();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.progress.note();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
