//! A program's pipe that ends with the program, whoever else holds it open.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

/// So much is read after the program has gone. Its own last words fit: a pipe holds 64 KiB on Linux, and
/// up to 1 MiB where somebody asked for more. It stops an heir from writing for ever.
const REST: usize = 1024 * 1024;

pub(super) struct Output<R> {
    pipe: R,
    gone: CancellationToken,
    rest: usize,
}

impl<R: AsyncRead + AsFd + Unpin> Output<R> {
    pub(super) fn new(pipe: R, gone: CancellationToken) -> Self {
        Self { pipe, gone, rest: REST }
    }

    /// Reads some bytes, 0 at the end. Once the program has gone, the end is where nothing is left in the
    /// pipe: an heir that holds it open is not waited for. Nothing is lost when the future is dropped.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        tokio::select! {
            biased;
            () = self.gone.cancelled() => {}
            got = self.pipe.read(buffer) => return got,
        }
        let room = self.rest.min(buffer.len());
        let read = if room == 0 { 0 } else { self.read_ready(&mut buffer[..room])?.unwrap_or(0) };
        self.rest -= read;
        Ok(read)
    }

    /// Reads what is in the pipe now; `None` when nothing is, `Some(0)` at its end.
    pub(super) fn read_ready(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // Straight from the descriptor, because the async reader cannot tell "nothing there" from "not yet
        // known to be there". It is non-blocking: tokio made it so.
        loop {
            match rustix::io::read(&self.pipe, &mut *buffer) {
                Ok(read) => return Ok(Some(read)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(why) => return Err(why.into()),
            }
        }
    }
}
