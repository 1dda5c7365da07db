//! Whether a bot may do something in a chat, and what it is told if not.

use frontdesk_fakes::Params;

use crate::answer::{Refusal, name_of};
use crate::chat::{Chat, Kind, Standing};
use crate::world::World;

/// What a bot wants to do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    /// Post or change something.
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

    /// Returns the chat if the bot may do this in it.
    pub fn access(&self, bot: i64, chat: i64, wanted: Access) -> Result<&Chat, Refusal> {
        if chat > 0 { self.private_access(bot, chat, wanted) } else { self.group_access(bot, chat, wanted) }
    }

    fn private_access(&self, bot: i64, user: i64, wanted: Access) -> Result<&Chat, Refusal> {
        let person = self.people.get(&user).ok_or_else(|| Refusal::bad("chat not found"))?;
        let chat = self.chat(bot, user);
        if wanted == Access::Write {
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

    fn group_access(&self, bot: i64, id: i64, wanted: Access) -> Result<&Chat, Refusal> {
        let not_found = || Refusal::bad("chat not found");
        let chat = self.chat(bot, id).ok_or_else(not_found)?;
        if let Some(to) = chat.migrated_to {
            return if wanted == Access::Write { Err(Refusal::migrated(to)) } else { Ok(chat) };
        }
        let name = name_of(chat.kind);
        match chat.standing(bot) {
            None if chat.username.is_none() => Err(not_found()),
            Some(Standing::Kicked) => Err(Refusal::forbidden(format!("bot was kicked from the {name} chat"))),
            None | Some(Standing::Left) => {
                if wanted == Access::Read && chat.username.is_some() {
                    return Ok(chat);
                }
                Err(Refusal::forbidden(format!("bot is not a member of the {name} chat")))
            }
            Some(standing)
                if chat.kind == Kind::Channel && wanted == Access::Write && !standing.is_admin() =>
            {
                Err(Refusal::bad("need administrator rights in the channel chat"))
            }
            Some(_) => Ok(chat),
        }
    }
}
