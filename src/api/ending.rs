//! How turns that end without an answer are told to clients.

use std::borrow::Cow;

use frontdesk_core::delivery::Ending;

/// How much of an unfinished answer an error carries, in bytes.
const BEGINNING: usize = 64 * 1024;

/// The error code and the sentence for a turn that ended without an answer.
pub(crate) fn failure(ending: Ending) -> Option<(&'static str, Cow<'static, str>)> {
    let (code, sentence) = match ending {
        Ending::Answered => return None,
        Ending::Cancelled => ("cancelled", "This was cancelled before it was answered."),
        Ending::Superseded => ("superseded", "A newer message took its place."),
        Ending::MovedTo(task) => {
            return Some(("moved", format!("This goes on in the background as task {task}.").into()));
        }
        Ending::Refused => ("refused", "This message was not passed on."),
        Ending::Dead => ("agent_failed", "The agent could not answer. Send /retry to try again."),
    };
    Some((code, sentence.into()))
}

/// The part of an unfinished answer that an error carries. The history has all of it.
pub(crate) fn beginning(mut text: String) -> String {
    if text.len() > BEGINNING {
        text.truncate(text.floor_char_boundary(BEGINNING));
        text.push('…');
    }
    text
}
