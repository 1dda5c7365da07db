//! One turn: from the head of its lane to the transaction that ends it.

mod answer;
mod drive;
mod ending;
mod head;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delta::{AgentError, Usage};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use frontdesk_core::port::{Mono, Stop};
use frontdesk_store::StoreError;
use frontdesk_store::row::{ClaimedTurn, Take};
use futures_util::FutureExt;

use crate::config::QueueMode;
use crate::flow::Flow;
use crate::lanes::Next;
use crate::shared::Shared;
use answer::Files;

/// How long a lane waits after the database refused, or after an agent died.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a turn waits that could not begin because the machine ran short of something.
const SHORTAGE: Duration = Duration::from_secs(5);

/// How a turn came to its end.
enum End {
    Answered {
        text: String,
        usage: Option<Usage>,
        by_hook: bool,
    },
    Refused(Refusal),
    /// The row was cancelled already; only the agent had to be told.
    Cancelled,
    /// The gateway stops: given back.
    Drained,
    /// The machine has too little of something to begin with now: later, and it counts as no attempt.
    NotBegun(String),
    /// The agent died: once more, if it had done nothing.
    Died(String),
    Failed(Failure, String),
}

impl From<AgentError> for End {
    fn from(error: AgentError) -> End {
        match error {
            AgentError::Died(detail) => End::Died(detail),
            AgentError::Failed(detail) => End::Failed(Failure::Agent, detail),
            AgentError::Unavailable(detail) => End::Failed(Failure::Unavailable, detail),
            AgentError::Later(detail) => End::NotBegun(detail),
        }
    }
}

struct Run<'r> {
    shared: &'r Arc<Shared>,
    turn: &'r ClaimedTurn,
    flow: Flow,
    /// Files that are to follow the answer.
    files: Files,
    /// Whether a tool was allowed to begin.
    acted: bool,
}

/// Runs the oldest waiting turn of a session: the work of a lane.
pub(crate) async fn run(shared: Arc<Shared>, session: SessionKey) -> Next {
    if shared.process.closing.is_cancelled() {
        return Next::Sleep;
    }
    match attempt(&shared, &session).await {
        Ok(next) => next,
        Err(StoreError::Invalid(detail)) => {
            tracing::error!(%session, detail, "a waiting message cannot be read; its session rests until the next one");
            Next::Sleep
        }
        Err(error) => {
            shared.health.note(Some(&error));
            Next::At(shared.time.mono() + PAUSE)
        }
    }
}

async fn attempt(shared: &Arc<Shared>, session: &SessionKey) -> Result<Next, StoreError> {
    let take = match shared.settings.config.queue.mode {
        QueueMode::Followup => Take::One,
        QueueMode::Collect => Take::All,
    };
    let Some(turn) = shared.store.claim_turn(session, take, shared.time.wall()).await? else {
        return Ok(Next::Sleep);
    };
    let started = shared.time.mono();
    let stop = shared.work.running.begin(turn.claim.id);
    let flow = Flow::new(shared, &turn, &stop);
    let run = Run { shared, turn: &turn, flow, files: Files::default(), acted: false };
    let ended = run.whole(&stop).await;
    shared.work.running.end(turn.claim.id);
    metrics::histogram!("frontdesk_turn_seconds", "agent" => session.agent().to_owned())
        .record(shared.time.mono().since(started).as_secs_f64());
    Ok(match ended? {
        Some(pause) => Next::At(pause),
        None if turn.more => Next::Again,
        None => Next::Sleep,
    })
}

impl Run<'_> {
    /// From the claim to the end. Returns when the lane may go on, if not at once. Whatever panics on the way,
    /// the row comes to an end: a turn that runs in the database alone would block its session for ever.
    async fn whole(mut self, stop: &Stop) -> Result<Option<Mono>, StoreError> {
        tracing::debug!(turn = %self.turn.claim.id, session = %self.turn.session, attempt = self.turn.attempt, "turn");
        let end = match AssertUnwindSafe(self.until_end(stop)).catch_unwind().await {
            Ok(end) => end,
            Err(_) => {
                self.flow.abandon();
                End::Failed(Failure::Internal, "a panic".to_owned())
            }
        };
        self.conclude(end).await
    }

    async fn until_end(&mut self, stop: &Stop) -> End {
        let prompt = match self.head(stop).await {
            Ok(prompt) => prompt,
            Err(end) => return end,
        };
        let agent = self.turn.session.agent();
        let Some(entry) = self.shared.settings.agents.get(agent) else {
            let detail = format!("there is no agent named {agent} in the configuration");
            return End::Failed(Failure::Unavailable, detail);
        };
        let agent = entry.agent.clone();
        let end = self.drive(agent, prompt, stop).await;
        // Also what an agent leaves unfinished is kept or shown.
        self.flow.complete().await;
        if !matches!(end, End::Drained) {
            self.flow.settled().await;
        }
        end
    }
}
