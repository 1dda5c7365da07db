//! What follows `/link`.

use crate::id::MessageId;
use crate::pairing::Code;

/// What somebody wants with the conversation of a private chat and that of another one of theirs.
///
/// ```text
/// /link             show a code
/// /link CODE        enter the code that the other chat shows
/// /link confirm ID  agree to join the two chats; ID names the message with the code
/// /link refuse ID   do not agree
/// /link off         part the chats
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRequest {
    /// Show a code to be entered in the other chat.
    Show,
    /// Enter the code of the other chat.
    Enter(Code),
    /// Agree to join the chats.
    Confirm(MessageId),
    /// Do not agree.
    Refuse(MessageId),
    /// Part the chats.
    Off,
}

impl LinkRequest {
    /// Parses the words after `/link`; `None` if they are no request.
    pub(super) fn parse(words: &str) -> Option<Self> {
        let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        let message = || rest.trim().to_ascii_lowercase().parse().ok();
        match word.to_ascii_lowercase().as_str() {
            "" => Some(LinkRequest::Show),
            "off" if rest.is_empty() => Some(LinkRequest::Off),
            "confirm" => message().map(LinkRequest::Confirm),
            "refuse" => message().map(LinkRequest::Refuse),
            _ => Code::read(words).map(LinkRequest::Enter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_link_is_read_as_people_write_it() {
        let code = Code::read("ABCD2345").unwrap();
        for (words, request) in [
            ("", Some(LinkRequest::Show)),
            ("OFF", Some(LinkRequest::Off)),
            ("abcd-2345", Some(LinkRequest::Enter(code.clone()))),
            ("ABCD 2345", Some(LinkRequest::Enter(code))),
            ("Confirm m42", Some(LinkRequest::Confirm(MessageId(42)))),
            ("refuse M42", Some(LinkRequest::Refuse(MessageId(42)))),
            ("confirm", None),
            ("confirm 42", None),
            ("off now", None),
            ("ABCD234", None),
            ("telegram 7", None),
        ] {
            assert_eq!(LinkRequest::parse(words), request, "{words:?}");
        }
    }
}
