//! Connects clients and the web adapter: prompts go in, frames go out to the clients that read a session.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Post, Signal};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, Outcome};
use frontdesk_core::port::{Busy, Live, PendingPrompt, PromptInput};
use futures_channel::oneshot;
use tokio::sync::Notify;

use crate::budget::Budget;
use crate::config::Limits;
use crate::error::ApiError;
use crate::frame::{ServerFrame, session_of};
use crate::frame_queue::FrameQueue;

/// Maximum number of prompts that wait for the web adapter, which takes them as fast as the database commits.
const MAX_PROMPTS: usize = 4096;

/// Maximum bytes of prompts that are not stored yet.
const MAX_PROMPT_BYTES: usize = 64 * 1024 * 1024;

/// A prompt that a client submits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPrompt {
    pub(crate) chat: String,
    /// Unique per token and chat.
    pub(crate) id: String,
    pub(crate) input: PromptInput,
    /// Files that came with it, stored already.
    pub(crate) files: Vec<Attachment>,
    /// The agent that is to answer; `None` for the one that the configuration names.
    pub(crate) agent: Option<String>,
    /// Whether nobody reads the answer once the client is gone.
    pub(crate) while_connected: bool,
}

impl NewPrompt {
    /// A prompt without files, which is answered by the configured agent whether or not the client stays.
    pub(crate) fn new(chat: String, id: String, input: PromptInput) -> Self {
        Self { chat, id, input, files: Vec::new(), agent: None, while_connected: false }
    }
}

/// The outcome of a prompt. It is cancelled if the web adapter ends without an outcome.
pub(crate) type PromptOutcome = oneshot::Receiver<Result<Outcome, Busy>>;

/// The web channel's fan-out. The web adapter uses it as core's [`Live`] port, the HTTP server through its own methods.
pub struct WebHub {
    prompts: Mutex<PromptQueue>,
    /// Notified when a prompt has arrived or the hub was closed.
    wake: Notify,
    ws_buffer: usize,
    /// The bytes of frames that wait for any client.
    unsent: Arc<AtomicUsize>,
    /// The memory of prompts that are not stored yet. A prompt holds its part until its outcome is known, even if its
    /// client disconnects before.
    prompt_memory: Budget,
    subscribers: RwLock<Subscribers>,
    next_subscriber: AtomicU64,
}

/// Prompts that wait for the web adapter.
#[derive(Default)]
struct PromptQueue {
    waiting: VecDeque<PendingPrompt>,
    closed: Option<Closed>,
    /// An admin has disconnected the channel, which can be undone.
    disconnected: bool,
}

/// Why a hub accepts no prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The gateway is stopping; clients send their prompts again after the restart.
    Stopping,
    /// The web channel is disabled in the configuration.
    Off,
}

/// Who reads what. A frame without a session goes to the subscribers of its address.
#[derive(Default)]
struct Subscribers {
    by_session: HashMap<SessionKey, Queues>,
    by_address: HashMap<Address, Queues>,
}

type Queues = HashMap<u64, Arc<FrameQueue>>;

impl WebHub {
    /// An open hub with these limits.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            prompts: Mutex::default(),
            wake: Notify::new(),
            ws_buffer: limits.ws_buffer,
            unsent: Arc::default(),
            prompt_memory: Budget::new(MAX_PROMPT_BYTES),
            subscribers: RwLock::default(),
            next_subscriber: AtomicU64::new(1),
        })
    }

    /// Accepts no more prompts, and refuses those that the adapter has not taken yet. Frames are still sent. A second
    /// call does not change the reason.
    pub fn close(&self, reason: Closed) {
        let refused = {
            let mut prompts = self.prompts();
            if prompts.closed != Some(Closed::Stopping) {
                prompts.closed = Some(reason);
            }
            std::mem::take(&mut prompts.waiting)
        };
        self.wake.notify_one();
        for prompt in refused {
            (prompt.reply)(Err(Busy::Stopping));
        }
    }

    /// Records whether the configuration has the web channel. One that it has not takes no prompts, and those that wait
    /// are refused. A hub that is stopping stays closed.
    pub fn set_configured(&self, configured: bool) {
        if !configured {
            return self.close(Closed::Off);
        }
        let mut prompts = self.prompts();
        prompts.closed = prompts.closed.filter(|reason| *reason == Closed::Stopping);
    }

    /// Records that an admin has disconnected the channel or connected it again. A disconnected adapter takes no
    /// prompts, so none is accepted, and those that wait are refused.
    pub(crate) fn set_disconnected(&self, disconnected: bool) {
        let refused = {
            let mut prompts = self.prompts();
            prompts.disconnected = disconnected;
            if disconnected { std::mem::take(&mut prompts.waiting) } else { VecDeque::new() }
        };
        for prompt in refused {
            (prompt.reply)(Err(Busy::Disconnected));
        }
    }

    /// Hands a prompt to the web adapter.
    pub(crate) fn submit(&self, token: &Arc<str>, prompt: NewPrompt) -> Result<PromptOutcome, ApiError> {
        let NewPrompt { chat, id, input, files, agent, while_connected } = prompt;
        let (sender, outcome) = oneshot::channel();
        {
            let mut prompts = self.prompts();
            match prompts.closed {
                Some(Closed::Stopping) => return Err(ApiError::stopping()),
                Some(Closed::Off) => return Err(ApiError::channel_off()),
                None if prompts.disconnected => return Err(ApiError::channel_disconnected()),
                None if prompts.waiting.len() >= MAX_PROMPTS => return Err(ApiError::busy()),
                None => {}
            }
            let reserved = self.prompt_memory.try_reserve(input.bytes()).ok_or_else(ApiError::busy)?;
            let reply = Box::new(move |outcome| {
                drop(reserved);
                // The client may have disconnected.
                drop(sender.send(outcome));
            });
            let token = token.clone();
            prompts.waiting.push_back(PendingPrompt {
                token,
                chat,
                id,
                input,
                files,
                agent,
                while_connected,
                reply,
            });
        }
        self.wake.notify_one();
        Ok(outcome)
    }

    /// A client that reads no session yet.
    pub(crate) fn subscriber(self: &Arc<Self>) -> Subscriber {
        Subscriber {
            hub: self.clone(),
            id: self.next_subscriber.fetch_add(1, Ordering::Relaxed),
            queue: Arc::new(FrameQueue::new(self.ws_buffer, self.unsent.clone())),
            topics: Vec::new(),
        }
    }

    /// Queues a frame for the subscribers of the session, or of the address if it names no session.
    fn send(&self, to: &Address, session: Option<&SessionKey>, frame: impl FnOnce() -> Option<ServerFrame>) {
        let subscribers = self.read();
        let queues = match session {
            Some(session) => subscribers.by_session.get(session),
            None => subscribers.by_address.get(to),
        };
        // Most frames have no reader; those cost no more than this look-up.
        let Some(queues) = queues else { return };
        let Some(frame) = frame().map(Arc::new) else { return };
        for queue in queues.values() {
            queue.push(&frame);
        }
    }

    fn prompts(&self) -> MutexGuard<'_, PromptQueue> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Subscribers> {
        self.subscribers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Subscribers> {
        self.subscribers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Live for WebHub {
    async fn next(&self) -> Option<PendingPrompt> {
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

    fn show(&self, to: &Address, post: Post) {
        let session = post.about.session.clone();
        self.send(to, session.as_ref(), || Some(ServerFrame::post(post)));
    }

    fn signal(&self, to: &Address, signal: Signal) {
        let session = session_of(&signal).cloned();
        self.send(to, session.as_ref(), || ServerFrame::signal(signal));
    }
}

/// A client that reads sessions. Dropping it ends its subscriptions.
pub(crate) struct Subscriber {
    hub: Arc<WebHub>,
    id: u64,
    pub(crate) queue: Arc<FrameQueue>,
    topics: Vec<(SessionKey, Option<Address>)>,
}

impl Subscriber {
    /// Queues every frame of this session from now on.
    pub(crate) fn subscribe(&mut self, session: SessionKey, address: Option<Address>) {
        if self.is_subscribed(&session) {
            return;
        }
        {
            let mut subscribers = self.hub.write();
            subscribers.by_session.entry(session.clone()).or_default().insert(self.id, self.queue.clone());
            if let Some(address) = &address {
                subscribers
                    .by_address
                    .entry(address.clone())
                    .or_default()
                    .insert(self.id, self.queue.clone());
            }
        }
        self.topics.push((session, address));
    }

    pub(crate) fn is_subscribed(&self, session: &SessionKey) -> bool {
        self.topics.iter().any(|(topic, _)| topic == session)
    }

    /// The number of subscribed sessions.
    pub(crate) fn len(&self) -> usize {
        self.topics.len()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut subscribers = self.hub.write();
        for (session, address) in self.topics.drain(..) {
            unsubscribe(subscribers.by_session.entry(session), self.id);
            if let Some(address) = address {
                unsubscribe(subscribers.by_address.entry(address), self.id);
            }
        }
    }
}

fn unsubscribe<K>(entry: Entry<'_, K, Queues>, id: u64) {
    if let Entry::Occupied(mut queues) = entry {
        queues.get_mut().remove(&id);
        if queues.get().is_empty() {
            queues.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::delivery::{MessageRefs, PostKind};

    use super::*;
    use crate::frame::tests::post;

    fn key(chat: &str) -> SessionKey {
        format!("agent:main:web:dm:{chat}").parse().unwrap()
    }

    fn address(chat: &str) -> Address {
        format!("web:{chat}").parse().unwrap()
    }

    fn message(session: Option<SessionKey>) -> Post {
        post(MessageRefs { session, messages: Vec::new() }, 1, PostKind::Send, "hi")
    }

    fn count(subscriber: &Subscriber) -> usize {
        std::iter::from_fn(|| subscriber.queue.pop(u64::MAX)).count()
    }

    fn submit(hub: &WebHub, id: &str, text: String) -> Result<PromptOutcome, String> {
        let prompt = NewPrompt::new("main".into(), id.into(), PromptInput::Message(text));
        let outcome = hub.submit(&"cli".into(), prompt);
        outcome.map_err(|error| error.code.into_owned())
    }

    #[test]
    fn a_frame_reaches_the_subscribers_of_its_session_and_no_others() {
        let hub = WebHub::new(&Limits::default());
        let (mut one, mut two, mut other) = (hub.subscriber(), hub.subscriber(), hub.subscriber());
        one.subscribe(key("a"), Some(address("a")));
        two.subscribe(key("a"), None);
        other.subscribe(key("b"), Some(address("b")));
        hub.show(&address("a"), message(Some(key("a"))));
        assert_eq!((count(&one), count(&two), count(&other)), (1, 1, 0));
        hub.show(&address("b"), message(None));
        assert_eq!(
            (count(&one), count(&two), count(&other)),
            (0, 0, 1),
            "without a session the address decides"
        );
        one.subscribe(key("a"), Some(address("a")));
        hub.show(&address("a"), message(Some(key("a"))));
        assert_eq!(count(&one), 1, "a second subscription to the same session shows nothing twice");
    }

    #[test]
    fn a_dropped_subscriber_is_removed() {
        let hub = WebHub::new(&Limits::default());
        let mut one = hub.subscriber();
        one.subscribe(key("a"), Some(address("a")));
        drop(one);
        assert!(hub.read().by_session.is_empty());
        assert!(hub.read().by_address.is_empty());
    }

    #[tokio::test]
    async fn prompts_that_are_not_stored_yet_use_bounded_memory_even_if_their_clients_hang_up() {
        let hub = WebHub::new(&Limits::default());
        let large = || "x".repeat(MAX_PROMPT_BYTES / 4);
        let outcomes: Vec<PromptOutcome> =
            (0..4).map(|n| submit(&hub, &n.to_string(), large()).unwrap()).collect();
        assert_eq!(submit(&hub, "5", large()).err().unwrap(), "busy");
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(hub.next().await.unwrap());
        }
        assert_eq!(submit(&hub, "5", large()).err().unwrap(), "busy", "the adapter has not stored them");
        drop(outcomes);
        assert_eq!(submit(&hub, "5", large()).err().unwrap(), "busy", "their text is still in memory");
        (taken.pop().unwrap().reply)(Ok(Outcome::Ignored));
        assert!(submit(&hub, "5", large()).is_ok(), "one was stored");
        assert_eq!(submit(&hub, "6", large()).err().unwrap(), "busy");
        drop(taken);
        assert!(submit(&hub, "6", large()).is_ok(), "an adapter that ends releases its prompts");
    }

    #[tokio::test]
    async fn a_full_hub_refuses_prompts_and_a_closed_one_does_too() {
        let hub = WebHub::new(&Limits::default());
        let submit_one = || submit(&hub, "1", "hello".into()).map(drop);
        for _ in 0..MAX_PROMPTS {
            assert_eq!(submit_one(), Ok(()));
        }
        assert_eq!(submit_one(), Err("busy".into()));
        assert!(hub.next().await.is_some());
        assert_eq!(submit_one(), Ok(()));
        assert!(hub.next().await.is_some());
        let waiting = submit(&hub, "2", "hi".into()).unwrap();
        hub.close(Closed::Stopping);
        hub.close(Closed::Off);
        assert_eq!(submit_one(), Err("stopping".into()));
        assert!(hub.next().await.is_none());
        assert_eq!(waiting.await, Ok(Err(Busy::Stopping)), "a prompt that nobody took is refused");
        let off = WebHub::new(&Limits::default());
        off.close(Closed::Off);
        assert_eq!(submit(&off, "1", "hello".into()).err().unwrap(), "channel_off");
    }
}
