//! One turn: from the head of its lane to the transaction that ends it.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};

use frontdesk_core::access::{Action, Context, Decision};
use frontdesk_core::act::Ending;
use frontdesk_core::delta::{AgentError, Delta, ToolCall, Usage, Verdict as Word};
use frontdesk_core::hook::{Moment, Point, Verdict};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::markup::{self, Part};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::port::{Agent, Mono, Prompt, Stop, Turn};
use frontdesk_store::StoreError;
use frontdesk_store::row::{ClaimedTurn, Fenced, Finish, Take};
use futures_util::{FutureExt, StreamExt};

use crate::config::QueueMode;
use crate::flow::Flow;
use crate::house::House;
use crate::lanes::Next;

/// How long an agent is waited for after it was asked to end.
const ABORT: std::time::Duration = std::time::Duration::from_secs(2);
/// How long a lane waits after the database refused, or after an agent died.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// What an agent says when it has nothing to say, in a group.
const NO_REPLY: &str = "NO_REPLY";

/// How a turn came to its end.
enum End {
    Answered { text: String, usage: Option<Usage>, by_hook: bool },
    Refused(Refusal),
    /// The row was cancelled already; only the agent had to be told.
    Cancelled,
    /// The gateway stops: given back.
    Drained,
    /// The agent died: once more, if it had done nothing.
    Died(String),
    Failed(Failure, String),
}

/// Runs the oldest waiting turn of a session: the work of a lane.
pub(crate) async fn run(house: Arc<House>, session: SessionKey) -> Next {
    if house.closing.is_cancelled() {
        return Next::Sleep;
    }
    match attempt(&house, &session).await {
        Ok(next) => next,
        Err(error) => {
            house.note_storage(Some(&error));
            Next::At(house.clock.mono() + PAUSE)
        }
    }
}

async fn attempt(house: &Arc<House>, session: &SessionKey) -> Result<Next, StoreError> {
    let take = match house.config.queue.mode {
        QueueMode::Followup => Take::One,
        QueueMode::Collect => Take::All,
    };
    let Some(turn) = house.store.claim_turn(session, take, house.clock.wall()).await? else {
        return Ok(Next::Sleep);
    };
    let started = house.clock.mono();
    let stop = Stop::new();
    house.running.lock().unwrap_or_else(PoisonError::into_inner).insert(turn.id, stop.clone());
    let run = Run { house, turn: &turn, flow: Flow::new(house, &turn), acted: false };
    let ended = run.whole(&stop).await;
    house.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&turn.id);
    metrics::histogram!("frontdesk_turn_seconds", "agent" => session.agent().to_owned())
        .record(house.clock.mono().since(started).as_secs_f64());
    Ok(match ended? {
        Some(pause) => Next::At(pause),
        None if turn.more => Next::Again,
        None => Next::Sleep,
    })
}

/// The last write of a turn.
enum Last {
    /// None: `/stop` has written it.
    Nothing,
    Release,
    Requeue,
    Finish(Box<Finish>),
}

struct Run<'r> {
    house: &'r Arc<House>,
    turn: &'r ClaimedTurn,
    flow: Flow,
    /// Whether a tool was allowed to begin.
    acted: bool,
}

impl Run<'_> {
    /// From the claim to the end. Returns when the lane may go on, if not at once.
    async fn whole(mut self, stop: &Stop) -> Result<Option<Mono>, StoreError> {
        tracing::debug!(turn = %self.turn.id, session = %self.turn.session, attempt = self.turn.attempt, "turn");
        let end = match AssertUnwindSafe(self.until_end(stop)).catch_unwind().await {
            Ok(end) => end,
            Err(_) => End::Failed(Failure::Internal, "a panic".to_owned()),
        };
        self.flow.settled().await;
        let mut last = self.last(end).await;
        loop {
            let done = self.write(&last).await;
            self.house.note_storage(done.as_ref().err());
            match done {
                // The answer is in our hands: a database that is away for a moment must not cost it.
                Err(StoreError::Unavailable(_)) if !self.house.drain.is_cancelled() => {
                    self.house.clock.sleep_until(self.house.clock.mono() + PAUSE).await;
                }
                Err(StoreError::Invalid(detail)) if !matches!(last, Last::Finish(ref f) if f.parts.is_empty()) => {
                    tracing::error!(turn = %self.turn.id, detail, "an answer could not be stored");
                    last = self.last(End::Failed(Failure::Internal, detail)).await;
                }
                done => return done,
            }
        }
    }

    async fn until_end(&mut self, stop: &Stop) -> End {
        let prompt = match self.head().await {
            Ok(prompt) => prompt,
            Err(end) => return end,
        };
        let Some(agent) = self.house.agents.get(self.turn.session.agent()).map(|entry| entry.agent.clone()) else {
            let detail = format!("there is no agent named {} in the configuration", self.turn.session.agent());
            return End::Failed(Failure::Unavailable, detail);
        };
        self.drive(agent, prompt, stop).await
    }

    /// At the head of the lane: is it still wanted, and what do the hooks say?
    async fn head(&mut self) -> Result<Turn, End> {
        if let Some(refusal) = self.unwanted() {
            return Err(End::Refused(refusal));
        }
        let (house, turn) = (self.house, self.turn);
        let mut prompts = Vec::with_capacity(turn.messages.len());
        for row in &turn.messages {
            let mut text = row.text.clone();
            if house.hooks.any(Point::MessageReceived) {
                let moment = Moment::at(Point::MessageReceived, Some(&turn.session)).saying(&*text);
                let asked = house.hooks.ask(moment).await;
                match asked.end {
                    Some(Verdict::Drop(_)) => return Err(End::Refused(Refusal::Hook)),
                    Some(Verdict::Answer(text)) => {
                        return Err(End::Answered { text, usage: None, by_hook: true });
                    }
                    _ => {}
                }
                if asked.moment.text != text {
                    text = asked.moment.text;
                    let kept = house.store.rewrite(row.id, text.clone()).await;
                    kept.map_err(|error| End::Died(format!("a hook's rewriting was not stored: {error}")))?;
                }
            }
            prompts.push(Prompt {
                message: row.id,
                text,
                sender: row.sender.clone(),
                attachments: row.attachments.clone(),
                received: row.received,
            });
        }
        let context = match house.hooks.any(Point::BeforeAgentStart) {
            true => {
                let said = prompts.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>().join("\n");
                house.hooks.ask(Moment::at(Point::BeforeAgentStart, Some(&turn.session)).saying(said)).await.context
            }
            false => Vec::new(),
        };
        Ok(Turn {
            id: turn.id,
            attempt: turn.attempt,
            resumed: turn.attempt > 1,
            session: turn.session.clone(),
            epoch: turn.epoch,
            prompt: prompts,
            context,
        })
    }

    /// Whether its sender may still speak, and whether it has waited too long.
    fn unwanted(&self) -> Option<Refusal> {
        let (house, turn) = (self.house, self.turn);
        let key = &turn.session;
        let context = match key.scope() {
            Scope::Dm => Context::Dm,
            _ => Context::Group(key.id()),
        };
        let revoked = turn
            .messages
            .iter()
            .any(|row| house.authorize(&row.principal, context, Action::Speak) != Decision::Allow);
        if revoked {
            return Some(Refusal::Revoked);
        }
        let max_age = chrono::Duration::minutes(i64::try_from(house.config.queue.max_age_minutes?).ok()?);
        let oldest = turn.messages.iter().map(|row| row.received).min()?;
        (turn.attempt == 1 && house.clock.wall() - oldest > max_age).then_some(Refusal::TooOld)
    }

    /// Listens to the agent until it is done, or has been silent or busy for too long.
    async fn drive(&mut self, agent: Arc<dyn Agent>, turn: Turn, stop: &Stop) -> End {
        let house = self.house.clone();
        let clock = &house.clock;
        let hard = clock.mono() + house.config.turns.hard_limit();
        let mut heard = clock.mono();
        let mut stream = agent.turn(turn);
        let end = loop {
            let silent = heard + house.config.turns.progress_timeout();
            let due = hard.min(silent).min(self.flow.due().unwrap_or(hard));
            let flow_pending = self.flow.is_pending();
            tokio::select! {
                // The agent last: one that never pauses for breath must not keep the others from their turn.
                biased;
                () = stop.cancelled() => break End::Cancelled,
                () = house.drain.cancelled() => break End::Drained,
                () = clock.sleep_until(due) => match clock.mono() {
                    now if now >= hard => {
                        break End::Failed(Failure::TooLong, "the hard limit was reached".to_owned());
                    }
                    now if now >= silent => break End::Failed(Failure::Silent, "no sign of life".to_owned()),
                    _ => self.flow.step().await,
                },
                () = self.flow.step(), if flow_pending => {}
                delta = stream.next() => {
                    heard = clock.mono();
                    match delta {
                        Some(Ok(Delta::Done { text, usage })) => {
                            let text = self.flow.take(text);
                            return End::Answered { text, usage, by_hook: false };
                        }
                        Some(Ok(delta)) => self.heard(delta).await,
                        Some(Err(error)) => return failed(error),
                        None => return End::Died("it ended without an answer".to_owned()),
                    }
                }
            }
        };
        let deadline = clock.mono() + ABORT;
        tokio::select! {
            () = agent.abort(self.turn.id) => {}
            () = clock.sleep_until(deadline) => {}
        }
        end
    }

    async fn heard(&mut self, delta: Delta) {
        match delta {
            Delta::Text(text) => self.flow.add(text).await,
            Delta::ToolStart(call) => self.tool(call).await,
            Delta::ToolEnd { .. } => {
                self.house.hooks.tell(Moment::at(Point::AfterToolCall, Some(&self.turn.session)));
            }
            Delta::Progress | Delta::Done { .. } => {}
        }
    }

    /// A tool may begin when the hooks agree and the fact that it did is on disk.
    async fn tool(&mut self, call: ToolCall) {
        let ToolCall { name, params, permit, .. } = call;
        let mut moment = Moment::at(Point::BeforeToolCall, Some(&self.turn.session));
        moment.tool = Some(name);
        moment.params = params;
        let asked = self.house.hooks.ask(moment).await;
        let word = match asked.end {
            Some(Verdict::Drop(reason) | Verdict::Answer(reason)) => Word::Deny(reason),
            _ => match self.act().await {
                Ok(()) => Word::Allow(asked.moment.params),
                Err(reason) => Word::Deny(reason),
            },
        };
        permit.give(word);
    }

    /// Puts on disk that the turn is about to act (T2b), once; the reason why it may not, if so.
    async fn act(&mut self) -> Result<(), String> {
        if self.acted {
            return Ok(());
        }
        let (id, fence, now) = (self.turn.id, self.turn.fence, self.house.clock.wall());
        match self.house.store.side_effect(id, fence, self.flow.text().to_owned(), now).await {
            Ok(Fenced::Done(())) => {
                self.acted = true;
                Ok(())
            }
            Ok(Fenced::Stale) => Err("the turn was cancelled".to_owned()),
            Err(error) => {
                self.house.note_storage(Some(&error));
                Err("it could not be recorded".to_owned())
            }
        }
    }

    /// What ends the turn.
    async fn last(&mut self, end: End) -> Last {
        match end {
            End::Cancelled => Last::Nothing,
            End::Drained => Last::Release,
            End::Died(detail) if !self.acted && self.turn.deaths + 1 < self.house.config.turns.max_attempts => {
                tracing::warn!(turn = %self.turn.id, session = %self.turn.session, detail, "the agent died; once more");
                Last::Requeue
            }
            end => Last::Finish(Box::new(self.finish(end).await)),
        }
    }

    /// Ends the turn in one transaction, or gives it back. Returns when the lane may go on, if not at once.
    async fn write(&mut self, last: &Last) -> Result<Option<Mono>, StoreError> {
        let (id, fence) = (self.turn.id, self.turn.fence);
        match last {
            Last::Nothing => self.flow.end(Ending::Cancelled, None).await,
            Last::Release => {
                self.house.store.release(id, fence).await?;
            }
            Last::Requeue => {
                self.house.store.requeue(id, fence).await?;
                return Ok(Some(self.house.clock.mono() + PAUSE));
            }
            Last::Finish(finish) => match self.house.store.finish((**finish).clone()).await? {
                Fenced::Done(_) => {
                    metrics::counter!("frontdesk_turns_total", "ending" => finish.ending.name()).increment(1);
                    self.flow.end(finish.ending, finish.usage.clone()).await;
                    let mut moment = Moment::at(Point::AgentEnd, Some(&self.turn.session));
                    moment.usage.clone_from(&finish.usage);
                    self.house.hooks.tell(moment);
                }
                // Cancelled while the agent was saying its last words.
                Fenced::Stale => self.flow.end(Ending::Cancelled, None).await,
            },
        }
        Ok(None)
    }

    /// What the last transaction writes.
    async fn finish(&mut self, end: End) -> Finish {
        let mut finish = Finish {
            turn: self.turn.id,
            fence: self.turn.fence,
            ending: Ending::Dead,
            answer: None,
            parts: Vec::new(),
            error: None,
            notice: None,
            usage: None,
            by_hook: false,
            now: self.house.clock.wall(),
        };
        match end {
            End::Answered { text, usage, by_hook } => {
                finish.ending = Ending::Answered;
                finish.parts = self.parts(&text).await;
                finish.answer = Some(text);
                finish.usage = usage;
                finish.by_hook = by_hook;
            }
            End::Refused(refusal) => {
                finish.ending = Ending::Refused;
                finish.error = Some(refusal.name().to_owned());
                // Somebody who was shut out is not told so.
                let silent = matches!(refusal, Refusal::Revoked | Refusal::Hook);
                finish.notice = (!silent).then_some(Notice::Refused(refusal));
            }
            End::Died(detail) => self.dead(&mut finish, Failure::Crashed, &detail),
            End::Failed(failure, detail) => self.dead(&mut finish, failure, &detail),
            // These end elsewhere; should they come here, the person is told rather than left waiting.
            End::Cancelled | End::Drained => self.dead(&mut finish, Failure::Internal, "stopped"),
        }
        finish
    }

    fn dead(&self, finish: &mut Finish, failure: Failure, detail: &str) {
        let (turn, session) = (self.turn.id, &self.turn.session);
        let (channel, name) = (session.channel(), failure.name());
        if failure == Failure::Agent {
            // The agent's own words may quote what it was asked: they are not for the log at this level.
            tracing::warn!(%turn, %session, channel, failure = name, "a turn failed");
            tracing::debug!(%turn, detail, "what the agent said of it");
        } else {
            tracing::warn!(%turn, %session, channel, failure = name, detail, "a turn failed");
        }
        finish.error = Some(failure.name().to_owned());
        finish.answer = (!self.flow.text().is_empty()).then(|| self.flow.text().to_owned());
        finish.notice = Some(match failure {
            Failure::Crashed if self.acted => Notice::Interrupted { so_far: self.flow.text().to_owned() },
            _ => Notice::Failed(failure),
        });
    }

    /// The answer as the chat's platform takes it; a hook has the last word, before the split.
    async fn parts(&mut self, text: &str) -> Vec<Part> {
        let mut text = text.to_owned();
        if self.house.hooks.any(Point::MessageSending) {
            let moment = Moment::at(Point::MessageSending, Some(&self.turn.session)).saying(text);
            let asked = self.house.hooks.ask(moment).await;
            if matches!(asked.end, Some(Verdict::Drop(_))) {
                return Vec::new();
            }
            text = asked.moment.text;
        }
        let private = self.turn.session.scope() == Scope::Dm;
        if !private && text.trim() == NO_REPLY {
            return Vec::new();
        }
        if text.trim().is_empty() {
            "(The agent had nothing to say.)".clone_into(&mut text);
        }
        match self.house.adapters.at(&self.turn.address) {
            Some(connection) => markup::render(&text, connection.adapter.profile()),
            None => vec![Part { key: 0, body: text.clone(), plain: text }],
        }
    }
}

fn failed(error: AgentError) -> End {
    match error {
        AgentError::Died(detail) => End::Died(detail),
        AgentError::Failed(detail) => End::Failed(Failure::Agent, detail),
        AgentError::Unavailable(detail) => End::Failed(Failure::Unavailable, detail),
    }
}
