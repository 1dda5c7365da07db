//! Questions to people, for the API and the command line.

use frontdesk_core::access::Action;
use frontdesk_core::ask::{Answerer, AskError, AskView, OPERATOR};
use frontdesk_core::id::AskId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::{Answering, AskFilter, GivenAnswer, Standing};

use super::{GatewayError, GatewayHandle};

impl GatewayHandle {
    /// The open questions of a session, or of all, the oldest first.
    pub async fn asks(&self, session: Option<&SessionKey>) -> Result<Vec<AskView>, GatewayError> {
        let asks = self.0.store.open_asks(session).await?;
        Ok(asks.into_iter().map(|ask| self.on_calendar(ask)).collect())
    }

    /// Open and ended questions, the newest first.
    pub async fn all_asks(&self, filter: AskFilter, limit: u32) -> Result<Vec<AskView>, GatewayError> {
        let asks = self.0.store.asks(filter, limit).await?;
        Ok(asks.into_iter().map(|ask| self.on_calendar(ask)).collect())
    }

    /// One question, open or not.
    pub async fn ask(&self, id: AskId) -> Result<AskView, GatewayError> {
        let ask = self.0.store.ask(id).await?;
        let ask = ask.ok_or(AskError::NoSuchAsk(id))?;
        Ok(self.on_calendar(ask))
    }

    /// A question with its deadline by the calendar that people see: it is stored in steady time.
    fn on_calendar(&self, ask: AskView) -> AskView {
        match ask.end {
            None => AskView { deadline: self.0.time.on_calendar(ask.deadline), ..ask },
            Some(_) => ask,
        }
    }

    /// Answers a question. An operator may answer any question, everybody else only those that name them, as long as they
    /// may write in its chat. Returns the question after its end.
    pub async fn answer_ask(
        &self,
        id: AskId,
        by: Answerer,
        operator: bool,
        answer: impl Into<GivenAnswer>,
    ) -> Result<AskView, GatewayError> {
        let ask = self.ask(id).await?;
        let by = match operator && !ask.names(&by.id) {
            true => Answerer { name: by.name.or_else(|| Some(OPERATOR.to_owned())), ..by },
            false => by,
        };
        let session = ask.session;
        let may = |action| self.0.person_may(&self.0.settings(), &session, &by.id, action);
        let standing = match operator {
            true => Standing::Operator,
            false if may(Action::Administer) => Standing::Admin,
            false => Standing::Person,
        };
        let place = may(Action::Write).then(|| session.clone());
        let answering = Answering { ask: id, given: answer.into(), by, standing, place, under: None };
        let shared = self.0.clone();
        self.to_its_end(async move {
            let answered = shared.store.ask_answered(answering, shared.time.now()).await??;
            shared.answered(&answered);
            Ok(())
        })
        .await?;
        self.ask(id).await
    }
}
