//! A program's stderr: to the log at debug, a bounded number of lines per turn. The last line of a program that fails
//! is the reason that its owner is told.

use std::sync::{Arc, Mutex};

use frontdesk_core::id::TurnId;
use frontdesk_core::port::Turn;
use frontdesk_core::{terminal, visible};
use tokio::process::ChildStderr;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::output::Output;
use super::process_host::ProcessHost;
use crate::running::lock;

/// So many lines of a turn go to the log.
const LOGGED: u64 = 200;
/// So many bytes of a line are kept.
const LINE: usize = 2000;
/// So many characters of the last line are told.
const TOLD: usize = 300;

pub(super) struct Stderr {
    state: Arc<Mutex<State>>,
    /// Cancelled when everything was read.
    read: CancellationToken,
}

struct State {
    agent: String,
    session: String,
    turn: TurnId,
    lines: u64,
    last: String,
}

impl Stderr {
    pub(super) fn read(shop: &ProcessHost, turn: &Turn, pipe: Output<ChildStderr>) -> Self {
        let state = Arc::new(Mutex::new(State {
            agent: shop.name.clone(),
            session: turn.session.to_string(),
            turn: turn.id,
            lines: 0,
            last: String::new(),
        }));
        let read = CancellationToken::new();
        shop.tasks.spawn({
            let state = state.clone();
            let read = read.clone().drop_guard();
            async move {
                drain(pipe, &state).await;
                lock(&state).sum_up();
                drop(read);
            }
        });
        Self { state, read }
    }

    /// What comes from now on belongs to this turn.
    pub(super) fn begin(&self, turn: TurnId) {
        let mut state = lock(&self.state);
        state.sum_up();
        state.turn = turn;
        state.lines = 0;
        state.last.clear();
    }

    /// The last line of this turn, escaped and cut, once the program has gone. Empty if it said nothing.
    pub(super) async fn last_line(&self) -> String {
        self.read.cancelled().await;
        visible::escaped(&lock(&self.state).last, TOLD)
    }
}

impl State {
    fn line(&mut self, line: &[u8]) {
        // As a terminal would show it: without colours, a progress bar in its last state.
        let line = String::from_utf8_lossy(line);
        let plain = terminal::plain(&line);
        let line = plain.trim();
        if line.is_empty() {
            return;
        }
        self.last.clear();
        self.last.push_str(line);
        self.lines += 1;
        if self.lines <= LOGGED {
            let line = visible::escaped(line, LINE);
            debug!(agent = self.agent, session = self.session, turn = %self.turn, "stderr: {line}");
        }
    }

    fn sum_up(&self) {
        if self.lines > LOGGED {
            let more = self.lines - LOGGED;
            debug!(agent = self.agent, session = self.session, turn = %self.turn, more, "stderr had more lines");
        }
    }
}

async fn drain(mut pipe: Output<ChildStderr>, state: &Mutex<State>) {
    let mut chunk = vec![0; 4096];
    let mut line = Vec::new();
    loop {
        let read = match pipe.read(&mut chunk).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(why) => {
                debug!(%why, "an agent's stderr cannot be read");
                break;
            }
        };
        for piece in chunk[..read].split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(&piece[..piece.len().min(LINE.saturating_sub(line.len()))]);
            if piece.ends_with(b"\n") {
                lock(state).line(&line);
                line.clear();
            }
        }
    }
    lock(state).line(&line);
}
