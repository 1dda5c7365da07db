//! The state of an answer that grows in the chat, in one edited message or in a draft.

use std::time::Duration;

use frontdesk_core::key::Scope;
use frontdesk_core::port::Mono;
use frontdesk_core::profile::{Flow as Rule, Profile};
use frontdesk_store::row::ClaimedTurn;

use super::paragraphs::Paragraphs;

pub(super) struct Edits {
    pub(super) every: Duration,
    pub(super) next: Mono,
    /// Number of bytes of the text that were shown last.
    pub(super) shown: usize,
    /// Set if only complete paragraphs are shown.
    pub(super) blocks: Option<Paragraphs>,
    pub(super) post: GrowingMessage,
    /// The text of the last request. It is not sent twice, whatever the platform answered, unless it asked to try again
    /// later.
    pub(super) tried: Option<String>,
    /// Whether the text is longer than the message that shows it.
    pub(super) is_full: bool,
    /// Whether the platform has a message of this answer.
    pub(super) is_begun: bool,
    /// Whether the platform has shown a draft of it, which disappears by itself.
    pub(super) is_drafted: bool,
}

pub(super) enum GrowingMessage {
    /// Nothing is known to be on the platform. Where `is_unknown`, a post had no response and may be there.
    NotPosted { is_unknown: bool },
    /// The platform's id of the message that is edited.
    Posted(String),
    /// A draft, which disappears by itself; the answer is sent whole.
    Draft,
    /// The answer cannot be shown while it grows, because the post or an edit failed. It is sent whole.
    Off,
}

impl Edits {
    /// How an answer of this turn grows in its chat; `None` if it is sent whole or live.
    pub(super) fn new(profile: &Profile, turn: &ClaimedTurn, now: Mono) -> Option<Self> {
        let streamed = turn.streamed.as_ref();
        let post = match streamed.and_then(|streamed| streamed.platform_message.clone()) {
            Some(message) => GrowingMessage::Posted(message),
            None => GrowingMessage::NotPosted { is_unknown: streamed.is_some() },
        };
        let (every, blocks, post) = match (profile.flow, post) {
            (Rule::Whole | Rule::Live, _) => return None,
            (Rule::Blocks { every }, post) => (every, Some(Paragraphs::default()), post),
            // An earlier attempt has posted a message, which is edited further.
            (Rule::Draft { every }, GrowingMessage::NotPosted { .. })
                if turn.session.scope() == Scope::Dm =>
            {
                (every, None, GrowingMessage::Draft)
            }
            (Rule::Edits { every } | Rule::Draft { every }, post) => (every, None, post),
        };
        // Edits count like messages, and a group tolerates fewer of them.
        let every = match turn.session.scope() {
            Scope::Dm => every,
            _ => profile.pacing.per_group.map_or(every, |group| group.max(every)),
        };
        let is_begun = matches!(post, GrowingMessage::Posted(_));
        Some(Self {
            every,
            next: now,
            shown: 0,
            blocks,
            post,
            tried: None,
            is_full: false,
            is_begun,
            is_drafted: false,
        })
    }

    /// The last request is made again, not before this time.
    pub(super) fn later(&mut self, time: Mono) {
        self.next = self.next.max(time);
        self.shown = 0;
        self.tried = None;
    }

    /// The text was rewritten from here on, perhaps with the same length.
    pub(super) fn rewritten(&mut self, from: usize) {
        if from < self.shown {
            self.shown = 0;
        }
    }

    /// Whether there is visible text that was not shown yet.
    pub(super) fn wants(&self, visible: &str) -> bool {
        !matches!(self.post, GrowingMessage::Off) && visible.len() != self.shown && !visible.trim().is_empty()
    }
}
