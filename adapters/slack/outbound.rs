//! Deliveries and signals as calls of the Web API.

use std::collections::HashMap;
use std::sync::Mutex;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Post, Receipt, SendError, Signal};
use serde_json::{Value, json};

use crate::api::Api;
use crate::config::Settings;
use crate::error::Fault;
use crate::{blocks, markup, media};

/// Slack: the longest text of an update, in characters.
const UPDATE: usize = 4000;
/// What Slack shows behind the app's name while an answer is written.
const WRITING: &str = "is writing…";

/// Sends to one workspace.
pub(crate) struct Outbound<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    /// The private chats that were opened, by the people in them.
    pub opened: &'a Mutex<HashMap<String, String>>,
}

impl Outbound<'_> {
    /// Delivers one row.
    pub(crate) async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let channel = self.channel(to).await?;
        match delivery {
            Delivery::Post(post) => self.post(&channel, to.thread(), &post).await,
            Delivery::Edit { target, post } => {
                let blocks = blocks::of(&post);
                self.update(&channel, &target, &post.part.body, blocks).await?;
                Ok(Receipt::of(target))
            }
            Delivery::Media { file, post } => {
                media::send(self.api, self.settings, (&channel, to.thread()), &[(&file, &post)]).await
            }
            Delivery::Album(files) => {
                let files: Vec<_> = files.iter().map(|one| (&one.file, &one.post)).collect();
                media::send(self.api, self.settings, (&channel, to.thread()), &files).await
            }
            Delivery::Delete { target } => {
                let deleted = self.api.call("chat.delete", json!({"channel": channel, "ts": target})).await;
                done(deleted, &["message_not_found"]).map(|()| Receipt::default())
            }
            Delivery::React { .. } => {
                Err(SendError::Refused("reactions are not sent on Slack yet".to_owned()))
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
            Signal::Typing => self.status(to, WRITING).await,
            Signal::End { .. } => self.status(to, "").await,
            Signal::Grow { target, text } => {
                let channel = self.channel(to).await?;
                let text: String = markup::literal(&text).chars().take(UPDATE).collect();
                self.update(&channel, &target, &text, None).await
            }
            // There are no drafts, no marks and no clients that read pieces.
            Signal::Draft { .. } | Signal::Waits { .. } | Signal::Delta { .. } | Signal::Progress { .. } => {
                Ok(())
            }
        }
    }

    async fn post(&self, channel: &str, thread: Option<&str>, post: &Post) -> Result<Receipt, SendError> {
        let mut message = json!({
            "channel": channel, "text": post.part.body, "parse": "none", "link_names": false,
            "unfurl_links": self.settings.link_previews, "unfurl_media": self.settings.link_previews,
            "metadata": {"event_type": "frontdesk_part", "event_payload": {"key": post.key}},
        });
        if let Some(thread) = thread {
            message["thread_ts"] = thread.into();
        }
        if let Some(blocks) = blocks::of(post) {
            message["blocks"] = blocks;
        }
        let sent = self.api.call("chat.postMessage", message).await.map_err(Fault::for_send)?;
        let ts = sent["ts"]
            .as_str()
            .ok_or_else(|| SendError::Unknown("the answer names no message".to_owned()))?;
        Ok(Receipt::of(ts.to_owned()))
    }

    /// Changes the text and the buttons of a message; without blocks its buttons are removed.
    async fn update(
        &self,
        channel: &str,
        ts: &str,
        text: &str,
        blocks: Option<Value>,
    ) -> Result<(), SendError> {
        // By default an update would link names: `@channel` would notify everybody.
        let mut update =
            json!({"channel": channel, "ts": ts, "text": text, "parse": "none", "link_names": false});
        if let Some(blocks) = blocks {
            update["blocks"] = blocks;
        }
        done(self.api.call("chat.update", update).await, &[])
    }

    /// Shows what the app does behind its name in a thread, or nothing any more. It may be lost without harm.
    async fn status(&self, to: &Address, status: &str) -> Result<(), SendError> {
        let Some(thread) = to.thread() else { return Ok(()) };
        let channel = self.channel(to).await?;
        let shown = json!({"channel_id": channel, "thread_ts": thread, "status": status});
        match self.api.call("assistant.threads.setStatus", shown).await {
            Err(fault @ Fault::Refused(_)) if fault.is(&["ratelimited", "rate_limited"]) => {
                Err(fault.for_send())
            }
            // An app without assistants, or a thread that is gone.
            _ => Ok(()),
        }
    }

    /// The channel of an address; the private chat of a person is opened if only the person is known.
    async fn channel(&self, to: &Address) -> Result<String, SendError> {
        let Some(person) = to.chat().strip_prefix('@') else { return Ok(to.chat().to_owned()) };
        // Somebody of another workspace has its id before theirs.
        let user = person.rsplit('/').next().unwrap_or(person);
        if let Some(known) = self.opened.lock().ok().and_then(|opened| opened.get(user).cloned()) {
            return Ok(known);
        }
        let opened = self.api.call("conversations.open", json!({"users": user})).await;
        let opened = opened.map_err(Fault::for_preparation)?;
        let channel = opened["channel"]["id"].as_str();
        let channel =
            channel.ok_or_else(|| SendError::Refused("Slack has opened no chat".to_owned()))?.to_owned();
        if let Ok(mut known) = self.opened.lock() {
            known.insert(user.to_owned(), channel.clone());
        }
        Ok(channel)
    }
}

/// The result of a change, where some refusals say that it is done already.
fn done(answer: Result<Value, Fault>, already: &[&str]) -> Result<(), SendError> {
    match answer {
        Err(fault) if !fault.is(already) => Err(fault.for_send()),
        _ => Ok(()),
    }
}
