//! Messages that are no answers: of operators and programs, and of an agent's tools.

use std::path::Path;

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::address::Address;
use frontdesk_core::hook::HookText;
use frontdesk_core::id::{ChatMessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::FileKind;
use frontdesk_core::profile::Profile;
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Author, Claim, Fenced, OutboxRow, OutgoingFile, OutgoingMessage, Withheld};
use serde_json::Value;

use crate::error::GatewayError;
use crate::media::{self, MediaError};
use crate::shared::Shared;

/// A message to send.
pub(crate) struct NewMessage<'m> {
    pub(crate) to: &'m Address,
    /// The session that readers of the channel see it in, where it has one.
    pub(crate) session: Option<SessionKey>,
    pub(crate) text: &'m str,
    /// A file beneath the media root, and how it is to be shown if its name does not say that.
    pub(crate) media: Option<(&'m Path, Option<FileKind>)>,
    /// Whether the text goes beneath the file, if there is one, and not before it.
    pub(crate) captions: bool,
    /// The same for every repetition of one request.
    pub(crate) key: String,
    pub(crate) author: Author,
    /// Whether it is sent in quiet hours too.
    pub(crate) urgent: bool,
    /// The message in the platform's own form, which the text stands for.
    pub(crate) native: Option<&'m Value>,
    /// The turn that sends it.
    pub(crate) turn: Option<InTurn>,
}

/// The turn that sends a message: nothing is stored once that has ended.
pub(crate) struct InTurn {
    pub(crate) claim: Claim<TurnId>,
    /// The message of its conversation that it replies to.
    pub(crate) reply_to: Option<ChatMessageId>,
}

/// Stores a text, and a file, to be sent. An unknown channel or account is an error. If hooks keep the text from being
/// sent, the only row says so.
pub(crate) async fn send(shared: &Shared, message: NewMessage<'_>) -> Result<Vec<OutboxRow>, GatewayError> {
    let NewMessage { to, session, text, media, captions, key, author, urgent, native, turn } = message;
    let Some(connection) = shared.adapters.at(to) else {
        let unknown = NoSuchChannel::new(to.account(), shared.adapters.ids());
        return Err(GatewayError::Invalid(unknown.to_string()));
    };
    let adapter = connection.adapter();
    let profile = adapter.profile();
    if profile.render(text).is_empty() && media.is_none() {
        return Err(GatewayError::Invalid("there is nothing to send: the text is empty".to_owned()));
    }
    let native = native.map(|given| own_form(profile, given)).transpose()?;
    let (channel, message) = (to.channel().to_owned(), text.to_owned());
    let unseen = HookText { session: session.clone(), message, channel, piece: false, choices: Vec::new() };
    let (parts, files, now) = (Vec::new(), Vec::new(), shared.time.wall());
    let outgoing = OutgoingMessage { address: to.clone(), session, parts, media: files, key, author, now };
    let text = match seen(shared, unseen).await {
        Ok(text) => text,
        Err(withheld) => return Ok(shared.store.send_withheld(outgoing, withheld).await?),
    };
    let captions = captions && media.is_some();
    let media = match media {
        Some((path, asked)) => {
            let invalid = |error: MediaError| GatewayError::Invalid(error.to_string());
            media::check_kind(path, asked).map_err(invalid)?;
            let adopted =
                shared.media.adopt(path, captions.then_some(&*text), profile).await.map_err(invalid)?;
            vec![OutgoingFile { kind: asked.unwrap_or(adopted.kind), ..adopted }]
        }
        None => Vec::new(),
    };
    let parts = if captions { Vec::new() } else { profile.render(&text) };
    if native.is_some() && (parts.len() > 1 || !media.is_empty()) {
        let problem = "a message with blocks has no file, and a text that is short enough for one message";
        return Err(GatewayError::Invalid(problem.to_owned()));
    }
    let outgoing = OutgoingMessage { parts, media, ..outgoing };
    stored(shared, outgoing, native, urgent, turn).await
}

/// Stores a message as what it is.
async fn stored(
    shared: &Shared,
    outgoing: OutgoingMessage,
    native: Option<Value>,
    urgent: bool,
    turn: Option<InTurn>,
) -> Result<Vec<OutboxRow>, GatewayError> {
    if let (None, Some(native)) = (&turn, native) {
        return Ok(shared.store.send_native(outgoing, native, urgent).await?);
    }
    match turn {
        None if urgent => Ok(shared.store.send_urgent(outgoing).await?),
        None => Ok(shared.store.send(outgoing).await?),
        Some(InTurn { claim, reply_to }) => match shared.store.send_in_turn(claim, outgoing, reply_to).await?
        {
            Fenced::Done(Ok(rows)) => Ok(rows),
            Fenced::Done(Err(refused)) => Err(GatewayError::Invalid(refused.to_string())),
            Fenced::Stale => {
                Err(GatewayError::Invalid("the answer has ended, so this is not sent".to_owned()))
            }
        },
    }
}

/// A message in the platform's own form, as it is sent.
fn own_form(profile: &Profile, given: &Value) -> Result<Value, GatewayError> {
    let Some(form) = profile.native else {
        return Err(GatewayError::Invalid(format!("{} has no blocks; send the text alone", profile.channel)));
    };
    form(given).map_err(GatewayError::Invalid)
}

/// What is sent of a text. A file may have none.
async fn seen(shared: &Shared, text: HookText) -> Result<String, Withheld> {
    if !is_visible(&text.message) {
        return Ok(text.message);
    }
    let before = text.message.clone();
    let seen = shared.hooks.sending(text).await?;
    match is_visible(&seen) {
        true => Ok(seen),
        false => Err(Withheld { text: before, failed: false, error: "hooks left nothing of it".to_owned() }),
    }
}
