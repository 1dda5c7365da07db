//! Deliveries and signals as calls of the Web API.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::TimeDelta;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Post, Receipt, SendError, Signal};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::api::Api;
use crate::config::{Settings, Streaming};
use crate::error::Fault;
use crate::media::Uploads;
use crate::reactions::Reactions;
use crate::reference::Reference;
use crate::sent::{self, Begun, Sent};
use crate::status::{Sessions, Status, Work};
use crate::stream::{Grown, Streams};
use crate::workspace::Workspace;
use crate::{CHANNEL, blocks, inbound, markup};

/// Slack: the longest text of an update, in characters.
const UPDATE: usize = 4000;

/// Slack: a message for one person is shown to them only if they are active, and disappears when they reload. How long
/// somebody counts as active after they have written.
const PRESENT: TimeDelta = TimeDelta::minutes(10);

/// The id of a message that is shown to one person as the answer to their slash command. It has none of its own.
const RESPONSE: &str = "response";
/// The refusals of channels that the app is not in, where only the answer to a command can be shown.
const NOT_THERE: [&str; 2] = ["channel_not_found", "not_in_channel"];

/// Sends to one workspace.
pub(crate) struct Outbound<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    /// The private chats that were opened, by the people in them.
    pub opened: &'a Mutex<HashMap<String, String>>,
    pub sent: &'a Sent,
    pub streams: &'a Streams,
    pub sessions: &'a Sessions,
    pub workspace: &'a Workspace,
    /// The account of the app's bot, once Slack has said it.
    pub user: &'a OnceCell<String>,
}

impl Outbound<'_> {
    /// Delivers one row.
    pub(crate) async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let channel = self.channel(to).await?;
        match delivery {
            Delivery::Post(post) => self.posted(&channel, to.thread(), &post).await,
            Delivery::Edit { target, post } if target == RESPONSE => self.respond(&post).await,
            Delivery::Edit { target, post } => {
                let blocks = blocks::of(&post);
                self.update(&channel, &target, &post.part.body, blocks).await?;
                Ok(Receipt::of(target))
            }
            Delivery::Media { file, post } => {
                self.uploads().send((&channel, to.thread()), &[(&file, &post)]).await
            }
            Delivery::Album(files) => {
                let files: Vec<_> = files.iter().map(|one| (&one.file, &one.post)).collect();
                self.uploads().send((&channel, to.thread()), &files).await
            }
            Delivery::Delete { target } => {
                if self.streams.is_open(&target) {
                    self.streams.end(self.api, &channel, &target).await?;
                }
                let deleted = self.api.call("chat.delete", json!({"channel": channel, "ts": target})).await;
                done(deleted, &["message_not_found"]).map(|()| Receipt::default())
            }
            Delivery::React { target, emoji } => {
                self.reactions().set(&channel, &target, emoji.as_deref()).await.map(|()| Receipt::default())
            }
            Delivery::Pin { target } => {
                let pinned =
                    self.api.call("pins.add", json!({"channel": channel, "timestamp": target})).await;
                done(pinned, &["already_pinned"]).map(|()| Receipt::default())
            }
        }
    }

    /// Shows one signal.
    pub(crate) async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        match signal {
            Signal::Typing => self.shows(to, Work::Writes).await,
            Signal::End { .. } => self.shows(to, Work::Rests).await,
            // Slack takes five answers to a command in all.
            Signal::Grow { target, .. } if target == RESPONSE => Ok(()),
            Signal::Grow { target, text } => {
                let channel = self.channel(to).await?;
                if self.streams.grow(self.api, &channel, &target, &text).await? == Grown::Done {
                    return Ok(());
                }
                let text: String = markup::literal(&text).chars().take(UPDATE).collect();
                self.shows_text(&channel, &target, &text).await
            }
            Signal::Waits { target, waits } => match (Reference::of(&target), &self.settings.acknowledge) {
                (Reference::Message(ts), Some(emoji)) => {
                    let channel = self.channel(to).await?;
                    self.reactions().mark(&channel, &ts, emoji, waits).await
                }
                // A command is no message that could be marked.
                _ => Ok(()),
            },
            // There are no drafts, and no clients that read pieces.
            Signal::Draft { .. } | Signal::Delta { .. } | Signal::Progress { .. } => Ok(()),
        }
    }

    fn uploads(&self) -> Uploads<'_> {
        Uploads { api: self.api, settings: self.settings, sent: self.sent, reactions: self.reactions() }
    }

    fn reactions(&self) -> Reactions<'_> {
        Reactions { api: self.api, user: self.user }
    }

    /// Posts a message. After an open question the app waits.
    async fn posted(&self, channel: &str, thread: Option<&str>, post: &Post) -> Result<Receipt, SendError> {
        let receipt = self.post(channel, thread, post).await?;
        if let (Some(ts), Some(thread)) = (&receipt.message, thread) {
            self.workspace.places().note_thread(channel, ts, thread);
        }
        if let Some(thread) = thread.filter(|_| post.ask.as_ref().is_some_and(|ask| ask.closed.is_none())) {
            // The message is there, whatever comes of this.
            self.status().show(channel, thread, Work::Waits).await.ok();
        }
        Ok(receipt)
    }

    /// Posts a message, unless it turns out to be there already.
    async fn post(&self, channel: &str, thread: Option<&str>, post: &Post) -> Result<Receipt, SendError> {
        let asked = post.reply_to.as_deref().map(Reference::of);
        let text = markup::literal(&post.part.plain);
        let reactions = self.reactions();
        let begun = match &asked {
            Some(Reference::Message(asked)) if self.is_native(channel, thread) => {
                Some(Begun { user: reactions.user().await?, asked, text: &text })
            }
            _ => None,
        };
        if let Some(found) = self.sent.find(self.api, (channel, thread), &post.key, begun).await? {
            // It may have grown since, and be whole only now.
            if found.text != post.part.body || (post.ask.is_some() && post.native.is_none()) {
                self.update(channel, &found.ts, &post.part.body, blocks::of(post)).await?;
            }
            self.sent.settle(channel, thread, true);
            return Ok(Receipt::of(found.ts));
        }
        if let Some(receipt) = self.show_to_one(channel, thread, post).await? {
            return Ok(receipt);
        }
        match self.begin(channel, thread, post).await {
            Ok(None) => {}
            begun => {
                self.sent.settle(channel, thread, !matches!(begun, Err(SendError::Unknown(_))));
                return begun.map(|ts| Receipt { message: ts, ..Receipt::default() });
            }
        }
        let posted = self.api.call("chat.postMessage", self.message(channel, thread, post)).await;
        let posted = match posted {
            Err(fault) if fault.is(&NOT_THERE) && response_url(post).is_some() => {
                // What was said there cannot be changed, so it is said when it is whole.
                return if post.more {
                    Ok(Receipt::of(RESPONSE.to_owned()))
                } else {
                    self.respond(post).await
                };
            }
            Err(fault) => Err(whole(post, fault.for_send())),
            Ok(answer) => named(&answer["ts"]),
        };
        self.sent.settle(channel, thread, !matches!(posted, Err(SendError::Unknown(_))));
        posted.map(Receipt::of)
    }

    /// Shows a message in a channel to the one person who may see it. `None` if everybody there has to see it: because it is
    /// for everybody, because it will change, which such a message cannot, or because the person might not see it.
    async fn show_to_one(
        &self,
        channel: &str,
        thread: Option<&str>,
        post: &Post,
    ) -> Result<Option<Receipt>, SendError> {
        let changes = post.more || post.ask.is_some();
        let reader = post.audience.as_ref().filter(|_| !changes && !channel.starts_with('D'));
        let Some(reader) = reader else { return Ok(None) };
        let thread = match post.reply_to.as_deref().map(Reference::of) {
            Some(Reference::Response(_)) => {
                return match self.respond(post).await {
                    Err(SendError::Refused(_) | SendError::Gone(_)) => Ok(None),
                    shown => shown.map(Some),
                };
            }
            Some(Reference::Message(ts)) if !self.is_fresh(&ts) => return Ok(None),
            // Slack shows such a message in a thread only if the thread has replies already.
            Some(Reference::Message(ts)) => thread.filter(|thread| *thread != ts),
            None => None,
        };
        let mut message = json!({
            "channel": channel, "user": user_of(reader.id()), "text": post.part.body, "parse": "none",
            "link_names": false,
        });
        if let Some(thread) = thread {
            message["thread_ts"] = thread.into();
        }
        match self.api.call("chat.postEphemeral", message).await {
            Ok(answer) => Ok(Some(Receipt::of(named(&answer["message_ts"])?))),
            Err(fault) if fault.is_final() => {
                tracing::debug!(channel = CHANNEL, %fault, "a message for one person is sent to everybody in their channel");
                Ok(None)
            }
            Err(fault) => Err(fault.for_send()),
        }
    }

    /// Whether a message was written so recently that its author still sees what is shown only once.
    fn is_fresh(&self, ts: &str) -> bool {
        let now = self.workspace.timer().wall();
        inbound::time(ts).is_some_and(|written| now.signed_duration_since(written) < PRESENT)
    }

    /// Begins an answer that is not complete as a message that grows, where Slack can show that to everybody who sees it.
    async fn begin(
        &self,
        channel: &str,
        thread: Option<&str>,
        post: &Post,
    ) -> Result<Option<String>, SendError> {
        let is_wanted = post.more && post.ask.is_none() && self.is_native(channel, thread);
        match thread.filter(|_| is_wanted) {
            Some(thread) => self.streams.begin(self.api, channel, thread, &post.part.plain).await,
            None => Ok(None),
        }
    }

    /// Whether answers there may grow in Slack's own form.
    fn is_native(&self, channel: &str, thread: Option<&str>) -> bool {
        self.settings.streaming == Streaming::Native && channel.starts_with('D') && thread.is_some()
    }

    fn message(&self, channel: &str, thread: Option<&str>, post: &Post) -> Value {
        let mut message = json!({
            "channel": channel, "text": post.part.body, "parse": "none", "link_names": false,
            "unfurl_links": self.settings.link_previews, "unfurl_media": self.settings.link_previews,
            "metadata": {"event_type": sent::EVENT_TYPE, "event_payload": {"key": post.key}},
        });
        if let Some(thread) = thread {
            message["thread_ts"] = thread.into();
        }
        if let Some(blocks) = blocks::of(post) {
            message["blocks"] = blocks;
        }
        message
    }

    /// Answers a slash command where the app is not, so that only its sender sees it.
    async fn respond(&self, post: &Post) -> Result<Receipt, SendError> {
        let url = response_url(post)
            .ok_or_else(|| SendError::Refused("the answer to a command cannot be changed".into()))?;
        let mut body = json!({
            "response_type": "ephemeral", "replace_original": false, "text": post.part.body, "parse": "none",
            "link_names": false,
        });
        if let Some(blocks) = blocks::of(post) {
            body["blocks"] = blocks;
        }
        self.api.respond(&url, &body).await.map_err(Fault::for_send)?;
        Ok(Receipt::of(RESPONSE.to_owned()))
    }

    /// Changes the text and the buttons of a message; without blocks its buttons are removed.
    async fn update(
        &self,
        channel: &str,
        ts: &str,
        text: &str,
        blocks: Option<Value>,
    ) -> Result<(), SendError> {
        if self.streams.is_open(ts) {
            self.streams.end(self.api, channel, ts).await?;
        }
        // By default an update would link names: `@channel` would notify everybody.
        let mut update =
            json!({"channel": channel, "ts": ts, "text": text, "parse": "none", "link_names": false});
        if let Some(blocks) = blocks {
            update["blocks"] = blocks;
        }
        match self.api.call("chat.update", update.clone()).await {
            // It was begun before a restart.
            Err(fault) if fault.is(&["streaming_state_conflict"]) => {
                self.streams.end(self.api, channel, ts).await?;
                done(self.api.call("chat.update", update).await, &[])
            }
            updated => done(updated, &[]),
        }
    }

    /// Shows the text of an answer that is not whole yet.
    async fn shows_text(&self, channel: &str, ts: &str, text: &str) -> Result<(), SendError> {
        let update =
            json!({"channel": channel, "ts": ts, "text": text, "parse": "none", "link_names": false});
        match self.api.show("chat.update", update).await {
            // It was begun before a restart.
            Err(fault) if fault.is(&["streaming_state_conflict"]) => {
                self.update(channel, ts, text, None).await
            }
            shown => done(shown, &[]),
        }
    }

    /// Shows what the app does in a thread.
    async fn shows(&self, to: &Address, work: Work) -> Result<(), SendError> {
        let Some(thread) = to.thread() else { return Ok(()) };
        let channel = self.channel(to).await?;
        self.status().show(&channel, thread, work).await
    }

    fn status(&self) -> Status<'_> {
        let (timer, has_agent_view) = (self.workspace.timer(), self.workspace.has_agent_view());
        Status { api: self.api, sessions: self.sessions, timer, has_agent_view }
    }

    /// The channel of an address; the private chat of a person is opened if only the person is known.
    async fn channel(&self, to: &Address) -> Result<String, SendError> {
        let Some(person) = to.chat().strip_prefix('@') else { return Ok(to.chat().to_owned()) };
        let user = user_of(person);
        if let Some(known) = self.opened.lock().ok().and_then(|opened| opened.get(user).cloned()) {
            return Ok(known);
        }
        let opened = self.api.call("conversations.open", json!({"users": user})).await;
        let opened = opened.map_err(Fault::for_preparation)?;
        let channel = opened["channel"]["id"].as_str();
        let channel =
            channel.ok_or_else(|| SendError::Refused("Slack has opened no chat".into()))?.to_owned();
        if let Ok(mut known) = self.opened.lock() {
            known.insert(user.to_owned(), channel.clone());
        }
        Ok(channel)
    }
}

/// The consequence of a failed post: without blocks of its own it would be another message than the one that was asked for.
pub(crate) fn whole(post: &Post, error: SendError) -> SendError {
    match error {
        SendError::Markup(detail) if post.native.is_some() => SendError::Refused(detail),
        error => error,
    }
}

/// The message that an answer names.
fn named(ts: &Value) -> Result<String, SendError> {
    let unnamed = || SendError::Unknown("the answer names no message".into());
    ts.as_str().map(str::to_owned).ok_or_else(unnamed)
}

/// The id of a person in calls. Somebody of another workspace has its id before theirs.
fn user_of(person: &str) -> &str {
    person.rsplit('/').next().unwrap_or(person)
}

/// The response URL of the command that a post answers.
fn response_url(post: &Post) -> Option<String> {
    match post.reply_to.as_deref().map(Reference::of) {
        Some(Reference::Response(url)) => Some(url),
        _ => None,
    }
}

/// The result of a change, where some refusals say that it is done already.
fn done(answer: Result<Value, Fault>, already: &[&str]) -> Result<(), SendError> {
    match answer {
        Err(fault) if !fault.is(already) => Err(fault.for_send()),
        _ => Ok(()),
    }
}
