//! An answer that says that there is nothing to say.

use frontdesk_core::key::{Scope, SessionKey};

/// What an agent says then.
const NO_REPLY: &str = "NO_REPLY";

/// Whether an agent may stay silent in a session. In private somebody waits for an answer, so there the word is
/// an answer like any other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence(bool);

impl Silence {
    pub(crate) fn of(session: &SessionKey) -> Self {
        Self(session.scope() != Scope::Dm)
    }

    /// Whether this answer is one that is not sent.
    pub(crate) fn is(self, answer: &str) -> bool {
        self.0 && answer.trim() == NO_REPLY
    }

    /// Whether an unfinished answer may still become one.
    pub(crate) fn may_become(self, text: &str) -> bool {
        self.0 && NO_REPLY.starts_with(text.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_alone_is_silence_and_only_among_several() {
        let among = |key: &str| Silence::of(&key.parse().unwrap());
        let (group, dm) = (among("agent:main:fake:group:-1"), among("agent:main:fake:dm:anna"));
        for silent in ["NO_REPLY", " NO_REPLY\n"] {
            assert!(group.is(silent) && !dm.is(silent));
        }
        for said in ["", "NO", "NO_REPLY.", "no_reply", "ok", ".", "silent"] {
            assert!(!group.is(said), "{said}");
        }
        for early in ["", "N", "\nNO_RE", "NO_REPLY "] {
            assert!(group.may_become(early) && !dm.may_become(early));
        }
        assert!(!group.may_become("NO_REPLY needed") && !group.may_become("No"));
    }
}
