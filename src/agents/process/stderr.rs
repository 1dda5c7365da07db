//! A program's stderr: logged at debug level, with a limit per turn. If the program fails, its last line belongs to the
//! cause that the operator sees (see `Cause::foreign`).

use std::sync::{Arc, Mutex};

use frontdesk_core::port::Turn;
use frontdesk_core::{terminal, visible};
use tokio::process::ChildStderr;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::environment::NO_TURN;
use super::output::Output;
use crate::running_turns::lock;

/// The maximum number of lines of a turn that are logged.
const MAX_LOGGED: u64 = 200;
/// The maximum number of bytes that are kept of a line.
const MAX_LINE: usize = 2000;
/// The maximum number of characters of the last line in an error.
const LAST_LINE: usize = 300;

/// A program's stderr, which a task reads.
pub struct Stderr {
    state: Arc<Mutex<State>>,
    /// Cancelled when everything has been read.
    read: CancellationToken,
}

struct State {
    agent: String,
    session: String,
    turn: String,
    lines: u64,
    last: String,
}

impl Stderr {
    pub(super) fn read(
        tasks: &TaskTracker,
        agent: &str,
        turn: Option<&Turn>,
        pipe: Output<ChildStderr>,
    ) -> Self {
        let state = Arc::new(Mutex::new(State {
            agent: agent.into(),
            session: turn.map(|turn| turn.session.to_string()).unwrap_or_default(),
            turn: turn.map_or(NO_TURN.into(), |turn| turn.id.to_string()),
            lines: 0,
            last: String::new(),
        }));
        let read = CancellationToken::new();
        tasks.spawn({
            let state = state.clone();
            let read = read.clone().drop_guard();
            async move {
                drain(pipe, &state).await;
                lock(&state).log_skipped();
                drop(read);
            }
        });
        Self { state, read }
    }

    /// Assigns all further lines to this turn.
    pub fn begin(&self, turn: &Turn) {
        let mut state = lock(&self.state);
        state.log_skipped();
        state.session = turn.session.to_string();
        state.turn = turn.id.to_string();
        state.lines = 0;
        state.last.clear();
    }

    /// The last line of this turn, escaped and cut, once the program has exited. Empty if there was none.
    pub async fn last_line(&self) -> String {
        self.read.cancelled().await;
        visible::escaped(&lock(&self.state).last, LAST_LINE)
    }
}

impl State {
    fn line(&mut self, line: &[u8]) {
        // As a terminal would show it: without colours, and a progress bar in its last state.
        let line = String::from_utf8_lossy(line);
        let plain = terminal::plain(&line);
        let line = plain.trim();
        if line.is_empty() {
            return;
        }
        self.last.clear();
        self.last.push_str(line);
        self.lines += 1;
        if self.lines <= MAX_LOGGED {
            let line = visible::escaped(line, MAX_LINE);
            debug!(agent = self.agent, session = self.session, turn = self.turn, "stderr: {line}");
        }
    }

    fn log_skipped(&self) {
        if self.lines > MAX_LOGGED {
            let more = self.lines - MAX_LOGGED;
            debug!(
                agent = self.agent,
                session = self.session,
                turn = self.turn,
                more,
                "stderr had more lines"
            );
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
            line.extend_from_slice(&piece[..piece.len().min(MAX_LINE.saturating_sub(line.len()))]);
            if piece.ends_with(b"\n") {
                lock(state).line(&line);
                line.clear();
            }
        }
    }
    lock(state).line(&line);
}
