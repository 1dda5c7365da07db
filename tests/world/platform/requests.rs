//! The requests that the fake platform carries out or refuses.

use std::io::Read;

use frontdesk_core::address::Address;
use frontdesk_core::ask::{PostedAsk, Press};
use frontdesk_core::delivery::{AlbumFile, Delivery, MediaFile, Post, Receipt, SendError, Signal};

use super::{Fault, Platform, Posted, PostedFile};

impl Platform {
    fn draft(&self, chat: &str, id: i64, text: &str) -> Result<(), SendError> {
        let mut state = self.state();
        if let Some(error) = state.draft_fault.take() {
            return Err(error);
        }
        if state.no_drafts {
            return Err(SendError::Refused("no drafts here".into()));
        }
        state.drafts.push((chat.to_owned(), id, text.to_owned()));
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn media(&self, chat: &str, file: &MediaFile, post: &Post) -> Receipt {
        let mut bytes = Vec::new();
        (&*file.handle).read_to_end(&mut bytes).unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), file.size);
        let file_sent = PostedFile { name: file.name.clone(), kind: file.kind, bytes };
        self.add(chat, post, Some(file_sent))
    }

    /// Accepts an album, unless one of its files is refused.
    fn album(&self, chat: &str, files: &[AlbumFile]) -> Result<Receipt, SendError> {
        let refused = self.state().refused_file.clone();
        if let Some(refused) = refused.filter(|name| files.iter().any(|one| one.file.name == *name)) {
            return Err(SendError::Refused(format!("{refused} is not accepted").into()));
        }
        self.state().albums.push(files.iter().map(|one| one.file.name.clone()).collect());
        let mut ids = files.iter().filter_map(|one| self.media(chat, &one.file, &one.post).message);
        Ok(Receipt { message: ids.next(), others: ids.collect() })
    }

    fn post(&self, chat: &str, post: &Post) -> Receipt {
        if self.profile.idempotent.is_some()
            && let Some(known) = self.chat(chat).into_iter().find(|known| known.key == post.key)
            && self.edit(chat, &known.id, &post.part.body).is_ok()
        {
            return Receipt::of(known.id);
        }
        self.add(chat, post, None)
    }

    fn add(&self, chat: &str, post: &Post, file: Option<PostedFile>) -> Receipt {
        let mut state = self.state();
        state.posts += 1;
        let id = format!("out-{}", state.posts);
        let text = post.part.body.clone();
        state.journal.push(format!("post {chat} {} {text}", post.key));
        let (kind, key) = (post.kind, post.key.clone());
        let chat = chat.to_owned();
        let buttons = self.buttons(post);
        let audience = post.audience.as_ref().map(ToString::to_string);
        state.messages.push(Posted {
            id: id.clone(),
            chat,
            text,
            kind,
            key,
            edits: 0,
            file,
            buttons,
            audience,
            reply_to: post.reply_to.clone(),
        });
        drop(state);
        self.changed.notify_waiters();
        Receipt::of(id)
    }

    /// The data of the buttons beneath a post.
    fn buttons(&self, post: &Post) -> Vec<String> {
        let ask = post.ask.as_ref().filter(|ask| self.profile.buttons && ask.closed.is_none());
        let data = |ask: &PostedAsk| {
            (0..ask.choices.len()).map(|choice| Press { ask: ask.id, choice }.to_string()).collect()
        };
        ask.map(data).unwrap_or_default()
    }

    /// Changes a message, which loses its buttons.
    fn edit(&self, chat: &str, target: &str, text: &str) -> Result<(), SendError> {
        let mut state = self.state();
        state.journal.push(format!("edit {chat} {target} {text}"));
        if let Some(error) = state.edit_fault.clone() {
            drop(state);
            self.changed.notify_waiters();
            return Err(error);
        }
        let message = state.messages.iter_mut().find(|message| message.id == target);
        let message = message.ok_or_else(|| SendError::Refused("no such message".into()))?;
        text.clone_into(&mut message.text);
        message.buttons.clear();
        message.edits += 1;
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Something that is done with a message and does not change it.
    fn mark(&self, chat: &str, target: &str, what: &str) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.journal.push(format!("{what} {chat} {target}"));
        drop(state);
        self.changed.notify_waiters();
        if what.contains("🧦") {
            Err(SendError::Refused("no such reaction".into()))
        } else {
            Ok(Receipt::default())
        }
    }

    fn delete(&self, chat: &str, target: &str) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.journal.push(format!("delete {chat} {target}"));
        if state.deletes_refused {
            return Err(SendError::Refused("it is too old".into()));
        }
        state.messages.retain(|message| message.id != target);
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt::default())
    }

    /// Fails if every request to this chat fails, or if a request names a deleted topic.
    fn check(&self, to: &Address, by_topic: bool) -> Result<(), SendError> {
        let mut state = self.state();
        if state.offline {
            return Err(SendError::Offline("no network".into()));
        }
        state.calls.push(to.chat().to_owned());
        let gone =
            to.thread().is_some_and(|topic| state.deleted_topics.iter().any(|deleted| deleted == topic));
        let error = match &state.fault {
            Some((chat, error)) if chat == to.chat() => error.clone(),
            _ if gone && by_topic => SendError::ThreadGone("no such topic".into()),
            _ => return Ok(()),
        };
        state.journal.push(format!("answered {} with {error}", to.chat()));
        drop(state);
        self.changed.notify_waiters();
        Err(error)
    }

    /// Carries out a request, with the next scripted fault.
    async fn carry_out<T>(
        &self,
        to: &Address,
        request: impl FnOnce() -> Result<T, SendError> + Send,
    ) -> Result<T, SendError> {
        let fault = self.state().faults.pop_front();
        match fault {
            None => request(),
            Some(Fault::Answer(error)) => {
                self.state().journal.push(format!("answered {} with {error}", to.chat()));
                self.changed.notify_waiters();
                Err(error)
            }
            Some(Fault::LostAnswer) => {
                request()?;
                Err(SendError::Unknown("the answer was lost".into()))
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("scripted"),
        }
    }

    pub(super) async fn accept_delivery(
        &self,
        to: &Address,
        delivery: &Delivery,
    ) -> Result<Receipt, SendError> {
        let chat = to.chat();
        let is_message = matches!(delivery, Delivery::Post(_) | Delivery::Media { .. } | Delivery::Album(_));
        self.check(to, is_message)?;
        match delivery {
            Delivery::Delete { target } => self.delete(chat, target),
            Delivery::React { target, emoji } => {
                self.carry_out(to, || {
                    self.mark(chat, target, &format!("reacted {}", emoji.as_deref().unwrap_or("nothing")))
                })
                .await
            }
            Delivery::Pin { target } => self.carry_out(to, || self.mark(chat, target, "pinned")).await,
            Delivery::Post(post) => self.carry_out(to, || Ok(self.post(chat, post))).await,
            Delivery::Media { file, post } => {
                let refused = self.state().refused_file.as_ref() == Some(&file.name);
                self.carry_out(to, || match refused {
                    true => Err(SendError::Refused(format!("{} is not accepted", file.name).into())),
                    false => Ok(self.media(chat, file, post)),
                })
                .await
            }
            Delivery::Album(files) if self.profile.albums.is_some() => {
                self.carry_out(to, || self.album(chat, files)).await
            }
            Delivery::Album(_) => Err(SendError::Refused("no albums here".into())),
            Delivery::Edit { target, post } => {
                self.carry_out(to, || self.edit(chat, target, &post.part.body)).await?;
                Ok(Receipt::of(target.clone()))
            }
        }
    }

    pub(super) async fn accept_signal(&self, to: &Address, signal: &Signal) -> Result<(), SendError> {
        self.check(to, !matches!(signal, Signal::Grow { .. }))?;
        match signal {
            Signal::Grow { target, text } => self.carry_out(to, || self.edit(to.chat(), target, text)).await,
            Signal::Draft { id, text } => self.draft(to.chat(), *id, text),
            Signal::Waits { target, waits } => {
                self.state().marks.push((target.clone(), *waits));
                Ok(())
            }
            Signal::Typing => {
                assert!(!self.state().typing_panics, "scripted");
                self.state().typing += 1;
                self.changed.notify_waiters();
                Ok(())
            }
            Signal::Delta { attempt, text, .. } => {
                self.state().deltas.push((to.chat().to_owned(), *attempt, text.clone()));
                Ok(())
            }
            Signal::Progress { .. } | Signal::End { .. } => Ok(()),
        }
    }
}
