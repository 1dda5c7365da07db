//! The fake platform: keeps events until a higher offset acknowledges them, takes posts, and has bad moments.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock;
use crate::dice::Dice;
use crate::journal::{Chat, Journal};

/// A text that the platform took: a post or an edit.
#[derive(Debug, Clone)]
pub struct Took {
    pub at: u64,
    pub key: String,
    pub text: String,
    pub message: String,
    pub edit: bool,
    /// The sender was never told.
    pub lost: bool,
}

#[derive(Debug, Clone)]
struct Event {
    chat: String,
    text: String,
}

#[derive(Debug, Default)]
struct State {
    events: BTreeMap<u64, Event>,
    /// Everything below was acknowledged.
    acknowledged: u64,
    next_event: u64,
    next_message: u64,
    /// What each message says now.
    messages: HashMap<String, (String, String)>,
    took: Vec<Took>,
    later: u64,
}

/// The platform. Its faults stop while `kind` is set.
pub struct Platform {
    journal: Arc<Journal>,
    state: Mutex<State>,
    arrived: Notify,
    dice: Mutex<Dice>,
    pub kind: AtomicBool,
    /// Posts and edits that were read and not answered.
    pub open: AtomicUsize,
}

impl Platform {
    pub fn new(journal: Arc<Journal>, dice: Dice) -> Arc<Self> {
        let state = State { next_event: 1, next_message: 1, ..State::default() };
        Arc::new(Self {
            journal,
            state: Mutex::new(state),
            arrived: Notify::new(),
            dice: Mutex::new(dice),
            kind: AtomicBool::new(false),
            open: AtomicUsize::new(0),
        })
    }

    /// Serves connections for ever.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    let platform = self.clone();
                    connections.spawn(async move { platform.talk(stream).await });
                }
                // A connection that broke is what this test is about.
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Somebody writes in a chat. Returns the event's id.
    pub fn write(&self, chat: &Chat, text: &str) -> u64 {
        let mut state = self.state();
        let id = state.next_event;
        state.next_event += 1;
        state.events.insert(id, Event { chat: chat.name.clone(), text: text.to_owned() });
        self.journal.sends(chat, &id.to_string(), text);
        drop(state);
        self.arrived.notify_waiters();
        id
    }

    /// Events that nobody has acknowledged.
    pub fn unacknowledged(&self) -> usize {
        let state = self.state();
        state.events.range(state.acknowledged..).count()
    }

    /// Everything that was taken, in order.
    pub fn took(&self) -> Vec<Took> {
        self.state().took.clone()
    }

    /// Every message by its id: the chat and what it says now.
    pub fn messages(&self) -> HashMap<String, (String, String)> {
        self.state().messages.clone()
    }

    /// How often it said "later".
    pub fn later(&self) -> u64 {
        self.state().later
    }

    async fn talk(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        loop {
            line.clear();
            // A line without its end was cut off in the middle: nobody said it.
            if stream.read_line(&mut line).await? == 0 || !line.ends_with('\n') {
                return Ok(());
            }
            let question: Value = serde_json::from_str(&line)?;
            let Some(answer) = self.answer(&question).await else { return Ok(()) };
            stream.write_all(format!("{answer}\n").as_bytes()).await?;
        }
    }

    /// `None` means that the connection is cut instead.
    async fn answer(&self, question: &Value) -> Option<Value> {
        match question["op"].as_str()? {
            "poll" => self.poll(question).await,
            "typing" => Some(json!({"ok": true})),
            "post" | "edit" => {
                self.open.fetch_add(1, Ordering::Relaxed);
                // On its way to the platform; sometimes it is a slow way, and then it does not outlive its sender.
                let (slow, life) = (self.chance(150), self.journal.lives());
                clock::pause_ms(if slow { self.draw(10, 80) } else { self.draw(0, 4) }).await;
                if slow && self.journal.lives() != life {
                    self.open.fetch_sub(1, Ordering::Relaxed);
                    return None;
                }
                let taken = self.take(question);
                clock::pause_ms(self.draw(0, 8)).await;
                self.open.fetch_sub(1, Ordering::Relaxed);
                taken
            }
            _ => Some(json!({"ok": false, "error": "refused"})),
        }
    }

    async fn poll(&self, question: &Value) -> Option<Value> {
        let offset = question["offset"].as_u64()?;
        let wait = Duration::from_millis(question["wait_ms"].as_u64()?);
        self.acknowledge(offset);
        if self.chance(5) {
            return None;
        }
        let from = match self.chance(60) {
            // Events that were acknowledged come again.
            true => offset.saturating_sub(self.draw(1, 4)),
            false => self.first_kept(offset),
        };
        let arrived = self.arrived.notified();
        tokio::pin!(arrived);
        arrived.as_mut().enable();
        let mut events = self.events(from);
        if events.is_empty() {
            tokio::select! {
                () = arrived => {}
                () = clock::pause(wait) => {}
            }
            events = self.events(self.first_kept(offset));
        }
        if self.chance(30)
            && let Some(event) = events.last().cloned()
        {
            // The same event twice in one answer.
            events.push(event);
        }
        Some(json!({"events": events}))
    }

    fn acknowledge(&self, offset: u64) {
        let before = {
            let mut state = self.state();
            let before = state.acknowledged.max(1);
            state.acknowledged = state.acknowledged.max(offset);
            before
        };
        for id in before..offset {
            self.journal.accepts(&id.to_string(), None);
        }
    }

    /// What was acknowledged once is forgotten, whatever offset is asked for later.
    fn first_kept(&self, offset: u64) -> u64 {
        offset.max(self.state().acknowledged)
    }

    fn events(&self, from: u64) -> Vec<Value> {
        let state = self.state();
        let shown = |(id, event): (&u64, &Event)| json!({"id": id, "chat": event.chat, "user": format!("user-{}", event.chat), "text": event.text, "private": true});
        state.events.range(from..).take(20).map(shown).collect()
    }

    fn take(&self, question: &Value) -> Option<Value> {
        let text_of = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
        let edit = question["op"] == "edit";
        if self.chance(25) {
            self.state().later += 1;
            return Some(json!({"ok": false, "error": "later", "after_ms": self.draw(5, 60)}));
        }
        let lost = self.chance(20);
        let mut state = self.state();
        let message = match edit {
            true => text_of("message"),
            false => {
                state.next_message += 1;
                state.next_message.to_string()
            }
        };
        let (chat, text) = (text_of("chat"), text_of("text"));
        if edit && state.messages.get(&message).is_none_or(|(owner, _)| *owner != chat) {
            self.journal.wrong(format!("an edit of message {message}, which is not in chat {chat}"));
            return Some(json!({"ok": false, "error": "refused"}));
        }
        state.messages.insert(message.clone(), (chat, text.clone()));
        // Before the part's own key stands the name of the database.
        let key = text_of("key").split_once('/').map(|(_, own)| own.to_owned()).unwrap_or_default();
        let took = Took { at: clock::now(), key, text, message: message.clone(), edit, lost };
        state.took.push(took);
        (!lost).then(|| json!({"ok": true, "message": message}))
    }

    fn chance(&self, permille: u64) -> bool {
        !self.kind.load(Ordering::Relaxed) && self.dice().permille(permille)
    }

    fn draw(&self, low: u64, high: u64) -> u64 {
        self.dice().range(low, high)
    }

    fn dice(&self) -> MutexGuard<'_, Dice> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
