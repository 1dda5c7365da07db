//! Prompts of clients that wait for the web adapter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::message::{Attachment, Outcome};
use frontdesk_core::port::{Busy, PendingPrompt, PromptInput};
use futures_channel::oneshot;
use tokio::sync::Notify;

use crate::budget::Budget;
use crate::error::ApiError;

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
    /// The number of the subscriber that submits it; 0 if it does not follow the chat.
    pub(crate) sender: u64,
}

impl NewPrompt {
    /// A prompt without files, which is answered by the configured agent whether or not the client stays.
    pub(crate) fn new(chat: String, id: String, input: PromptInput) -> Self {
        Self { chat, id, input, files: Vec::new(), agent: None, while_connected: false, sender: 0 }
    }
}

/// The outcome of a prompt. It is cancelled if the web adapter ends without an outcome.
pub(crate) type PromptOutcome = oneshot::Receiver<Result<Outcome, Busy>>;

/// Prompts that wait for the web adapter.
pub(crate) struct PromptQueue {
    state: Mutex<State>,
    /// Notified when a prompt has arrived or the queue was closed.
    wake: Notify,
    /// The memory of prompts that are not stored yet. A prompt holds its part until its outcome is known, even if its
    /// client disconnects before.
    memory: Budget,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<PendingPrompt>,
    closed: Option<Closed>,
    /// An admin has disconnected the channel, which can be undone.
    disconnected: bool,
}

/// Why no prompts are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The gateway is stopping; clients send their prompts again after the restart.
    Stopping,
    /// The web channel is disabled in the configuration.
    Off,
}

impl Default for PromptQueue {
    fn default() -> Self {
        Self { state: Mutex::default(), wake: Notify::new(), memory: Budget::new(MAX_PROMPT_BYTES) }
    }
}

impl PromptQueue {
    /// Accepts no more prompts, and refuses those that the adapter has not taken yet. A second call does not change the
    /// reason.
    pub(crate) fn close(&self, reason: Closed) {
        let refused = {
            let mut state = self.state();
            if state.closed != Some(Closed::Stopping) {
                state.closed = Some(reason);
            }
            std::mem::take(&mut state.waiting)
        };
        self.wake.notify_one();
        for prompt in refused {
            (prompt.reply)(Err(Busy::Stopping));
        }
    }

    /// Accepts prompts again, unless the gateway is stopping.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        state.closed = state.closed.filter(|reason| *reason == Closed::Stopping);
    }

    /// Records whether an admin has disconnected the channel. A disconnected adapter takes no prompts, so none is accepted,
    /// and those that wait are refused.
    pub(crate) fn set_disconnected(&self, disconnected: bool) {
        let refused = {
            let mut state = self.state();
            state.disconnected = disconnected;
            if disconnected { std::mem::take(&mut state.waiting) } else { VecDeque::new() }
        };
        for prompt in refused {
            (prompt.reply)(Err(Busy::Disconnected));
        }
    }

    /// Hands a prompt to the web adapter. `stored` is called with its outcome.
    pub(crate) fn submit(
        &self,
        token: &Arc<str>,
        prompt: NewPrompt,
        stored: impl FnOnce(&Result<Outcome, Busy>) + Send + 'static,
    ) -> Result<PromptOutcome, ApiError> {
        let NewPrompt { chat, id, input, files, agent, while_connected, .. } = prompt;
        let (sender, outcome) = oneshot::channel();
        {
            let mut state = self.state();
            match state.closed {
                Some(Closed::Stopping) => return Err(ApiError::stopping()),
                Some(Closed::Off) => return Err(ApiError::channel_off()),
                None if state.disconnected => return Err(ApiError::channel_disconnected()),
                None if state.waiting.len() >= MAX_PROMPTS => return Err(ApiError::busy()),
                None => {}
            }
            let reserved = self.memory.try_reserve(input.bytes()).ok_or_else(ApiError::busy)?;
            let reply = Box::new(move |outcome| {
                drop(reserved);
                stored(&outcome);
                // The client may have disconnected.
                drop(sender.send(outcome));
            });
            let token = token.clone();
            state.waiting.push_back(PendingPrompt {
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

    /// The next prompt; `None` once the queue is closed.
    pub(crate) async fn next(&self) -> Option<PendingPrompt> {
        loop {
            {
                let mut state = self.state();
                if let Some(prompt) = state.waiting.pop_front() {
                    return Some(prompt);
                }
                if state.closed.is_some() {
                    return None;
                }
            }
            self.wake.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(queue: &PromptQueue, id: &str, text: String) -> Result<PromptOutcome, String> {
        let prompt = NewPrompt::new("main".into(), id.into(), PromptInput::Message(text));
        let outcome = queue.submit(&"cli".into(), prompt, |_| {});
        outcome.map_err(|error| error.code.into_owned())
    }

    #[tokio::test]
    async fn prompts_that_are_not_stored_yet_use_bounded_memory_even_if_their_clients_hang_up() {
        let queue = PromptQueue::default();
        let large = || "x".repeat(MAX_PROMPT_BYTES / 4);
        let outcomes: Vec<PromptOutcome> =
            (0..4).map(|n| submit(&queue, &n.to_string(), large()).unwrap()).collect();
        assert_eq!(submit(&queue, "5", large()).err().unwrap(), "busy");
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(queue.next().await.unwrap());
        }
        assert_eq!(submit(&queue, "5", large()).err().unwrap(), "busy", "the adapter has not stored them");
        drop(outcomes);
        assert_eq!(submit(&queue, "5", large()).err().unwrap(), "busy", "their text is still in memory");
        (taken.pop().unwrap().reply)(Ok(Outcome::Ignored));
        assert!(submit(&queue, "5", large()).is_ok(), "one was stored");
        assert_eq!(submit(&queue, "6", large()).err().unwrap(), "busy");
        drop(taken);
        assert!(submit(&queue, "6", large()).is_ok(), "an adapter that ends releases its prompts");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_prompts_and_a_closed_one_does_too() {
        let queue = PromptQueue::default();
        let submit_one = || submit(&queue, "1", "hello".into()).map(drop);
        for _ in 0..MAX_PROMPTS {
            assert_eq!(submit_one(), Ok(()));
        }
        assert_eq!(submit_one(), Err("busy".into()));
        assert!(queue.next().await.is_some());
        assert_eq!(submit_one(), Ok(()));
        assert!(queue.next().await.is_some());
        let waiting = submit(&queue, "2", "hi".into()).unwrap();
        queue.close(Closed::Stopping);
        queue.close(Closed::Off);
        assert_eq!(submit_one(), Err("stopping".into()));
        assert!(queue.next().await.is_none());
        assert_eq!(waiting.await, Ok(Err(Busy::Stopping)), "a prompt that nobody took is refused");
        let off = PromptQueue::default();
        off.close(Closed::Off);
        assert_eq!(submit(&off, "1", "hello".into()).err().unwrap(), "channel_off");
    }
}
