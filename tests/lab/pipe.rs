//! Connections to the platform: one question at a time on each, one line per question and answer.

use std::io;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Idle connections that are kept.
const KEPT: usize = 8;

/// A connection that nobody else uses.
pub(crate) struct Pipe(BufReader<TcpStream>);

/// How far a question got.
pub(crate) enum Cut {
    /// Not out of the house: nothing was asked.
    Unasked(io::Error),
    /// It was written, and no answer came.
    Unanswered(io::Error),
}

impl Pipe {
    pub(crate) async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks and waits for the answer. After an error the pipe is of no more use.
    pub(crate) async fn ask(&mut self, question: &Value) -> Result<Value, Cut> {
        let mut line = question.to_string();
        line.push('\n');
        // Without its end the platform ignores a line: a write that failed asked nothing.
        self.0.write_all(line.as_bytes()).await.map_err(Cut::Unasked)?;
        let mut answer = String::new();
        let read = self.0.read_line(&mut answer).await.map_err(Cut::Unanswered)?;
        if read == 0 {
            return Err(Cut::Unanswered(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_str(&answer).map_err(|error| Cut::Unanswered(error.into()))
    }
}

/// The connections for requests.
pub(crate) struct Pipes {
    address: String,
    idle: Mutex<Vec<Pipe>>,
}

impl Pipes {
    pub(crate) fn to(address: &str) -> Self {
        Self { address: address.to_owned(), idle: Mutex::default() }
    }

    /// Asks over a connection of its own. A future that is dropped in the middle takes its pipe with it, so
    /// that no later question reads its answer.
    pub(crate) async fn ask(&self, question: &Value) -> Result<Value, Cut> {
        let kept = self.idle().pop();
        let mut pipe = match kept {
            Some(pipe) => pipe,
            None => Pipe::open(&self.address).await.map_err(Cut::Unasked)?,
        };
        let answer = pipe.ask(question).await?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(pipe);
        }
        Ok(answer)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Pipe>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
