//! Answers that are not sent: in a group an agent may answer `NO_REPLY`.

use frontdesk_core::key::{Scope, SessionKey};

const NO_REPLY: &str = "NO_REPLY";

/// Whether an agent may stay silent in a session. In a private chat a person waits for an answer, so there `NO_REPLY` is
/// sent like any other text.
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
    fn only_no_reply_alone_in_a_group_is_not_sent() {
        let among = |key: &str| Silence::of(&key.parse().unwrap());
        let (group, dm) = (among("agent:main:fake:group:-1"), among("agent:main:fake:dm:anna"));
        for silent in ["NO_REPLY", " NO_REPLY\n"] {
            assert!(group.is(silent) && !dm.is(silent));
        }
        for text in ["", "NO", "NO_REPLY.", "no_reply", "ok", ".", "silent"] {
            assert!(!group.is(text), "{text}");
        }
        for early in ["", "N", "\nNO_RE", "NO_REPLY "] {
            assert!(group.may_become(early) && !dm.may_become(early));
        }
        assert!(!group.may_become("NO_REPLY needed") && !group.may_become("No"));
    }
}
