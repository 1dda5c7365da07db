//! A socket that ends when its reader stops reading, and that reads no more of a stranger than it may.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use frontdesk_core::port::Clock;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connections::Slot;

/// How long a client who has shown a token may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for a stranger.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);

/// What the error says when a stranger sends more than it may.
pub(crate) const TOO_MUCH: &str = "more came than may come before a token";

/// A connection's socket.
pub(crate) struct Timed {
    stream: TcpStream,
    slot: Arc<Slot>,
    clock: Arc<dyn Clock>,
    /// Runs while the client takes nothing.
    stalled: Option<BoxFuture<'static, ()>>,
}

impl Timed {
    pub(crate) fn new(stream: TcpStream, slot: Arc<Slot>, clock: Arc<dyn Clock>) -> Self {
        Self { stream, slot, clock, stalled: None }
    }

    /// Passes on what came of a write, and ends a connection on which nothing could be written for too long.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let Self { slot, clock, .. } = self;
        let timer = self.stalled.get_or_insert_with(|| {
            let patience = if slot.is_authenticated() { PATIENCE } else { SHORT_PATIENCE };
            let (clock, end) = (clock.clone(), clock.mono() + patience);
            Box::pin(async move { clock.sleep_until(end).await })
        });
        ready!(timer.as_mut().poll(context));
        metrics::counter!("frontdesk_connections_stalled_total").increment(1);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.slot.may_read() {
            return Poll::Ready(Err(io::Error::other(TOO_MUCH)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.slot.has_read(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
