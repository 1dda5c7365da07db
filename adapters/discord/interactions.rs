//! Interactions: acknowledged once their events are stored, and answered later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::CHANNEL;
use crate::error::{Fault, code};
use crate::inbound::{Interaction, InteractionKind};
use crate::reference::Readers;
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
    /// The messages that only one person sees, with the tokens by which they can be changed.
    hidden: Mutex<HashMap<String, String>>,
    /// The tokens of responses that may still show "thinking" although their turns have ended.
    ended: Mutex<Vec<String>>,
    application: OnceCell<String>,
}

impl Interactions {
    fn hidden(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, Vec<String>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
                deferred(interaction.readers == Readers::Sender)
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
        match respond(rest, id, token, &deferred(false)).await {
            Err(fault) if fault.is(&[code::ACKNOWLEDGED]) => {}
            Err(fault) if is_refused(&fault) => return Ok(None),
            acknowledged => acknowledged?,
        }
        unless_refused(self.replace(rest, token, body).await)
    }

    /// The same for the person alone. Whether others see an answer is decided with "thinking": where they see that, it is
    /// deleted, and the answer is another message.
    pub(crate) async fn answer_for_one(
        &self,
        rest: &Rest,
        (id, token): (&str, &str),
        body: &Value,
    ) -> Result<Option<String>, Fault> {
        // Once more if "thinking" has come between the first two requests.
        for _ in 0..2 {
            match self.is_hidden(rest, token).await {
                Ok(true) => return unless_refused(self.replace(rest, token, body).await),
                Ok(false) => {
                    self.delete(rest, token).await?;
                    return self.go_on_for_one(rest, token, body).await;
                }
                Err(fault) if is_refused(&fault) => {}
                Err(fault) => return Err(fault),
            }
            match respond(rest, id, token, &deferred(true)).await {
                Ok(()) => return unless_refused(self.replace(rest, token, body).await),
                Err(fault) if fault.is(&[code::ACKNOWLEDGED]) => {}
                Err(fault) if is_refused(&fault) => return Ok(None),
                Err(fault) => return Err(fault),
            }
        }
        // An earlier attempt has deleted it.
        self.go_on_for_one(rest, token, body).await
    }

    /// One more message for the person alone; returns its id. `None` as in [`Self::answer`].
    pub(crate) async fn go_on_for_one(
        &self,
        rest: &Rest,
        token: &str,
        body: &Value,
    ) -> Result<Option<String>, Fault> {
        let application = self.application(rest).await?;
        let mut body = body.clone();
        body["flags"] = json!(body["flags"].as_u64().unwrap_or_default() | ONLY_FOR_ONE);
        let request = Request::new("execute_webhook", Method::POST, &["webhooks", application, token]);
        match rest.json(&request, &body).await {
            Ok(made) => {
                self.note_hidden(&made, token);
                rest::id_of(&made).map(Some)
            }
            Err(fault) => unless_refused(Err(fault)),
        }
    }

    /// Edits a message that only one person sees. `None` if it is none of those that this process has sent: everything else
    /// is edited in its channel. Once it cannot be changed any more, it stays as it is.
    pub(crate) async fn edit(&self, rest: &Rest, message: &str, body: &Value) -> Option<Result<(), Fault>> {
        let token = self.hidden().get(message).cloned()?;
        let edit = async {
            let application = self.application(rest).await?;
            let path = ["webhooks", application, &token, "messages", message];
            rest.json(&Request::new("update_webhook_message", Method::PATCH, &path), body).await
        };
        Some(unless_refused(edit.await.map(drop)).map(drop))
    }

    /// Whether only one person sees the first response.
    async fn is_hidden(&self, rest: &Rest, token: &str) -> Result<bool, Fault> {
        #[derive(Deserialize)]
        struct Original {
            #[serde(default)]
            flags: u64,
        }
        let application = self.application(rest).await?;
        let path = ["webhooks", application, token, "messages", "@original"];
        let request = Request::new("get_original_webhook_message", Method::GET, &path);
        let original: Original = rest.query(&request).await?;
        Ok(original.flags & ONLY_FOR_ONE != 0)
    }

    /// Remembers a message if only one person sees it.
    fn note_hidden(&self, message: &RawValue, token: &str) {
        let Some(fields) = Fields::of(message.get(), "") else { return };
        let is_hidden = fields.maybe::<u64>("flags").is_some_and(|flags| flags & ONLY_FOR_ONE != 0);
        if let Some(id) = fields.maybe::<String>("id").filter(|_| is_hidden) {
            let mut hidden = self.hidden();
            if hidden.len() >= OPEN {
                hidden.clear();
            }
            hidden.insert(id, token.to_owned());
        }
    }

    /// Replaces "thinking" with the answer; returns the id of the message. A repeated attempt replaces the text again.
    async fn replace(&self, rest: &Rest, token: &str, body: &Value) -> Result<String, Fault> {
        let application = self.application(rest).await?;
        let path = ["webhooks", application, token, "messages", "@original"];
        let request = Request::new("update_original_webhook_message", Method::PATCH, &path);
        let answer = rest.json(&request, body).await?;
        self.open().retain(|_, open| open != token);
        self.ended().retain(|ended| ended != token);
        self.note_hidden(&answer, token);
        rest::id_of(&answer)
    }

    /// The turn of these messages has ended: responses that still show "thinking" are deleted.
    pub(crate) async fn end(&self, rest: &Rest, messages: &[MessageId]) -> Result<(), Fault> {
        let tokens: Vec<String> = messages.iter().filter_map(|message| self.open().remove(message)).collect();
        {
            let mut ended = self.ended();
            ended.extend(tokens);
            let surplus = ended.len().saturating_sub(OPEN);
            ended.drain(..surplus);
        }
        self.delete_ended(rest).await
    }

    /// Whether a response may still show "thinking" although its turn has ended.
    pub(crate) fn has_ended(&self) -> bool {
        !self.ended().is_empty()
    }

    /// Deletes the responses that still show "thinking" although their turns have ended. Those that cannot be deleted now are
    /// left for the next call.
    pub(crate) async fn delete_ended(&self, rest: &Rest) -> Result<(), Fault> {
        let tokens = self.ended().clone();
        let mut result = Ok(());
        for token in tokens {
            let deleted = self.delete(rest, &token).await;
            if deleted.as_ref().err().is_none_or(is_refused) {
                self.ended().retain(|ended| *ended != token);
            }
            result = result.and(deleted);
        }
        result
    }

    /// Deletes "thinking".
    async fn delete(&self, rest: &Rest, token: &str) -> Result<(), Fault> {
        self.open().retain(|_, open| open != token);
        let application = self.application(rest).await?;
        let path = ["webhooks", application, token, "messages", "@original"];
        let request = Request::new("delete_original_webhook_message", Method::DELETE, &path);
        rest.ask(&request).await.map(drop)
    }
}

/// The response that shows "thinking".
fn deferred(for_one: bool) -> Value {
    match for_one {
        true => json!({"type": DEFERRED, "data": {"flags": ONLY_FOR_ONE}}),
        false => json!({"type": DEFERRED}),
    }
}

/// `None` if Discord has refused it.
fn unless_refused<T>(done: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match done {
        Err(fault) if is_refused(&fault) => Ok(None),
        done => done.map(Some),
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
