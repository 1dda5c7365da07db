//! How an agent's answer ends: whole, or why it is not.

/// How an answer ends. Everything but [`AnswerEnd::Whole`] has a remark that people read below the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AnswerEnd {
    /// The agent has said everything.
    #[default]
    Whole,
    /// The answer reached the maximum length that the model's provider allows.
    Length,
    /// The provider's content filter ended it.
    Filtered,
    /// It reached the maximum length that the agent's configuration allows (`max_answer`).
    TooLong,
    /// It reached the maximum length that the gateway passes on (`turns.max_answer`).
    CutOff,
    /// The model called tools until no more calls were allowed.
    TooManyCalls,
    /// The connection broke, or the rest of the answer could not be read.
    BrokenOff,
    /// The provider reported an error within the answer.
    ErrorReported,
}

impl AnswerEnd {
    /// All variants.
    pub const ALL: [AnswerEnd; 8] = [
        AnswerEnd::Whole,
        AnswerEnd::Length,
        AnswerEnd::Filtered,
        AnswerEnd::TooLong,
        AnswerEnd::CutOff,
        AnswerEnd::TooManyCalls,
        AnswerEnd::BrokenOff,
        AnswerEnd::ErrorReported,
    ];

    /// The end with this name.
    pub fn named(name: &str) -> Option<AnswerEnd> {
        AnswerEnd::ALL.into_iter().find(|end| end.name() == name)
    }

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            AnswerEnd::Whole => "whole",
            AnswerEnd::Length => "length",
            AnswerEnd::Filtered => "content_filter",
            AnswerEnd::TooLong => "too_long",
            AnswerEnd::CutOff => "cut_off",
            AnswerEnd::TooManyCalls => "too_many_calls",
            AnswerEnd::BrokenOff => "broken_off",
            AnswerEnd::ErrorReported => "error_reported",
        }
    }

    /// Whether the agent has failed: what it has said is incomplete, and more was to come.
    pub fn is_failure(self) -> bool {
        matches!(self, AnswerEnd::TooManyCalls | AnswerEnd::BrokenOff | AnswerEnd::ErrorReported)
    }

    /// What people read below an answer that is not whole.
    pub fn remark(self) -> Option<&'static str> {
        Some(match self {
            AnswerEnd::Whole => return None,
            AnswerEnd::Length => "(The answer reached the model's maximum length and ends here.)",
            AnswerEnd::Filtered => "(The provider's content filter ended the answer here.)",
            AnswerEnd::TooLong => "(The answer is too long for a chat and ends here.)",
            AnswerEnd::CutOff => "(The answer was longer than I may pass on; the rest was cut off.)",
            AnswerEnd::TooManyCalls => "(The model called too many tools, and the answer ends here.)",
            AnswerEnd::BrokenOff => {
                "(The answer broke off here and is incomplete. Send /retry to try again.)"
            }
            AnswerEnd::ErrorReported => {
                "(The model reported an error here, so the answer is incomplete. Send /retry to try again.)"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_reads_back_and_only_a_whole_answer_has_no_remark() {
        for end in AnswerEnd::ALL {
            assert_eq!(AnswerEnd::named(end.name()), Some(end));
            assert_eq!(end.remark().is_none(), end == AnswerEnd::Whole, "{end:?}");
        }
        assert_eq!(AnswerEnd::named("gone"), None);
    }
}
