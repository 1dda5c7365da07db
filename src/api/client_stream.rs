//! A client's TCP stream: limits how long a write may stall and how much is read before a token, and lingers at its end
//! so that the last response can be read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use frontdesk_core::port::Clock;
use futures_util::future::BoxFuture;
use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connections::ConnectionSlot;
use crate::server::ServerState;

/// How long a write to an authenticated client may make no progress before the client is disconnected.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a write to an unauthenticated client may make no progress before the client is disconnected.
const UNAUTHENTICATED_WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum bytes of one read.
const READ_SIZE: usize = 4096;

/// Limits after the last response: how long the client may continue to send, and how many bytes it may send with and
/// without a token.
const LINGER: (Duration, usize, usize) = (Duration::from_secs(1), 4 * 1024 * 1024, 64 * 1024);

/// The message of the error when an unauthenticated client sends too much.
pub(crate) const TOO_MANY_BYTES: &str = "more bytes than are allowed before a token";

/// A client's TCP stream.
pub(crate) struct ClientStream {
    stream: Arc<TcpStream>,
    slot: Arc<ConnectionSlot>,
    clock: Arc<dyn Clock>,
    /// The timer of a write that makes no progress.
    stalled: Option<BoxFuture<'static, ()>>,
}

impl ClientStream {
    pub(crate) fn new(stream: Arc<TcpStream>, slot: Arc<ConnectionSlot>, clock: Arc<dyn Clock>) -> Self {
        Self { stream, slot, clock, stalled: None }
    }

    /// Returns the result of a write. Fails if the write has made no progress for too long.
    fn check_stall(
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
            let timeout = if slot.is_authenticated() { WRITE_TIMEOUT } else { UNAUTHENTICATED_WRITE_TIMEOUT };
            let (clock, end) = (clock.clone(), clock.mono() + timeout);
            Box::pin(async move { clock.sleep_until(end).await })
        });
        ready!(timer.as_mut().poll(context));
        metrics::counter!("frontdesk_connections_stalled_total").increment(1);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.slot.may_read() {
            return Poll::Ready(Err(io::Error::other(TOO_MANY_BYTES)));
        }
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            let size = buffer.remaining().min(READ_SIZE);
            match self.stream.try_read(buffer.initialize_unfilled_to(size)) {
                Ok(read) => {
                    buffer.advance(read);
                    self.slot.count_read(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = written(&self.stream, context, |stream| stream.try_write(bytes));
        self.check_stall(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = written(&self.stream, context, |stream| stream.try_write_vectored(bytes));
        self.check_stall(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(rustix::net::shutdown(&*self.stream, Shutdown::Write)?))
    }
}

/// Writes as soon as the socket accepts bytes.
fn written(
    stream: &TcpStream,
    context: &mut Context<'_>,
    write: impl Fn(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(context))?;
        match write(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
    }
}

/// Shuts down the write side, and reads on for a while if the client is still sending: closing a socket with unread
/// bytes resets the connection, and the client may lose the response that was written last.
pub(crate) async fn linger(server: &ServerState, stream: &TcpStream, slot: &ConnectionSlot) {
    if rustix::net::shutdown(stream, Shutdown::Write).is_err() {
        return;
    }
    let (time, with_token, without_token) = LINGER;
    let max = if slot.is_authenticated() { with_token } else { without_token };
    let read_on = async {
        let (mut buffer, mut read) = (vec![0; 16 * 1024], 0);
        while read < max && stream.readable().await.is_ok() {
            match stream.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = read_on => {}
        () = slot.close_requested() => {}
        () = server.stop.cancelled() => {}
        () = server.pause(time) => {}
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use frontdesk_core::port::Mono;
    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::watch;

    use super::*;
    use crate::connections::{ConnectionTable, SlotDecision};

    /// A clock that the test moves.
    struct TestClock(watch::Sender<Duration>);

    #[async_trait]
    impl Clock for TestClock {
        fn wall(&self) -> DateTime<Utc> {
            DateTime::default()
        }

        fn mono(&self) -> Mono {
            Mono(*self.0.borrow())
        }

        fn elapsed(&self) -> Duration {
            *self.0.borrow()
        }

        async fn sleep_until(&self, deadline: Mono) {
            let mut now = self.0.subscribe();
            // The clock outlives the test's connections.
            drop(now.wait_for(|now| *now >= deadline.0).await);
        }
    }

    /// Writes until the socket accepts no more. An error says that the connection has timed out.
    fn fill(client_stream: &mut ClientStream) -> io::Result<()> {
        while let Some(written) = client_stream.write(&[0; 64 * 1024]).now_or_never() {
            written?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_disconnected_and_one_that_takes_something_is_not() {
        for (authenticated, timeout) in [(false, UNAUTHENTICATED_WRITE_TIMEOUT), (true, WRITE_TIMEOUT)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let SlotDecision::Granted(slot) = ConnectionTable::new(4).admit(None) else { panic!("no slot") };
            if authenticated {
                slot.authenticate();
            }
            let clock = Arc::new(TestClock(watch::Sender::new(Duration::from_secs(100))));
            let mut client_stream = ClientStream::new(Arc::new(stream), slot, clock.clone());
            fill(&mut client_stream).unwrap();
            let almost = timeout - Duration::from_secs(1);
            clock.0.send_modify(|now| *now += almost);
            fill(&mut client_stream).unwrap();
            let mut bytes = vec![0; 8 << 20];
            tokio::select! {
                all = client.read_exact(&mut bytes) => panic!("{all:?}"),
                written = client_stream.write(&[0; 1024]) => assert!(written.is_ok(), "it took something in time"),
            }
            fill(&mut client_stream).unwrap();
            clock.0.send_modify(|now| *now += almost);
            fill(&mut client_stream).unwrap();
            clock.0.send_modify(|now| *now += Duration::from_secs(1));
            assert_eq!(fill(&mut client_stream).map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        }
    }
}
