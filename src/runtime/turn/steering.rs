//! Messages that the agent is asked to take into the turn that runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::access::Action;
use frontdesk_core::agent::STEER_TIMEOUT;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::{Refusal, Sender};
use frontdesk_core::port::{Agent, Mono, Prompt};
use frontdesk_store::StoreError;
use frontdesk_store::row::Fenced;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use super::head::prompt_of;
use super::{TurnEnd, TurnRun};
use crate::running_turns::SteerRequest;
use crate::time::Time;

/// The messages that wait for the agent's decision. It is asked about one at a time.
pub(super) struct Steering {
    wanted: mpsc::UnboundedReceiver<SteerRequest>,
    /// The message that the agent was asked to take.
    asked: Option<Asked>,
    /// The messages that it was asked to take and about which it did not decide in time. They wait for their own turn,
    /// unless the agent takes them after all.
    late: FuturesUnordered<BoxFuture<'static, (TakenMessage, Option<String>)>>,
}

struct Asked {
    message: MessageId,
    from: Sender,
    decision: Decision,
    /// When the sender is told that the message is answered next.
    due: Mono,
}

/// A message that the agent was asked to take, and its sender.
type TakenMessage = (MessageId, Sender);

/// The text that the agent has taken, or `None` if it has not.
type Decision = BoxFuture<'static, Option<String>>;

/// What is next.
pub(super) enum Steer {
    /// Somebody wants the agent to take in a message.
    Wanted(SteerRequest),
    /// The agent has decided whether it takes the message.
    Decided(TakenMessage, Option<String>),
    /// The agent has not decided in time.
    Overdue(MessageId),
    /// The agent has decided about a message that waits for its own turn meanwhile.
    DecidedLate(TakenMessage, Option<String>),
}

impl Steering {
    pub(super) fn new(wanted: mpsc::UnboundedReceiver<SteerRequest>) -> Self {
        Self { wanted, asked: None, late: FuturesUnordered::new() }
    }

    /// Waits for what is next. Cancel-safe.
    pub(super) async fn next(&mut self, time: &Time) -> Steer {
        let Self { wanted, asked, late } = self;
        let next = async {
            match asked {
                Some(Asked { message, from, decision, due }) => tokio::select! {
                    biased;
                    text = decision => Steer::Decided((*message, from.clone()), text),
                    () = time.sleep_until(*due) => Steer::Overdue(*message),
                },
                None => match wanted.recv().await {
                    Some(request) => Steer::Wanted(request),
                    None => std::future::pending().await,
                },
            }
        };
        let event = tokio::select! {
            Some((message, text)) = late.next() => Steer::DecidedLate(message, text),
            event = next => event,
        };
        match event {
            Steer::Decided(..) => self.asked = None,
            Steer::Overdue(_) => {
                let asked = self.asked.take().map(|Asked { message, from, decision, .. }| {
                    decision.map(move |text| ((message, from), text))
                });
                self.late.extend(asked.map(FutureExt::boxed));
            }
            Steer::Wanted(_) | Steer::DecidedLate(..) => {}
        }
        event
    }
}

impl TurnRun<'_> {
    pub(super) async fn steer(&mut self, agent: &Arc<dyn Agent>, event: Steer) {
        let handled = match event {
            Steer::Wanted(request) => self.ask_to_take(agent, request).await,
            Steer::Decided(message, Some(text)) => self.taken(message, text).await,
            Steer::Decided((message, _), None) | Steer::Overdue(message) => self.follows_up(message).await,
            Steer::DecidedLate(message, Some(text)) => self.taken_late(message, text).await,
            Steer::DecidedLate(_, None) => Ok(()),
        };
        self.shared.health.note(handled.as_ref().err());
        if let Err(error) = handled {
            tracing::warn!(turn = %self.turn.claim.id, %error, "a message for a running turn could not be stored");
        }
    }

    /// The agent's last decisions. A message that it has not taken when its answer is complete is answered next.
    pub(super) async fn end_steering(&mut self, agent: &Arc<dyn Agent>, end: &TurnEnd) {
        if !matches!(end, TurnEnd::Answered { .. } | TurnEnd::Failed(..)) {
            // A turn that runs again has the message among its prompts; one that was stopped takes it along.
            if let Some(Asked { message, decision, .. }) = self.steering.asked.take()
                && let Some(text) = decision.now_or_never().flatten()
            {
                self.include(message, text);
            }
            return;
        }
        while let Some(Some((message, text))) = self.steering.late.next().now_or_never() {
            self.steer(agent, Steer::DecidedLate(message, text)).await;
        }
        if let Some(Asked { message, from, decision, .. }) = self.steering.asked.take() {
            self.steer(agent, Steer::Decided((message, from), decision.now_or_never().flatten())).await;
        }
    }

    /// The agent has taken a message: the answer is about it too, and its sender is asked too.
    async fn taken(&mut self, (message, from): TakenMessage, text: String) -> Result<(), StoreError> {
        self.include(message, text);
        self.joins(&from).await
    }

    fn include(&mut self, message: MessageId, text: String) {
        self.flow.include(message);
        self.hooks.prompt(text);
    }

    /// The agent has taken a message that waits for its own turn: the message is bound to this one again, so that it is
    /// answered once.
    async fn taken_late(&mut self, message: TakenMessage, text: String) -> Result<(), StoreError> {
        match self.shared.store.steered(self.turn.claim, message.0, self.shared.time.wall()).await? {
            Fenced::Done(_) => self.taken(message, text).await,
            Fenced::Stale => Ok(()),
        }
    }

    /// Binds a waiting message to this turn and asks the agent to take it in.
    async fn ask_to_take(&mut self, agent: &Arc<dyn Agent>, request: SteerRequest) -> Result<(), StoreError> {
        let (shared, claim) = (self.shared, self.turn.claim);
        let SteerRequest { message, overtakes } = request;
        let Fenced::Done(others_wait) = shared.store.steered(claim, message, shared.time.wall()).await?
        else {
            // It was stopped, or this turn was; or it belongs to a conversation that began after this turn.
            return Ok(());
        };
        if !agent.capabilities().steer || (others_wait && !overtakes) {
            return self.follows_up(message).await;
        }
        let Some(row) = shared.store.message(message).await?.map(|row| row.message) else { return Ok(()) };
        if !row.attachments.is_empty() {
            // Its files are fetched at the head of a turn.
            return self.follows_up(message).await;
        }
        let text = match shared.still_may(&self.settings, &row, Action::Write) {
            true => self.received(&row).await,
            false => Err(TurnEnd::Refused(Refusal::Revoked)),
        };
        match text {
            Ok(text) => {
                let decision = decision(agent.clone(), claim.id, prompt_of(&row, text, None));
                let due = shared.time.mono() + STEER_TIMEOUT;
                self.steering.asked = Some(Asked { message, from: row.from, decision, due });
            }
            Err(TurnEnd::Refused(refusal)) => {
                // If the turn was cancelled meanwhile, its next step finds that too.
                if let Err(TurnEnd::Died(cause)) = self.refuse(&row, refusal).await {
                    let detail = cause.for_log();
                    tracing::warn!(turn = %claim.id, detail, "a message for a running turn was not refused");
                }
            }
            // A hook wants to answer: it is asked again in the message's own turn.
            Err(_) => self.follows_up(message).await?,
        }
        Ok(())
    }

    /// The message waits for its own turn, and its sender is told.
    async fn follows_up(&mut self, message: MessageId) -> Result<(), StoreError> {
        let shared = self.shared;
        if let Fenced::Done(()) = shared.store.unsteered(self.turn.claim, message, shared.time.now()).await? {
            shared.work.turns.wake(&self.turn.session);
        }
        Ok(())
    }
}

/// Asks the agent. An error and a panic mean that it has not taken the message.
fn decision(agent: Arc<dyn Agent>, turn: TurnId, prompt: Prompt) -> Decision {
    async move {
        match AssertUnwindSafe(agent.steer(turn, &prompt)).catch_unwind().await {
            Ok(Ok(taken)) => taken.then_some(prompt.text),
            Ok(Err(error)) => {
                tracing::debug!(%turn, %error, "an agent could not take a message into its answer");
                None
            }
            Err(_) => {
                tracing::error!(%turn, "an agent panicked over a message for its answer");
                None
            }
        }
    }
    .boxed()
}
