//! An answer that grows in the chat: in one message that is edited, or in a draft.

use std::time::Duration;

use frontdesk_core::key::Scope;
use frontdesk_core::port::Mono;
use frontdesk_core::profile::{Flow as Rule, Profile};
use frontdesk_store::row::ClaimedTurn;

use super::paragraphs::Paragraphs;

pub(super) struct Edits {
    pub(super) every: Duration,
    pub(super) next: Mono,
    /// How much of the text was shown last.
    pub(super) shown: usize,
    /// Set where whole paragraphs alone are shown.
    pub(super) blocks: Option<Paragraphs>,
    pub(super) post: Posted,
    /// The text of the last request. The same is not shown twice, whatever the platform answered, unless it asked to be
    /// asked again.
    pub(super) tried: Option<String>,
    /// Whether the text is longer than the message that shows it.
    pub(super) is_full: bool,
    /// Whether the platform has a message of this answer.
    pub(super) is_begun: bool,
}

pub(super) enum Posted {
    /// Nothing is on the platform yet.
    None,
    /// The message that is edited.
    At(String),
    /// It goes away by itself; the answer comes whole.
    Draft,
    /// Not possible this time: an older part is still to be sent, or the post failed. The answer comes whole.
    Off,
}

impl Edits {
    /// How an answer of this turn grows in its chat; `None` where it comes whole or live.
    pub(super) fn new(profile: &Profile, turn: &ClaimedTurn, now: Mono) -> Option<Self> {
        let streamed = turn.streamed.as_ref().and_then(|streamed| streamed.platform_message.clone());
        let post = streamed.map_or(Posted::None, Posted::At);
        let (every, blocks, post) = match (profile.flow, post) {
            (Rule::Whole | Rule::Live, _) => return None,
            (Rule::Blocks { every }, post) => (every, Some(Paragraphs::default()), post),
            // What an earlier attempt has posted is there to stay, so it goes on there.
            (Rule::Draft { every }, Posted::None) if turn.session.scope() == Scope::Dm => {
                (every, None, Posted::Draft)
            }
            (Rule::Edits { every } | Rule::Draft { every }, post) => (every, None, post),
        };
        // Edits count like messages, and a group tolerates fewer of them.
        let every = match turn.session.scope() {
            Scope::Dm => every,
            _ => profile.pacing.per_group.map_or(every, |group| group.max(every)),
        };
        let is_begun = matches!(post, Posted::At(_));
        Some(Self { every, next: now, shown: 0, blocks, post, tried: None, is_full: false, is_begun })
    }

    /// The last request is to be made again, but not before this time.
    pub(super) fn later(&mut self, time: Mono) {
        self.next = self.next.max(time);
        self.shown = 0;
        self.tried = None;
    }

    /// The text from here on is another one now, perhaps of the same length.
    pub(super) fn rewritten(&mut self, from: usize) {
        if from < self.shown {
            self.shown = 0;
        }
    }

    /// Whether something is to be seen that was not shown yet.
    pub(super) fn wants(&self, visible: &str) -> bool {
        !matches!(self.post, Posted::Off) && visible.len() != self.shown && !visible.trim().is_empty()
    }
}
