//! Socket Mode: envelopes in, acknowledgements out, and the change from one socket to the next.
//!
//! One socket is read at a time. When Slack warns that it will close it, a second one is opened, and both are read until
//! the first is closed, so that nothing is missed in between.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::message::Outcome;
use frontdesk_core::port::{AdapterError, Inbox};
use frontdesk_kit::timer::Timer;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::api::Api;
use crate::config::Settings;
use crate::error::Fault;
use crate::inbound::{self, App, Payload};

/// The longest frame, in bytes. Slack's events are far smaller.
const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// What one person alone is told when a command has had no effect.
const NOT_TAKEN: &str = "This command was not taken here.";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A frame of Slack's. Its payload is kept as it arrived.
#[derive(Deserialize)]
struct Frame<'f> {
    #[serde(rename = "type", default)]
    kind: String,
    envelope_id: Option<String>,
    reason: Option<String>,
    #[serde(borrow)]
    payload: Option<&'f RawValue>,
}

/// One connection of the supervisor: at most two sockets.
pub(crate) struct Connection<'a> {
    pub api: &'a Arc<Api>,
    pub settings: &'a Settings,
    pub timer: Timer,
    pub app: &'a App,
    pub inbox: &'a dyn Inbox,
}

/// What a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Nothing,
    /// Another socket, because this one will be closed.
    Another,
    /// Socket Mode was switched off.
    Off,
}

impl Connection<'_> {
    /// Receives until the connection ends.
    pub(crate) async fn run(&self) -> Result<(), AdapterError> {
        let mut current = self.dial().await?;
        let mut next: Option<Socket> = None;
        // Sentences for single people are sent beside the reading.
        let mut sentences = JoinSet::new();
        let patience = Duration::from_secs(self.settings.patience_seconds);
        loop {
            let from_current = tokio::select! {
                frame = current.next() => (true, frame),
                frame = async { match &mut next { Some(socket) => socket.next().await, None => std::future::pending().await } } => (false, frame),
                () = self.timer.pause(patience) => return Err(AdapterError::Lost(format!("no sign of life for {patience:?}"))),
                Some(_) = sentences.join_next() => continue,
            };
            let (is_current, frame) = from_current;
            let frame = match frame {
                Some(Ok(frame)) => frame,
                // The old socket has been closed, as Slack said.
                _ if is_current && next.is_some() => {
                    if let Some(socket) = next.take() {
                        current = socket;
                    }
                    continue;
                }
                _ if !is_current => {
                    next = None;
                    continue;
                }
                Some(Err(error)) => return Err(AdapterError::Lost(self.api.clean(&error.to_string()))),
                None => return Err(AdapterError::Lost("Slack has closed the socket".to_owned())),
            };
            self.inbox.heard(&self.app.source());
            let Message::Text(text) = frame else { continue };
            let socket = match (&mut next, is_current) {
                (Some(socket), false) => socket,
                _ => &mut current,
            };
            match self.frame(&text, socket, &mut sentences).await? {
                Next::Nothing => {}
                Next::Off => {
                    let off = "Socket Mode was switched off on the app's page; switch it on again";
                    return Err(AdapterError::Setup(off.to_owned()));
                }
                Next::Another if is_current && next.is_none() => next = Some(self.dial().await?),
                Next::Another => {}
            }
        }
    }

    async fn dial(&self) -> Result<Socket, AdapterError> {
        let url = self.api.open_socket().await.map_err(Fault::for_connection)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_FRAME))
            .max_frame_size(Some(LONGEST_FRAME));
        let dial = tokio_tungstenite::connect_async_with_config(url, Some(config), true);
        let connect = Duration::from_secs(self.settings.connect_seconds);
        tokio::select! {
            // The error may repeat the address, whose ticket is a secret until it is used.
            dialed = dial => dialed.map(|(socket, _)| socket).map_err(|_| AdapterError::Lost("the socket cannot be opened".to_owned())),
            () = self.timer.pause(connect) => Err(AdapterError::Lost("the socket cannot be opened in time".to_owned())),
        }
    }

    /// Handles a text frame: pushes what an envelope brings, and acknowledges it when it is committed.
    async fn frame(
        &self,
        text: &str,
        socket: &mut Socket,
        sentences: &mut JoinSet<()>,
    ) -> Result<Next, AdapterError> {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            tracing::debug!("a frame of Slack's cannot be read");
            return Ok(Next::Nothing);
        };
        if frame.kind == "disconnect" {
            let reason = frame.reason.unwrap_or_default();
            tracing::debug!(reason, "Slack will close a socket");
            return Ok(if reason == "link_disabled" { Next::Off } else { Next::Another });
        }
        let (Some(id), Some(payload)) = (frame.envelope_id, frame.payload) else { return Ok(Next::Nothing) };
        let raw = payload.get();
        let payload = match frame.kind.as_str() {
            "events_api" => Payload::Event(raw),
            "slash_commands" => Payload::Command(raw),
            // What is of a new kind becomes a dead letter.
            _ => Payload::Interaction(raw),
        };
        let teams = inbound::teams(raw);
        if !teams.is_empty() && !teams.contains(&self.app.team) {
            // One app has the same sockets in all workspaces. Whoever serves the other one gets it when it comes again.
            tracing::warn!(
                "an event of another workspace came to this account; give each workspace an app of its own"
            );
            return Ok(Next::Nothing);
        }
        let event =
            inbound::parse(self.app, payload).map_err(|error| AdapterError::Setup(error.to_string()))?;
        let outcome = match self.inbox.push(&self.app.source(), vec![event], None).await {
            Ok(outcomes) => outcomes.into_iter().next(),
            Err(busy) => {
                tracing::debug!(%busy, "an event was not stored and will come again");
                return Ok(Next::Nothing);
            }
        };
        let acknowledgement = acknowledgement(&id, payload, outcome.as_ref());
        let sent = socket.send(Message::text(acknowledgement.to_string())).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "an acknowledgement could not be sent, and the event will come again");
        }
        if let (Payload::Interaction(_), Some(sentence)) =
            (payload, outcome.and_then(|outcome| outcome.private_sentence()))
        {
            self.say_to_one(raw, sentence, sentences);
        }
        Ok(Next::Nothing)
    }

    /// Tells a sentence to the person who has pressed a button, and to nobody else.
    fn say_to_one(&self, raw: &str, sentence: String, sentences: &mut JoinSet<()>) {
        let payload: Value = serde_json::from_str(raw).unwrap_or_default();
        let Some(url) = payload["response_url"].as_str().map(str::to_owned) else { return };
        let api = self.api.clone();
        sentences.spawn(async move {
            let body = json!({"response_type": "ephemeral", "replace_original": false, "text": crate::markup::literal(&sentence)});
            if let Err(fault) = api.respond(&url, &body).await {
                tracing::debug!(%fault, "the person who pressed a button was not told what came of it");
            }
        });
    }
}

/// The acknowledgement of an envelope. That of a command carries a sentence for the person if nothing else will answer.
fn acknowledgement(id: &str, payload: Payload<'_>, outcome: Option<&Outcome>) -> Value {
    let sentence = match (payload, outcome) {
        (Payload::Command(_), Some(Outcome::Denied | Outcome::Ignored | Outcome::DeadLetter)) => {
            Some(NOT_TAKEN.to_owned())
        }
        (Payload::Command(_), Some(outcome)) => outcome.private_sentence(),
        _ => None,
    };
    match sentence {
        Some(text) => json!({"envelope_id": id, "payload": {"text": crate::markup::literal(&text)}}),
        None => json!({"envelope_id": id}),
    }
}
