//! One process per turn: the prompt on stdin, the answer on stdout.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use frontdesk_core::prompt;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::approval;
use super::facts::{self, FactsFile};
use super::turn_host::TurnHost;
use crate::process::{NotReading, Process, Start, Utf8};
use crate::running_turns::{RunningTurn, RunningTurns};

type DeltaResult = Result<Delta, AgentError>;

/// Cancelled by an abort, which ends the process.
type Aborted = CancellationToken;

pub(super) struct PerTurn {
    host: Arc<TurnHost>,
    running: RunningTurns<Aborted>,
}

impl PerTurn {
    pub(super) fn new(host: Arc<TurnHost>) -> Self {
        Self { host, running: RunningTurns::default() }
    }
}

#[async_trait]
impl Agent for PerTurn {
    fn capabilities(&self) -> Capabilities {
        self.host.capabilities.clone()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, DeltaResult> {
        let host = self.host.clone();
        let running = self.running.begin(turn.id, host.processes.stop.child_token());
        let ask = host.ask;
        let aborted = Aborted::clone(&running);
        let run = async move {
            if running.is_cancelled() && !host.processes.stop.is_cancelled() {
                return stream::empty().boxed();
            }
            match Run::start(host, running, turn).await {
                Ok(run) => {
                    stream::unfold(run, |mut run| async { run.next().await.map(|result| (result, run)) })
                        .boxed()
                }
                Err(why) => stream::iter([Err(why)]).boxed(),
            }
        }
        .flatten_stream()
        .boxed();
        if ask { approval::ask_first(run, aborted) } else { run }
    }

    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(aborted) = self.running.find(turn) {
            aborted.cancel();
        }
    }

    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, _session: &SessionKey, _epoch: u64) {}

    async fn stop(&self) {
        self.host.processes.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.host.processes.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

/// The files that came with the messages of a turn.
fn files(turn: &Turn) -> Vec<PathBuf> {
    let files = turn.prompt.iter().flat_map(|prompt| prompt.files.iter().chain(&prompt.quoted_files));
    files.filter_map(|file| file.got.clone().ok()).collect()
}

struct Run {
    host: Arc<TurnHost>,
    running: RunningTurn<Aborted>,
    process: Process,
    /// Deletes the file when the turn ends.
    _facts: FactsFile,
    buffer: Vec<u8>,
    text: Utf8,
    /// The length of the answer so far, in bytes.
    answer_bytes: usize,
    over: bool,
}

impl Run {
    async fn start(
        host: Arc<TurnHost>,
        running: RunningTurn<Aborted>,
        turn: Turn,
    ) -> Result<Self, AgentError> {
        let processes = &host.processes;
        let facts = FactsFile::write(processes.home(), &turn).await;
        let facts = facts.map_err(|why| processes.not_started(Some(&turn.session), &why))?;
        let env = vec![(facts::VARIABLE.into(), facts.path().into())];
        let start = Start {
            turn: Some(&turn),
            env,
            args: Vec::new(),
            facts: Some(facts.path().to_owned()),
            readable: Vec::new(),
            writable: Vec::new(),
            hidden: Vec::new(),
            files: Some(files(&turn)),
        };
        let mut process = processes.start(start, Aborted::clone(&running)).await?;
        // The queue is dropped at the end of this statement, which closes the pipe after the prompt.
        if let Some(Err(NotReading)) =
            process.input.take().map(|input| input.send(prompt::text(&turn).into_bytes()))
        {
            debug!(agent = processes.name, turn = %turn.id, "the program has closed its stdin before the prompt");
        }
        let (buffer, text) = (vec![0; 8192], Utf8::default());
        Ok(Self { host, running, process, _facts: facts, buffer, text, answer_bytes: 0, over: false })
    }

    async fn next(&mut self) -> Option<DeltaResult> {
        if self.over {
            return None;
        }
        let result = self.read().await;
        self.over = !matches!(result, Some(Ok(Delta::Text(_))));
        result
    }

    async fn read(&mut self) -> Option<DeltaResult> {
        loop {
            let got = tokio::select! {
                biased;
                () = self.running.cancelled() => return self.cut_off().await,
                got = self.process.output.read(&mut self.buffer) => got,
            };
            let text = match got {
                Ok(0) => self.text.finish(),
                Ok(read) => self.text.push(&self.buffer[..read]),
                Err(why) => {
                    return Some(Err(AgentError::Died(Cause::plain(format!(
                        "its output cannot be read: {why}"
                    )))));
                }
            };
            self.answer_bytes += text.len();
            if self.answer_bytes > self.host.max_answer {
                self.process.kill();
                return Some(Err(self.host.too_long()));
            }
            if !text.is_empty() {
                return Some(Ok(Delta::Text(text)));
            }
            if matches!(got, Ok(0)) {
                return self.end().await;
            }
        }
    }

    /// The output has ended: the exit status decides whether it was an answer.
    async fn end(&mut self) -> Option<DeltaResult> {
        let exit = self.process.exited().await;
        if self.running.is_cancelled() {
            return self.cut_off().await;
        }
        Some(match exit {
            Some(status) if status.success() => Ok(Delta::Done { text: None, end: AnswerEnd::Whole }),
            _ => Err(AgentError::Died(self.process.failure().await)),
        })
    }

    /// An aborted turn ends without a result. A turn that ends because the gateway stops counts as died.
    async fn cut_off(&mut self) -> Option<DeltaResult> {
        self.process.exited().await;
        let stopped = self.host.processes.stop.is_cancelled();
        stopped.then(|| Err(AgentError::Died("it was stopped with the gateway".into())))
    }
}
