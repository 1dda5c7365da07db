//! The requests that the fake platform carries out or refuses.

use std::io::Read;

use frontdesk_core::act::{Act, MediaFile, Post, Receipt, SendError};
use frontdesk_core::address::Address;

use super::{Platform, Posted, PostedFile};

impl Platform {
    fn draft(&self, chat: &str, id: i64, text: &str) -> Result<Receipt, SendError> {
        let mut state = self.state();
        if let Some(error) = state.draft_fault.take() {
            return Err(error);
        }
        if state.no_drafts {
            return Err(SendError::Refused("no drafts here".to_owned()));
        }
        state.drafts.push((chat.to_owned(), id, text.to_owned()));
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt::default())
    }

    fn media(&self, chat: &str, file: &MediaFile, post: &Post) -> Receipt {
        let mut bytes = Vec::new();
        (&*file.handle).read_to_end(&mut bytes).unwrap();
        assert_eq!(u64::try_from(bytes.len()).unwrap(), file.size);
        let file_sent = PostedFile { name: file.name.clone(), kind: file.kind, bytes };
        self.add(chat, post, Some(file_sent))
    }

    fn post(&self, chat: &str, post: &Post) -> Receipt {
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
        state.messages.push(Posted { id: id.clone(), chat, text, kind, key, edits: 0, file });
        drop(state);
        self.changed.notify_waiters();
        Receipt { message: Some(id) }
    }

    fn edit(&self, chat: &str, target: &str, post: &Post) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.journal.push(format!("edit {chat} {target} {}", post.part.body));
        if let Some(error) = state.edit_fault.clone() {
            drop(state);
            self.changed.notify_waiters();
            return Err(error);
        }
        let message = state.messages.iter_mut().find(|message| message.id == target);
        let message = message.ok_or_else(|| SendError::Refused("no such message".to_owned()))?;
        message.text.clone_from(&post.part.body);
        message.edits += 1;
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt { message: Some(target.to_owned()) })
    }

    fn delete(&self, chat: &str, target: &str) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.journal.push(format!("delete {chat} {target}"));
        if state.deletes_refused {
            return Err(SendError::Refused("it is too old".to_owned()));
        }
        state.messages.retain(|message| message.id != target);
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt::default())
    }

    /// The error of every request to this chat, or of a request to a deleted topic.
    pub(super) fn refusal(&self, to: &Address, act: &Act) -> Option<SendError> {
        let mut state = self.state();
        state.calls.push(to.chat().to_owned());
        let gone =
            to.thread().is_some_and(|topic| state.deleted_topics.iter().any(|deleted| deleted == topic));
        let by_topic = !matches!(act, Act::Edit { .. } | Act::Delete { .. });
        let error = match &state.fault {
            Some((chat, error)) if chat == to.chat() => error.clone(),
            _ if gone && by_topic => SendError::ThreadGone("no such topic".to_owned()),
            _ => return None,
        };
        state.journal.push(format!("answered {} with {error}", to.chat()));
        drop(state);
        self.changed.notify_waiters();
        Some(error)
    }

    /// Carries out a request.
    pub(super) fn carry_out(&self, to: &Address, act: &Act) -> Result<Receipt, SendError> {
        match act {
            Act::Delete { target } => self.delete(to.chat(), target),
            Act::Post(post) => Ok(self.post(to.chat(), post)),
            Act::Edit { target, post } => self.edit(to.chat(), target, post),
            Act::Media { file, post } => Ok(self.media(to.chat(), file, post)),
            Act::Draft { id, text } => self.draft(to.chat(), *id, text),
            Act::Typing => {
                assert!(!self.state().typing_panics, "scripted");
                self.state().typing += 1;
                self.changed.notify_waiters();
                Ok(Receipt::default())
            }
            _ => Err(SendError::Refused("not here".to_owned())),
        }
    }
}
