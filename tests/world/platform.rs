//! A platform with true semantics: it keeps events until they are acknowledged by a higher offset, brings them
//! again after a restart, gives ids to what it is sent, and writes everything into a journal.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::act::{Act, Post, PostKind, Receipt, SendError};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::markup::Dialect;
use frontdesk_core::message::{Cursor, Event, EventKind, Outcome, Place, Source};
use frontdesk_core::port::{Adapter, AdapterError, Inbox, Stop};
use frontdesk_core::profile::{Flow, Limit, Pacing, Profile, ReceiptRule, Unit};
use tokio::sync::Notify;

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
}

/// The platform's side. Survives restarts of the gateway.
pub struct Platform {
    profile: Profile,
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
    /// Every request, in order: what it was and whether it was taken.
    journal: Vec<String>,
    faults: VecDeque<Fault>,
    /// Whether the adapter panics over signs of typing.
    typing_panics: bool,
    offline: bool,
    deaf: bool,
    typing: u32,
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
    /// A platform whose answers arrive as `flow` says.
    pub fn new(flow: Flow, pacing: Pacing, dialect: &'static Dialect) -> Arc<Self> {
        let profile = Profile {
            channel: CHANNEL,
            limit: Limit { max: 200, unit: Unit::Characters },
            dialect,
            flow,
            receipt: ReceiptRule::Platform,
            typing: Some(Duration::from_secs(4)),
            threads: false,
            media: false,
            buttons: false,
            idempotent: false,
            pacing,
            patience: Some(Duration::from_secs(60)),
        };
        Arc::new(Self { profile, state: Mutex::default(), changed: Notify::new() })
    }

    /// Somebody writes; returns the event's number.
    pub fn receive(&self, person: &str, chat: &str, group: bool, text: &str) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let place = match group {
            true => Place::Group { chat: chat.to_owned() },
            false => Place::Dm { chat: chat.to_owned() },
        };
        let event = Event {
            id: id.to_string(),
            kind: EventKind::Message,
            principal: Principal::new(CHANNEL, None, person).unwrap(),
            address: Address::new(CHANNEL, None, chat, None).unwrap(),
            place,
            addressed: true,
            text: text.to_owned(),
            sender: Some(format!("name of {person}")),
            platform_message: Some(format!("in-{id}")),
            attachments: Vec::new(),
            sent_at: None,
        };
        state.kept.push_back((id, event));
        drop(state);
        self.changed.notify_waiters();
        id
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

    fn post(&self, chat: &str, post: &Post) -> Receipt {
        let mut state = self.state();
        let id = format!("out-{}", state.messages.len() + 1);
        let text = post.part.body.clone();
        state.journal.push(format!("post {chat} {} {text}", post.key));
        let (kind, key) = (post.kind, post.key.clone());
        state.messages.push(Posted { id: id.clone(), chat: chat.to_owned(), text, kind, key, edits: 0 });
        drop(state);
        self.changed.notify_waiters();
        Receipt { message: Some(id) }
    }

    fn edit(&self, chat: &str, target: &str, post: &Post) -> Result<Receipt, SendError> {
        let mut state = self.state();
        state.journal.push(format!("edit {chat} {target} {}", post.part.body));
        let message = state.messages.iter_mut().find(|message| message.id == target);
        let message = message.ok_or_else(|| SendError::Refused("no such message".to_owned()))?;
        message.text.clone_from(&post.part.body);
        message.edits += 1;
        drop(state);
        self.changed.notify_waiters();
        Ok(Receipt { message: Some(target.to_owned()) })
    }

    fn take(&self, to: &Address, act: &Act) -> Result<Receipt, SendError> {
        match act {
            Act::Post(post) => Ok(self.post(to.chat(), post)),
            Act::Edit { target, post } => self.edit(to.chat(), target, post),
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

    fn account(&self) -> &str {
        "default"
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        let source = Source { id: "fake:1".to_owned(), channel: CHANNEL, account: "default".to_owned() };
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
        let fault = match act {
            Act::Post(_) | Act::Edit { .. } => self.0.state().faults.pop_front(),
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
}
