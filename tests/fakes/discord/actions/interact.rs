//! What people do with buttons, commands and forms.

use serde_json::{Value, json};

use super::Impossible;
use crate::id::Id;
use crate::interaction::{Interaction, kind};
use crate::message::Message;
use crate::world::World;

impl World {
    /// Somebody presses a button, named by its label or by what it returns, or chooses in a menu.
    pub fn press(
        &mut self,
        channel: Id,
        message: Id,
        user: Id,
        button: &str,
        values: Option<Vec<String>>,
    ) -> Result<Id, Impossible> {
        let shown = self.message(channel, message).map_err(|refusal| refusal.message)?;
        if shown.only_for.is_some_and(|only| only != user) {
            return Err("the message is not shown to this person".to_owned());
        }
        let means = |component: &&Value| component["custom_id"] == button || component["label"] == button;
        let found = shown.components().find(means).ok_or_else(|| format!("there is no button {button}"))?;
        if found["disabled"] == true || found["style"] == 5 {
            return Err(format!("{button} does not tell the bot"));
        }
        let mut data = json!({"custom_id": found["custom_id"], "component_type": found["type"], "id": 1});
        if found["type"] != 2 {
            data["values"] = json!(values.unwrap_or_default());
        }
        let bot = shown.author;
        let new = Self::begun(bot, kind::COMPONENT, user, channel);
        Ok(self.interact(Interaction { message: Some(message), ..new }, &data))
    }

    /// Somebody sends a slash command, or is still typing its options.
    pub fn slash(
        &mut self,
        user: Id,
        channel: Option<Id>,
        name: &str,
        options: Value,
        typing: bool,
    ) -> Result<Id, Impossible> {
        let bot = self.bots.first().ok_or("there is no bot")?.id;
        let channel = channel.unwrap_or_else(|| self.direct(bot, user));
        let guild = self.channel(channel).map_err(|refusal| refusal.message)?.guild;
        let context = u64::from(guild.is_none());
        // Commands of a guild exist only there.
        let usable = |(known, command): &&(Option<Id>, Value)| {
            let anywhere = command["contexts"].as_array().is_none_or(|list| list.contains(&json!(context)));
            command["name"] == name && (known.is_none() && anywhere || known.is_some() && *known == guild)
        };
        let commands = self.bot(bot).map(|bot| bot.commands.as_slice()).unwrap_or_default();
        let command =
            commands.iter().find(usable).ok_or_else(|| format!("there is no command /{name} here"))?;
        let mut data = json!({"id": command.1["id"], "name": name, "type": command.1["type"]});
        if let Some(guild) = command.0 {
            data["guild_id"] = json!(guild);
        }
        data["options"] = if options.is_null() { json!([]) } else { options };
        let kind = if typing { kind::AUTOCOMPLETE } else { kind::COMMAND };
        let new = Self::begun(bot, kind, user, channel);
        Ok(self.interact(Interaction { command: Some(name.to_owned()), ..new }, &data))
    }

    /// Somebody submits the form that a bot has answered with.
    pub fn submit(&mut self, interaction: Id, fields: &Value) -> Result<Id, Impossible> {
        let known = self.interactions.get(&interaction).ok_or("no such interaction")?.clone();
        let form = known.answer.as_ref().filter(|(callback, _)| *callback == 9).map(|(_, data)| data);
        let form = form.ok_or("it was not answered with a form")?;
        let filled = |(n, (name, text)): (usize, (&String, &Value))| json!({"type": 1, "id": n + 1, "components": [{"type": 4, "id": n + 2, "custom_id": name, "value": text}]});
        let rows: Vec<Value> = fields.as_object().into_iter().flatten().enumerate().map(filled).collect();
        let data = json!({"custom_id": form["custom_id"], "components": rows});
        let new = Self::begun(known.bot, kind::MODAL, known.user, known.channel);
        Ok(self.interact(Interaction { message: known.message, ..new }, &data))
    }

    /// What the person sees of an interaction.
    pub fn look_at(&self, id: Id) -> Result<Value, Impossible> {
        let known = self.interactions.get(&id).ok_or("no such interaction")?;
        let shown =
            known.messages.iter().filter_map(|id| self.message(known.channel, *id).ok()).map(Message::shown);
        Ok(json!({
            "state": known.state(self.now_ms()), "callback": known.answer.as_ref().map(|(callback, _)| callback),
            "data": known.answer.as_ref().map(|(_, data)| data), "messages": shown.collect::<Vec<_>>(),
        }))
    }

    /// An interaction whose id and token are not known yet.
    fn begun(bot: Id, kind: u8, user: Id, channel: Id) -> Interaction {
        Interaction {
            id: Id::default(),
            token: String::new(),
            bot,
            kind,
            user,
            channel,
            message: None,
            command: None,
            answer: None,
            thinking: false,
            original: None,
            messages: Vec::new(),
        }
    }
}
