//! Questions that an agent leaves in its chat: it does not wait for the answer.

use frontdesk_core::address::Principal;
use frontdesk_core::ask::{AskChoice, AskKind, Audience, ChoiceStyle, Question};
use frontdesk_core::id::ChatMessageId;
use frontdesk_core::message::SenderKind;
use frontdesk_store::row::{AfterAnswer, Fenced, OfferedQuestion};

use super::Caller;
use super::own_chat::bounded;
use crate::error::GatewayError;

/// The choice that confirms.
const CONFIRM: &str = "confirm";

impl Caller<'_> {
    /// Sends a message with choices. The one that a person makes is their next message to the agent.
    pub(super) async fn send_choices(
        &self,
        text: &str,
        labels: Vec<String>,
        reply_to: Option<ChatMessageId>,
    ) -> Result<String, GatewayError> {
        let choice = |(n, label): (usize, String)| AskChoice {
            id: (n + 1).to_string(),
            label,
            style: ChoiceStyle::Plain,
        };
        let choices = labels.into_iter().enumerate().map(choice).collect();
        let question = question(AskKind::Choice, bounded(text)?.into_owned(), choices);
        self.leave(question, AfterAnswer::Input, reply_to).await
    }

    /// Asks the admins of a private chat to confirm a command, which then runs in the name of the one who does.
    pub(super) async fn ask_admin(
        &self,
        text: &str,
        (label, command): (&str, &str),
    ) -> Result<String, GatewayError> {
        let choice = |id: &str, label: &str, style| AskChoice { id: id.into(), label: label.into(), style };
        let choices =
            vec![choice(CONFIRM, label, ChoiceStyle::Danger), choice("cancel", "Cancel", ChoiceStyle::Plain)];
        let then = AfterAnswer::Command { confirm: CONFIRM.to_owned(), command: command.to_owned() };
        self.leave(question(AskKind::Confirm, text.to_owned(), choices), then, None).await?;
        Ok("The admin has been asked to confirm this. It happens if they do.".to_owned())
    }

    async fn leave(
        &self,
        question: Question,
        then: AfterAnswer,
        reply_to: Option<ChatMessageId>,
    ) -> Result<String, GatewayError> {
        let question = question.completed().map_err(|error| GatewayError::Invalid(error.to_string()))?;
        let people = self.people();
        if people.is_empty() {
            return Err(GatewayError::Invalid("no person takes part in this answer".to_owned()));
        }
        let (audience, author) = (Audience::People(people), self.author());
        let offered = OfferedQuestion { question, audience, then, reply_to, author };
        let now = self.shared.time.now();
        match self.shared.store.question_offered(self.turn.claim, offered, now).await? {
            Fenced::Stale => {
                Err(GatewayError::Invalid("the answer has ended, so this is not sent".to_owned()))
            }
            Fenced::Done(Err(refused)) => Err(GatewayError::Invalid(refused.to_string())),
            Fenced::Done(Ok(out)) => Ok(self.on_its_way(std::iter::once(out))),
        }
    }

    /// The people whose messages the turn answers.
    fn people(&self) -> Vec<Principal> {
        let people = self.turn.people.iter().filter(|sender| sender.kind == SenderKind::Person);
        let mut people: Vec<Principal> = people.map(|sender| sender.id.clone()).collect();
        people.sort();
        people.dedup();
        people
    }
}

fn question(kind: AskKind, text: String, choices: Vec<AskChoice>) -> Question {
    Question { kind, text, choices, audience: None, deadline: None, default: None }
}
