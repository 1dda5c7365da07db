//! Which acts the web channel can show, and their receipts.

use frontdesk_core::act::{Act, Receipt, SendError};

/// The receipt of an act that clients can be shown. An error says why the channel cannot show it.
pub(crate) fn receipt(act: &Act) -> Result<Receipt, SendError> {
    let problem = match act {
        Act::Post(post) => return Ok(Receipt { message: Some(post.out.to_string()) }),
        Act::Delta { .. } | Act::End { .. } | Act::Typing => return Ok(Receipt::default()),
        Act::Edit { .. } => "the web channel cannot edit a message: its clients have received it already",
        Act::Delete { .. } => "the web channel cannot delete a message: its clients have received it already",
        Act::React { .. } => "the web channel has no reactions",
        Act::Pin { .. } => "the web channel has no pinned messages",
        Act::Media { .. } => "the web channel does not send files yet",
        Act::Draft { .. } => "the web channel shows deltas, not drafts",
    };
    Err(SendError::Refused(problem.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_acts_are_refused_with_a_reason() {
        let target = || "o1".to_owned();
        for act in [
            Act::Delete { target: target() },
            Act::React { target: target(), emoji: "+1".into() },
            Act::Pin { target: target() },
            Act::Draft { id: 1, text: "a".into() },
        ] {
            let Err(SendError::Refused(why)) = receipt(&act) else { panic!("{act:?} was accepted") };
            assert!(why.contains("web channel"), "{why}");
        }
        assert_eq!(receipt(&Act::Typing), Ok(Receipt::default()));
    }
}
