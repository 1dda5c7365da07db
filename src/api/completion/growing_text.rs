//! An answer that can only grow: what a client has of it cannot be taken back.

/// The text of an answer as a client has it. An agent may begin its answer anew, and pieces may have been left out for a
/// slow client; what follows is then held back until it continues what the client has.
#[derive(Debug, Default)]
pub(super) struct GrowingText {
    /// What the client has.
    sent: String,
    /// What the agent has said in this attempt.
    said: String,
    attempt: u64,
    /// Pieces are missing in `said`.
    incomplete: bool,
}

impl GrowingText {
    /// Adds a piece, and returns what to send.
    pub(super) fn add(&mut self, attempt: u64, piece: &str) -> Option<String> {
        if attempt != self.attempt {
            self.attempt = attempt;
            self.said.clear();
            self.incomplete = false;
        }
        self.said.push_str(piece);
        if self.incomplete {
            return None;
        }
        let more = self.said.strip_prefix(&*self.sent).filter(|more| !more.is_empty())?.to_owned();
        self.sent.push_str(&more);
        Some(more)
    }

    /// Pieces were left out.
    pub(super) fn miss(&mut self) {
        self.incomplete = true;
    }

    /// The rest of the whole answer; `None` if what the client has is not its beginning.
    pub(super) fn rest<'a>(&self, whole: &'a str) -> Option<&'a str> {
        whole.strip_prefix(&*self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_sent_as_they_come() {
        let mut text = GrowingText::default();
        assert_eq!(text.add(1, "Hel").as_deref(), Some("Hel"));
        assert_eq!(text.add(1, "lo").as_deref(), Some("lo"));
        assert_eq!(text.rest("Hello!"), Some("!"));
    }

    #[test]
    fn an_answer_that_begins_anew_continues_only_where_it_agrees() {
        let mut text = GrowingText::default();
        text.add(1, "Hello").unwrap();
        assert_eq!(text.add(2, "Hel"), None);
        assert_eq!(text.add(2, "lo you").as_deref(), Some(" you"));
        assert_eq!(text.add(3, "Good"), None);
        assert_eq!((text.rest("Good day"), text.rest("Hello you there")), (None, Some(" there")));
    }

    #[test]
    fn pieces_after_a_gap_are_held_back() {
        let mut text = GrowingText::default();
        text.add(1, "one ").unwrap();
        text.miss();
        assert_eq!(text.add(1, "three"), None);
        assert_eq!(text.rest("one two three"), Some("two three"));
    }
}
