//! Whether a bot may do something in a chat, and what it is told if not.

use crate::answer::Refusal;
use crate::chat::{Chat, Kind, Standing};
use crate::params::Params;
use crate::world::World;

/// What a bot wants in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To look.
    Read,
    /// To post or change something.
    Write,
}

impl World {
    /// The chat that `chat_id` names: a number or an @name.
    pub fn named_chat(&self, params: &Params) -> Result<i64, Refusal> {
        let name = params.text("chat_id").filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Refusal::bad("chat_id is empty"))?;
        match name.strip_prefix('@') {
            Some(username) => {
                let known = self.names.get(&username.to_lowercase());
                known.copied().ok_or_else(|| Refusal::bad("chat not found"))
            }
            None => name.trim().parse().map_err(|_| Refusal::bad("chat not found")),
        }
    }

    /// Whether the bot may do it; the chat is there if so.
    pub fn admits(&self, bot: i64, chat: i64, wish: Wish) -> Result<&Chat, Refusal> {
        if chat > 0 { self.admits_private(bot, chat, wish) } else { self.admits_group(bot, chat, wish) }
    }

    fn admits_private(&self, bot: i64, user: i64, wish: Wish) -> Result<&Chat, Refusal> {
        let person = self.people.get(&user).ok_or_else(|| Refusal::bad("chat not found"))?;
        let chat = self.chat(bot, user);
        if wish == Wish::Write {
            if person.deactivated {
                return Err(Refusal::forbidden("user is deactivated"));
            }
            if person.is_bot {
                return Err(Refusal::forbidden("the bot can't send messages to the bot"));
            }
            if chat.is_none() {
                return Err(Refusal::forbidden("bot can't initiate conversation with a user"));
            }
            if chat.and_then(|chat| chat.standing(bot)) == Some(Standing::Kicked) {
                return Err(Refusal::forbidden("bot was blocked by the user"));
            }
        }
        chat.ok_or_else(|| Refusal::bad("chat not found"))
    }

    fn admits_group(&self, bot: i64, id: i64, wish: Wish) -> Result<&Chat, Refusal> {
        let not_found = || Refusal::bad("chat not found");
        let chat = self.chat(bot, id).ok_or_else(not_found)?;
        if let Some(to) = chat.migrated_to {
            return if wish == Wish::Write { Err(Refusal::migrated(to)) } else { Ok(chat) };
        }
        let name = chat.kind.name();
        match chat.standing(bot) {
            None if chat.username.is_none() => Err(not_found()),
            Some(Standing::Kicked) => Err(Refusal::forbidden(format!("bot was kicked from the {name} chat"))),
            None | Some(Standing::Left) => {
                if wish == Wish::Read && chat.username.is_some() {
                    return Ok(chat);
                }
                Err(Refusal::forbidden(format!("bot is not a member of the {name} chat")))
            }
            Some(standing) if chat.kind == Kind::Channel && wish == Wish::Write && !standing.is_admin() => {
                Err(Refusal::bad("need administrator rights in the channel chat"))
            }
            Some(_) => Ok(chat),
        }
    }
}
