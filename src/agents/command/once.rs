//! A process per turn: the prompt on stdin, the answer on stdout.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use frontdesk_core::prompt;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::facts::Facts;
use super::input::Unread;
use super::permission;
use super::process::Process;
use super::process_host::ProcessHost;
use super::utf8::Utf8;
use crate::running::{Running, Seat};

type Said = Result<Delta, AgentError>;

/// Cancelled by an abort; the process ends with it.
type Aborted = CancellationToken;

pub(super) struct Once {
    shop: Arc<ProcessHost>,
    running: Running<Aborted>,
}

impl Once {
    pub(super) fn new(shop: Arc<ProcessHost>) -> Self {
        Self { shop, running: Running::default() }
    }
}

#[async_trait]
impl Agent for Once {
    fn turn(&self, turn: Turn) -> BoxStream<'static, Said> {
        let shop = self.shop.clone();
        let seat = self.running.begin(turn.id, shop.stop.child_token());
        let ask = shop.ask;
        let aborted = Aborted::clone(&seat);
        let run = async move {
            if seat.is_cancelled() && !shop.stop.is_cancelled() {
                return stream::empty().boxed();
            }
            match Run::start(shop, seat, turn).await {
                Ok(run) => {
                    stream::unfold(run, |mut run| async { run.next().await.map(|said| (said, run)) }).boxed()
                }
                Err(why) => stream::iter([Err(why)]).boxed(),
            }
        }
        .flatten_stream()
        .boxed();
        if ask { permission::ask_first(run, aborted) } else { run }
    }

    async fn steer(&self, _turn: TurnId, _said: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(aborted) = self.running.find(turn) {
            aborted.cancel();
        }
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}

    async fn stop(&self) {
        self.shop.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.shop.program.problem()
    }
}

struct Run {
    shop: Arc<ProcessHost>,
    seat: Seat<Aborted>,
    process: Process,
    /// There for as long as the turn runs.
    _facts: Facts,
    buffer: Vec<u8>,
    text: Utf8,
    /// How many bytes it has said.
    said: usize,
    over: bool,
}

impl Run {
    async fn start(shop: Arc<ProcessHost>, seat: Seat<Aborted>, turn: Turn) -> Result<Self, AgentError> {
        let facts = Facts::write(&shop.home, &turn).await.map_err(|why| shop.not_started(&why))?;
        let mut process = shop.start(&turn, Some(facts.path()), Aborted::clone(&seat)).await?;
        // The queue goes away with this, which closes the pipe behind the prompt.
        if let Some(Err(Unread)) =
            process.input.take().map(|input| input.send(prompt::words(&turn).into_bytes()))
        {
            debug!(agent = shop.name, turn = %turn.id, "the program has closed its stdin before the prompt");
        }
        let (buffer, text) = (vec![0; 8192], Utf8::default());
        Ok(Self { shop, seat, process, _facts: facts, buffer, text, said: 0, over: false })
    }

    async fn next(&mut self) -> Option<Said> {
        if self.over {
            return None;
        }
        let said = self.say().await;
        self.over = !matches!(said, Some(Ok(Delta::Text(_))));
        said
    }

    async fn say(&mut self) -> Option<Said> {
        loop {
            let got = tokio::select! {
                biased;
                () = self.seat.cancelled() => return self.cut_off().await,
                got = self.process.output.read(&mut self.buffer) => got,
            };
            let text = match got {
                Ok(0) => self.text.finish(),
                Ok(read) => self.text.push(&self.buffer[..read]),
                Err(why) => return Some(Err(AgentError::Died(format!("its output cannot be read: {why}")))),
            };
            self.said += text.len();
            if self.said > self.shop.max_answer {
                self.process.kill();
                return Some(Err(self.shop.too_long()));
            }
            if !text.is_empty() {
                return Some(Ok(Delta::Text(text)));
            }
            if matches!(got, Ok(0)) {
                return self.end().await;
            }
        }
    }

    /// The output has ended: the exit says whether it was an answer.
    async fn end(&mut self) -> Option<Said> {
        let exit = self.process.exited().await;
        if self.seat.is_cancelled() {
            return self.cut_off().await;
        }
        Some(match exit {
            Some(status) if status.success() => Ok(Delta::Done { text: None, usage: None }),
            _ => Err(AgentError::Died(self.process.last_words().await)),
        })
    }

    /// An aborted turn says no more. One that went down with the gateway has died.
    async fn cut_off(&mut self) -> Option<Said> {
        self.process.exited().await;
        let stopped = self.shop.stop.is_cancelled();
        stopped.then(|| Err(AgentError::Died("it was stopped with the gateway".into())))
    }
}
