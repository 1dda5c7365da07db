//! Why a completion ends, in the words of this interface.

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::MessageId;
use frontdesk_core::tool::ClientCall;

use crate::error::ApiError;
use crate::waiter::ReceivedAnswer;

/// The `finish_reason` of an answer that ends with these calls. An error if the agent failed within the answer, and if the
/// gateway stops before it can read how the answer ended: a client must not take either for a whole answer.
pub(crate) fn reason(
    answer: &ReceivedAnswer,
    calls: &[ClientCall],
    message: MessageId,
) -> Result<&'static str, ApiError> {
    let why = match answer.end {
        Some(AnswerEnd::Whole) if calls.is_empty() => return Ok("stop"),
        Some(AnswerEnd::Whole) => return Ok("tool_calls"),
        Some(AnswerEnd::Length | AnswerEnd::TooLong | AnswerEnd::CutOff) => return Ok("length"),
        Some(AnswerEnd::Filtered) => return Ok("content_filter"),
        Some(AnswerEnd::TooManyCalls) => {
            "The model called too many tools, so the answer is incomplete. Ask again."
        }
        Some(AnswerEnd::BrokenOff) => "The answer broke off and is incomplete. Ask again.",
        Some(AnswerEnd::ErrorReported) => {
            "The model reported an error, so the answer is incomplete. Ask again."
        }
        None => return Err(ApiError::stopping().about(message)),
    };
    let mut error = ApiError::ended(Ending::Dead, message);
    error.message = why.into();
    Err(error)
}
