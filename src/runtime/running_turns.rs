//! How to reach the turns that run, to cancel them or to add a message, including those that were claimed and have not begun yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::agent::TurnRole;
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::ToolCall;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Sender;
use frontdesk_core::port::{Mono, Stop};
use frontdesk_store::row::{Claim, ClaimedTurn};
use tokio::sync::mpsc;

/// How long the cancellation of a turn that does not run here is kept: far longer than a claim takes to begin.
const KEPT: Duration = Duration::from_secs(60);

/// Maximum number of calls of the gateway's tools in one turn.
const CALLS: u64 = 500;
/// Maximum number of them that act. An agent that calls them in a loop must not flood its chat.
const ACTS: u64 = 50;

/// Maximum number of background tasks that one turn hands over.
const TASKS: u64 = 5;

/// A message that the agent is asked to take into a running turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SteerRequest {
    /// The message. It waits.
    pub(crate) message: MessageId,
    /// Whether it may overtake older messages that wait.
    pub(crate) overtakes: bool,
}

/// One entry per turn that runs.
#[derive(Default)]
pub(crate) struct RunningTurns(Mutex<HashMap<TurnId, Entry>>);

struct Entry {
    stop: Stop,
    /// How it was ended, if it did not end by itself.
    ending: Ending,
    /// `None` before it begins.
    turn: Option<Arc<RunningTurn>>,
    /// When the turn was cancelled before it began; `None` while it runs.
    cancelled_early: Option<Mono>,
}

/// A turn that runs, as others reach it.
pub(crate) struct RunningTurn {
    pub(crate) claim: Claim<TurnId>,
    pub(crate) session: SessionKey,
    /// The session whose chat it is for: its own, or of a task the one that has handed it over.
    pub(crate) chat: SessionKey,
    /// Where its answer goes.
    pub(crate) address: Address,
    /// Whose messages it answers.
    pub(crate) people: Vec<Sender>,
    /// The newest of these messages.
    pub(crate) newest: Option<MessageId>,
    /// The role in which they are answered.
    pub(crate) role: Option<Arc<TurnRole>>,
    steers: mpsc::UnboundedSender<SteerRequest>,
    tools: mpsc::UnboundedSender<ToolEvent>,
    /// How many tool calls it has made, and how many of them act.
    calls: AtomicU64,
    acts: AtomicU64,
    /// How many background tasks it has handed over.
    tasks: AtomicU64,
    /// Whether a tool has put something into the outbox.
    pub(crate) has_sent: Arc<AtomicBool>,
}

/// A call of one of the gateway's own tools.
pub(crate) enum ToolEvent {
    /// It wants to begin. `acts`: the turn must not run again by itself afterwards.
    Start { call: ToolCall, acts: bool },
    /// It has ended.
    End { id: String, name: String, result: String },
}

/// What reaches a turn that has begun.
pub(crate) struct TurnInputs {
    /// Cancelled when the turn is.
    pub(crate) stop: Stop,
    /// The messages that the agent is asked to take in.
    pub(crate) steers: mpsc::UnboundedReceiver<SteerRequest>,
    /// Calls of the gateway's tools.
    pub(crate) tools: mpsc::UnboundedReceiver<ToolEvent>,
    /// Whether one of them has sent something to the chat.
    pub(crate) has_sent: Arc<AtomicBool>,
}

impl RunningTurn {
    /// A turn as it was claimed, and what reaches it; `stop` cancels it.
    fn new(turn: &ClaimedTurn, role: Option<Arc<TurnRole>>, stop: Stop) -> (Self, TurnInputs) {
        let (steers, messages) = mpsc::unbounded_channel();
        let (tools, events) = mpsc::unbounded_channel();
        let people = turn.messages.iter().chain(&turn.replayed).map(|row| row.from.clone()).collect();
        let running = Self {
            claim: turn.claim,
            session: turn.session.clone(),
            chat: turn.chat().clone(),
            address: turn.address.clone(),
            people,
            newest: turn.messages.last().map(|row| row.id),
            role,
            steers,
            tools,
            calls: AtomicU64::new(0),
            acts: AtomicU64::new(0),
            tasks: AtomicU64::new(0),
            has_sent: Arc::default(),
        };
        let has_sent = running.has_sent.clone();
        (running, TurnInputs { stop, steers: messages, tools: events, has_sent })
    }

    /// A number for a tool call, unique in this attempt of the turn; `None` if the turn has made too many calls.
    pub(crate) fn next_call(&self, acts: bool) -> Option<u64> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let within = call < CALLS && (!acts || self.acts.fetch_add(1, Ordering::Relaxed) < ACTS);
        within.then_some(call)
    }

    /// Counts a background task that it hands over. `false` if that is one too many.
    pub(crate) fn may_hand_over(&self) -> bool {
        self.tasks.fetch_add(1, Ordering::Relaxed) < TASKS
    }

    /// Whether the role, if there is one, has a tool.
    pub(crate) fn has_tool(&self, name: &str) -> bool {
        self.role.as_ref().is_none_or(|role| role.gives.has_tool(name))
    }

    /// Passes an event on. One of a turn that has just ended is dropped, which denies a call.
    pub(crate) fn report(&self, event: ToolEvent) {
        drop(self.tools.send(event));
    }
}

impl RunningTurns {
    /// A turn begins. It may have been cancelled between its claim and now.
    pub(crate) fn begin(&self, turn: &ClaimedTurn, role: Option<Arc<TurnRole>>) -> TurnInputs {
        let mut entries = self.entries();
        let entry = entries.entry(turn.claim.id).or_insert_with(|| Entry {
            stop: Stop::new(),
            ending: Ending::Cancelled,
            turn: None,
            cancelled_early: None,
        });
        entry.cancelled_early = None;
        let (running, inputs) = RunningTurn::new(turn, role, entry.stop.clone());
        entry.turn = Some(Arc::new(running));
        inputs
    }

    /// The turn that runs in a session.
    pub(crate) fn of(&self, session: &SessionKey) -> Option<Arc<RunningTurn>> {
        let entries = self.entries();
        let mut running = entries.values().filter_map(|entry| entry.turn.as_ref());
        running.find(|turn| turn.session == *session).cloned()
    }

    /// Whether a turn runs in a chat, of whichever agent.
    pub(crate) fn is_any_in_chat(&self, session: &SessionKey) -> bool {
        let entries = self.entries();
        entries
            .values()
            .filter_map(|entry| entry.turn.as_ref())
            .any(|turn| turn.session.chat() == session.chat())
    }

    /// Asks the running turn of a session, if there is one, to take in a message that waits. What it does not take in
    /// goes on waiting.
    pub(crate) fn steer(&self, session: &SessionKey, request: SteerRequest) {
        if let Some(turn) = self.of(session)
            && turn.steers.send(request).is_err()
        {
            tracing::debug!(%session, message_id = %request.message, "the turn has just ended");
        }
    }

    /// A turn has ended.
    pub(crate) fn end(&self, turn: TurnId) {
        self.entries().remove(&turn);
    }

    /// A turn that was running in the database was ended there.
    pub(crate) fn cancel(&self, turn: TurnId, ending: Ending, now: Mono) {
        let mut entries = self.entries();
        let entry = entries.entry(turn).or_insert_with(|| Entry {
            stop: Stop::new(),
            ending,
            turn: None,
            cancelled_early: Some(now),
        });
        entry.ending = ending;
        entry.stop.cancel();
    }

    /// How a turn was ended that did not end by itself.
    pub(crate) fn ending(&self, turn: TurnId) -> Ending {
        self.entries().get(&turn).map_or(Ending::Cancelled, |entry| entry.ending)
    }

    /// Forgets cancellations of turns that had ended before.
    pub(crate) fn sweep(&self, now: Mono) {
        self.entries().retain(|_, entry| entry.cancelled_early.is_none_or(|since| now.since(since) < KEPT));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TurnId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontdesk_core::agent::{Origin, SessionOptions};

    fn begin(turns: &RunningTurns, turn: TurnId) -> Stop {
        let claimed = ClaimedTurn {
            claim: Claim { id: turn, fence: 1 },
            attempt: 1,
            deaths: 0,
            session: "agent:main:fake:dm:anna".parse().unwrap(),
            epoch: 1,
            agent_ref: None,
            origin: Origin::Message,
            options: SessionOptions::default(),
            restarts: 0,
            messages: Vec::new(),
            replayed: Vec::new(),
            context_messages: Vec::new(),
            address: "fake:anna".parse().unwrap(),
            reply_to: None,
            streamed: None,
            more: false,
            task: None,
            job: None,
            over_budget: Vec::new(),
        };
        turns.begin(&claimed, None).stop
    }

    #[test]
    fn a_turn_that_is_cancelled_before_it_begins_does_not_begin() {
        let turns = RunningTurns::default();
        turns.cancel(TurnId(1), Ending::Superseded, Mono::default());
        assert!(begin(&turns, TurnId(1)).is_cancelled());
        assert_eq!(turns.ending(TurnId(1)), Ending::Superseded);
        assert!(!begin(&turns, TurnId(2)).is_cancelled());
    }

    #[test]
    fn the_tool_calls_of_a_turn_are_bounded() {
        let turns = RunningTurns::default();
        begin(&turns, TurnId(1));
        let turn = turns.of(&"agent:main:fake:dm:anna".parse().unwrap()).unwrap();
        let acting = (0..CALLS).filter_map(|_| turn.next_call(true)).count();
        assert_eq!((acting as u64, turn.next_call(false)), (ACTS, None));
    }

    #[test]
    fn cancellations_of_ended_turns_are_forgotten_and_running_turns_are_kept() {
        let turns = RunningTurns::default();
        let stop = begin(&turns, TurnId(1));
        turns.cancel(TurnId(2), Ending::Cancelled, Mono::default());
        turns.sweep(Mono(KEPT));
        assert_eq!(turns.entries().len(), 1);
        turns.cancel(TurnId(1), Ending::Cancelled, Mono(KEPT));
        assert!(stop.is_cancelled());
        turns.end(TurnId(1));
        assert!(turns.entries().is_empty());
    }
}
