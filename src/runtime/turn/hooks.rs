//! What hooks see and change of a turn.

use std::collections::HashMap;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::ToolCall;
use frontdesk_core::hook::{
    HookEvent, HookMessage, HookPoint, HookRole, HookText, MAX_PARAMS, MAX_REPEATED, MAX_REPEATED_PARAMS,
};
use frontdesk_core::message::Refusal;
use frontdesk_core::port::Prompt;
use frontdesk_core::prompt::words;
use frontdesk_store::row::{Fenced, InboundRow, Withheld};
use serde_json::Value;

use super::{TurnEnd, TurnRun};
use crate::hooks::HookEnd;

/// Maximum number of tool calls whose parameters are kept until they end.
const CALLS: usize = 64;

/// What later events of a turn repeat of earlier ones.
#[derive(Default)]
pub(super) struct TurnHooks {
    /// The messages that the agent got.
    prompts: Vec<HookMessage>,
    /// Parameters of the tool calls that run, by the agent's id of the call.
    calls: HashMap<String, Value>,
    /// The size of the parameters and results that hooks have got after tool calls, in bytes.
    repeated: usize,
}

impl TurnHooks {
    /// Keeps the parameters of a call until it ends, if they are small enough and not too many calls run.
    fn keep(&mut self, call: &str, params: &Value) {
        // An agent may use an id again; the parameters of the earlier call are not those of this one.
        self.calls.remove(call);
        if self.calls.len() < CALLS && size(params) <= MAX_REPEATED_PARAMS {
            self.calls.insert(call.to_owned(), params.clone());
        }
    }

    /// The parameters and the result of a call that has ended, as far as hooks may still get them in this turn.
    fn ended(&mut self, call: &str, result: String) -> (Value, String) {
        let params = self.calls.remove(call).unwrap_or_default();
        let more = size(&params) + result.len();
        if self.repeated + more > MAX_REPEATED {
            return (Value::Null, String::new());
        }
        self.repeated += more;
        (params, result)
    }

    /// The agent has taken one more message into its turn.
    pub(super) fn prompt(&mut self, text: String) {
        self.prompts.push(HookMessage { role: HookRole::User, text });
    }
}

impl TurnRun<'_> {
    /// The text of a message as hooks have changed it.
    pub(super) async fn received(&mut self, row: &InboundRow) -> Result<String, TurnEnd> {
        let (shared, turn) = (self.shared, self.turn);
        if !shared.hooks.any(HookPoint::MessageReceived) {
            return Ok(row.text.clone());
        }
        let outcome = shared
            .hooks
            .ask(HookEvent::MessageReceived {
                session: turn.session.clone(),
                message: row.text.clone(),
                channel: turn.address.channel().to_owned(),
            })
            .await;
        match outcome.end {
            Some(HookEnd::Dropped { .. } | HookEnd::Failed { .. }) => {
                return Err(TurnEnd::Refused(Refusal::Hook));
            }
            Some(HookEnd::Answered(text)) => {
                return Err(TurnEnd::Answered { text, end: AnswerEnd::Whole, by_hook: true });
            }
            None => {}
        }
        let HookEvent::MessageReceived { message: text, .. } = outcome.event else {
            return Ok(row.text.clone());
        };
        // A message that belongs to an earlier turn keeps its text there.
        if text != row.text && row.turn == Some(turn.claim.id) {
            match shared.store.rewrite(row.id, turn.claim, text.clone()).await {
                Ok(Fenced::Done(())) => {}
                Ok(Fenced::Stale) => return Err(TurnEnd::Cancelled),
                Err(error) => {
                    return Err(TurnEnd::Died(Cause::plain(format!(
                        "a hook's rewriting was not stored: {error}"
                    ))));
                }
            }
        }
        Ok(text)
    }

    /// What hooks want the agent to know besides its messages.
    pub(super) async fn added_context(&mut self, prompt: &[Prompt]) -> Vec<String> {
        let hooks = &self.shared.hooks;
        if hooks.any(HookPoint::AgentEnd) {
            let message = |prompt: &Prompt| HookMessage { role: HookRole::User, text: words(prompt) };
            self.hooks.prompts = prompt.iter().map(message).collect();
        }
        if !hooks.any(HookPoint::BeforeAgentStart) {
            return Vec::new();
        }
        let message = prompt.iter().map(words).collect::<Vec<_>>().join("\n");
        let config = self.settings.shown.clone();
        let session = self.turn.session.clone();
        hooks.ask(HookEvent::BeforeAgentStart { session, message, config }).await.context
    }

    /// The parameters with which a tool may run as far as hooks decide, or why it may not.
    pub(super) async fn before_tool(&mut self, call: &mut ToolCall) -> Result<Value, String> {
        let params = std::mem::take(&mut call.params);
        let hooks = &self.shared.hooks;
        let params = match hooks.any(HookPoint::BeforeToolCall) {
            false => params,
            true if size(&params) > MAX_PARAMS => {
                return Err(
                    "its parameters are larger than 1 MB, which is more than hooks can check".to_owned()
                );
            }
            true => {
                let (session, tool) = (self.turn.session.clone(), call.name.clone());
                let mut outcome = hooks.ask(HookEvent::BeforeToolCall { session, tool, params }).await;
                match outcome.end {
                    Some(HookEnd::Dropped { reason, .. } | HookEnd::Answered(reason)) => return Err(reason),
                    Some(HookEnd::Failed { .. }) => return Err("a check of this call failed".to_owned()),
                    None => outcome.event.params_mut().map(std::mem::take).unwrap_or_default(),
                }
            }
        };
        if hooks.any(HookPoint::AfterToolCall) {
            self.hooks.keep(&call.id, &params);
        }
        Ok(params)
    }

    /// Passes the end of a tool call on to hooks: those that may rewrite the result first, then those that observe it.
    /// The agent has the result already.
    pub(super) async fn after_tool(&mut self, id: &str, tool: String, result: String) {
        let hooks = &self.shared.hooks;
        if !hooks.any(HookPoint::ToolResultPersist) && !hooks.any(HookPoint::AfterToolCall) {
            return;
        }
        let (params, mut result) = self.hooks.ended(id, result);
        let session = self.turn.session.clone();
        if hooks.any(HookPoint::ToolResultPersist) {
            let (session, tool) = (session.clone(), tool.clone());
            let mut outcome = hooks.ask(HookEvent::ToolResultPersist { session, tool, result }).await;
            result = outcome.event.text_mut().map(std::mem::take).unwrap_or_default();
        }
        hooks.tell(HookEvent::AfterToolCall { session, tool, params, result });
    }

    /// What is sent of a text of this turn, or why hooks keep it from being sent.
    pub(super) async fn sending(&mut self, text: String) -> Result<String, Withheld> {
        let (session, channel) = (Some(self.turn.session.clone()), self.turn.address.channel().to_owned());
        let text = HookText { session, message: text, channel, piece: false, choices: Vec::new() };
        self.shared.hooks.sending(text).await
    }

    /// What the history may keep of an answer that is not complete: it is shown there too.
    pub(super) async fn kept(&mut self, so_far: String) -> String {
        match so_far.is_empty() {
            true => so_far,
            false => self.sending(so_far).await.unwrap_or_default(),
        }
    }

    /// Tells hooks that the turn has ended.
    pub(super) fn agent_end(&mut self, answer: Option<&str>) {
        if !self.shared.hooks.any(HookPoint::AgentEnd) {
            return;
        }
        let mut messages = std::mem::take(&mut self.hooks.prompts);
        messages.extend(answer.map(|text| HookMessage { role: HookRole::Assistant, text: text.to_owned() }));
        let (session, usage) = (self.turn.session.clone(), self.usage.clone());
        self.shared.hooks.tell(HookEvent::AgentEnd { session, messages, usage });
    }
}

/// The size of a value as JSON, in bytes.
fn size(value: &Value) -> usize {
    struct Counted(usize);
    impl std::io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    // What cannot be written, which no value of an agent is, counts as too large.
    serde_json::to_writer(&mut counted, value).map_or(usize::MAX, |()| counted.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_hooks_get_of_tool_calls_is_bounded_in_number_and_size() {
        let mut hooks = TurnHooks::default();
        let large = json!("x".repeat(MAX_REPEATED_PARAMS));
        hooks.keep("large", &large);
        (0..2 * CALLS).for_each(|call| hooks.keep(&call.to_string(), &json!({"n": call})));
        assert_eq!(hooks.calls.len(), CALLS);
        assert_eq!(hooks.ended("large", "r".into()), (Value::Null, "r".into()));
        assert_eq!(hooks.ended("7", "r".into()), (json!({"n": 7}), "r".into()));
        let result = || "x".repeat(64 * 1024);
        let whole = (0..1000).filter(|_| !hooks.ended("", result()).1.is_empty()).count();
        assert!(whole > 10 && whole * result().len() <= MAX_REPEATED, "{whole}");
    }
}
