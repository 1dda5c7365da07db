//! The sender of an event: a stable id, a display name and roles.

use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_kit::json::{FieldError, Fields};

use super::Bot;

/// The author of a message. A webhook is a program, whatever name it writes under.
pub(super) fn of_message(bot: &Bot, message: &Fields<'_>) -> Result<Sender, FieldError> {
    let author: Fields<'_> = message.need("author")?;
    let mut sender = of_user(bot, &author, message.maybe("member").as_ref())?;
    if message.has("webhook_id") {
        sender.kind = SenderKind::Bot;
    }
    Ok(sender)
}

/// A user, with what is known of them as a member of the guild.
pub(super) fn of_user(
    bot: &Bot,
    user: &Fields<'_>,
    member: Option<&Fields<'_>>,
) -> Result<Sender, FieldError> {
    let id: String = user.need("id")?;
    let program = ["bot", "system"].iter().any(|flag| user.maybe(flag) == Some(true));
    let kind = if program { SenderKind::Bot } else { SenderKind::Person };
    let roles = member.and_then(|member| member.list::<String>("roles").ok()).unwrap_or_default();
    Ok(Sender { name: name(user, member), roles, ..Sender::new(bot.principal(&id)?, kind) })
}

/// The name that people see: the nickname in the guild, the display name, or the user name.
pub(super) fn name(user: &Fields<'_>, member: Option<&Fields<'_>>) -> Option<String> {
    let nick = member.and_then(|member| member.maybe::<String>("nick"));
    let names = [nick, user.maybe("global_name"), user.maybe("username")];
    names.into_iter().flatten().find(|name| !name.is_empty())
}
