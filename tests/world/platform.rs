//! The fake platform: it keeps events until a higher offset acknowledges them, delivers them again after a restart,
//! gives ids to what it is sent, and writes every request into a journal.

mod adapter;
mod requests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::delivery::{PostKind, SendError};
use frontdesk_core::markup::Dialect;
use frontdesk_core::message::{Event, FileKind, Outcome};
use frontdesk_core::profile::{Limit, MessageChanges, Profile, ReceiptRule, Unit};
use tokio::sync::Notify;

use crate::event::{TestEvent, message_from};
use crate::files::{Fetch, Files};
use crate::setup::Plan;
use crate::wait::soon;

pub use adapter::FakeAdapter;

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
    /// The data of its buttons.
    pub buttons: Vec<String>,
    /// The only person who is to see it.
    pub audience: Option<String>,
    /// The id of the message that it replies to.
    pub reply_to: Option<String>,
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
    /// The bot's id.
    login: String,
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
    /// How many connections are to end.
    ends: u32,
    /// After how many steps of the gateway the next batch is dropped.
    steps: Option<usize>,
    /// How often an adapter has connected.
    connections: u32,
    typing: u32,
    files: Files,
    /// The names of the files of each album.
    albums: Vec<Vec<String>>,
    /// The name of a file that is refused.
    refused_file: Option<String>,
    /// Every state of every draft: chat, id and text.
    drafts: Vec<(String, i64, String)>,
    /// Every piece that was shown live: chat, number and text.
    deltas: Vec<(String, u32, String)>,
    /// Every change of a mark: the message, and whether it waits.
    marks: Vec<(String, bool)>,
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
    /// The server side of another account of a platform like this one.
    pub fn another_account(&self, name: &str) -> Arc<Self> {
        let account = AccountId::new(CHANNEL, Some(name)).unwrap();
        let profile = self.profile.clone();
        Arc::new(Self {
            profile,
            account,
            login: name.to_owned(),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// The server side of another bot, which can be connected as the same account.
    pub fn another_bot(&self) -> Arc<Self> {
        let (profile, account) = (self.profile.clone(), self.account.clone());
        let login = format!("{}-other", self.login);
        Arc::new(Self { profile, account, login, state: Mutex::default(), changed: Notify::new() })
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// How often an adapter has connected.
    pub fn connections(&self) -> u32 {
        self.state().connections
    }

    /// A platform with the abilities of a plan.
    pub(crate) fn new(plan: &Plan, dialect: &'static Dialect) -> Arc<Self> {
        let profile = Profile {
            channel: CHANNEL.to_owned(),
            limit: Limit { max: 200, unit: Unit::Characters },
            caption: 50,
            dialect,
            flow: plan.flow,
            receipt: ReceiptRule::Platform,
            typing: Some(Duration::from_secs(4)),
            threads: false,
            media: plan.media,
            albums: plan.albums.clone(),
            person_chat: Some(String::new()),
            operator_chat: None,
            ends: false,
            changes: MessageChanges { edit: true, delete: true, react: true, pin: true },
            buttons: plan.buttons,
            waiting_marks: plan.marks,
            private_posts: false,
            command_mark: '/',
            native: None,
            idempotent: plan.keys.then_some(Duration::from_secs(120)),
            pacing: plan.pacing,
            max_silence: Some(Duration::from_secs(60)),
        };
        let (account, login) = (AccountId::default_of(CHANNEL), "bot".to_owned());
        Arc::new(Self { profile, account, login, state: Mutex::default(), changed: Notify::new() })
    }

    /// Delivers a message; returns the event's number.
    pub fn receive(&self, person: &str, chat: &str, group: bool, text: &str) -> u64 {
        let event = message_from(person, text);
        self.deliver(if group { event.in_group(chat) } else { event })
    }

    /// Delivers an event; returns its number.
    pub fn deliver(&self, event: TestEvent) -> u64 {
        let TestEvent(event) = event.on(&self.account);
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

    /// Delivers an event again under its old id, as platforms do. Returns the number of this delivery.
    pub fn redeliver(&self, number: u64, text: &str, person: &str) -> u64 {
        let again = self.receive(person, person, false, text);
        let mut state = self.state();
        if let Some((_, event)) = state.pending.iter_mut().find(|(id, _)| *id == again) {
            event.id = number.to_string();
        }
        again
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
    pub fn hang_polls(&self, hang: bool) {
        self.state().polls_hang = hang;
        self.changed.notify_waiters();
    }

    /// The connection ends while the next batch is being stored: it is dropped when the gateway has made so many steps.
    pub fn ends_while_storing(&self, steps: usize) {
        self.state().steps = Some(steps);
    }

    /// The connection ends after a sign of life.
    pub fn end_connection(&self) {
        self.state().ends += 1;
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

    /// A file with this name is refused from now on, also in an album.
    pub fn refuse_file(&self, name: &str) {
        self.state().refused_file = Some(name.to_owned());
    }

    /// The names of the files of each album that was accepted.
    pub fn albums(&self) -> Vec<Vec<String>> {
        self.state().albums.clone()
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

    /// Every piece that was shown live in a chat: number and text.
    pub fn deltas(&self, chat: &str) -> Vec<(u32, String)> {
        let state = self.state();
        let here = state.deltas.iter().filter(|(at, ..)| at == chat);
        here.map(|(_, attempt, text)| (*attempt, text.clone())).collect()
    }

    /// Every change of a mark: the message, and whether it waits.
    pub fn marks(&self) -> Vec<(String, bool)> {
        self.state().marks.clone()
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
