//! Deliveries and signals as requests to Discord.

mod forum;
mod reactions;

use frontdesk_core::address::Address;
use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{AlbumFile, Delivery, MediaFile, Post, Receipt, SendError, Signal};
use frontdesk_kit::{files, json::Fields};
use futures_util::FutureExt;
use reqwest::Method;
use reqwest::multipart::Form;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use serenity::builder::CreateAllowedMentions;
use serenity::model::channel::MessageFlags;
use sha2::{Digest, Sha256};

pub(crate) use forum::ForumPosts;

use crate::buttons;
use crate::config::Settings;
use crate::destination::{Destination, PrivateChats};
use crate::error::{Fault, code};
use crate::interactions::Interactions;
use crate::reference::{Readers, Reference};
use crate::rest::{self, Request, Rest};

/// The longest nonce (Discord's documentation, Create Message).
const NONCE: usize = 25;

/// What deliveries need.
pub(crate) struct Outbound<'a> {
    pub rest: &'a Rest,
    pub settings: &'a Settings,
    pub chats: &'a PrivateChats,
    pub interactions: &'a Interactions,
    pub posts: &'a ForumPosts,
    /// The bot's id, if its token contains it.
    pub bot: Option<String>,
}

impl Outbound<'_> {
    /// Delivers one row.
    pub(crate) async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let at = self.chats.destination(self.rest, to).await?;
        let sent = match delivery {
            Delivery::Post(post) => self.post(&at, &post).await.map(Receipt::of),
            Delivery::Edit { target, post } => {
                let body = self.edited(&post);
                self.edit(&at, &target, &body).await.map(|()| Receipt::of(target))
            }
            Delivery::Media { file, post } => {
                self.check(&[&file])?;
                self.upload(&at, &post, &post.part.body, &[&file]).await.map(Receipt::of)
            }
            Delivery::Album(album) => {
                let files: Vec<&MediaFile> = album.iter().map(|one| &one.file).collect();
                self.check(&files)?;
                let (first, caption) = self.captions(&album)?;
                self.upload(&at, first, &caption, &files).await.map(Receipt::of)
            }
            Delivery::Delete { target } => self.delete(&at, &target).await.map(|()| Receipt::default()),
            Delivery::React { target, emoji } => {
                self.react(&at, &target, emoji.as_deref()).await.map(|()| Receipt::default())
            }
            Delivery::Pin { target } => self.pin(&at, &target).await.map(|()| Receipt::default()),
        };
        sent.map_err(|fault| fault.for_send(at.is_thread))
    }

    /// Shows one signal.
    pub(crate) async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        let shown = match signal {
            Signal::End { about, .. } => self.interactions.end(self.rest, &about.messages).await,
            Signal::Typing => {
                let at = self.chats.destination(self.rest, to).await?;
                self.types(&at).await
            }
            Signal::Grow { target, text } => {
                let at = self.chats.destination(self.rest, to).await?;
                self.edit(&at, &target, &self.text_of_message(&text)).await
            }
            Signal::Waits { target, waits } => {
                let (at, emoji) =
                    (self.chats.destination(self.rest, to).await?, self.settings.acknowledge.as_deref());
                match (target.parse(), emoji) {
                    // A command is no message that could be marked.
                    (Ok(Reference::Message(id)), Some(emoji)) => self.mark(&at, &id, emoji, waits).await,
                    _ => Ok(()),
                }
            }
            // Discord has no drafts, and no clients that read pieces.
            Signal::Draft { .. } | Signal::Delta { .. } | Signal::Progress { .. } => Ok(()),
        };
        shown.map_err(|fault| fault.for_send(to.thread().is_some()))
    }

    /// Sends a message; returns its id.
    async fn post(&self, at: &Destination, post: &Post) -> Result<String, Fault> {
        // One that was not acknowledged in time, or too long ago, is answered with a message.
        if let Some(Ok(interaction)) = post.reply_to.as_deref().map(str::parse)
            && let Some(answer) = self.respond(at, post, &interaction).await?
        {
            return Ok(answer);
        }
        let body = self.message(at, post, &post.part.body);
        let made = self.create(at, post, body, &[]).await?;
        let id = rest::id_of(&made.message)?;
        self.settle(&made.at, post, &id, &made.message).await?;
        Ok(id)
    }

    /// Answers an interaction; returns the id of the message. `None` if the post has to be a message of the channel, as are
    /// all parts of an answer but the first, unless the answer is for one person.
    async fn respond(
        &self,
        at: &Destination,
        post: &Post,
        interaction: &Reference,
    ) -> Result<Option<String>, Fault> {
        let Reference::Interaction { id, token, readers } = interaction else { return Ok(None) };
        let for_one = match readers {
            Readers::PrivateChat => false,
            Readers::Channel => post.audience.is_some(),
            Readers::Sender => true,
        };
        let (id, body) = (id.to_string(), self.edited(post));
        let attempt = async || match (post.part.key, for_one) {
            (0, false) => self.interactions.answer(self.rest, (&id, token), &body).await,
            (0, true) => self.interactions.answer_for_one(self.rest, (&id, token), &body).await,
            (_, true) => self.interactions.go_on_for_one(self.rest, token, &body).await,
            (_, false) => Ok(None),
        };
        match attempt().await {
            // All that Discord says if the thread was archived meanwhile.
            Err(Fault::Refused(refusal)) if refusal.status >= 500 && at.is_thread => {
                match self.unarchive(&at.channel).await {
                    Ok(()) => attempt().await,
                    Err(_) => Err(Fault::Refused(refusal)),
                }
            }
            answered => answered,
        }
    }

    /// Puts a message into a channel, and makes the thread for it where there is none yet.
    async fn create(
        &self,
        at: &Destination,
        post: &Post,
        body: Value,
        files: &[&MediaFile],
    ) -> Result<Made, Fault> {
        let made = match self.create_in(&at.channel, &body, files).await {
            // Without a right to read the history there are no answers, only messages.
            Err(fault) if fault.is(&[code::NO_REPLY]) => {
                self.create_in(&at.channel, &without_reference(body), files).await
            }
            Err(fault) if self.opens(at, &fault) => {
                self.open_thread(at, fault).await?;
                self.create_in(&at.channel, &body, files).await
            }
            Err(fault) if fault.is(&[code::FORUM]) => {
                return match post.part.key {
                    0 => self.post_in_forum(&at.channel, body, files).await,
                    _ => self.continue_in_forum(&at.channel, body, files).await,
                };
            }
            made => made,
        };
        Ok(Made { message: made?, at: at.clone() })
    }

    async fn create_in(
        &self,
        channel: &str,
        body: &Value,
        files: &[&MediaFile],
    ) -> Result<Box<RawValue>, Fault> {
        let request = Request::new("create_message", Method::POST, &["channels", channel, "messages"]);
        match files {
            [] => self.rest.json(&request, body).await,
            files => self.rest.upload(&request, form(body, files)).await,
        }
    }

    async fn types(&self, at: &Destination) -> Result<(), Fault> {
        let path = ["channels", at.channel.as_str(), "typing"];
        let request = Request::new("trigger_typing_indicator", Method::POST, &path);
        match self.rest.ask(&request).await {
            Err(fault) if self.opens(at, &fault) => {
                self.open_thread(at, fault).await?;
                self.rest.ask(&request).await.map(drop)
            }
            typed => typed.map(drop),
        }
    }

    /// Discord answers a nonce that it knows with the message that it has, whatever was sent: one that has grown before a
    /// restart gets its text.
    async fn settle(&self, at: &Destination, post: &Post, id: &str, sent: &RawValue) -> Result<(), Fault> {
        let shown = Fields::of(sent.get(), "").and_then(|fields| fields.maybe::<String>("content"));
        match shown {
            Some(shown) if shown.trim() != post.part.body.trim() => {
                self.edit(at, id, &self.edited(post)).await
            }
            _ => Ok(()),
        }
    }

    fn message(&self, at: &Destination, post: &Post, content: &str) -> Value {
        let mut body = json!({
            "content": content, "nonce": nonce(&post.key), "enforce_nonce": true, "allowed_mentions": nobody(),
        });
        if !self.settings.link_previews {
            body["flags"] = json!(MessageFlags::SUPPRESS_EMBEDS.bits());
        }
        let rows = buttons::of(post.ask.as_ref());
        if !rows.is_empty() {
            body["components"] = json!(rows);
        }
        // A thread stands on its question, which is in the channel.
        if let Some(Ok(Reference::Message(id))) = post.reply_to.as_deref().map(str::parse)
            && id != at.channel
        {
            // If the question was deleted, the answer is sent anyway.
            body["message_reference"] = json!({"message_id": id, "fail_if_not_exists": false});
        }
        body
    }

    /// The whole text and the buttons of a message that is there already.
    fn edited(&self, post: &Post) -> Value {
        let mut body = self.text_of_message(&post.part.body);
        body["components"] = json!(buttons::of(post.ask.as_ref()));
        body
    }

    /// The text of a message that is there already. Discord replaces its flags and its rules for mentions with those that an
    /// edit names, and has others for both if it names none.
    fn text_of_message(&self, text: &str) -> Value {
        let mut body = json!({"content": text, "allowed_mentions": nobody()});
        if !self.settings.link_previews {
            body["flags"] = json!(MessageFlags::SUPPRESS_EMBEDS.bits());
        }
        body
    }

    async fn edit(&self, at: &Destination, target: &str, body: &Value) -> Result<(), Fault> {
        if let Some(edited) = self.interactions.edit(self.rest, target, body).await {
            return edited;
        }
        let attempt = |channel: String| {
            async move {
                let path = ["channels", channel.as_str(), "messages", target];
                let request = Request::new("update_message", Method::PATCH, &path);
                match self.rest.json(&request, body).await {
                    Err(fault) if fault.is(&[code::ARCHIVED]) => {
                        self.unarchive(&channel).await?;
                        self.rest.json(&request, body).await.map(drop)
                    }
                    edited => edited.map(drop),
                }
            }
            .boxed()
        };
        self.at_message(at, target, attempt).await
    }

    /// Opens an archived thread. A new message does that by itself; an edit and the answer to an interaction do not.
    async fn unarchive(&self, thread: &str) -> Result<(), Fault> {
        let path = ["channels", thread];
        let request = Request::new("update_channel", Method::PATCH, &path);
        self.rest.json(&request, &json!({"archived": false})).await.map(drop)
    }

    async fn delete(&self, at: &Destination, target: &str) -> Result<(), Fault> {
        let attempt = |channel: String| {
            async move {
                let path = ["channels", channel.as_str(), "messages", target];
                self.rest.ask(&Request::new("delete_message", Method::DELETE, &path)).await.map(drop)
            }
            .boxed()
        };
        match self.at_message(at, target, attempt).await {
            Err(fault) if !fault.is(&[code::UNKNOWN_MESSAGE]) => Err(fault),
            _ => Ok(()),
        }
    }

    async fn pin(&self, at: &Destination, target: &str) -> Result<(), Fault> {
        let attempt = |channel: String| {
            async move {
                let path = ["channels", channel.as_str(), "messages", "pins", target];
                self.rest.ask(&Request::new("create_pin", Method::PUT, &path)).await.map(drop)
            }
            .boxed()
        };
        self.at_message(at, target, attempt).await
    }

    fn check(&self, files: &[&MediaFile]) -> Result<(), SendError> {
        let most = self.settings.max_upload_bytes;
        match files.iter().find(|file| file.size > most) {
            Some(file) => Err(SendError::Refused(Cause::plain(format!(
                "a file of {} bytes is over Discord's {most}",
                file.size
            )))),
            None => Ok(()),
        }
    }

    /// The first post of an album, and all captions together: Discord has one text for all files of a message.
    fn captions<'p>(&self, album: &'p [AlbumFile]) -> Result<(&'p Post, String), SendError> {
        let first = album.first().ok_or_else(|| SendError::Refused("an album without files".into()))?;
        let captions: Vec<&str> = album
            .iter()
            .map(|one| one.post.part.body.as_str())
            .filter(|caption| !caption.is_empty())
            .collect();
        let caption = captions.join("\n");
        match caption.chars().count() > self.settings.text_limit {
            true => Err(SendError::Refused("the captions of the album are too long for one message".into())),
            false => Ok((&first.post, caption)),
        }
    }

    /// Sends files in one message; returns its id.
    async fn upload(
        &self,
        at: &Destination,
        post: &Post,
        caption: &str,
        all: &[&MediaFile],
    ) -> Result<String, Fault> {
        let mut body = self.message(at, post, caption);
        body["attachments"] =
            all.iter().enumerate().map(|(id, file)| json!({"id": id, "filename": file.name})).collect();
        rest::id_of(&self.create(at, post, body, all).await?.message)
    }
}

/// A message that was made, and where it is.
struct Made {
    message: Box<RawValue>,
    at: Destination,
}

fn form(body: &Value, all: &[&MediaFile]) -> Form {
    let form = Form::new().text("payload_json", body.to_string());
    let numbered = all.iter().enumerate();
    numbered.fold(form, |form, (n, file)| form.part(format!("files[{n}]"), files::form_part(file)))
}

fn without_reference(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("message_reference");
    }
    body
}

/// Nobody is notified, whatever an agent writes.
fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new().replied_user(false)
}

/// The nonce of a part: every attempt to send the part uses it, and no other part does.
fn nonce(key: &str) -> String {
    let hash = Sha256::digest(key.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(NONCE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_has_the_length_that_discord_takes_and_belongs_to_its_part() {
        assert_eq!(nonce("db/t1/0").len(), NONCE);
        assert_eq!(nonce("db/t1/0"), nonce("db/t1/0"));
        assert_ne!(nonce("db/t1/0"), nonce("db/t1/1"));
    }

    #[test]
    fn nobody_is_notified() {
        assert_eq!(json!(nobody()), json!({"parse": [], "users": [], "roles": [], "replied_user": false}));
    }
}
