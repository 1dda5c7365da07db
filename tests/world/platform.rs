//! The fake platform: it keeps events until a higher offset acknowledges them, delivers them again after a restart,
//! gives ids to what it is sent, and writes every request into a journal.

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

use crate::event::{TestEvent, said};
use crate::files::{Fetch, Files, given};
use crate::wait::soon;

/// The name of the channel.
pub const CHANNEL: &str = "fake";

/// A message that the platform stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The platform's id.
    pub id: String,
    /// The chat.
    pub chat: String,
    /// The current text.
    pub text: String,
    /// Answer, notice or other.
    pub kind: PostKind,
    /// The idempotency key it was sent with.
    pub key: String,
    /// How often it was edited.
    pub edits: u32,
    /// Its file.
    pub file: Option<PostedFile>,
}

/// A file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedFile {
    /// Its name.
    pub name: String,
    /// How it is shown.
    pub kind: FileKind,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The server side of the fake platform. It outlives restarts of the gateway.
pub struct Platform {
    profile: Profile,
    account: AccountId,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Events that no poll has acknowledged yet.
    pending: VecDeque<(u64, Event)>,
    next: u64,
    acknowledged: u64,
    outcomes: Vec<(u64, Outcome)>,
    messages: Vec<Posted>,
    /// How many messages there have been, with those that were deleted.
    posts: usize,
    /// Every request, in order.
    journal: Vec<String>,
    faults: VecDeque<Fault>,
    /// Whether the adapter panics when it shows typing.
    typing_panics: bool,
    offline: bool,
    polls_hang: bool,
    typing: u32,
    files: Files,
    /// Every state of every draft: chat, id and text.
    drafts: Vec<(String, i64, String)>,
    /// Whether drafts are refused.
    no_drafts: bool,
    /// The error of the next draft.
    draft_fault: Option<SendError>,
    /// The error of every edit.
    edit_fault: Option<SendError>,
    /// A chat and the error of every request to it.
    fault: Option<(String, SendError)>,
    deletes_refused: bool,
    deleted_topics: Vec<String>,
    /// The chat of every request, in order.
    calls: Vec<String>,
}

/// How the next request fails.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this error.
    Answer(SendError),
    /// It is carried out, and its response is lost.
    LostAnswer,
    /// It hangs.
    Hang,
    /// The adapter panics.
    Panic,
}

impl Platform {
    /// A platform that shows answers as `flow` says and accepts files up to `media` bytes.
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
            max_silence: Some(Duration::from_secs(60)),
        };
        let account = AccountId::default_of(CHANNEL);
        Arc::new(Self { profile, account, state: Mutex::default(), changed: Notify::new() })
    }

    /// Delivers a message; returns the event's number.
    pub fn receive(&self, person: &str, chat: &str, group: bool, text: &str) -> u64 {
        let with_first_line = said(person, text);
        self.deliver(if group { with_first_line.in_group(chat) } else { with_first_line })
    }

    /// Delivers an event; returns its number.
    pub fn deliver(&self, TestEvent(event): TestEvent) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let message = event.platform_message.unwrap_or_else(|| format!("in-{id}"));
        let event = Event { id: id.to_string(), platform_message: Some(message), ..event };
        state.pending.push_back((id, event));
        drop(state);
        self.changed.notify_waiters();
        id
    }

    /// Delivers an event and waits for its outcome.
    pub async fn outcome_of(&self, event: TestEvent) -> Outcome {
        let number = self.deliver(event);
        self.outcome(number).await
    }

    /// Delivers an event again under its old id, as platforms do.
    pub fn redeliver(&self, number: u64, text: &str, person: &str) {
        let again = self.receive(person, person, false, text);
        let mut state = self.state();
        if let Some((_, event)) = state.pending.iter_mut().find(|(id, _)| *id == again) {
            event.id = number.to_string();
        }
    }

    /// The next requests fail like this, in this order.
    pub fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// From now on the adapter panics when it shows typing.
    pub fn panic_over_typing(&self) {
        self.state().typing_panics = true;
    }

    /// Whether requests reach the platform.
    pub fn set_offline(&self, offline: bool) {
        self.state().offline = offline;
    }

    /// Whether polls hang without a response.
    pub fn hang_polls(&self, deaf: bool) {
        self.state().polls_hang = deaf;
        self.changed.notify_waiters();
    }

    /// The messages of a chat, oldest first.
    pub fn chat(&self, chat: &str) -> Vec<Posted> {
        self.state().messages.iter().filter(|message| message.chat == chat).cloned().collect()
    }

    /// Every request, in order.
    pub fn journal(&self) -> Vec<String> {
        self.state().journal.clone()
    }

    /// How the downloads of this file go, one after another.
    pub fn holds(&self, reference: &str, answers: impl IntoIterator<Item = Fetch>) {
        self.state().files.set(reference, answers);
    }

    /// Every file that was requested, in order.
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

    /// Every request to a chat is answered with this error, until it is set to `None`.
    pub fn answer_all(&self, chat: &str, error: Option<SendError>) {
        self.state().fault = error.map(|error| (chat.to_owned(), error));
    }

    /// Messages cannot be deleted from now on.
    pub fn refuse_deletes(&self) {
        self.state().deletes_refused = true;
    }

    /// Deletes a topic of a group: nothing can be sent there any more.
    pub fn delete_topic(&self, topic: &str) {
        self.state().deleted_topics.push(topic.to_owned());
    }

    /// The number of requests to a chat, typing included, whatever the platform answered.
    pub fn calls(&self, chat: &str) -> usize {
        self.state().calls.iter().filter(|to| *to == chat).count()
    }

    /// The number of requests of a kind (`post`, `edit`, `delete`, `answered`) in the journal.
    pub fn count(&self, kind: &str) -> usize {
        self.state().journal.iter().filter(|line| line.split(' ').next() == Some(kind)).count()
    }

    /// The next draft is answered with this error.
    pub fn slow_down_drafts(&self, error: SendError) {
        self.state().draft_fault = Some(error);
    }

    /// Every state of every draft in a chat: id and text.
    pub fn drafts(&self, chat: &str) -> Vec<(i64, String)> {
        let state = self.state();
        let here = state.drafts.iter().filter(|(at, ..)| at == chat);
        here.map(|(_, id, text)| (*id, text.clone())).collect()
    }

    /// How often "typing" was shown.
    pub fn typings(&self) -> u32 {
        self.state().typing
    }

    /// Waits until an event is acknowledged and returns its outcome.
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

    /// Waits until a chat has at least `count` messages that `fits` accepts, and returns them.
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
    fn refusal(&self, to: &Address, act: &Act) -> Option<SendError> {
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

/// The adapter of one gateway process.
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
                if state.polls_hang {
                    Vec::new()
                } else {
                    // Only now are earlier events acknowledged: by asking for later ones.
                    state.acknowledged = state.acknowledged.max(offset);
                    state.pending.retain(|(id, _)| *id > offset);
                    state.pending.iter().take(100).cloned().collect()
                }
            };
            if !self.0.state().polls_hang {
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
