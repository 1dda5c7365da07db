//! What of a conversation the model gets, within the size of its context window.

use std::collections::HashMap;
use std::sync::Mutex;

use frontdesk_core::history::{History, HistoryEntry, HistoryError, HistoryRequest};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::Turn;

use super::messages::{self, Said};
use crate::running_turns::lock;

/// Messages and bytes of one page of the history.
const PAGE: (u32, usize) = (100, 256 * 1024);

/// What each message costs besides its text, in bytes.
const FRAME: usize = 32;

/// The share of the context window, in percent, beyond which nothing of a conversation is sent. The rest is for the
/// answer.
const SENT_AT_MOST: u64 = 75;
/// The share of the context window, in percent, that is kept word for word of what a summary covers.
const KEPT: u64 = 10;

/// What was said before a turn, as far as it fits.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Memory {
    /// The oldest first.
    pub(super) said: Vec<Said>,
    /// Whether older messages were left out that no summary covers.
    pub(super) is_cut: bool,
}

/// How much of a conversation is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// The size of everything, in bytes.
    pub(super) whole: usize,
    /// The size of what is kept word for word of the messages that a summary covers.
    pub(super) tail: usize,
}

impl Memory {
    /// Reads what was said in the conversation, the newest first, until the limit or what a summary covers.
    pub(super) async fn read(
        history: &dyn History,
        limit: Share,
        private: bool,
    ) -> Result<Self, HistoryError> {
        let (mut newest_first, mut left) = (Vec::new(), limit.whole);
        let mut summary = None;
        let mut before: Option<MessageId> = None;
        let mut is_cut = false;
        'pages: loop {
            let request = HistoryRequest { before, messages: PAGE.0, bytes: PAGE.1.min(left.max(1)) };
            let page = history.page(request).await?;
            for entry in page.entries {
                if let HistoryEntry::Compaction { summary: Some(found), .. } = &entry {
                    if summary.is_some() {
                        break 'pages;
                    }
                    let said = messages::summarized(found);
                    left = left.saturating_sub(weight(&said)).min(limit.tail);
                    summary = Some(said);
                    continue;
                }
                let Some(said) = messages::past(entry, private) else { continue };
                let Some(rest) = left.checked_sub(weight(&said)) else {
                    is_cut = summary.is_none();
                    break 'pages;
                };
                left = rest;
                newest_first.push(said);
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        newest_first.extend(summary);
        newest_first.reverse();
        Ok(Self { said: newest_first, is_cut })
    }

    /// The same conversation with a summary in place of all but the newest messages.
    pub(super) fn after(&self, summary: &str, tail: usize) -> Self {
        let mut left = tail;
        let fits = self.said.iter().rev().take_while(|said| match left.checked_sub(weight(said)) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        let keep = fits.count();
        let begin = self.said.len() - keep;
        let mut said = vec![messages::summarized(summary)];
        said.extend(self.said.iter().skip(begin).cloned());
        Self { said, is_cut: false }
    }

    /// Its size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        bytes(&self.said)
    }
}

/// How much of a conversation is sent besides what is fixed, within a context window; in tokens, and for what is kept
/// of the messages that a summary covers.
pub(super) fn shares(window: u64, fixed: u64) -> (u64, u64) {
    (percent(window, SENT_AT_MOST).saturating_sub(fixed), percent(window, KEPT))
}

/// A part of a context window.
pub(super) fn percent(window: u64, share: u64) -> u64 {
    window.saturating_mul(share) / 100
}

/// The size of messages, in bytes.
pub(super) fn bytes(said: &[Said]) -> usize {
    said.iter().map(weight).sum()
}

fn weight(said: &Said) -> usize {
    said.bytes() + FRAME
}

/// How many bytes of text make a token, as the provider has counted it last in each session.
#[derive(Default)]
pub(super) struct TokenSizes(Mutex<HashMap<SessionKey, f64>>);

/// The usual size of a token, in bytes.
const USUAL: f64 = 4.0;
/// Maximum number of sessions that are remembered; the estimate of the others is the usual one.
const SESSIONS: usize = 10_000;

impl TokenSizes {
    /// Remembers that a request of this size was so many tokens.
    pub(super) fn note(&self, session: &SessionKey, bytes: usize, tokens: u64) {
        // A short request says little: its form weighs more than its text.
        if tokens < 200 {
            return;
        }
        let mut sizes = lock(&self.0);
        if sizes.len() >= SESSIONS && !sizes.contains_key(session) {
            sizes.clear();
        }
        sizes.insert(session.clone(), (float(bytes) / float(tokens)).clamp(1.0, 8.0));
    }

    /// The number of tokens of a text of this size.
    pub(super) fn tokens(&self, session: &SessionKey, bytes: usize) -> u64 {
        super::chunk::rounded(float(bytes) / self.size(session))
    }

    /// The size of a text of so many tokens.
    pub(super) fn bytes(&self, session: &SessionKey, tokens: u64) -> usize {
        usize::try_from(super::chunk::rounded(float(tokens) * self.size(session))).unwrap_or(usize::MAX)
    }

    fn size(&self, session: &SessionKey) -> f64 {
        lock(&self.0).get(session).copied().unwrap_or(USUAL)
    }
}

/// The context windows that have turned out to be smaller than configured, each for one epoch of a session and one model.
#[derive(Default)]
pub(super) struct SmallerWindows(Mutex<HashMap<SessionKey, SmallerWindow>>);

struct SmallerWindow {
    epoch: u64,
    model: String,
    tokens: u64,
}

impl SmallerWindows {
    /// The window of a conversation, if it is known to be smaller.
    pub(super) fn of(&self, turn: &Turn, model: &str) -> Option<u64> {
        let windows = lock(&self.0);
        let window = windows.get(&turn.session)?;
        (window.epoch == turn.epoch && window.model == model).then_some(window.tokens)
    }

    /// Remembers the window of a conversation; `None` forgets it.
    pub(super) fn note(&self, turn: &Turn, model: &str, tokens: Option<u64>) {
        let mut windows = lock(&self.0);
        let Some(tokens) = tokens else {
            windows.remove(&turn.session);
            return;
        };
        if windows.len() >= SESSIONS && !windows.contains_key(&turn.session) {
            windows.clear();
        }
        let window = SmallerWindow { epoch: turn.epoch, model: model.to_owned(), tokens };
        windows.insert(turn.session.clone(), window);
    }

    /// The conversation goes on in another epoch.
    pub(super) fn forget(&self, session: &SessionKey, epoch: u64) {
        let mut windows = lock(&self.0);
        if windows.get(session).is_some_and(|window| window.epoch == epoch) {
            windows.remove(session);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate needs no more than 52 bits")]
fn float(number: impl TryInto<u64>) -> f64 {
    number.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use frontdesk_core::history::HistoryPage;
    use frontdesk_core::message::{Sender, SenderKind};

    use super::*;

    /// A history of these entries, the newest first, with so many on a page.
    #[derive(Debug)]
    struct Pages(Vec<HistoryEntry>, usize);

    #[async_trait]
    impl History for Pages {
        async fn page(&self, request: HistoryRequest) -> Result<HistoryPage, HistoryError> {
            let begin = request.before.map_or(0, |before| usize::try_from(before.0).unwrap());
            let end = (begin + self.1).min(self.0.len());
            let next = (end < self.0.len()).then(|| MessageId(i64::try_from(end).unwrap()));
            Ok(HistoryPage { entries: self.0[begin..end].to_vec(), next })
        }
    }

    fn asked(text: &str) -> HistoryEntry {
        let from = Sender::new("web:main".parse().unwrap(), SenderKind::Person);
        HistoryEntry::Message { id: MessageId(1), from, text: text.to_owned(), received: Default::default() }
    }

    fn answered(text: &str) -> HistoryEntry {
        HistoryEntry::Answer { text: text.to_owned(), complete: true }
    }

    fn compacted(summary: Option<&str>) -> HistoryEntry {
        HistoryEntry::Compaction { summary: summary.map(str::to_owned), at: Default::default() }
    }

    /// The texts that the model gets, and whether others were left out.
    async fn read(entries: Vec<HistoryEntry>, whole: usize, tail: usize) -> (Vec<String>, bool) {
        let texts = |memory: &Memory| -> Vec<String> {
            memory
                .said
                .iter()
                .map(|said| match said {
                    Said::Model(text) | Said::Person { text: Some(text), .. } => text.clone(),
                    Said::Person { text: None, facts } => facts.to_string(),
                })
                .collect()
        };
        let limit = Share { whole, tail };
        let memory = Memory::read(&Pages(entries.clone(), 100), limit, true).await.unwrap();
        for size in 1..4 {
            let paged = Memory::read(&Pages(entries.clone(), size), limit, true).await.unwrap();
            assert_eq!(paged, memory, "pages of {size}");
        }
        (texts(&memory), memory.is_cut)
    }

    const SUMMARY: &str = r#"{"your_summary_of_the_conversation_before":"s"}"#;

    #[tokio::test]
    async fn the_newest_messages_are_kept_within_the_limit() {
        let all = vec![answered("d"), asked("c"), answered("b"), asked("a")];
        assert_eq!(
            read(all.clone(), 1000, 0).await,
            (vec!["a".into(), "b".into(), "c".into(), "d".into()], false)
        );
        assert_eq!(read(all.clone(), 2 * (FRAME + 1), 0).await, (vec!["c".into(), "d".into()], true));
        assert_eq!(read(all, 5, 0).await, (Vec::new(), true));
        assert_eq!(read(Vec::new(), 5, 0).await, (Vec::new(), false));
    }

    #[tokio::test]
    async fn a_summary_stands_for_what_is_older_and_the_end_of_it_is_kept() {
        let all = vec![asked("c"), compacted(Some("s")), answered("b"), asked("a"), compacted(Some("old"))];
        assert_eq!(read(all.clone(), 1000, 0).await, (vec![SUMMARY.into(), "c".into()], false));
        let kept = (vec![SUMMARY.into(), "b".into(), "c".into()], false);
        assert_eq!(read(all.clone(), 1000, FRAME + 1).await, kept);
        let kept = (vec![SUMMARY.into(), "a".into(), "b".into(), "c".into()], false);
        assert_eq!(read(all, 1000, 500).await, kept);
        let unknown = vec![asked("b"), compacted(None), asked("a")];
        assert_eq!(read(unknown, 1000, 0).await, (vec!["a".into(), "b".into()], false));
    }

    #[tokio::test]
    async fn after_a_compaction_the_newest_messages_follow_the_summary() {
        let all = vec![answered("b"), asked("a")];
        let memory = Memory::read(&Pages(all, 9), Share { whole: 1000, tail: 0 }, true).await.unwrap();
        let after = memory.after("s", FRAME + 1);
        assert_eq!(after.said, [messages::summarized("s"), Said::Model("b".into())]);
    }

    #[test]
    fn the_size_of_a_token_is_as_the_provider_has_counted_it() {
        let (sizes, session): (_, SessionKey) =
            (TokenSizes::default(), "agent:a:web:dm:main".parse().unwrap());
        assert_eq!((sizes.tokens(&session, 4000), sizes.bytes(&session, 1000)), (1000, 4000));
        sizes.note(&session, 4000, 2000);
        assert_eq!((sizes.tokens(&session, 4000), sizes.bytes(&session, 1000)), (2000, 2000));
        sizes.note(&session, 10, 199);
        sizes.note(&session, 1_000_000, 1000);
        assert_eq!(sizes.tokens(&session, 8000), 1000, "an odd count is bounded");
    }
}
