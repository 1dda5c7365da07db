//! Threads that the bot opens: on the question that it answers, and as posts in forums.
//!
//! A post takes no nonce, so it is looked for before it is made: an earlier attempt may have made it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use frontdesk_core::delivery::MediaFile;
use frontdesk_kit::json::Fields;
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Made, Outbound, form};
use crate::destination::Destination;
use crate::error::{Fault, code};
use crate::progress::made_at;
use crate::rest::{self, Request};

/// The longest name of a thread (Discord's documentation, Start Thread from Message).
const NAME: usize = 100;
/// Names that are made of a question are cut here, so that they stay readable in a list.
const READABLE: usize = 60;
/// The minutes without a message after which Discord archives a thread that the bot has opened: a day.
const ARCHIVED_AFTER: u32 = 1440;
/// A post that is this much older than the newest one is another one with the same text.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// Number of forums whose last posts are remembered.
const REMEMBERED: usize = 1024;
/// The flag of a forum whose posts need a tag.
const REQUIRES_TAG: u64 = 1 << 4;

/// The last post that the bot has made in each forum: the further parts of a text go there.
#[derive(Debug, Default)]
pub(crate) struct ForumPosts(Mutex<HashMap<String, String>>);

impl ForumPosts {
    fn remember(&self, forum: &str, thread: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(forum.to_owned(), thread.to_owned());
    }

    /// The thread of the last post in a forum.
    pub(crate) fn last(&self, forum: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(forum).cloned()
    }
}

impl Outbound<'_> {
    /// The channels in which a message can be. A forum has no messages of its own: they are in its posts, and the first
    /// message of a post has the post's id.
    fn holders(&self, at: &Destination, message: &str) -> Vec<String> {
        let mut holders: Vec<String> = at.holders(message).map(str::to_owned).collect();
        for post in self.posts.last(&at.channel).into_iter().chain([message.to_owned()]) {
            if !holders.contains(&post) {
                holders.push(post);
            }
        }
        holders
    }

    /// Attempts something in one after the other of the channels in which a message can be, until it is there. If it is in
    /// none, the fault is that of the first.
    pub(super) async fn at_message<'f, T>(
        &self,
        at: &Destination,
        message: &str,
        attempt: impl Fn(String) -> BoxFuture<'f, Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut first = None;
        for channel in self.holders(at, message) {
            match attempt(channel).await {
                Err(fault) if fault.is(&[code::UNKNOWN_CHANNEL, code::UNKNOWN_MESSAGE]) => {
                    first.get_or_insert(fault);
                }
                done => return done,
            }
        }
        Err(first.unwrap_or_else(|| Fault::Unsent("there is no channel".to_owned())))
    }

    /// Whether a request failed because the thread of an answer is still to be opened.
    pub(super) fn opens(&self, at: &Destination, fault: &Fault) -> bool {
        self.settings.answer_in_threads && at.parent.is_some() && fault.is(&[code::UNKNOWN_CHANNEL])
    }

    /// Opens a thread on the question whose id it has. If that is not possible, `fault` says that there is no thread.
    pub(super) async fn open_thread(&self, at: &Destination, fault: Fault) -> Result<(), Fault> {
        let Some(parent) = &at.parent else { return Err(fault) };
        let path = ["channels", parent.as_str(), "messages", at.channel.as_str()];
        let question = match self.rest.ask(&Request::new("get_message", Method::GET, &path)).await {
            Err(Fault::Refused(_)) => return Err(fault),
            question => question?,
        };
        let text = Fields::of(question.get(), "").and_then(|fields| fields.maybe::<String>("content"));
        let name = name_of(&without_ids(&text.unwrap_or_default()), READABLE);
        let body = json!({
            "name": name.unwrap_or_else(|| "Answer".to_owned()), "auto_archive_duration": ARCHIVED_AFTER,
        });
        let path = ["channels", parent.as_str(), "messages", at.channel.as_str(), "threads"];
        let request = Request::new("create_thread_from_message", Method::POST, &path);
        match self.rest.json(&request, &body).await {
            Err(refused) if refused.is(&[code::THREAD_EXISTS]) => Ok(()),
            Err(Fault::Refused(refusal)) if refusal.status < 500 => Err(fault),
            opened => opened.map(drop),
        }
    }

    /// Makes a post in a forum: a thread whose first message is this one.
    pub(super) async fn post_in_forum(
        &self,
        forum: &str,
        mut message: Value,
        files: &[&MediaFile],
    ) -> Result<Made, Fault> {
        if let Some(fields) = message.as_object_mut() {
            ["nonce", "enforce_nonce", "message_reference"]
                .iter()
                .for_each(|name| drop(fields.remove(*name)));
        }
        let content = message["content"].as_str().unwrap_or_default().trim().to_owned();
        let name = name_of(&content, NAME).or_else(|| files.first().map(|file| file.name.clone()));
        let name = name.unwrap_or_else(|| "Message".to_owned());
        let asked = self.rest.ask(&Request::new("get_channel", Method::GET, &["channels", forum])).await?;
        let fields = Fields::of(asked.get(), "");
        let guild = fields.as_ref().and_then(|fields| fields.maybe::<String>("guild_id"));
        if let Some(guild) = guild
            && let Some(thread) = self.last_post(forum, &guild, Some(&name)).await?
            && let Some(message) = self.first_message(&thread, &content).await?
        {
            self.posts.remember(forum, &thread);
            return Ok(Made { message, at: in_thread(thread) });
        }
        let mut body = json!({"name": name, "auto_archive_duration": ARCHIVED_AFTER, "message": message});
        if let Some(tag) = fields.as_ref().and_then(first_tag) {
            body["applied_tags"] = json!([tag]);
        }
        let request = Request::new("create_thread", Method::POST, &["channels", forum, "threads"]);
        let made = match files {
            [] => self.rest.json(&request, &body).await?,
            files => {
                // The description of the files stands in the message.
                self.rest.upload(&request, form(&body, files)).await?
            }
        };
        let thread = rest::id_of(&made)?;
        self.posts.remember(forum, &thread);
        let first =
            Fields::of(made.get(), "").and_then(|fields| fields.maybe::<&str>("message").map(str::to_owned));
        let message = first.and_then(|raw| RawValue::from_string(raw).ok()).unwrap_or(made);
        Ok(Made { message, at: in_thread(thread) })
    }

    /// Adds a further part of a text to the post that its first part has made.
    pub(super) async fn continue_in_forum(
        &self,
        forum: &str,
        message: Value,
        files: &[&MediaFile],
    ) -> Result<Made, Fault> {
        let thread = match self.posts.last(forum) {
            Some(thread) => Some(thread),
            // This process has not made it.
            None => {
                let path = ["channels", forum];
                let asked = self.rest.ask(&Request::new("get_channel", Method::GET, &path)).await?;
                match Fields::of(asked.get(), "").and_then(|fields| fields.maybe::<String>("guild_id")) {
                    Some(guild) => self.last_post(forum, &guild, None).await?,
                    None => None,
                }
            }
        };
        let Some(thread) = thread else { return self.post_in_forum(forum, message, files).await };
        let message = self.create_in(&thread, &message, files).await?;
        Ok(Made { message, at: in_thread(thread) })
    }

    /// The last post of the bot in a forum, if it is recent, and has this name.
    async fn last_post(&self, forum: &str, guild: &str, name: Option<&str>) -> Result<Option<String>, Fault> {
        let path = ["guilds", guild, "threads", "active"];
        let asked = self.rest.ask(&Request::new("get_active_guild_threads", Method::GET, &path)).await?;
        let threads: Vec<Fields<'_>> =
            Fields::of(asked.get(), "").and_then(|fields| fields.list("threads").ok()).unwrap_or_default();
        let text = |thread: &Fields<'_>, name: &str| thread.maybe::<String>(name);
        let own = threads.iter().filter(|thread| {
            text(thread, "parent_id").as_deref() == Some(forum)
                && name.is_none_or(|name| text(thread, "name").as_deref() == Some(name))
                && (self.bot.is_none() || text(thread, "owner_id") == self.bot)
        });
        let last = own.filter_map(|thread| text(thread, "id")?.parse::<u64>().ok()).max();
        let is_recent = |last: &u64| self.rest.wall() - made_at(*last) <= AGAIN;
        Ok(last.filter(is_recent).map(|last| last.to_string()))
    }

    /// The first message of a post, if it has this text.
    async fn first_message(&self, thread: &str, content: &str) -> Result<Option<Box<RawValue>>, Fault> {
        let path = ["channels", thread, "messages", thread];
        let message = match self.rest.ask(&Request::new("get_message", Method::GET, &path)).await {
            // It was deleted.
            Err(Fault::Refused(_)) => return Ok(None),
            message => message?,
        };
        let shown = Fields::of(message.get(), "").and_then(|fields| fields.maybe::<String>("content"));
        Ok((shown.as_deref().map(str::trim) == Some(content)).then_some(message))
    }
}

fn in_thread(thread: String) -> Destination {
    Destination { channel: thread, is_thread: true, parent: None }
}

/// The tag of a post in a forum that demands one: the first that members may use.
fn first_tag(forum: &Fields<'_>) -> Option<String> {
    if forum.maybe::<u64>("flags")? & REQUIRES_TAG == 0 {
        return None;
    }
    let tags: Vec<Fields<'_>> = forum.list("available_tags").ok()?;
    tags.iter().find(|tag| tag.maybe("moderated") != Some(true))?.maybe("id")
}

/// The first line of a text that has words, without signs of formatting at its beginning, and not longer than this.
fn name_of(text: &str, most: usize) -> Option<String> {
    let plain =
        |line: &str| line.trim_matches(|c: char| c.is_whitespace() || "#*_`>~|-".contains(c)).to_owned();
    let line = text.lines().map(plain).find(|line| !line.is_empty())?;
    Some(line.chars().take(most).collect())
}

/// A question without the ids of people, roles, channels and emoji in it.
fn without_ids(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        match after.split_once('>') {
            Some((token, behind)) if token.starts_with(['@', '#', ':', '/']) || token.starts_with("a:") => {
                rest = behind;
            }
            _ => {
                plain.push('<');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_first_line_with_words() {
        assert_eq!(name_of("\n## **Weekly report**\nall is well", NAME).as_deref(), Some("Weekly report"));
        assert_eq!(name_of("```\n---\n", NAME), None);
        assert_eq!(name_of(&"x".repeat(300), NAME).unwrap().len(), 100);
        assert_eq!(
            name_of(&without_ids("<@42> what is <#5> for?"), READABLE).as_deref(),
            Some("what is  for?")
        );
        assert_eq!(without_ids("a < b <t>"), "a < b <t>");
    }
}
