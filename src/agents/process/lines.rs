//! Reads lines of a bounded length.

use std::io;
use std::os::fd::AsFd;

use thiserror::Error;
use tokio::io::AsyncRead;

use super::output::Output;

const CHUNK: usize = 8 * 1024;

/// An error in reading a program's output.
#[derive(Debug, Error)]
pub enum LineError {
    /// A line over the limit. It is dropped; reading can go on with the line after it.
    #[error("line {line} of its output is longer than {max} bytes (max_line)")]
    TooLong {
        /// The number of the line, counted from 1.
        line: u64,
        /// The limit, in bytes.
        max: usize,
    },
    /// The pipe cannot be read.
    #[error("its output cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Splits a program's output into lines, each of at most `max` bytes. A character that is cut between two reads is
/// whole in its line.
pub struct Lines {
    max: usize,
    /// Bytes that were read and not returned yet, from `start`. There is no line end before `seen`.
    buffer: Vec<u8>,
    start: usize,
    seen: usize,
    chunk: Box<[u8]>,
    /// Whether the current line belongs to what was discarded.
    stale: bool,
    /// Whether the rest of the current line is dropped, because it was longer than `max`.
    overlong: bool,
    /// The number of lines so far.
    count: u64,
}

impl Lines {
    /// A reader whose lines have at most `max` bytes.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            buffer: Vec::new(),
            start: 0,
            seen: 0,
            chunk: vec![0; CHUNK].into(),
            stale: false,
            overlong: false,
            count: 0,
        }
    }

    /// The number of lines that were read so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The next line without its line end; `None` at the end of the output, where an unfinished line does not count.
    /// Dropping the future loses nothing.
    pub async fn next<R: AsyncRead + AsFd + Unpin>(
        &mut self,
        output: &mut Output<R>,
    ) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            if let Some(line) = self.split()? {
                return Ok(Some(line));
            }
            self.compact();
            let read = output.read(&mut self.chunk).await?;
            if read == 0 {
                return Ok(None);
            }
            self.buffer.extend_from_slice(&self.chunk[..read]);
        }
    }

    /// Discards all lines that have begun by now, including one that is not finished. Returns the number of bytes;
    /// `None` when the output has ended.
    pub fn discard<R: AsyncRead + AsFd + Unpin>(
        &mut self,
        output: &mut Output<R>,
        most: usize,
    ) -> Result<Option<usize>, LineError> {
        let mut bytes = self.buffer.len() - self.start;
        loop {
            while self.split()?.is_some() {}
            self.compact();
            if bytes > most {
                break;
            }
            match output.read_ready(&mut self.chunk)? {
                Some(0) => return Ok(None),
                Some(read) => {
                    bytes += read;
                    self.buffer.extend_from_slice(&self.chunk[..read]);
                }
                None => break,
            }
        }
        self.stale |= !self.buffer.is_empty();
        Ok(Some(bytes))
    }

    /// The next complete line that is not discarded.
    fn split(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            let end = self.buffer[self.seen..].iter().position(|byte| *byte == b'\n');
            let length = end.map_or(self.buffer.len(), |end| self.seen + end) - self.start;
            if self.overlong {
                self.skip(length, end.is_some());
                if end.is_some() {
                    continue;
                }
                return Ok(None);
            }
            if length > self.max {
                self.skip(length, end.is_some());
                let line = if end.is_some() { self.count } else { self.count + 1 };
                return Err(LineError::TooLong { line, max: self.max });
            }
            if end.is_none() {
                self.seen = self.buffer.len();
                return Ok(None);
            }
            let line = self.start..self.start + length;
            self.start += length + 1;
            self.seen = self.start;
            self.count += 1;
            if !std::mem::take(&mut self.stale) {
                return Ok(Some(self.buffer[line].to_vec()));
            }
        }
    }

    /// Drops the beginning of the current line; with `ended` all of it and its line end.
    fn skip(&mut self, length: usize, ended: bool) {
        self.start += length;
        self.overlong = !ended;
        if ended {
            self.start += 1;
            self.count += 1;
            self.stale = false;
        }
        self.seen = self.start;
    }

    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.seen = self.buffer.len();
        // One long line must not keep its memory for as long as the process runs.
        if self.seen < CHUNK {
            self.buffer.shrink_to(2 * CHUNK);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// What a reader with a limit of 10 bytes makes of these pieces, each of which is read by itself.
    async fn read(pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, String>> {
        let (mut program, pipe) = UnixStream::pair().unwrap();
        let mut output = Output::new(pipe, CancellationToken::new());
        let mut lines = Lines::new(10);
        let mut found = Vec::new();
        for piece in pieces {
            program.write_all(piece).await.unwrap();
            // Reads until it has to wait for the next piece.
            while let Ok(line) =
                tokio::time::timeout(std::time::Duration::from_millis(20), lines.next(&mut output)).await
            {
                found.push(line.map(Option::unwrap).map_err(|error| error.to_string()));
            }
        }
        drop(program);
        assert!(lines.next(&mut output).await.unwrap().is_none());
        found
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_reported_once_and_the_next_line_is_read() {
        let long = |line| Err(format!("line {line} of its output is longer than 10 bytes (max_line)"));
        let first = || Ok(b"first".to_vec());
        let last = || Ok(b"0123456789".to_vec());
        let many = [b"first\n01234567890\n0123456789\n".as_slice()];
        assert_eq!(read(&many).await, [first(), long(2), last()]);
        let cut = [b"first\n01234567".as_slice(), b"8901", b"2345", b"6789\n", b"0123456789\n"];
        assert_eq!(read(&cut).await, [first(), long(2), last()]);
        let twice = [b"012345678901".as_slice(), b"\n01234567890\n", b"0123456789", b"\n"];
        assert_eq!(read(&twice).await, [long(1), long(2), last()]);
    }

    #[tokio::test]
    async fn a_character_that_is_cut_between_two_reads_is_whole_in_its_line() {
        let pieces = ["ä€👋".as_bytes(), b"\n"].concat();
        let pieces: Vec<&[u8]> = pieces.chunks(1).collect();
        assert_eq!(read(&pieces).await, [Ok("ä€👋".as_bytes().to_vec())]);
    }
}
