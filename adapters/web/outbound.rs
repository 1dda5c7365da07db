//! Acts as frames.

use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::port::Frame;

/// The frame that shows an act, and the receipt for it.
pub(crate) fn frame(act: Act) -> Result<(Frame, Receipt), SendError> {
    let fleeting = Receipt::default();
    match act {
        Act::Post(post) => {
            let receipt = Receipt { message: Some(post.out.to_string()) };
            let seq = post.seq.unwrap_or(0);
            let line = Frame::Line { about: post.about, seq, kind: post.kind, text: post.part.body };
            Ok((line, receipt))
        }
        Act::Delta { about, attempt, text } => Ok((Frame::Delta { about, attempt, text }, fleeting)),
        Act::End { about, ending, usage } => Ok((Frame::End { about, ending, usage }, fleeting)),
        Act::Typing => Ok((Frame::Typing, fleeting)),
        Act::Edit { .. } => {
            refused("a line of the web channel cannot be edited: its readers have it already")
        }
        Act::Delete { .. } => refused("a line of the web channel cannot be taken back"),
        Act::React { .. } => refused("the web channel has no reactions"),
        Act::Pin { .. } => refused("the web channel has no pinned messages"),
        Act::Media { .. } => refused("the web channel does not send files yet"),
        Act::Draft { .. } => refused("the web channel shows the pieces of an answer, not drafts"),
    }
}

fn refused(why: &str) -> Result<(Frame, Receipt), SendError> {
    Err(SendError::Refused(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_channel_cannot_do_is_refused_with_a_reason() {
        let target = || "o1".to_owned();
        for act in [
            Act::Delete { target: target() },
            Act::React { target: target(), emoji: "+1".into() },
            Act::Pin { target: target() },
            Act::Draft { id: 1, text: "a".into() },
        ] {
            let Err(SendError::Refused(why)) = frame(act.clone()) else { panic!("{act:?} was taken") };
            assert!(why.contains("web channel"), "{why}");
        }
        assert_eq!(frame(Act::Typing), Ok((Frame::Typing, Receipt::default())));
    }
}
