//! The web channel's side of the door: prompts in, frames to whoever reads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Outcome;
use frontdesk_core::port::{Busy, Frame, Live, LivePrompt, Stop};
use futures_channel::oneshot;
use tokio::sync::{Mutex, mpsc};

use crate::config::Limits;
use crate::error::ApiError;
use crate::frame::Shown;
use crate::outgoing::Outgoing;

/// How many prompts may wait for the web adapter. It takes them at the pace of the database's commits.
const PROMPTS: usize = 4096;

/// What became of a prompt, as soon as it is known.
pub(crate) type Reply = oneshot::Receiver<Result<Outcome, Busy>>;

/// Where prompts come in and frames go out. The web adapter holds it as core's `Live`, the API as itself.
pub struct Door {
    sender: mpsc::Sender<LivePrompt>,
    prompts: Mutex<mpsc::Receiver<LivePrompt>>,
    closed: Stop,
    ws_buffer: usize,
    readers: RwLock<Readers>,
    next_reader: AtomicU64,
}

/// Who reads what. A frame that names no session goes to the readers of its address.
#[derive(Default)]
struct Readers {
    by_session: HashMap<SessionKey, Group>,
    by_address: HashMap<Address, Group>,
}

type Group = HashMap<u64, Arc<Outgoing>>;

impl Door {
    /// A door with these limits, open.
    pub fn new(limits: &Limits) -> Arc<Self> {
        let (sender, prompts) = mpsc::channel(PROMPTS);
        Arc::new(Self {
            sender,
            prompts: Mutex::new(prompts),
            closed: Stop::new(),
            ws_buffer: limits.ws_buffer,
            readers: RwLock::default(),
            next_reader: AtomicU64::new(1),
        })
    }

    /// Lets no more prompts in. The API does this when it stops.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Hands a prompt to the web adapter.
    pub(crate) fn submit(&self, token: &str, chat: &str, id: &str, text: String) -> Result<Reply, ApiError> {
        if self.closed.is_cancelled() {
            return Err(ApiError::stopping());
        }
        let (reply, outcome) = oneshot::channel();
        let prompt = LivePrompt { token: token.into(), chat: chat.into(), id: id.into(), text, reply };
        match self.sender.try_send(prompt) {
            Ok(()) => Ok(outcome),
            Err(mpsc::error::TrySendError::Full(_)) => Err(ApiError::busy()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ApiError::stopping()),
        }
    }

    /// Somebody who reads; nothing yet.
    pub(crate) fn reader(self: &Arc<Self>) -> Reader {
        Reader {
            door: self.clone(),
            id: self.next_reader.fetch_add(1, Ordering::Relaxed),
            out: Arc::new(Outgoing::new(self.ws_buffer)),
            topics: Vec::new(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Readers> {
        self.readers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Readers> {
        self.readers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Live for Door {
    async fn next(&self) -> Option<LivePrompt> {
        let mut prompts = self.prompts.lock().await;
        tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            prompt = prompts.recv() => prompt,
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
    door: Arc<Door>,
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
            let mut readers = self.door.write();
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
        let mut readers = self.door.write();
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
        let door = Door::new(&Limits::default());
        let (mut one, mut two, mut other) = (door.reader(), door.reader(), door.reader());
        one.subscribe(key("a"), Some(address("a")));
        two.subscribe(key("a"), None);
        other.subscribe(key("b"), Some(address("b")));
        door.push(&address("a"), line(Some(key("a"))));
        assert_eq!((count(&one), count(&two), count(&other)), (1, 1, 0));
        door.push(&address("b"), line(None));
        assert_eq!(
            (count(&one), count(&two), count(&other)),
            (0, 0, 1),
            "without a session the address decides"
        );
        one.subscribe(key("a"), Some(address("a")));
        door.push(&address("a"), line(Some(key("a"))));
        assert_eq!(count(&one), 1, "to subscribe twice shows nothing twice");
    }

    #[test]
    fn a_reader_who_left_leaves_nothing_behind() {
        let door = Door::new(&Limits::default());
        let mut one = door.reader();
        one.subscribe(key("a"), Some(address("a")));
        drop(one);
        assert!(door.read().by_session.is_empty());
        assert!(door.read().by_address.is_empty());
    }

    #[tokio::test]
    async fn a_full_door_says_so_and_a_closed_one_too() {
        let door = Door::new(&Limits::default());
        let submit = || door.submit("cli", "main", "1", "hello".into()).map(drop).map_err(|error| error.code);
        for _ in 0..PROMPTS {
            assert_eq!(submit(), Ok(()));
        }
        assert_eq!(submit(), Err("busy".into()));
        assert!(door.next().await.is_some());
        assert_eq!(submit(), Ok(()));
        door.close();
        assert_eq!(submit(), Err("stopping".into()));
        assert!(door.next().await.is_none());
    }
}
