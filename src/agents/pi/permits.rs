//! What others decide during a run: people about dialogs and tools, hooks and the database about tools.

use frontdesk_core::ask::{AgentQuestion, AskAnswer, AskEnd, AskReply, Question};
use frontdesk_core::config::Permission;
use frontdesk_core::delta::{Delta, ToolApproval, ToolCall, ToolDecision};
use frontdesk_core::tool::ToolError;
use futures_util::FutureExt;
use serde_json::Value;

use super::dialog;
use super::machine::{Act, PiCall};
use super::policy;
use super::turn::Run;
use super::wire::{UiAnswer, UiRequest};

/// What a person, a hook or the database has decided.
pub(super) enum Decided {
    Dialog(String, UiAnswer),
    /// A person has permitted the tool, or not.
    Permitted {
        dialog: String,
        call: PiCall,
        ours: bool,
        refused: Option<String>,
    },
    Tool {
        dialog: String,
        params: Value,
        decision: ToolDecision,
    },
    /// One of the gateway's own tools has ended.
    Called {
        dialog: String,
        result: Result<String, ToolError>,
    },
}

impl Run {
    /// An extension asks a person.
    pub(super) fn ask(&mut self, dialog: &UiRequest) {
        let (question, meaning) = dialog::question(dialog);
        let id = dialog.id.clone();
        let answered = move |end: Result<AskEnd, String>| Decided::Dialog(id, dialog::answer(&meaning, &end));
        self.question(question, answered);
    }

    fn question(
        &mut self,
        question: Question,
        then: impl FnOnce(Result<AskEnd, String>) -> Decided + Send + 'static,
    ) {
        let (reply, end) = AskReply::channel();
        self.waiting.push_back(Ok(Delta::Ask(AgentQuestion { question, reply })));
        let end = end.map(|end| end.unwrap_or_else(|_| Err("the turn has ended".to_owned())));
        self.decisions.push(end.map(then).boxed());
    }

    /// A tool wants to begin: by the configuration it may, may not, or a person is asked.
    pub(super) fn permit(&mut self, dialog: String, call: PiCall, ours: bool) -> Vec<Act> {
        match self.context.policy.of(&call.name, self.context.trusted || ours) {
            Permission::Deny => {
                self.machine.tool_denied(&dialog, "This tool is not allowed by the gateway's configuration.")
            }
            Permission::Allow => self.permitted(dialog, call, ours),
            Permission::Ask => {
                let question = match policy::question(&call.name, &call.params) {
                    Ok(question) => question,
                    Err(why) => return self.machine.tool_denied(&dialog, why),
                };
                let permitted = move |end: Result<AskEnd, String>| {
                    let refused = refusal(&end);
                    Decided::Permitted { dialog, call, ours, refused }
                };
                self.question(question, permitted);
                Vec::new()
            }
        }
    }

    /// Asks the gateway, which records that a tool begins. It does so by itself when one of its own is called.
    fn permitted(&mut self, dialog: String, call: PiCall, ours: bool) -> Vec<Act> {
        if ours {
            return self.machine.our_tool_allowed(&dialog);
        }
        let PiCall { id, name, params } = call;
        let (approval, decision) = ToolApproval::channel();
        let call = ToolCall { id, name, params: params.clone(), approval };
        self.waiting.push_back(Ok(Delta::ToolStart(call)));
        let decided = decision.map(move |decision| {
            let none = || ToolDecision::Deny("The gateway gave no permission.".to_owned());
            Decided::Tool { dialog, params, decision: decision.unwrap_or_else(|_| none()) }
        });
        self.decisions.push(decided.boxed());
        Vec::new()
    }

    /// Calls one of the gateway's own tools.
    pub(super) fn call(&mut self, dialog: String, name: String, params: Value) {
        let tools = self.context.tools.clone();
        let called = async move { Decided::Called { dialog, result: tools.call(&name, params).await } };
        self.decisions.push(called.boxed());
    }

    pub(super) fn decided(&mut self, decided: Decided) -> Vec<Act> {
        match decided {
            Decided::Dialog(dialog, answer) => self.machine.dialog_ended(&dialog, &answer),
            Decided::Permitted { dialog, refused: Some(reason), .. } => {
                self.machine.tool_denied(&dialog, &reason)
            }
            Decided::Permitted { dialog, call, ours, refused: None } => self.permitted(dialog, call, ours),
            Decided::Called { dialog, result } => self.machine.our_tool_ended(&dialog, &result),
            Decided::Tool { dialog, params, decision: ToolDecision::Allow(allowed) } => {
                let changed = (allowed != params).then_some(allowed);
                self.machine.tool_allowed(&dialog, changed)
            }
            Decided::Tool { dialog, decision: ToolDecision::Deny(reason), .. } => {
                self.machine.tool_denied(&dialog, &reason)
            }
        }
    }
}

/// Why a person has not permitted a tool.
fn refusal(end: &Result<AskEnd, String>) -> Option<String> {
    match end {
        Ok(AskEnd::Answered { answer: AskAnswer::Choice(choice), .. }) if choice == "allow" => None,
        Ok(AskEnd::Answered { .. }) => Some("A person denied this.".to_owned()),
        Ok(AskEnd::Expired { .. }) => Some("Nobody permitted this in time.".to_owned()),
        Ok(AskEnd::Cancelled) => Some("The question was withdrawn.".to_owned()),
        Err(why) => Some(format!("Nobody could be asked: {why}")),
    }
}
