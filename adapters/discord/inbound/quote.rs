//! The message that another message answers.

use frontdesk_core::message::{Quote, SenderKind};
use frontdesk_kit::json::Fields;

use super::{Bot, Places, content, forward, person};

/// The maximum length of a quoted text, in characters.
const LONGEST: usize = 1000;

/// The message that this one answers, if there is one, it still exists and it can be read.
pub(super) fn of(bot: &Bot, places: &Places, message: &Fields<'_>) -> Option<Quote> {
    let quoted: Fields<'_> = message.maybe("referenced_message")?;
    let sender = person::of_message(bot, &quoted).ok()?;
    let (channel, id): (String, String) = (quoted.maybe("channel_id")?, quoted.maybe("id")?);
    let found = match forward::snapshot(&quoted).ok()? {
        Some(snapshot) => content::of_snapshot(bot, places, &snapshot, &channel, &id),
        None => content::of(bot, places, &quoted, sender.kind != SenderKind::Person),
    };
    let found = found.ok()?;
    let text = match (found.text.is_empty(), found.files.first()) {
        (true, Some(file)) => format!("[{}]", file.kind.name()),
        _ => found.text,
    };
    Some(Quote {
        message: Some(id),
        ours: sender.id.id() == bot.id,
        id: Some(sender.id),
        sender: sender.name,
        links: found.links,
        attachments: found.files,
        ..Quote::of(text.chars().take(LONGEST).collect::<String>())
    })
}
