//! Questions of a turn to people.

use frontdesk_core::address::Principal;
use frontdesk_core::ask::{AgentQuestion, AskEnd, AskReply, Audience, Question};
use frontdesk_core::id::AskId;
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_store::StoreError;
use frontdesk_store::row::{AskOpened, EndedAsk, Fenced, NewAsk};
use tokio::sync::mpsc;

use super::TurnRun;

/// The questions of one attempt.
#[derive(Default)]
pub(super) struct Questions {
    /// How many were asked.
    asked: u32,
    /// The open ones, with the agent that waits for each.
    open: Vec<(AskId, AskReply)>,
    /// The ends of this turn's questions, once it has asked one.
    ended: Option<mpsc::UnboundedReceiver<EndedAsk>>,
}

impl Questions {
    /// Whether the agent waits for a person.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Waits for the end of a question.
    pub(super) async fn next_end(&mut self) -> EndedAsk {
        let ended = match &mut self.ended {
            Some(ended) => ended.recv().await,
            None => None,
        };
        match ended {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Whether the agent has asked anything in this attempt.
    pub(super) fn has_asked(&self) -> bool {
        self.asked > 0
    }

    /// Tells the agent how a question has ended.
    pub(super) fn settle(&mut self, ended: EndedAsk) {
        if let Some(at) = self.open.iter().position(|(id, _)| *id == ended.id) {
            self.open.swap_remove(at).1.ended(ended.end);
        }
    }
}

impl TurnRun<'_> {
    /// Asks a question of the agent, unless an earlier attempt has asked it already.
    pub(super) async fn ask(&mut self, asked: AgentQuestion) {
        let AgentQuestion { question, reply } = asked;
        let question = match question.completed() {
            Ok(question) => question,
            Err(error) => return reply.refused(error.to_string()),
        };
        let authors = self.authors();
        if question.audience.is_none() && authors.is_empty() {
            return reply.refused("no person takes part in this turn");
        }
        if let Some(why) = self.unreachable() {
            let (turn, session) = (self.turn.claim.id, &self.turn.session);
            tracing::warn!(%turn, %session, why, "a question is not asked; its default applies");
            return reply.ended(AskEnd::Expired { default: question.default_answer() });
        }
        self.open(question, Audience::People(authors), reply).await;
    }

    async fn open(&mut self, question: Question, audience: Audience, reply: AskReply) {
        let (claim, asks) = (self.turn.claim, &self.shared.work.asks);
        self.questions.ended.get_or_insert_with(|| asks.follow(claim.id));
        let new = NewAsk { ordinal: self.questions.asked, question, audience };
        self.questions.asked += 1;
        match self.shared.store.ask_opened(claim, new, self.shared.time.now()).await {
            Ok(Fenced::Done(AskOpened::Open(id))) => {
                asks.note_change();
                self.questions.open.push((id, reply));
            }
            Ok(Fenced::Done(AskOpened::Ended(end))) => reply.ended(end),
            Ok(Fenced::Done(AskOpened::TooMany)) => {
                reply.refused("too many questions are open; wait for an answer first");
            }
            Ok(Fenced::Stale) => reply.refused("the turn was cancelled"),
            Err(error) => {
                self.shared.health.note(Some(&error));
                tracing::warn!(turn = %claim.id, %error, "a question could not be stored");
                reply.refused("the question could not be stored");
            }
        }
    }

    /// The agent has taken in a message of somebody: they may answer as well, also the questions that are open.
    pub(super) async fn joins(&mut self, from: &Sender) -> Result<(), StoreError> {
        let before = self.authors();
        if from.kind != SenderKind::Person || before.contains(&from.id) {
            return Ok(());
        }
        self.joined.push(from.id.clone());
        if !self.questions.has_asked() {
            return Ok(());
        }
        let (before, now) = (Audience::People(before), Audience::People(self.authors()));
        self.shared.store.asks_widened(self.turn.claim, before, now).await.map(drop)
    }

    /// The people whose messages this turn answers.
    fn authors(&self) -> Vec<Principal> {
        let people = self.turn.messages.iter().filter(|message| message.from.kind == SenderKind::Person);
        let people = people.map(|message| &message.from.id).chain(&self.joined);
        let mut authors: Vec<Principal> = people.cloned().collect();
        authors.sort();
        authors.dedup();
        authors
    }

    /// Why the chat cannot be asked anything.
    fn unreachable(&self) -> Option<&'static str> {
        let (shared, session) = (self.shared, self.turn.chat());
        if self.turn.task.as_ref().is_some_and(|task| !task.delivers) {
            return Some("nothing is sent for this task");
        }
        if self.turn.job.as_ref().is_some_and(|job| !job.delivers) {
            return Some("nothing is sent for this job");
        }
        if shared.adapters.at(&self.turn.address).is_none() {
            return Some("the channel is not configured");
        }
        let muted = shared.access.is_muted(session.account(), session.id(), shared.time.now().steady);
        muted.then_some("the chat is muted")
    }
}
