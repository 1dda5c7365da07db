//! A socket that ends when its reader stops reading, that reads no more of a stranger than it may, and that lets its
//! last words be read.

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

use crate::connections::Slot;
use crate::server::ServerState;

/// How long a client who has shown a token may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for a stranger.
const SHORT_PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes are read at once.
const PIECE: usize = 4096;

/// How long a client may go on sending after our last word, for how many bytes one with a token, and a stranger.
const LINGER: (Duration, usize, usize) = (Duration::from_secs(1), 4 * 1024 * 1024, 64 * 1024);

/// What the error says when a stranger sends more than it may.
pub(crate) const TOO_MUCH: &str = "more came than may come before a token";

/// A connection's socket.
pub(crate) struct Timed {
    stream: Arc<TcpStream>,
    slot: Arc<Slot>,
    clock: Arc<dyn Clock>,
    /// Runs while the client takes nothing.
    stalled: Option<BoxFuture<'static, ()>>,
}

impl Timed {
    pub(crate) fn new(stream: Arc<TcpStream>, slot: Arc<Slot>, clock: Arc<dyn Clock>) -> Self {
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
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.slot.may_read() {
            return Poll::Ready(Err(io::Error::other(TOO_MUCH)));
        }
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            let room = buffer.remaining().min(PIECE);
            match self.stream.try_read(buffer.initialize_unfilled_to(room)) {
                Ok(read) => {
                    buffer.advance(read);
                    self.slot.has_read(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = written(&self.stream, context, |stream| stream.try_write(bytes));
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = written(&self.stream, context, |stream| stream.try_write_vectored(bytes));
        self.watch(context, written)
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

/// Writes as soon as the system takes something.
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

/// Says that nothing follows, and lets a client who is still sending read the last words: a socket that is closed with
/// something unread in it resets the connection, and what was written last may be lost with it.
pub(crate) async fn linger(server: &ServerState, stream: &TcpStream, slot: &Slot) {
    if rustix::net::shutdown(stream, Shutdown::Write).is_err() {
        return;
    }
    let (time, known, stranger) = LINGER;
    let most = if slot.is_authenticated() { known } else { stranger };
    let read_on = async {
        let (mut waste, mut read) = (vec![0; 16 * 1024], 0);
        while read < most && stream.readable().await.is_ok() {
            match stream.try_read(&mut waste) {
                Ok(0) => return,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    tokio::select! {
        () = read_on => {}
        () = slot.dropped() => {}
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
    use crate::connections::{Admission, Connections};

    /// A clock that a test moves.
    struct Hand(watch::Sender<Duration>);

    #[async_trait]
    impl Clock for Hand {
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
            // The clock lives as long as the test.
            drop(now.wait_for(|now| *now >= deadline.0).await);
        }
    }

    /// Writes until nothing more is taken; an error says that the connection was given up.
    fn fill(timed: &mut Timed) -> io::Result<()> {
        while let Some(written) = timed.write(&[0; 64 * 1024]).now_or_never() {
            written?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_client_who_takes_nothing_is_given_up_and_one_who_takes_something_is_not() {
        for (authenticated, patience) in [(false, SHORT_PATIENCE), (true, PATIENCE)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let Admission::Taken(slot) = Connections::new(4).admit(None) else { panic!("no slot") };
            if authenticated {
                slot.authenticate();
            }
            let clock = Arc::new(Hand(watch::Sender::new(Duration::from_secs(100))));
            let mut timed = Timed::new(Arc::new(stream), slot, clock.clone());
            fill(&mut timed).unwrap();
            let almost = patience - Duration::from_secs(1);
            clock.0.send_modify(|now| *now += almost);
            fill(&mut timed).unwrap();
            let mut taken = vec![0; 8 << 20];
            tokio::select! {
                all = client.read_exact(&mut taken) => panic!("{all:?}"),
                written = timed.write(&[0; 1024]) => assert!(written.is_ok(), "it took something in time"),
            }
            fill(&mut timed).unwrap();
            clock.0.send_modify(|now| *now += almost);
            fill(&mut timed).unwrap();
            clock.0.send_modify(|now| *now += Duration::from_secs(1));
            assert_eq!(fill(&mut timed).map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        }
    }
}
