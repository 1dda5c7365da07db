//! What a scripted agent does in a turn.

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::ask::{AskKind, Question};

/// A question for permission with this text and nothing else that a question may have.
pub fn permission(text: &str) -> Question {
    Question {
        kind: AskKind::Permission,
        text: text.to_owned(),
        choices: Vec::new(),
        audience: None,
        deadline: None,
        default: None,
    }
}

/// One step of a turn.
#[derive(Debug, Clone)]
pub enum Step {
    /// Streams a piece of the answer.
    Say(&'static str),
    /// Answers with the prompt.
    Echo,
    /// Waits until the test calls [`ScriptedAgent::resume`](crate::ScriptedAgent::resume).
    Pause,
    /// Calls a tool and waits for permission.
    Tool(&'static str),
    /// Calls a tool whose parameters have so many bytes.
    LargeTool(usize),
    /// Calls one of the gateway's tools.
    GatewayTool(&'static str, serde_json::Value),
    /// Sends a file, with a caption.
    File(&'static str, Option<&'static str>),
    /// Reports [`usage`](crate::agent::usage) before the end.
    Spend,
    /// Ends its answer like this; without it the answer is whole.
    Ends(AnswerEnd),
    /// Begins its answer again.
    Restart,
    /// Names the conversation.
    Session(&'static str),
    /// Compacts its context by itself, with this summary.
    Compact(&'static str),
    /// Asks a person and waits for the answer.
    Ask(Question),
    /// Reports progress without text.
    Progress,
    /// Reports how far it is: a percentage, and a line.
    Step(u8, &'static str),
    /// The process dies.
    Die,
    /// The turn fails.
    Fail,
    /// Cannot be started now, because the machine is out of a resource.
    Short,
    /// Never sends anything again.
    Hang,
    /// Panics.
    Panic,
}
