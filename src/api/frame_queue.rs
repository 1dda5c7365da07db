//! Frames that wait for one client, bounded in bytes per client and for all clients together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::key::SessionKey;
use tokio::sync::Notify;

use crate::frame::{FrameKind, ServerFrame};

/// Approximate bytes of a queued frame besides its text: its entry in the queue and its allocation.
const OVERHEAD: usize = 160;

/// Maximum bytes that may wait for all clients together.
const MAX_TOTAL: usize = 64 * 1024 * 1024;

/// The limit of each client while more than [`MAX_TOTAL`] bytes wait. Clients that keep up stay below it.
const REDUCED_LIMIT: usize = 16 * 1024;

/// An empty queue with a larger capacity releases its memory.
const KEPT_CAPACITY: usize = 32;

/// The queue of one client. When it holds too many bytes, deltas are left out first, and a gap frame says so. When even
/// the stored frames are too many, the queue overruns: it is emptied, and the client must reconnect and resume.
pub(crate) struct FrameQueue {
    limit: usize,
    /// The bytes that wait for all clients.
    total: Arc<AtomicUsize>,
    state: Mutex<QueueState>,
    wake: Notify,
    /// Whether the client is shown what others write.
    follows: AtomicBool,
}

#[derive(Default)]
struct QueueState {
    /// Numbered frames, the oldest first.
    frames: VecDeque<(u64, Arc<ServerFrame>)>,
    bytes: usize,
    /// The number of the last frame that was queued.
    last: u64,
    overrun: bool,
}

impl FrameQueue {
    /// A queue of at most `limit` bytes. `total` counts the bytes of all queues.
    pub(crate) fn new(limit: usize, total: Arc<AtomicUsize>) -> Self {
        Self { limit, total, state: Mutex::default(), wake: Notify::new(), follows: AtomicBool::new(false) }
    }

    /// Adds a frame, if it fits.
    pub(crate) fn push(&self, frame: &Arc<ServerFrame>) {
        // A large answer must not disconnect a client that keeps up, so it is read from the database when it is sent.
        if frame.seq > 0 && size(frame) > self.limit / 2 {
            self.change(|state, limit| state.push(&Arc::new(ServerFrame::stored(frame)), limit));
        } else {
            self.change(|state, limit| state.push(frame, limit));
        }
        self.wake.notify_one();
    }

    /// Records that the client is shown what others write.
    pub(crate) fn set_follows(&self) {
        self.follows.store(true, Ordering::Relaxed);
    }

    /// Whether the client is shown what others write.
    pub(crate) fn follows(&self) -> bool {
        self.follows.load(Ordering::Relaxed)
    }

    /// Removes the oldest frame if its number is at most `up_to`.
    pub(crate) fn pop(&self, up_to: u64) -> Option<Arc<ServerFrame>> {
        self.change(|state, _| state.pop(up_to))
    }

    /// The number of the last frame that was queued.
    pub(crate) fn last(&self) -> u64 {
        self.state().last
    }

    /// Whether stored frames were discarded, so that the client must fetch them again.
    pub(crate) fn is_overrun(&self) -> bool {
        self.state().overrun
    }

    /// Returns when a frame was pushed since the last call. May also return without a new frame.
    pub(crate) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Returns when the queue has overrun. Nobody else may wait on [`FrameQueue::changed`] meanwhile.
    pub(crate) async fn overrun(&self) {
        while !self.is_overrun() {
            self.changed().await;
        }
    }

    /// Changes the queue and updates the total.
    fn change<T>(&self, change: impl FnOnce(&mut QueueState, usize) -> T) -> T {
        let mut state = self.state();
        let before = state.bytes;
        let others = self.total.load(Ordering::Relaxed).saturating_sub(before);
        let limit = if others + before > MAX_TOTAL { REDUCED_LIMIT.min(self.limit) } else { self.limit };
        let result = change(&mut state, limit);
        if state.bytes >= before {
            self.total.fetch_add(state.bytes - before, Ordering::Relaxed);
        } else {
            self.total.fetch_sub(before - state.bytes, Ordering::Relaxed);
        }
        result
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FrameQueue {
    fn drop(&mut self) {
        self.total.fetch_sub(self.state().bytes, Ordering::Relaxed);
    }
}

impl QueueState {
    fn pop(&mut self, up_to: u64) -> Option<Arc<ServerFrame>> {
        if self.frames.front().is_none_or(|(n, _)| *n > up_to) {
            return None;
        }
        let (_, frame) = self.frames.pop_front()?;
        self.bytes -= size(&frame);
        if self.frames.is_empty() && self.frames.capacity() > KEPT_CAPACITY {
            self.frames = VecDeque::new();
        }
        Some(frame)
    }

    fn push(&mut self, frame: &Arc<ServerFrame>, limit: usize) {
        if self.overrun {
            return;
        }
        if self.bytes + size(frame) > limit {
            self.drop_optional();
            if frame.is_optional() {
                metrics::counter!("frontdesk_web_deltas_left_out_total").increment(1);
                self.mark_gap(frame.about.session.clone());
                return;
            }
        }
        self.append(frame.clone());
        if self.bytes > limit {
            self.overrun = true;
            self.frames = VecDeque::new();
            self.bytes = 0;
        }
    }

    /// Removes the frames that may be left out, and adds a gap frame for each of their sessions.
    fn drop_optional(&mut self) {
        let mut sessions: Vec<Option<SessionKey>> = Vec::new();
        let (mut left_out, mut bytes) = (0, 0);
        self.frames.retain(|(_, frame)| {
            if !frame.is_optional() {
                bytes += size(frame);
                return true;
            }
            left_out += 1;
            if !sessions.contains(&frame.about.session) {
                sessions.push(frame.about.session.clone());
            }
            false
        });
        metrics::counter!("frontdesk_web_deltas_left_out_total").increment(left_out);
        self.bytes = bytes;
        for session in sessions {
            self.mark_gap(session);
        }
    }

    fn mark_gap(&mut self, session: Option<SessionKey>) {
        let marked = |(_, frame): &(u64, Arc<ServerFrame>)| {
            frame.kind == FrameKind::Gap && frame.about.session == session
        };
        if !self.frames.iter().any(marked) {
            self.append(Arc::new(ServerFrame::gap(session)));
        }
    }

    fn append(&mut self, frame: Arc<ServerFrame>) {
        self.bytes += size(&frame);
        self.last += 1;
        self.frames.push_back((self.last, frame));
    }
}

fn size(frame: &ServerFrame) -> usize {
    frame.json.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use frontdesk_core::delivery::{MessageRefs, PostKind, Signal};

    use super::*;
    use crate::frame::tests::post;

    fn about() -> MessageRefs {
        MessageRefs { session: Some("agent:main:web:dm:main".parse().unwrap()), messages: Vec::new() }
    }

    fn delta(text: &str) -> Arc<ServerFrame> {
        let delta = Signal::Delta { about: about(), attempt: 1, text: text.into() };
        Arc::new(ServerFrame::signal(delta).unwrap())
    }

    fn answer(seq: u64, text: &str) -> Arc<ServerFrame> {
        Arc::new(ServerFrame::post(post(about(), seq, PostKind::Answer, text)))
    }

    fn queue(limit: usize) -> FrameQueue {
        FrameQueue::new(limit, Arc::default())
    }

    fn rest(queue: &FrameQueue) -> Vec<(FrameKind, u64)> {
        std::iter::from_fn(|| queue.pop(u64::MAX)).map(|frame| (frame.kind, frame.seq)).collect()
    }

    #[test]
    fn deltas_are_left_out_first_and_a_gap_frame_says_so() {
        let queue = queue(4096);
        queue.push(&answer(1, "first"));
        for _ in 0..1000 {
            queue.push(&delta("delta"));
            assert!(queue.state().bytes <= 4096 + 400);
        }
        queue.push(&answer(2, &"x".repeat(1500)));
        let left = rest(&queue);
        let durable: Vec<u64> =
            left.iter().filter(|(kind, _)| *kind == FrameKind::Done).map(|(_, seq)| *seq).collect();
        assert_eq!(durable, [1, 2]);
        assert_eq!(left.iter().filter(|(kind, _)| *kind == FrameKind::Gap).count(), 1);
        assert!(!queue.is_overrun());
    }

    #[test]
    fn a_client_that_never_reads_uses_no_more_than_the_limit() {
        let queue = queue(4096);
        for seq in 1..1000 {
            queue.push(&answer(seq, &"x".repeat(100)));
            assert!(queue.state().bytes <= 4096);
        }
        assert!(queue.is_overrun());
        assert_eq!(rest(&queue), [], "nothing is kept for a client that must reconnect");
    }

    #[test]
    fn an_answer_larger_than_the_limit_is_left_to_the_database() {
        let queue = queue(4096);
        queue.push(&answer(1, &"x".repeat(100_000)));
        assert!(queue.state().bytes < 4096);
        assert_eq!(rest(&queue), [(FrameKind::Stored, 1)]);
        assert!(!queue.is_overrun());
    }

    #[test]
    fn clients_that_never_read_share_one_limit() {
        let total = Arc::new(AtomicUsize::new(0));
        let limit = 256 * 1024;
        let slow: Vec<FrameQueue> = (0..1000).map(|_| FrameQueue::new(limit, total.clone())).collect();
        for queue in &slow {
            for seq in 1..=20 {
                queue.push(&answer(seq, &"x".repeat(10_000)));
            }
        }
        assert!(
            total.load(Ordering::Relaxed) < MAX_TOTAL + 2 * 1000 * REDUCED_LIMIT,
            "{}",
            total.load(Ordering::Relaxed)
        );
        assert!(slow.iter().any(FrameQueue::is_overrun));
        let quick = FrameQueue::new(limit, total.clone());
        for seq in 1..=100 {
            quick.push(&answer(seq, &"x".repeat(10_000)));
            assert_eq!(rest(&quick), [(FrameKind::Done, seq)], "a client that reads misses nothing");
        }
        drop((slow, quick));
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn frames_queued_later_can_be_held_back() {
        let queue = queue(4096);
        queue.push(&answer(1, "a"));
        let until = queue.last();
        queue.push(&answer(2, "b"));
        assert_eq!(queue.pop(until).map(|frame| frame.seq), Some(1));
        assert!(queue.pop(until).is_none());
        assert_eq!(queue.pop(u64::MAX).map(|frame| frame.seq), Some(2));
    }
}
