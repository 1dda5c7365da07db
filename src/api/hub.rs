//! Connects clients and the web adapter: prompts go in, frames go out to the clients that read a session.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Post, Signal};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, Outcome};
use frontdesk_core::port::{Live, PendingPrompt, PromptInput};

use crate::config::Limits;
use crate::error::ApiError;
use crate::frame::{ServerFrame, session_of};
use crate::frame_queue::FrameQueue;
use crate::growing_answer::GrowingAnswers;
use crate::prompt_queue::{Closed, NewPrompt, PromptOutcome, PromptQueue};

/// The web channel's fan-out. The web adapter uses it as core's [`Live`] port, the HTTP server through its own methods.
pub struct WebHub {
    prompts: PromptQueue,
    ws_buffer: usize,
    /// The bytes of frames that wait for any client.
    unsent: Arc<AtomicUsize>,
    subscribers: RwLock<Subscribers>,
    /// The answers that are being written. Locked while a piece of one is queued, so that a client that catches up gets
    /// each piece once.
    growing: Mutex<GrowingAnswers>,
    next_subscriber: AtomicU64,
    /// The number of open WebSockets.
    clients: AtomicUsize,
}

/// A prompt as others see it.
struct Said {
    id: String,
    text: String,
    files: Vec<Attachment>,
    sender: u64,
}

fn said(prompt: &NewPrompt) -> Option<Said> {
    let text = match &prompt.input {
        PromptInput::Message(text) | PromptInput::Plain(text) => text.clone(),
        PromptInput::Press(_) => return None,
    };
    Some(Said { id: prompt.id.clone(), text, files: prompt.files.clone(), sender: prompt.sender })
}

/// An open WebSocket.
pub(crate) struct ConnectedClient(Arc<WebHub>);

impl Drop for ConnectedClient {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("frontdesk_websockets").decrement(1.0);
    }
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
            prompts: PromptQueue::default(),
            ws_buffer: limits.ws_buffer,
            unsent: Arc::default(),
            subscribers: RwLock::default(),
            growing: Mutex::default(),
            next_subscriber: AtomicU64::new(1),
            clients: AtomicUsize::new(0),
        })
    }

    /// The number of open WebSockets.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Counts a WebSocket until the result is dropped.
    pub(crate) fn connect(self: &Arc<Self>) -> ConnectedClient {
        self.clients.fetch_add(1, Ordering::Relaxed);
        metrics::gauge!("frontdesk_websockets").increment(1.0);
        ConnectedClient(self.clone())
    }

    /// Accepts no more prompts, and refuses those that the adapter has not taken yet. Frames are still sent. A second
    /// call does not change the reason.
    pub fn close(&self, reason: Closed) {
        self.prompts.close(reason);
    }

    /// Records whether the configuration has the web channel. One that it has not takes no prompts, and those that wait
    /// are refused. A hub that is stopping stays closed.
    pub fn set_configured(&self, configured: bool) {
        match configured {
            true => self.prompts.open(),
            false => self.prompts.close(Closed::Off),
        }
    }

    /// Records that an admin has disconnected the channel or connected it again.
    pub(crate) fn set_disconnected(&self, disconnected: bool) {
        self.prompts.set_disconnected(disconnected);
    }

    /// Hands a prompt to the web adapter. Those who follow the chat see it once it is stored.
    pub(crate) fn submit(
        self: &Arc<Self>,
        token: &Arc<str>,
        prompt: NewPrompt,
    ) -> Result<PromptOutcome, ApiError> {
        let said = self.has_followers(&prompt).then(|| said(&prompt)).flatten();
        let hub = Arc::downgrade(self);
        self.prompts.submit(token, prompt, move |outcome| {
            if let (Ok(Outcome::Accepted { message, session }), Some(said), Some(hub)) =
                (outcome, said, hub.upgrade())
            {
                let frame = || ServerFrame::prompt(session, *message, &said.id, (&said.text, &said.files));
                hub.show_prompt(session, said.sender, frame);
            }
        })
    }

    /// Whether anybody but its sender follows the chat of a prompt.
    fn has_followers(&self, prompt: &NewPrompt) -> bool {
        let Ok(address) = Address::new("web", None, &prompt.chat, None) else { return false };
        let subscribers = self.read();
        let queues = subscribers.by_address.get(&address);
        queues.is_some_and(|queues| queues.iter().any(|(id, queue)| *id != prompt.sender && queue.follows()))
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

    /// Shows a message that was stored to those who follow its session, other than the one who sent it.
    fn show_prompt(&self, session: &SessionKey, sender: u64, frame: impl FnOnce() -> ServerFrame) {
        let subscribers = self.read();
        let Some(queues) = subscribers.by_session.get(session) else { return };
        let mut others = queues
            .iter()
            .filter(|(id, queue)| **id != sender && queue.follows())
            .map(|(_, queue)| queue)
            .peekable();
        if others.peek().is_none() {
            return;
        }
        let frame = Arc::new(frame());
        for queue in others {
            queue.push(&frame);
        }
    }

    fn growing(&self) -> MutexGuard<'_, GrowingAnswers> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.prompts.next().await
    }

    fn show(&self, to: &Address, post: Post) {
        let session = post.about.session.clone();
        self.growing().shown(&post);
        self.send(to, session.as_ref(), || Some(ServerFrame::post(post)));
    }

    fn signal(&self, to: &Address, signal: Signal) {
        let session = session_of(&signal).cloned();
        let mut growing = self.growing();
        growing.signal(&signal);
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

    /// Queues what others write in the subscribed sessions too, and the text so far of the answer that is being written in
    /// this one.
    pub(crate) fn follow(&self, session: &SessionKey) {
        self.queue.set_follows();
        let growing = self.hub.growing();
        for frame in growing.frames(session) {
            self.queue.push(&Arc::new(frame));
        }
    }

    /// The number by which this client is known to the hub.
    pub(crate) fn id(&self) -> u64 {
        self.id
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
}
