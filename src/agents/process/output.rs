//! A program's output pipe that ends with the program, even if another process holds it open.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

/// Maximum number of bytes that are read after the program has exited. What the program itself wrote fits: a pipe holds
/// 64 KiB on Linux, and up to 1 MiB if a program asked for more. The limit stops a child process that inherited the
/// pipe from writing forever.
const REST_LIMIT: usize = 1024 * 1024;

/// One output pipe of a program.
pub struct Output<R> {
    pipe: R,
    gone: CancellationToken,
    rest: usize,
}

impl<R: AsyncRead + AsFd + Unpin> Output<R> {
    pub(super) fn new(pipe: R, gone: CancellationToken) -> Self {
        Self { pipe, gone, rest: REST_LIMIT }
    }

    /// Reads some bytes; 0 at the end. Once the program has exited, the output ends when the pipe is empty, even if a
    /// child process that inherited the pipe still holds it open. Dropping the future loses nothing.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        tokio::select! {
            biased;
            () = self.gone.cancelled() => {}
            got = self.pipe.read(buffer) => return got,
        }
        let space = self.rest.min(buffer.len());
        let read = if space == 0 { 0 } else { self.read_ready(&mut buffer[..space])?.unwrap_or(0) };
        self.rest -= read;
        Ok(read)
    }

    /// Reads what is in the pipe now; `None` if it is empty, `Some(0)` at its end.
    pub(super) fn read_ready(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // Reads from the descriptor directly, because the async reader cannot tell an empty pipe from one whose state
        // it does not know yet. Tokio has made the descriptor non-blocking.
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
