//! Interactions: acknowledged once their events are stored, and answered later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::CHANNEL;
use crate::error::{Fault, code};
use crate::inbound::{Interaction, InteractionKind};
use crate::rest::{self, Request, Rest};

/// Callback types (Discord's documentation, Interaction Callback Type).
const MESSAGE: u8 = 4;
const DEFERRED: u8 = 5;
/// The flag of a message that only one person sees.
const ONLY_FOR_ONE: u64 = 64;
/// Number of open interactions from which old ones are forgotten. They end by themselves after a quarter of an hour.
const OPEN: usize = 4096;

/// The reply to a command or a button that has had no effect.
const NOT_TAKEN: &str = "This was not passed on.";

/// The interactions that show "thinking", by the messages that their answers belong to. Lost with a restart: then Discord
/// ends them by itself.
#[derive(Debug, Default)]
pub(crate) struct Interactions {
    open: Mutex<HashMap<MessageId, String>>,
    application: OnceCell<String>,
}

impl Interactions {
    fn open(&self) -> MutexGuard<'_, HashMap<MessageId, String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The application's id, which may differ from that of its bot user. The first call also checks whether Discord sends the
    /// commands to the gateway at all.
    pub(crate) async fn application(&self, rest: &Rest) -> Result<&str, Fault> {
        #[derive(Deserialize)]
        struct Application {
            id: String,
            interactions_endpoint_url: Option<String>,
        }
        let ask = || async {
            let request = Request::new("get_my_application", Method::GET, &["applications", "@me"]);
            let application = rest.query::<Application>(&request).await?;
            if let Some(url) = application.interactions_endpoint_url.filter(|url| !url.is_empty()) {
                tracing::warn!(
                    channel = CHANNEL,
                    url,
                    "Discord sends this bot's commands and buttons to a web server instead of the gateway: in the developer portal, General Information, remove the Interactions Endpoint URL"
                );
            }
            Ok(application.id)
        };
        self.application.get_or_try_init(ask).await.map(String::as_str)
    }

    /// Tells Discord, and the person, what became of an interaction. A failure is only logged: Discord says itself that a
    /// command was not answered, and the answer comes as a message.
    pub(crate) async fn acknowledge(&self, rest: &Rest, interaction: &Interaction, outcome: &Outcome) {
        let body = match outcome {
            Outcome::Accepted { message, .. } | Outcome::Duplicate { message, .. }
                if interaction.kind != InteractionKind::Other =>
            {
                let mut open = self.open();
                if open.len() >= OPEN {
                    open.clear();
                }
                open.insert(*message, interaction.token.clone());
                json!({"type": DEFERRED})
            }
            other => {
                let text = other.private_sentence().unwrap_or_else(|| NOT_TAKEN.to_owned());
                let data = json!({"content": text, "flags": ONLY_FOR_ONE, "allowed_mentions": {"parse": []}});
                json!({"type": MESSAGE, "data": data})
            }
        };
        if let Err(fault) = respond(rest, &interaction.id, &interaction.token, &body).await {
            tracing::debug!(channel = CHANNEL, %fault, "an interaction was not acknowledged");
        }
    }

    /// Gives the answer to an interaction; returns the id of the message. `None` if it cannot be answered any more: the answer
    /// has to be a message of the channel then, and no later attempt finds that different. After a restart the answer may
    /// come before the acknowledgement, so it acknowledges the interaction itself where that is missing.
    pub(crate) async fn answer(
        &self,
        rest: &Rest,
        (id, token): (&str, &str),
        body: &Value,
    ) -> Result<Option<String>, Fault> {
        match self.replace(rest, token, body).await {
            Err(fault) if is_refused(&fault) => {}
            answered => return answered.map(Some),
        }
        match respond(rest, id, token, &json!({"type": DEFERRED})).await {
            Err(fault) if fault.is(&[code::ACKNOWLEDGED]) => {}
            Err(fault) if is_refused(&fault) => return Ok(None),
            acknowledged => acknowledged?,
        }
        match self.replace(rest, token, body).await {
            Err(fault) if is_refused(&fault) => Ok(None),
            answered => answered.map(Some),
        }
    }

    /// Replaces "thinking" with the answer; returns the id of the message. A repeated attempt replaces the text again.
    async fn replace(&self, rest: &Rest, token: &str, body: &Value) -> Result<String, Fault> {
        let application = self.application(rest).await?;
        let path = ["webhooks", application, token, "messages", "@original"];
        let request = Request::new("update_original_webhook_message", Method::PATCH, &path);
        let answer = rest.json(&request, body).await?;
        self.open().retain(|_, open| open != token);
        rest::id_of(&answer)
    }

    /// The turn of these messages has ended: responses that still show "thinking" are deleted.
    pub(crate) async fn end(&self, rest: &Rest, messages: &[MessageId]) -> Result<(), Fault> {
        let tokens: Vec<String> = messages.iter().filter_map(|message| self.open().remove(message)).collect();
        for token in tokens {
            let application = self.application(rest).await?;
            let path = ["webhooks", application, &token, "messages", "@original"];
            let request = Request::new("delete_original_webhook_message", Method::DELETE, &path);
            rest.ask(&request).await?;
        }
        Ok(())
    }
}

/// The first response to an interaction. Discord takes it within three seconds.
async fn respond(rest: &Rest, id: &str, token: &str, body: &Value) -> Result<(), Fault> {
    let path = ["interactions", id, token, "callback"];
    let request = Request::new("create_interaction_response", Method::POST, &path);
    rest.json(&request, body).await.map(drop)
}

fn is_refused(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused(refusal) if (400..500).contains(&refusal.status))
}
