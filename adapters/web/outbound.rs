//! What the web channel can show.

use frontdesk_core::delivery::{Delivery, MediaFile, Post, PostedFile, SendError, Signal};

/// The post of a delivery that clients can be shown. An error says why the channel cannot show it.
pub(crate) fn post(delivery: Delivery) -> Result<Post, SendError> {
    let problem = match delivery {
        Delivery::Post(post) => return Ok(post),
        Delivery::Media { file: MediaFile { name, mime, kind, size, .. }, post } => {
            let file = Some(PostedFile { name, mime, kind, size: Some(size) });
            return Ok(Post { file, ..post });
        }
        Delivery::Edit { .. } => {
            "the web channel cannot edit a message: its clients have received it already"
        }
        Delivery::Delete { .. } => {
            "the web channel cannot delete a message: its clients have received it already"
        }
        Delivery::Album(_) => "the web channel has no albums",
        Delivery::React { .. } | Delivery::Pin { .. } => {
            "the web channel has neither reactions nor pinned messages"
        }
    };
    Err(SendError::Refused(problem.into()))
}

/// Whether clients are shown a signal. They see the deltas of an answer, and so neither drafts nor growing messages.
pub(crate) fn is_shown(signal: &Signal) -> bool {
    match signal {
        Signal::Typing | Signal::Delta { .. } | Signal::Progress { .. } | Signal::End { .. } => true,
        Signal::Draft { .. } | Signal::Grow { .. } | Signal::Waits { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_deliveries_are_refused_with_a_reason() {
        let delete = Delivery::Delete { target: "o1".into() };
        let Err(SendError::Refused(why)) = post(delete) else { panic!("a deletion was accepted") };
        assert!(why.to_string().contains("web channel"), "{why}");
        assert!(!is_shown(&Signal::Draft { id: 1, text: "a".into() }));
        assert!(is_shown(&Signal::Typing));
    }
}
