//! A persistent program and the reader of its lines, also while it has no turn.

use async_trait::async_trait;
use tracing::debug;

use super::turn_host::TurnHost;
use crate::process::{Lines, Process, Reusable};

pub(super) struct IdleProcess {
    pub(super) process: Process,
    pub(super) lines: Lines,
    agent: String,
    /// Maximum number of bytes that it may write without a turn.
    max_bytes: usize,
    /// The number of bytes that it has written since its last turn.
    bytes: usize,
}

impl IdleProcess {
    pub(super) fn new(process: Process, host: &TurnHost) -> Self {
        let (agent, max_bytes) = (host.processes.name.clone(), host.max_answer);
        Self { process, lines: Lines::new(host.max_line), agent, max_bytes, bytes: 0 }
    }
}

#[async_trait]
impl Reusable for IdleProcess {
    async fn idle(&mut self) -> String {
        loop {
            match self.lines.next(&mut self.process.output).await {
                Ok(Some(line)) => self.bytes += line.len() + 1,
                Ok(None) => return "it has ended".into(),
                Err(why) => return why.to_string(),
            }
            debug!(agent = self.agent, "dropped a line outside a turn");
            if self.bytes > self.max_bytes {
                return "it writes too much output without a turn".into();
            }
        }
    }

    /// Output that the program wrote before it gets the prompt cannot be an answer to it, so it is discarded.
    fn reuse(&mut self) -> Result<(), String> {
        self.bytes = 0;
        match self.lines.discard(&mut self.process.output, self.max_bytes) {
            Ok(Some(bytes)) if bytes > self.max_bytes => {
                Err("it writes too much output without a turn".into())
            }
            Ok(Some(_)) if !self.process.has_gone() => Ok(()),
            Ok(_) => Err("it has ended".into()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn retire(self) {
        self.process.retire();
    }
}
