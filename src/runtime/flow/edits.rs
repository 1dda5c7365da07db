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
        Some(Self { every, next: now, shown: 0, blocks, post })
    }

    /// Whether something is to be seen that was not shown yet.
    pub(super) fn wants(&self, visible: &str) -> bool {
        !matches!(self.post, Posted::Off) && visible.len() != self.shown && !visible.trim().is_empty()
    }
}
