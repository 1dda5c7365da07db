//! Reads the agent's deltas until it is done.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delta::{Delta, ToolCall, ToolDecision};
use frontdesk_core::port::{Agent, Stop, Turn};
use frontdesk_core::progress::Progress;
use frontdesk_core::terminal;
use frontdesk_store::row::Fenced;
use futures_util::StreamExt;

use super::answer::AnswerFiles;
use super::clocks::TurnClocks;
use super::task::{TaskProgress, shown};
use super::{TurnEnd, TurnRun};
use crate::config::priced;
use crate::running_turns::ToolEvent;

/// Maximum size of an agent's own name for a conversation, in bytes.
const AGENT_REF: usize = 4096;

/// Maximum time that an agent gets to end after it was asked to.
const ABORT: Duration = Duration::from_secs(2);

impl TurnRun<'_> {
    /// Reads the agent's deltas until it is done, silent for too long, or over the time limit.
    pub(super) async fn drive(&mut self, agent: Arc<dyn Agent>, mut turn: Turn, stop: &Stop) -> TurnEnd {
        let shared = self.shared.clone();
        let clock = &shared.time;
        turn.options = turn.options.held_by(&agent.capabilities(), turn.role.as_deref());
        let turns = &self.settings.config.turns;
        // Nobody waits for a task or a job in the chat, so its agent may work in silence.
        let background = self.turn.job.as_ref().map(|_| self.settings.config.tasks.limit());
        let (limit, silence) = match self.turn.task.as_ref().map(|task| task.limit).or(background) {
            Some(limit) => (limit, limit),
            None => (turns.hard_limit(), turns.progress_timeout()),
        };
        let mut clocks = TurnClocks::start(clock.mono(), limit, silence);
        let mut stream = agent.turn(turn);
        let end = loop {
            clocks.rest(self.questions.is_open(), clock.mono());
            let progress = self.progress.as_ref().and_then(TaskProgress::due);
            let due = [clocks.due(), self.flow.due(), progress].into_iter().flatten().min();
            let flow_pending = self.flow.is_pending();
            tokio::select! {
                // The agent comes last: one that sends without a pause must not starve the others.
                biased;
                () = stop.cancelled() => break TurnEnd::Cancelled,
                // The turn is released at once; dropping the stream ends the agent.
                () = shared.process.drain.cancelled() => return TurnEnd::Drained,
                () = clock.sleep_until(due.unwrap_or_default()), if due.is_some() => match clocks.exceeded(clock.mono()) {
                    Some((failure, why)) => break TurnEnd::Failed(failure, why.into()),
                    None => {
                        self.flow.step().await;
                        self.show_progress(stop).await;
                    }
                },
                Some(pause) = shown(&mut self.progress) => self.progress_paused(pause),
                ended = self.questions.next_end() => self.questions.settle(ended),
                () = self.flow.step(), if flow_pending => {}
                event = self.steering.next(clock) => self.steer(&agent, event).await,
                Some(event) = self.tools.recv() => {
                    clocks.heard(clock.mono());
                    self.own_tool(event).await;
                }
                delta = stream.next() => {
                    clocks.heard(clock.mono());
                    match delta {
                        Some(Ok(Delta::Done { text, end })) => {
                            self.flow.complete().await;
                            let (text, end) = self.flow.take(text, end);
                            return TurnEnd::Answered { text, end, by_hook: false };
                        }
                        Some(Ok(delta)) => self.handle_delta(delta).await,
                        Some(Err(error)) => return error.into(),
                        None => return TurnEnd::Died("it ended without an answer".into()),
                    }
                }
            }
        };
        let ended = async {
            while stream.next().await.is_some() {
                // An agent that sends without a pause must not outlast the wait.
                tokio::task::yield_now().await;
            }
        };
        self.no_more_tools();
        self.abort(&*agent, ended).await;
        end
    }

    /// Denies calls of the gateway's tools from now on.
    pub(super) fn no_more_tools(&mut self) {
        self.tools.close();
        while self.tools.try_recv().is_ok() {}
    }

    /// Asks the agent to end its work, and waits for that for at most [`ABORT`]. An agent that ends by itself can go on
    /// living; one that does not is ended when its work is dropped. What it still reports is discarded.
    pub(super) async fn abort(&mut self, agent: &dyn Agent, ended: impl Future<Output = ()>) {
        let shared = self.shared;
        let (turn, deadline) = (self.turn.claim.id, shared.time.mono() + ABORT);
        let abort = async {
            tokio::select! {
                ((), ()) = async { tokio::join!(agent.abort(turn), ended) } => {}
                () = shared.time.sleep_until(deadline) => {}
                () = shared.process.drain.cancelled() => {}
            }
        };
        // The final text waits for the request under way, so both are awaited concurrently.
        tokio::join!(abort, self.flow.settled());
    }

    async fn handle_delta(&mut self, delta: Delta) {
        match delta {
            Delta::Text(text) => self.flow.add(text).await,
            Delta::Media { path, caption } => {
                self.files.add(path, caption.map(|caption| terminal::plain(&caption).into_owned()));
            }
            Delta::ToolStart(call) => {
                self.progressed(Progress::of_call(&call.name, &call.params)).await;
                self.tool(call, true).await;
            }
            Delta::Ask(question) => self.ask(question).await,
            Delta::ToolEnd { id, name, result, .. } => {
                self.flow.tell(Progress::default()).await;
                self.after_tool(&id, name, result).await;
            }
            Delta::Restart => self.restart().await,
            Delta::Session(agent_ref) => self.agent_ref(agent_ref).await,
            Delta::Compacting => self.compacting(),
            Delta::Compacted(compacted) => self.compacted(compacted, true).await,
            Delta::Usage(usage) => self.usage = Some(priced(&self.settings.config.prices, usage)),
            // What has happened must not happen twice, and no person is asked the same twice.
            Delta::TakeOver(question) => question.decide(!self.acted && !self.questions.has_asked()),
            Delta::AnsweredBy(change) => self.answered_by = Some(change),
            Delta::Step(progress) => self.progressed(progress).await,
            Delta::Progress | Delta::Done { .. } => {}
        }
    }

    /// The agent begins its answer again. What it has shown until now is replaced.
    async fn restart(&mut self) {
        self.files = AnswerFiles::default();
        let restarted = self.shared.store.restarted(self.turn.claim).await;
        self.shared.health.note(restarted.as_ref().err());
        self.flow.restart().await;
    }

    /// Stores the agent's own name for the conversation.
    async fn agent_ref(&mut self, agent_ref: String) {
        let turn = self.turn.claim.id;
        if agent_ref.len() > AGENT_REF {
            tracing::warn!(%turn, bytes = agent_ref.len(), "an agent's name for a conversation is too long");
            return;
        }
        let stored = self.shared.store.agent_ref(self.turn.claim, agent_ref).await;
        self.shared.health.note(stored.as_ref().err());
        if let Err(error) = stored {
            tracing::warn!(%turn, %error, "an agent's name for a conversation was not stored");
        }
    }

    /// A call of one of the gateway's own tools.
    async fn own_tool(&mut self, event: ToolEvent) {
        match event {
            ToolEvent::Start { call, acts } => {
                self.progressed(Progress::of_call(&call.name, &call.params)).await;
                self.tool(call, acts).await;
            }
            ToolEvent::End { id, name, result } => {
                self.flow.tell(Progress::default()).await;
                self.after_tool(&id, name, result).await;
            }
        }
    }

    /// Allows a tool to begin once the hooks have approved it and, if it acts, the database records that.
    async fn tool(&mut self, mut call: ToolCall, acts: bool) {
        let decision = match self.before_tool(&mut call).await {
            Err(reason) => ToolDecision::Deny(reason),
            Ok(params) if !acts => ToolDecision::Allow(params),
            Ok(params) => match self.act().await {
                Ok(()) => ToolDecision::Allow(params),
                Err(reason) => ToolDecision::Deny(reason),
            },
        };
        call.approval.decide(decision);
    }

    /// Stores once that the turn is about to act (T2b). The error is the reason why it may not.
    async fn act(&mut self) -> Result<(), String> {
        if self.acted {
            return Ok(());
        }
        let so_far = self.kept(self.flow.text().to_owned()).await;
        let (claim, now) = (self.turn.claim, self.shared.time.wall());
        match self.shared.store.side_effect(claim, so_far, now).await {
            Ok(Fenced::Done(())) => {
                self.acted = true;
                Ok(())
            }
            Ok(Fenced::Stale) => Err("the turn was cancelled".to_owned()),
            Err(error) => {
                self.shared.health.note(Some(&error));
                Err("it could not be recorded".to_owned())
            }
        }
    }
}
