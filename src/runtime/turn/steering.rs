//! Messages that the agent is asked to take into the turn that runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::access::Action;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::Refusal;
use frontdesk_core::port::{Agent, Prompt};
use frontdesk_store::StoreError;
use frontdesk_store::row::Fenced;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::head::prompt_of;
use super::{TurnEnd, TurnRun};

/// The messages that wait for the agent's decision, one at a time.
pub(super) struct Steering {
    wanted: mpsc::UnboundedReceiver<MessageId>,
    /// The message that the agent was asked to take, and its decision.
    asked: Option<(MessageId, Decision)>,
}

/// The text that the agent has taken, or `None` if it has not.
type Decision = BoxFuture<'static, Option<String>>;

/// What is next.
pub(super) enum Steer {
    /// Somebody wants the agent to take in a message.
    Wanted(MessageId),
    /// The agent has decided whether it takes the message.
    Decided(MessageId, Option<String>),
}

impl Steering {
    pub(super) fn new(wanted: mpsc::UnboundedReceiver<MessageId>) -> Self {
        Self { wanted, asked: None }
    }

    /// Waits for what is next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Steer {
        if let Some((message, decision)) = &mut self.asked {
            let decided = Steer::Decided(*message, decision.await);
            self.asked = None;
            return decided;
        }
        match self.wanted.recv().await {
            Some(message) => Steer::Wanted(message),
            None => std::future::pending().await,
        }
    }
}

impl TurnRun<'_> {
    pub(super) async fn steer(&mut self, agent: &Arc<dyn Agent>, event: Steer) {
        let handled = match event {
            Steer::Wanted(message) => self.ask_to_take(agent, message).await,
            Steer::Decided(message, Some(text)) => {
                self.taken(message, text);
                Ok(())
            }
            Steer::Decided(message, None) => self.follows_up(message).await,
        };
        self.shared.health.note(handled.as_ref().err());
        if let Err(error) = handled {
            tracing::warn!(turn = %self.turn.claim.id, %error, "a message for a running turn could not be stored");
        }
    }

    /// The agent's last decision. A message that it has not taken when its answer is complete is answered next.
    pub(super) async fn end_steering(&mut self, end: &TurnEnd) {
        let Some((message, decision)) = self.steering.asked.take() else { return };
        match (decision.now_or_never().flatten(), end) {
            (Some(text), _) => self.taken(message, text),
            (None, TurnEnd::Answered { .. } | TurnEnd::Failed(..)) => {
                let stored = self.follows_up(message).await;
                self.shared.health.note(stored.as_ref().err());
            }
            // A turn that runs again has the message among its prompts; one that was stopped takes it along.
            (None, _) => {}
        }
    }

    /// The agent has taken a message: the answer is about it too.
    fn taken(&mut self, message: MessageId, text: String) {
        self.flow.include(message);
        self.hooks.prompt(text);
    }

    /// Binds a waiting message to this turn and asks the agent to take it in.
    async fn ask_to_take(&mut self, agent: &Arc<dyn Agent>, message: MessageId) -> Result<(), StoreError> {
        let (shared, claim) = (self.shared, self.turn.claim);
        if let Fenced::Stale = shared.store.steered(claim, message).await? {
            // It was stopped, or this turn was.
            return Ok(());
        }
        if !agent.capabilities().steer {
            return self.follows_up(message).await;
        }
        let Some(row) = shared.store.message(message).await?.map(|row| row.message) else { return Ok(()) };
        let text = match shared.still_may(&self.settings, &row, Action::Write) {
            true => self.received(&row).await,
            false => Err(TurnEnd::Refused(Refusal::Revoked)),
        };
        match text {
            Ok(text) => {
                let decision = decision(agent.clone(), claim.id, prompt_of(&row, text, None));
                self.steering.asked = Some((message, decision));
            }
            Err(TurnEnd::Refused(refusal)) => {
                // If the turn was cancelled meanwhile, its next step finds that too.
                if let Err(TurnEnd::Died(detail)) = self.refuse(&row, refusal).await {
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
        if let Fenced::Done(()) = shared.store.unsteered(self.turn.claim, message, shared.time.wall()).await?
        {
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
