//! Runs one turn, from the claim to the transaction that ends it.

mod answer;
mod clocks;
mod compaction;
mod drive;
mod ending;
mod head;
mod hooks;
mod past;
mod questions;
mod steering;
mod task;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::agent::TurnRole;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, AnswererChange, Usage};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::port::{Agent, Mono, Stop, Turn};
use frontdesk_store::StoreError;
use frontdesk_store::row::{ClaimedTurn, InboundRow, MinuteRow, Reason, Take};
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::activity::Activity;
use crate::flow::Flow;
use crate::lanes::NextRun;
use crate::running_turns::{ToolEvent, TurnInputs};
use crate::settings::Settings;
use crate::shared::Shared;
use answer::AnswerFiles;
use hooks::TurnHooks;
use questions::Questions;
use steering::Steering;
use task::TaskProgress;

/// Pause of a lane after a database error, or after an agent died.
const PAUSE: Duration = Duration::from_secs(1);

/// Pause of a lane whose turn could not begin because the machine ran short of resources.
const SHORTAGE: Duration = Duration::from_secs(5);

/// How a turn ended.
enum TurnEnd {
    Answered {
        text: String,
        end: AnswerEnd,
        by_hook: bool,
    },
    Refused(Refusal),
    /// The row was cancelled already, and the agent was stopped.
    Cancelled,
    /// The gateway stops: the turn is released for the next start.
    Drained,
    /// The machine runs short of resources: the turn begins later, and this attempt is not counted.
    NotBegun(Cause),
    /// The agent died: the turn runs again, unless a tool has run.
    Died(Cause),
    Failed(Failure, Cause),
}

impl From<AgentError> for TurnEnd {
    fn from(error: AgentError) -> TurnEnd {
        match error {
            AgentError::Died(cause) => TurnEnd::Died(cause),
            AgentError::Failed(cause) => TurnEnd::Failed(Failure::Agent, cause),
            AgentError::Unavailable(cause) => TurnEnd::Failed(Failure::Unavailable, cause),
            AgentError::Later(cause) => TurnEnd::NotBegun(cause),
        }
    }
}

/// What the agent is asked for.
enum AgentWork {
    Answer(Turn),
    Compact(Turn, Option<String>),
}

struct TurnRun<'r> {
    shared: &'r Arc<Shared>,
    /// The configuration as it was when the turn began.
    settings: Arc<Settings>,
    turn: &'r ClaimedTurn,
    /// The role in which it is answered.
    role: Option<Arc<TurnRole>>,
    flow: Flow,
    /// Files that follow the answer.
    files: AnswerFiles,
    /// Whether a tool was allowed to begin.
    acted: bool,
    questions: Questions,
    /// People whose messages the agent has taken into its answer.
    joined: Vec<Principal>,
    /// What the agent has reported last.
    usage: Option<Usage>,
    /// Set if another model or agent answers than before.
    answered_by: Option<AnswererChange>,
    hooks: TurnHooks,
    steering: Steering,
    /// How far the task is that it works on.
    progress: Option<TaskProgress>,
    /// Calls of the gateway's tools.
    tools: mpsc::UnboundedReceiver<ToolEvent>,
    /// Whether one of them has sent something to the chat.
    has_sent: Arc<AtomicBool>,
}

/// Runs the oldest waiting turn of a session: the work of a lane.
pub(crate) async fn run(shared: Arc<Shared>, session: SessionKey) -> NextRun {
    if shared.process.closing.is_cancelled() {
        return NextRun::Sleep;
    }
    match attempt(&shared, &session).await {
        Ok(next) => next,
        Err(StoreError::Invalid(detail)) => {
            tracing::error!(%session, detail, "a waiting message cannot be read; its session waits for the next one");
            NextRun::Sleep
        }
        Err(error) => {
            shared.health.note(Some(&error));
            NextRun::At(shared.time.mono() + PAUSE)
        }
    }
}

async fn attempt(shared: &Arc<Shared>, session: &SessionKey) -> Result<NextRun, StoreError> {
    if shared.adapters.get(session.account()).is_none() {
        // The account is not configured any more. Its messages wait until it is again.
        return Ok(NextRun::Sleep);
    }
    let settings = shared.settings();
    // What waits for an agent that is gone ends at once and together, so that one `/retry` takes all of it.
    let take = match settings.agents.contains_key(session.agent()) {
        true => Take::InMode(shared.queue_mode(&settings, session)),
        false => Take::All,
    };
    let now = shared.time.wall();
    let budgets = shared.budget_rule(&settings, now);
    let Some(turn) = shared.store.claim_turn_within(session, take, budgets, now).await? else {
        return Ok(NextRun::Sleep);
    };
    // After the claim: what a reload takes away is taken from every turn that it could not cancel.
    let settings = shared.settings();
    shared.work.marks.note_change();
    let started = shared.time.mono();
    let (id, of) = (turn.claim.id, turn.session.clone());
    shared.work.activity.note(shared.time.wall(), Activity::TurnBegan { turn: id, session: of.clone() });
    let role = shared.role_of(&settings, turn.chat(), turn.messages.iter().chain(&turn.replayed));
    let TurnInputs { stop, steers, tools, has_sent } = shared.work.running.begin(&turn, role.clone());
    let flow = Flow::new(shared, &settings, &turn, &stop);
    let (files, hooks) = (AnswerFiles::default(), TurnHooks::default());
    let (steering, questions) = (Steering::new(steers), Questions::default());
    let every = settings.config.tasks.progress_every();
    let progress = turn.task.as_ref().map(|task| TaskProgress::new(task.id, &task.title, every, started));
    let run = TurnRun {
        shared,
        settings,
        turn: &turn,
        role,
        flow,
        files,
        acted: false,
        questions,
        joined: Vec::new(),
        usage: None,
        answered_by: None,
        hooks,
        steering,
        progress,
        tools,
        has_sent,
    };
    let ended = run.run_to_end(&stop).await;
    shared.work.running.end(turn.claim.id);
    shared.work.asks.forget(turn.claim.id);
    if turn.task.is_some() {
        shared.work.tasks.note();
    }
    if turn.job.is_some() {
        shared.work.jobs.note();
    }
    let took = shared.time.mono().since(started);
    let seconds = took.as_secs_f64();
    metrics::histogram!("frontdesk_turn_seconds", "agent" => session.agent().to_owned()).record(seconds);
    let turn_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let measured = MinuteRow { turns: 1, turn_ms, turn_max_ms: turn_ms, ..MinuteRow::default() };
    shared.minutes.add(shared.time.wall(), &measured);
    shared.work.activity.note(shared.time.wall(), Activity::TurnEnded { turn: id, session: of, seconds });
    Ok(match ended? {
        Some(pause) => NextRun::At(pause),
        None if turn.more => NextRun::Again,
        None => NextRun::Sleep,
    })
}

impl TurnRun<'_> {
    /// Runs the turn to its end. Returns when the lane may continue, if not at once. The row is ended even after a panic:
    /// a turn that is left running in the database would block its session for ever.
    async fn run_to_end(mut self, stop: &Stop) -> Result<Option<Mono>, StoreError> {
        tracing::debug!(turn = %self.turn.claim.id, session = %self.turn.session, attempt = self.turn.attempt, "turn");
        let end = match AssertUnwindSafe(self.until_end(stop)).catch_unwind().await {
            Ok(end) => end,
            Err(_) => {
                self.flow.abandon();
                TurnEnd::Failed(Failure::Internal, "a panic".into())
            }
        };
        self.conclude(end).await
    }

    /// The notice about a refusal, if the sender gets one. `message` is the refused one; without it, the whole turn is.
    fn refusal_notice(&self, refusal: Refusal, message: Option<MessageId>) -> Option<Notice> {
        let over = &self.turn.over_budget;
        let over = over.iter().find(|(id, _)| message.is_none_or(|message| message == *id));
        match (refusal, over) {
            (Refusal::Budget, Some((_, budget))) => {
                Some(Notice::UsedUp { budget: *budget, at: self.shared.time.wall() })
            }
            _ => refusal.is_told().then_some(Notice::Refused(refusal)),
        }
    }

    /// Whether a budget for a message is used up.
    fn is_over_budget(&self, row: &InboundRow) -> bool {
        self.turn.over_budget.iter().any(|(id, _)| *id == row.id)
    }

    /// The agent of this name, and what keeps it running until the turn has ended.
    fn agent(&self, name: &str) -> Option<(Arc<dyn Agent>, TaskTrackerToken)> {
        loop {
            // Not the turn's snapshot: a reload may have replaced the agent since.
            let settings = self.shared.settings();
            let entry = settings.agents.get(name)?;
            if let Some(in_use) = entry.begin_turn() {
                return Some((entry.agent.clone(), in_use));
            }
        }
    }

    /// Whether somebody asks for it with `/compact`.
    fn is_compaction(&self) -> bool {
        self.turn.messages.iter().any(|row| row.reason == Some(Reason::Compacts))
    }

    /// What the agent is asked for, or the end of the turn without it.
    async fn work(&mut self, stop: &Stop) -> Result<AgentWork, TurnEnd> {
        match self.is_compaction() {
            true => self.compaction().await,
            false => self.head(stop).await.map(AgentWork::Answer),
        }
    }

    async fn until_end(&mut self, stop: &Stop) -> TurnEnd {
        let work = match self.work(stop).await {
            Ok(work) => work,
            Err(end) => return end,
        };
        let agent = self.turn.session.agent();
        let Some((agent, _in_use)) = self.agent(agent) else {
            let cause = Cause::plain(format!("there is no agent named {agent} in the configuration"));
            return TurnEnd::Failed(Failure::AgentGone, cause);
        };
        let end = match work {
            AgentWork::Answer(turn) => {
                let end = self.drive(agent.clone(), turn, stop).await;
                self.no_more_tools();
                self.end_steering(&agent, &end).await;
                end
            }
            AgentWork::Compact(turn, instructions) => {
                self.no_more_tools();
                self.compact(agent, turn, instructions, stop).await
            }
        };
        // An incomplete text is kept and shown too.
        self.flow.complete().await;
        if !matches!(end, TurnEnd::Drained) {
            self.flow.settled().await;
            self.progress_settled().await;
        }
        end
    }
}
