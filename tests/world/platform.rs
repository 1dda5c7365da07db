//! A platform with true semantics: it keeps events until they are acknowledged by a higher offset, brings them
//! again after a restart, gives ids to what it is sent, and writes everything into a journal.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::act::{Act, MediaFile, Post, PostKind, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::markup::Dialect;
use frontdesk_core::message::{Attachment, Cursor, Event, FileKind, Outcome, Source};
use frontdesk_core::port::{Adapter, AdapterError, Bytes, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::{Flow, Limit, Pacing, Profile, ReceiptRule, Unit};
use tokio::sync::Notify;

use crate::event::{Happening, said};
use crate::files::{Fetch, Files, given};
use crate::patience::soon;

/// The name of the channel.
pub const CHANNEL: &str = "fake";

/// A message as the platform holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The platform's id.
    pub id: String,
    /// The chat.
    pub chat: String,
    /// What it says now.
    pub text: String,
    /// What it is.
    pub kind: PostKind,
    /// Under which key it came.
    pub key: String,
    /// How often it was edited.
    pub edits: u32,
    /// The file that it carries.
    pub file: Option<Carried>,
}

/// A file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The name that the reader sees.
    pub name: String,
    /// How it is shown.
    pub kind: FileKind,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The platform's side. Survives restarts of the gateway.
pub struct Platform {
    profile: Profile,
    account: AccountId,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Events that are kept: those that no poll has acknowledged.
    kept: VecDeque<(u64, Event)>,
    next: u64,
    acknowledged: u64,
    outcomes: Vec<(u64, Outcome)>,
    messages: Vec<Posted>,
    /// How many messages there have been, with those that were deleted.
    posts: usize,
    /// Every request, in order: what it was and whether it was taken.
    journal: Vec<String>,
    faults: VecDeque<Fault>,
    /// Whether the adapter panics over signs of typing.
    typing_panics: bool,
    offline: bool,
    deaf: bool,
    typing: u32,
    files: Files,
    /// Every state of every draft: its chat, its id and what it said.
    drafts: Vec<(String, i64, String)>,
    /// Whether drafts are refused.
    no_drafts: bool,
    /// What the next draft is answered with.
    draft_fault: Option<SendError>,
    /// What every edit is answered with.
    edit_fault: Option<SendError>,
    /// What everything in one chat is answered with.
    fault: Option<(String, SendError)>,
    /// Whether messages cannot be deleted.
    keeps_all: bool,
    /// Topics that are gone.
    closed: Vec<String>,
    /// The chat of everything that was sent, whatever it was.
    calls: Vec<String>,
}

/// What goes wrong with the next send.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this.
    Answer(SendError),
    /// It is taken, and the answer is lost.
    LostAnswer,
    /// It hangs.
    Hang,
    /// The adapter panics over it.
    Panic,
}

impl Platform {
    /// A platform whose answers arrive as `flow` says, and which takes files of so many bytes.
    pub fn new(flow: Flow, pacing: Pacing, media: Option<u64>, dialect: &'static Dialect) -> Arc<Self> {
        let profile = Profile {
            channel: CHANNEL,
            limit: Limit { max: 200, unit: Unit::Characters },
            caption: 50,
            dialect,
            flow,
            receipt: ReceiptRule::Platform,
            typing: Some(Duration::from_secs(4)),
            threads: false,
            media,
            person_chat: Some(""),
            ends: false,
            buttons: false,
            idempotent: None,
            pacing,
            patience: Some(Duration::from_secs(60)),
        };
        let account = AccountId::default_of(CHANNEL);
        Arc::new(Self { profile, account, state: Mutex::default(), changed: Notify::new() })
    }

    /// Somebody writes; returns the event's number.
    pub fn receive(&self, person: &str, chat: &str, group: bool, text: &str) -> u64 {
        let written = said(person, text);
        self.brings(if group { written.in_group(chat) } else { written })
    }

    /// Something happens; returns the event's number.
    pub fn brings(&self, Happening(event): Happening) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let message = event.platform_message.unwrap_or_else(|| format!("in-{id}"));
        let event = Event { id: id.to_string(), platform_message: Some(message), ..event };
        state.kept.push_back((id, event));
        drop(state);
        self.changed.notify_waiters();
        id
    }

    /// Something happens; returns what became of it.
    pub async fn brought(&self, happening: Happening) -> Outcome {
        let number = self.brings(happening);
        self.outcome(number).await
    }

    /// Brings an event once more, under its old id, as platforms do.
    pub fn redeliver(&self, number: u64, text: &str, person: &str) {
        let again = self.receive(person, person, false, text);
        let mut state = self.state();
        if let Some((_, event)) = state.kept.iter_mut().find(|(id, _)| *id == again) {
            event.id = number.to_string();
        }
    }

    /// The next sends go wrong like this, in this order.
    pub fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// The adapter panics over signs of typing from now on.
    pub fn panic_over_typing(&self) {
        self.state().typing_panics = true;
    }

    /// Whether requests reach the platform.
    pub fn set_offline(&self, offline: bool) {
        self.state().offline = offline;
    }

    /// Whether polls come back.
    pub fn set_deaf(&self, deaf: bool) {
        self.state().deaf = deaf;
        self.changed.notify_waiters();
    }

    /// What a chat shows, oldest first.
    pub fn chat(&self, chat: &str) -> Vec<Posted> {
        self.state().messages.iter().filter(|message| message.chat == chat).cloned().collect()
    }

    /// Every request, in order.
    pub fn journal(&self) -> Vec<String> {
        self.state().journal.clone()
    }

    /// What comes back when this file is asked for, time after time.
    pub fn holds(&self, reference: &str, answers: impl IntoIterator<Item = Fetch>) {
        self.state().files.hold(reference, answers);
    }

    /// Every file that was asked for, in order.
    pub fn fetched(&self) -> Vec<String> {
        self.state().files.asked().to_vec()
    }

    /// Drafts are refused from now on.
    pub fn refuse_drafts(&self) {
        self.state().no_drafts = true;
    }

    /// Every edit is answered with this from now on.
    pub fn refuse_edits(&self, error: SendError) {
        self.state().edit_fault = Some(error);
    }

    /// Everything in a chat is answered with this until it is `None`.
    pub fn answer_all(&self, chat: &str, error: Option<SendError>) {
        self.state().fault = error.map(|error| (chat.to_owned(), error));
    }

    /// Messages cannot be deleted from now on.
    pub fn refuse_deletes(&self) {
        self.state().keeps_all = true;
    }

    /// A topic of a group is deleted: nothing can be sent there.
    pub fn delete_topic(&self, topic: &str) {
        self.state().closed.push(topic.to_owned());
    }

    /// How often anything was sent to a chat, be it a sign of typing, and whatever the platform answered.
    pub fn calls(&self, chat: &str) -> usize {
        self.state().calls.iter().filter(|to| *to == chat).count()
    }

    /// How many requests of a kind (`post`, `edit`, `delete`, `answered`) the journal has.
    pub fn count(&self, kind: &str) -> usize {
        self.state().journal.iter().filter(|line| line.split(' ').next() == Some(kind)).count()
    }

    /// The next draft is answered with this.
    pub fn slow_down_drafts(&self, error: SendError) {
        self.state().draft_fault = Some(error);
    }

    /// Every state of every draft in a chat, with the draft's id.
    pub fn drafts(&self, chat: &str) -> Vec<(i64, String)> {
        let state = self.state();
        let here = state.drafts.iter().filter(|(at, ..)| at == chat);
        here.map(|(_, id, text)| (*id, text.clone())).collect()
    }

    /// How often "typing" was shown.
    pub fn typings(&self) -> u32 {
        self.state().typing
    }

    /// The outcome of an event, once it is acknowledged.
    pub async fn outcome(&self, number: u64) -> Outcome {
        soon(&format!("event {number} is acknowledged"), async {
            loop {
                let changed = self.changed.notified();
                if let Some((_, outcome)) = self.state().outcomes.iter().find(|(id, _)| *id == number) {
                    return outcome.clone();
                }
                changed.await;
            }
        })
        .await
    }

    /// Waits until a chat shows at least `count` messages that `fits`, and returns them.
    pub async fn shows(&self, chat: &str, count: usize, fits: impl Fn(&Posted) -> bool) -> Vec<Posted> {
        soon(&format!("chat {chat} shows {count} such messages; it shows {:#?}", self.chat(chat)), async {
            loop {
                let changed = self.changed.notified();
                let shown: Vec<Posted> =
                    self.chat(chat).into_iter().filter(|message| fits(message)).collect();
                if shown.len() >= count {
                    return shown;
                }
                changed.await;
            }
        })
        .await
    }

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
        let carried = Carried { name: file.name.clone(), kind: file.kind, bytes };
        self.add(chat, post, Some(carried))
    }

    fn post(&self, chat: &str, post: &Post) -> Receipt {
        self.add(chat, post, None)
    }

    fn add(&self, chat: &str, post: &Post, file: Option<Carried>) -> Receipt {
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
        if state.keeps_all {
            return Err(SendError::Refused("it is too old".to_owned()));
        }
        state.messages.retain(|message| message.id != target);
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt::default())
    }

    /// What everything is answered with, or what is sent to a topic that is gone.
    fn refusal(&self, to: &Address, act: &Act) -> Option<SendError> {
        let mut state = self.state();
        state.calls.push(to.chat().to_owned());
        let gone = to.thread().is_some_and(|topic| state.closed.iter().any(|closed| closed == topic));
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

    fn take(&self, to: &Address, act: &Act) -> Result<Receipt, SendError> {
        match act {
            Act::Delete { target } => self.delete(to.chat(), target),
            Act::Post(post) => Ok(self.post(to.chat(), post)),
            Act::Edit { target, post } => self.edit(to.chat(), target, post),
            Act::Media { file, post } => Ok(self.media(to.chat(), file, post)),
            Act::Draft { id, text } => self.draft(to.chat(), *id, text),
            Act::Typing => {
                assert!(!self.state().typing_panics, "as told");
                self.state().typing += 1;
                self.changed.notify_waiters();
                Ok(Receipt::default())
            }
            _ => Err(SendError::Refused("not here".to_owned())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The adapter of one life of the gateway.
pub struct FakeAdapter(pub Arc<Platform>);

#[async_trait]
impl Adapter for FakeAdapter {
    fn profile(&self) -> &Profile {
        &self.0.profile
    }

    fn account(&self) -> &AccountId {
        &self.0.account
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        let source = Source { id: "fake:1".to_owned(), account: self.account().clone() };
        let cursor = inbox.cursor(&source).await.map_err(|error| AdapterError::Lost(error.to_string()))?;
        let mut offset: u64 = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        loop {
            let changed = self.0.changed.notified();
            let batch: Vec<(u64, Event)> = {
                let mut state = self.0.state();
                if state.deaf {
                    Vec::new()
                } else {
                    // Only now are earlier events acknowledged: by asking for later ones.
                    state.acknowledged = state.acknowledged.max(offset);
                    state.kept.retain(|(id, _)| *id > offset);
                    state.kept.iter().take(100).cloned().collect()
                }
            };
            if !self.0.state().deaf {
                inbox.heard(&source);
            }
            if batch.is_empty() {
                tokio::select! {
                    () = changed => continue,
                    () = stop.cancelled() => return Ok(()),
                }
            }
            let last = batch.last().map_or(offset, |(id, _)| *id);
            let (numbers, events): (Vec<u64>, Vec<Event>) = batch.into_iter().unzip();
            let pushed = inbox.push(&source, events, Some(Cursor(last.to_string()))).await;
            let outcomes = pushed.map_err(|error| AdapterError::Lost(error.to_string()))?;
            offset = last;
            self.0.state().outcomes.extend(numbers.into_iter().zip(outcomes));
            self.0.changed.notify_waiters();
        }
    }

    async fn send(&self, to: &Address, act: Act) -> Result<Receipt, SendError> {
        if self.0.state().offline {
            return Err(SendError::Offline);
        }
        if let Some(error) = self.0.refusal(to, &act) {
            return Err(error);
        }
        let fault = match act {
            Act::Post(_) | Act::Edit { .. } | Act::Media { .. } => self.0.state().faults.pop_front(),
            _ => None,
        };
        match fault {
            None => self.0.take(to, &act),
            Some(Fault::Answer(error)) => {
                self.0.state().journal.push(format!("answered {} with {error}", to.chat()));
                self.0.changed.notify_waiters();
                Err(error)
            }
            Some(Fault::LostAnswer) => {
                self.0.take(to, &act)?;
                Err(SendError::Unknown("the answer was lost".to_owned()))
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Panic) => panic!("as told"),
        }
    }

    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError> {
        if self.0.state().offline {
            return Err(FetchError::Later("not connected".to_owned()));
        }
        let answer = self.0.state().files.answer(&file.reference);
        self.0.changed.notify_waiters();
        given(answer)
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}
