//! The web channel's side of the door: prompts in, frames to whoever reads.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Outcome;
use frontdesk_core::port::{Busy, Frame, Live, LivePrompt};
use futures_channel::oneshot;
use tokio::sync::Notify;

use crate::config::Limits;
use crate::error::ApiError;
use crate::frame::Shown;
use crate::outgoing::Outgoing;

/// How many prompts may wait for the web adapter. It takes them at the pace of the database's commits.
const PROMPTS: usize = 4096;

/// How many bytes of prompts may be on their way to the database at once.
const PROMPT_BYTES: usize = 64 * 1024 * 1024;

/// What became of a prompt, as soon as it is known.
pub(crate) struct Reply {
    outcome: oneshot::Receiver<Result<Outcome, Busy>>,
    bytes: usize,
    under_way: Arc<AtomicUsize>,
}

impl Future for Reply {
    type Output = Result<Result<Outcome, Busy>, oneshot::Canceled>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome).poll(context)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.under_way.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Where prompts come in and frames go out. The web adapter holds it as core's `Live`, the API as itself.
pub struct WebHub {
    prompts: Mutex<Prompts>,
    /// A prompt has come, or the door was closed.
    wake: Notify,
    ws_buffer: usize,
    /// The bytes that wait for all readers.
    unread: Arc<AtomicUsize>,
    /// The bytes of prompts that are on their way to the database.
    under_way: Arc<AtomicUsize>,
    readers: RwLock<Readers>,
    next_reader: AtomicU64,
}

/// Prompts that wait for the web adapter.
#[derive(Default)]
struct Prompts {
    waiting: VecDeque<LivePrompt>,
    closed: Option<Closed>,
    /// An admin has disconnected the channel; that can be undone.
    stopped: bool,
}

/// Why a door takes no prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The gateway is on its way down: its next life takes them.
    Stopping,
    /// The web channel is switched off.
    Off,
}

/// Who reads what. A frame that names no session goes to the readers of its address.
#[derive(Default)]
struct Readers {
    by_session: HashMap<SessionKey, Group>,
    by_address: HashMap<Address, Group>,
}

type Group = HashMap<u64, Arc<Outgoing>>;

impl WebHub {
    /// A door with these limits, open.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            prompts: Mutex::default(),
            wake: Notify::new(),
            ws_buffer: limits.ws_buffer,
            unread: Arc::default(),
            under_way: Arc::default(),
            readers: RwLock::default(),
            next_reader: AtomicU64::new(1),
        })
    }

    /// Lets no more prompts in, and says so to those that nobody has taken yet. Frames go out as before. The
    /// first reason stays.
    pub fn close(&self, why: Closed) {
        let refused = {
            let mut prompts = self.prompts();
            prompts.closed.get_or_insert(why);
            std::mem::take(&mut prompts.waiting)
        };
        self.wake.notify_one();
        for prompt in refused {
            // Whoever asked may have gone.
            drop(prompt.reply.send(Err(Busy::Stopping)));
        }
    }

    /// An admin has disconnected the channel, or connected it again. Nobody takes prompts meanwhile, so none is let
    /// in, and those that wait are told so.
    pub(crate) fn set_stopped(&self, stopped: bool) {
        let refused = {
            let mut prompts = self.prompts();
            prompts.stopped = stopped;
            if stopped { std::mem::take(&mut prompts.waiting) } else { VecDeque::new() }
        };
        for prompt in refused {
            // Whoever asked may have gone.
            drop(prompt.reply.send(Err(Busy::Disconnected)));
        }
    }

    /// Hands a prompt to the web adapter.
    pub(crate) fn submit(&self, token: &str, chat: &str, id: &str, text: String) -> Result<Reply, ApiError> {
        let (reply, outcome) = oneshot::channel();
        let bytes = text.len();
        let prompt = LivePrompt { token: token.into(), chat: chat.into(), id: id.into(), text, reply };
        {
            let mut prompts = self.prompts();
            match prompts.closed {
                Some(Closed::Stopping) => return Err(ApiError::stopping()),
                Some(Closed::Off) => return Err(ApiError::channel_off()),
                None if prompts.stopped => return Err(ApiError::channel_stopped()),
                None if prompts.waiting.len() >= PROMPTS => return Err(ApiError::busy()),
                None if self.under_way.load(Ordering::Relaxed) + bytes > PROMPT_BYTES => {
                    return Err(ApiError::busy());
                }
                None => prompts.waiting.push_back(prompt),
            }
        }
        self.under_way.fetch_add(bytes, Ordering::Relaxed);
        self.wake.notify_one();
        Ok(Reply { outcome, bytes, under_way: self.under_way.clone() })
    }

    /// Somebody who reads; nothing yet.
    pub(crate) fn reader(self: &Arc<Self>) -> Reader {
        Reader {
            hub: self.clone(),
            id: self.next_reader.fetch_add(1, Ordering::Relaxed),
            out: Arc::new(Outgoing::new(self.ws_buffer, self.unread.clone())),
            topics: Vec::new(),
        }
    }

    fn prompts(&self) -> MutexGuard<'_, Prompts> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Readers> {
        self.readers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Readers> {
        self.readers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Live for WebHub {
    async fn next(&self) -> Option<LivePrompt> {
        loop {
            {
                let mut prompts = self.prompts();
                if let Some(prompt) = prompts.waiting.pop_front() {
                    return Some(prompt);
                }
                if prompts.closed.is_some() {
                    return None;
                }
            }
            self.wake.notified().await;
        }
    }

    fn push(&self, to: &Address, frame: Frame) {
        let readers = self.read();
        let group = match session_of(&frame) {
            Some(session) => readers.by_session.get(session),
            None => readers.by_address.get(to),
        };
        // Most frames have no reader: they cost a look-up and no more.
        let Some(group) = group else { return };
        let shown = Arc::new(Shown::new(frame));
        for out in group.values() {
            out.push(&shown);
        }
    }
}

/// Somebody who reads. Dropping it ends that.
pub(crate) struct Reader {
    hub: Arc<WebHub>,
    id: u64,
    pub(crate) out: Arc<Outgoing>,
    topics: Vec<(SessionKey, Option<Address>)>,
}

impl Reader {
    /// From now on this session's frames come in.
    pub(crate) fn subscribe(&mut self, session: SessionKey, address: Option<Address>) {
        if self.reads(&session) {
            return;
        }
        {
            let mut readers = self.hub.write();
            readers.by_session.entry(session.clone()).or_default().insert(self.id, self.out.clone());
            if let Some(address) = &address {
                readers.by_address.entry(address.clone()).or_default().insert(self.id, self.out.clone());
            }
        }
        self.topics.push((session, address));
    }

    /// Whether this session's frames come in.
    pub(crate) fn reads(&self, session: &SessionKey) -> bool {
        self.topics.iter().any(|(topic, _)| topic == session)
    }

    /// How many sessions are read.
    pub(crate) fn len(&self) -> usize {
        self.topics.len()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut readers = self.hub.write();
        for (session, address) in self.topics.drain(..) {
            leave(readers.by_session.entry(session), self.id);
            if let Some(address) = address {
                leave(readers.by_address.entry(address), self.id);
            }
        }
    }
}

fn leave<K>(entry: Entry<'_, K, Group>, id: u64) {
    if let Entry::Occupied(mut group) = entry {
        group.get_mut().remove(&id);
        if group.get().is_empty() {
            group.remove();
        }
    }
}

fn session_of(frame: &Frame) -> Option<&SessionKey> {
    match frame {
        Frame::Delta { about, .. } | Frame::Line { about, .. } | Frame::End { about, .. } => {
            about.session.as_ref()
        }
        Frame::Typing => None,
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::act::{About, PostKind};

    use super::*;

    fn key(chat: &str) -> SessionKey {
        format!("agent:main:web:dm:{chat}").parse().unwrap()
    }

    fn address(chat: &str) -> Address {
        format!("web:{chat}").parse().unwrap()
    }

    fn line(session: Option<SessionKey>) -> Frame {
        let about = About { session, messages: Vec::new() };
        Frame::Line { about, seq: 1, kind: PostKind::Send, text: "hi".into() }
    }

    fn count(reader: &Reader) -> usize {
        std::iter::from_fn(|| reader.out.pop(u64::MAX)).count()
    }

    #[test]
    fn a_frame_reaches_the_readers_of_its_session_and_nobody_else() {
        let hub = WebHub::new(&Limits::default());
        let (mut one, mut two, mut other) = (hub.reader(), hub.reader(), hub.reader());
        one.subscribe(key("a"), Some(address("a")));
        two.subscribe(key("a"), None);
        other.subscribe(key("b"), Some(address("b")));
        hub.push(&address("a"), line(Some(key("a"))));
        assert_eq!((count(&one), count(&two), count(&other)), (1, 1, 0));
        hub.push(&address("b"), line(None));
        assert_eq!(
            (count(&one), count(&two), count(&other)),
            (0, 0, 1),
            "without a session the address decides"
        );
        one.subscribe(key("a"), Some(address("a")));
        hub.push(&address("a"), line(Some(key("a"))));
        assert_eq!(count(&one), 1, "to subscribe twice shows nothing twice");
    }

    #[test]
    fn a_reader_who_left_leaves_nothing_behind() {
        let hub = WebHub::new(&Limits::default());
        let mut one = hub.reader();
        one.subscribe(key("a"), Some(address("a")));
        drop(one);
        assert!(hub.read().by_session.is_empty());
        assert!(hub.read().by_address.is_empty());
    }

    #[tokio::test]
    async fn prompts_that_wait_for_the_database_hold_bounded_memory() {
        let hub = WebHub::new(&Limits::default());
        let submit = |id: &str| hub.submit("cli", "main", id, "x".repeat(PROMPT_BYTES / 4));
        let replies: Vec<Reply> = (0..4).map(|n| submit(&n.to_string()).unwrap()).collect();
        assert_eq!(submit("5").err().unwrap().code, "busy");
        // The adapter takes them without an end; they count until they are in the database.
        for _ in 0..4 {
            assert!(hub.next().await.is_some());
        }
        assert_eq!(submit("5").err().unwrap().code, "busy");
        drop(replies);
        assert!(submit("5").is_ok());
    }

    #[tokio::test]
    async fn a_full_door_says_so_and_a_closed_one_too() {
        let hub = WebHub::new(&Limits::default());
        let submit = || hub.submit("cli", "main", "1", "hello".into()).map(drop).map_err(|error| error.code);
        for _ in 0..PROMPTS {
            assert_eq!(submit(), Ok(()));
        }
        assert_eq!(submit(), Err("busy".into()));
        assert!(hub.next().await.is_some());
        assert_eq!(submit(), Ok(()));
        let waits = hub.next().await.is_some().then(|| hub.submit("cli", "main", "2", "hi".into()));
        hub.close(Closed::Stopping);
        hub.close(Closed::Off);
        assert_eq!(submit(), Err("stopping".into()));
        assert!(hub.next().await.is_none());
        assert_eq!(waits.unwrap().unwrap().await, Ok(Err(Busy::Stopping)), "who was not taken is told so");
        let off = WebHub::new(&Limits::default());
        off.close(Closed::Off);
        assert_eq!(off.submit("cli", "main", "1", "hello".into()).err().unwrap().code, "channel_off");
    }
}
