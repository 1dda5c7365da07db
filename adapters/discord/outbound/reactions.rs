//! Reactions of the bot.

use frontdesk_kit::json::Fields;
use futures_util::FutureExt;
use reqwest::Method;
use serde_json::value::RawValue;

use super::Outbound;
use crate::destination::Destination;
use crate::emoji::{Emoji, read};
use crate::error::{Fault, code};
use crate::rest::Request;

impl Outbound<'_> {
    /// Puts a reaction in the place of the bot's earlier ones.
    pub(super) async fn react(
        &self,
        at: &Destination,
        target: &str,
        emoji: Option<&str>,
    ) -> Result<(), Fault> {
        let (channel, answer) = self.message_at(at, target).await?;
        let fields = Fields::of(answer.get(), "");
        let shown: Vec<Fields<'_>> =
            fields.and_then(|fields| fields.list("reactions").ok()).unwrap_or_default();
        let emoji = match emoji {
            Some(emoji) => Some(self.written(&channel, emoji).await?),
            None => None,
        };
        for reaction in shown.iter().filter(|reaction| reaction.maybe("me") == Some(true)) {
            let own = reaction.maybe::<Fields<'_>>("emoji").and_then(|emoji| named(&emoji));
            if let Some(own) = own.filter(|own| emoji.as_ref().is_none_or(|emoji| !is_same(own, emoji))) {
                self.mark_in(&channel, target, &own, false).await?;
            }
        }
        match emoji {
            Some(emoji) => self.mark_in(&channel, target, &emoji, true).await,
            None => Ok(()),
        }
    }

    /// Adds or removes one reaction.
    pub(super) async fn mark(
        &self,
        at: &Destination,
        target: &str,
        emoji: &str,
        on: bool,
    ) -> Result<(), Fault> {
        let attempt = |channel: String| {
            async move {
                let emoji = self.written(&channel, emoji).await?;
                self.mark_in(&channel, target, &emoji, on).await
            }
            .boxed()
        };
        let marked = self.at_message(at, target, attempt).await;
        match marked {
            Err(fault) if fault.is(&[code::UNKNOWN_CHANNEL, code::UNKNOWN_MESSAGE]) && !on => Ok(()),
            marked => marked,
        }
    }

    /// Discord knows some emoji only with the selector (U+FE0F), and others only without.
    async fn mark_in(&self, channel: &str, target: &str, emoji: &str, on: bool) -> Result<(), Fault> {
        let (operation, method) = match on {
            true => ("add_my_message_reaction", Method::PUT),
            false => ("delete_my_message_reaction", Method::DELETE),
        };
        let selected = format!("{emoji}\u{fe0f}");
        for written in [emoji, &selected] {
            let path = ["channels", channel, "messages", target, "reactions", written, "@me"];
            match self.rest.ask(&Request::new(operation, method.clone(), &path)).await {
                Err(fault) if fault.is(&[code::UNKNOWN_EMOJI]) && written == emoji && on => {}
                // A reaction that is not there counts as removed.
                Err(fault) if fault.is(&[code::UNKNOWN_EMOJI]) && !on => return Ok(()),
                marked => return marked.map(drop),
            }
        }
        Ok(())
    }

    /// A message, and the channel that it is in.
    async fn message_at(&self, at: &Destination, target: &str) -> Result<(String, Box<RawValue>), Fault> {
        let attempt = |channel: String| {
            async move {
                let path = ["channels", channel.as_str(), "messages", target];
                let answer = self.rest.ask(&Request::new("get_message", Method::GET, &path)).await?;
                Ok((channel, answer))
            }
            .boxed()
        };
        self.at_message(at, target, attempt).await
    }

    /// An emoji as Discord takes it: a character, or `name:id` for one of a server. Agents see those as `:name:`.
    async fn written(&self, channel: &str, emoji: &str) -> Result<String, Fault> {
        match read(emoji) {
            Emoji::Character => Ok(emoji.to_owned()),
            Emoji::Known(written) => Ok(written),
            Emoji::Named(name) => {
                let found = self.emoji_of_server(channel, name).await?;
                // Discord says itself that there is no such emoji.
                Ok(found.unwrap_or_else(|| emoji.to_owned()))
            }
        }
    }

    async fn emoji_of_server(&self, channel: &str, name: &str) -> Result<Option<String>, Fault> {
        let asked = self.rest.ask(&Request::new("get_channel", Method::GET, &["channels", channel])).await?;
        let guild = Fields::of(asked.get(), "").and_then(|fields| fields.maybe::<String>("guild_id"));
        let Some(guild) = guild else { return Ok(None) };
        let path = ["guilds", guild.as_str(), "emojis"];
        let asked = self.rest.ask(&Request::new("list_guild_emojis", Method::GET, &path)).await?;
        let all: Vec<&RawValue> = serde_json::from_str(asked.get()).unwrap_or_default();
        let mut all = all.into_iter().filter_map(|raw| Fields::of(raw.get(), ""));
        let emoji = all.find(|emoji| emoji.maybe::<String>("name").as_deref() == Some(name));
        Ok(emoji.and_then(|emoji| named(&emoji)))
    }
}

/// An emoji that a message shows, as Discord takes it.
fn named(emoji: &Fields<'_>) -> Option<String> {
    let name: String = emoji.maybe("name")?;
    Some(match emoji.maybe::<String>("id") {
        Some(id) => format!("{name}:{id}"),
        None => name,
    })
}

fn is_same(one: &str, other: &str) -> bool {
    frontdesk_core::reaction::normalized(one) == frontdesk_core::reaction::normalized(other)
}
