//! What waits for one reader, and for all of them: bounded in bytes, whatever they do.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::key::SessionKey;
use tokio::sync::Notify;

use crate::frame::{Kind, Shown};

/// What a frame costs besides its text, roughly: its place here and its own allocation.
const OVERHEAD: usize = 160;

/// How many bytes may wait for all readers together.
const ALL: usize = 64 * 1024 * 1024;

/// When more waits for all, whoever leaves more than this waiting is given less.
const FAIR: usize = 16 * 1024;

/// Above this many places, an empty queue gives its memory back.
const KEPT_PLACES: usize = 32;

/// Frames that wait for one reader. When there are too many bytes, pieces of answers go first and a gap
/// frame says so; when even the durable frames are too many, all are given up: the reader must come back.
pub(crate) struct Outgoing {
    limit: usize,
    /// The bytes that wait for every reader.
    all: Arc<AtomicUsize>,
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<(u64, Arc<Shown>)>,
    bytes: usize,
    /// The number of the last frame that came.
    last: u64,
    overrun: bool,
}

impl Outgoing {
    /// Holds at most `limit` bytes; `all` counts those of every reader.
    pub(crate) fn new(limit: usize, all: Arc<AtomicUsize>) -> Self {
        Self { limit, all, waiting: Mutex::default(), wake: Notify::new() }
    }

    /// Puts a frame at the end, if it fits.
    pub(crate) fn push(&self, frame: &Arc<Shown>) {
        // One large answer must not send a reader away who keeps up: it is fetched when its turn comes.
        if frame.seq > 0 && size(frame) > self.limit / 2 {
            self.change(|waiting, limit| waiting.push(&Arc::new(Shown::stored(frame)), limit));
        } else {
            self.change(|waiting, limit| waiting.push(frame, limit));
        }
        self.wake.notify_one();
    }

    /// Takes the oldest frame whose number is at most `up_to`.
    pub(crate) fn pop(&self, up_to: u64) -> Option<Arc<Shown>> {
        self.change(|waiting, _| waiting.pop(up_to))
    }

    /// The number of the last frame that came.
    pub(crate) fn last(&self) -> u64 {
        self.state().last
    }

    /// Whether frames were given up that the reader must fetch again.
    pub(crate) fn is_overrun(&self) -> bool {
        self.state().overrun
    }

    /// Returns when something came since the last time. May return once too often, never too rarely.
    pub(crate) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Returns when frames were given up. Nobody else may wait on [`Outgoing::changed`] meanwhile.
    pub(crate) async fn overrun(&self) {
        while !self.is_overrun() {
            self.changed().await;
        }
    }

    /// Changes what waits, and counts the difference for all.
    fn change<T>(&self, change: impl FnOnce(&mut Waiting, usize) -> T) -> T {
        let mut waiting = self.state();
        let before = waiting.bytes;
        let others = self.all.load(Ordering::Relaxed).saturating_sub(before);
        let limit = if others + before > ALL { FAIR.min(self.limit) } else { self.limit };
        let done = change(&mut waiting, limit);
        if waiting.bytes >= before {
            self.all.fetch_add(waiting.bytes - before, Ordering::Relaxed);
        } else {
            self.all.fetch_sub(before - waiting.bytes, Ordering::Relaxed);
        }
        done
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.all.fetch_sub(self.state().bytes, Ordering::Relaxed);
    }
}

impl Waiting {
    fn pop(&mut self, up_to: u64) -> Option<Arc<Shown>> {
        if self.frames.front().is_none_or(|(n, _)| *n > up_to) {
            return None;
        }
        let (_, frame) = self.frames.pop_front()?;
        self.bytes -= size(&frame);
        if self.frames.is_empty() && self.frames.capacity() > KEPT_PLACES {
            self.frames = VecDeque::new();
        }
        Some(frame)
    }

    fn push(&mut self, frame: &Arc<Shown>, limit: usize) {
        if self.overrun {
            return;
        }
        if self.bytes + size(frame) > limit {
            self.leave_out();
            if frame.is_fleeting() {
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

    /// Leaves out what may be left out, and says in which sessions.
    fn leave_out(&mut self) {
        let mut sessions: Vec<Option<SessionKey>> = Vec::new();
        let (mut left_out, mut bytes) = (0, 0);
        self.frames.retain(|(_, frame)| {
            if !frame.is_fleeting() {
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
        let marked =
            |(_, frame): &(u64, Arc<Shown>)| frame.kind == Kind::Gap && frame.about.session == session;
        if !self.frames.iter().any(marked) {
            self.append(Arc::new(Shown::gap(session)));
        }
    }

    fn append(&mut self, frame: Arc<Shown>) {
        self.bytes += size(&frame);
        self.last += 1;
        self.frames.push_back((self.last, frame));
    }
}

fn size(frame: &Shown) -> usize {
    frame.json.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use frontdesk_core::act::{About, PostKind};
    use frontdesk_core::port::Frame;

    use super::*;

    fn about() -> About {
        About { session: Some("agent:main:web:dm:main".parse().unwrap()), messages: Vec::new() }
    }

    fn delta(text: &str) -> Arc<Shown> {
        Arc::new(Shown::new(Frame::Delta { about: about(), attempt: 1, text: text.into() }))
    }

    fn line(seq: u64, text: &str) -> Arc<Shown> {
        let kind = PostKind::Answer;
        Arc::new(Shown::new(Frame::Line { about: about(), seq, kind, text: text.into() }))
    }

    fn outgoing(limit: usize) -> Outgoing {
        Outgoing::new(limit, Arc::default())
    }

    fn rest(out: &Outgoing) -> Vec<(Kind, u64)> {
        std::iter::from_fn(|| out.pop(u64::MAX)).map(|frame| (frame.kind, frame.seq)).collect()
    }

    #[test]
    fn pieces_go_first_and_a_gap_says_so() {
        let out = outgoing(4096);
        out.push(&line(1, "first"));
        for _ in 0..1000 {
            out.push(&delta("piece"));
            assert!(out.state().bytes <= 4096 + 400);
        }
        out.push(&line(2, &"x".repeat(1500)));
        let left = rest(&out);
        let durable: Vec<u64> =
            left.iter().filter(|(kind, _)| *kind == Kind::Done).map(|(_, seq)| *seq).collect();
        assert_eq!(durable, [1, 2]);
        assert_eq!(left.iter().filter(|(kind, _)| *kind == Kind::Gap).count(), 1);
        assert!(!out.is_overrun());
    }

    #[test]
    fn a_reader_who_never_reads_costs_no_more_than_the_limit() {
        let out = outgoing(4096);
        for seq in 1..1000 {
            out.push(&line(seq, &"x".repeat(100)));
            assert!(out.state().bytes <= 4096);
        }
        assert!(out.is_overrun());
        assert_eq!(rest(&out), [], "nothing is kept for a reader who must come back anyway");
    }

    #[test]
    fn an_answer_larger_than_the_limit_waits_in_the_database() {
        let out = outgoing(4096);
        out.push(&line(1, &"x".repeat(100_000)));
        assert!(out.state().bytes < 4096);
        assert_eq!(rest(&out), [(Kind::Stored, 1)]);
        assert!(!out.is_overrun());
    }

    #[test]
    fn readers_who_never_read_cost_no_more_than_there_is_for_all() {
        let all = Arc::new(AtomicUsize::new(0));
        let limit = 256 * 1024;
        let lazy: Vec<Outgoing> = (0..1000).map(|_| Outgoing::new(limit, all.clone())).collect();
        for out in &lazy {
            for seq in 1..=20 {
                out.push(&line(seq, &"x".repeat(10_000)));
            }
        }
        assert!(all.load(Ordering::Relaxed) < ALL + 2 * 1000 * FAIR, "{}", all.load(Ordering::Relaxed));
        assert!(lazy.iter().any(Outgoing::is_overrun));
        let diligent = Outgoing::new(limit, all.clone());
        for seq in 1..=100 {
            diligent.push(&line(seq, &"x".repeat(10_000)));
            assert_eq!(rest(&diligent), [(Kind::Done, seq)], "who reads misses nothing");
        }
        drop((lazy, diligent));
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn frames_that_came_later_can_be_held_back() {
        let out = outgoing(4096);
        out.push(&line(1, "a"));
        let until = out.last();
        out.push(&line(2, "b"));
        assert_eq!(out.pop(until).map(|frame| frame.seq), Some(1));
        assert!(out.pop(until).is_none());
        assert_eq!(out.pop(u64::MAX).map(|frame| frame.seq), Some(2));
    }
}
