//! Converts interactions (commands and pressed buttons) to events.

use frontdesk_core::message::{EventKind, FirstLine};
use frontdesk_kit::json::{FieldError, Fields};

use super::places::parent;
use super::{Bot, Dispatch, ParsedDispatch, conversation, person};
use crate::reference::{Readers, Reference};

/// Types of interactions.
const COMMAND: u64 = 2;
const COMPONENT: u64 = 3;
/// Types of options that contain others.
const GROUPS: [u64; 2] = [1, 2];
/// The type of buttons.
const BUTTON: u64 = 2;

/// Commands whose answers concern only their sender: nobody else in a channel sees them.
const FOR_ONE: [&str; 4] = ["gateway", "whoami", "link", "usage"];

/// An interaction that must be answered within three seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interaction {
    /// Its id.
    pub id: String,
    /// Its token. Whoever has it can answer.
    pub token: String,
    /// The kind of the interaction.
    pub kind: InteractionKind,
    /// Who reads its answer.
    pub readers: Readers,
}

/// The kind of an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InteractionKind {
    /// Sent a command.
    Command,
    /// Pressed a button.
    Button,
    /// Something that this adapter offers nowhere.
    Other,
}

/// The event of an interaction.
pub(super) fn event(
    bot: &Bot,
    dispatch: Dispatch<'_>,
    data: &Fields<'_>,
) -> Result<ParsedDispatch, FieldError> {
    let (id, token): (String, String) = (data.need("id")?, data.need("token")?);
    let member: Option<Fields<'_>> = data.get("member")?;
    let user: Fields<'_> = match &member {
        Some(member) => member.need("user")?,
        None => data.need("user")?,
    };
    let sender = person::of_user(bot, &user, member.as_ref())?;
    let channel: Fields<'_> = data.need("channel")?;
    let channel_id: String = channel.need("id")?;
    let place = match member.is_some() {
        true => conversation::of_channel(bot, &channel_id, parent(&channel).as_deref())?,
        false => conversation::private(bot, &channel_id, sender.id.id())?,
    };
    let (kind, event_kind, text) = match read(data) {
        Ok(read) => read,
        Err(FieldError(field)) => {
            let event = super::bare(&id, EventKind::Other("interaction".to_owned()), sender, place);
            let raw = super::raw_event("interaction_create", &field, dispatch.data);
            return Ok(ParsedDispatch { event: event.unreadable(raw, false), interaction: None });
        }
    };
    let mut event = super::bare(&id, event_kind, sender, place);
    event.addressed = true;
    event.text = text;
    if kind == InteractionKind::Command {
        event.first_line = FirstLine::Plain;
    }
    let readers = match member.is_some() {
        false => Readers::PrivateChat,
        true if kind == InteractionKind::Command && is_for_one(&event.text) => Readers::Sender,
        true => Readers::Channel,
    };
    let handle = Reference::Interaction {
        id: id.parse().map_err(|_| FieldError("id".to_owned()))?,
        token: token.clone(),
        readers,
    };
    event.platform_message = Some(handle.to_string());
    Ok(ParsedDispatch { event, interaction: Some(Interaction { id, token, kind, readers }) })
}

fn is_for_one(command: &str) -> bool {
    let name = command.split_whitespace().next().and_then(|word| word.strip_prefix('/'));
    name.is_some_and(|name| FOR_ONE.contains(&name))
}

/// Reads the kind of an interaction, and the text that has the same effect if a person writes it.
fn read(data: &Fields<'_>) -> Result<(InteractionKind, EventKind, String), FieldError> {
    let given = || data.need::<Fields<'_>>("data");
    match data.need::<u64>("type")? {
        COMMAND => Ok((InteractionKind::Command, EventKind::Message, command(&given()?)?)),
        COMPONENT if given()?.need::<u64>("component_type")? == BUTTON => {
            let message: Option<Fields<'_>> = data.maybe("message");
            let target = message.and_then(|message| message.maybe("id"));
            Ok((InteractionKind::Button, EventKind::Button { target }, given()?.need("custom_id")?))
        }
        _ => Ok((InteractionKind::Other, EventKind::Other("interaction".to_owned()), String::new())),
    }
}

/// A command with the values of its options, as one would type it.
fn command(data: &Fields<'_>) -> Result<String, FieldError> {
    let mut text = format!("/{}", data.need::<String>("name")?);
    append(&mut text, &data.list("options")?)?;
    Ok(text)
}

fn append(text: &mut String, options: &[Fields<'_>]) -> Result<(), FieldError> {
    for option in options {
        let value = match option.need::<u64>("type")? {
            kind if GROUPS.contains(&kind) => {
                text.push(' ');
                text.push_str(&option.need::<String>("name")?);
                append(text, &option.list("options")?)?;
                continue;
            }
            _ => value(option)?,
        };
        if !value.is_empty() {
            text.push(' ');
            text.push_str(&value);
        }
    }
    Ok(())
}

/// A text as it is; numbers and yes or no as JSON writes them.
fn value(option: &Fields<'_>) -> Result<String, FieldError> {
    match option.maybe::<String>("value") {
        Some(text) => Ok(text),
        None => option.need::<&str>("value").map(str::to_owned),
    }
}
