//! What hooks see and change of a turn.

use std::collections::HashMap;

use frontdesk_core::delta::ToolCall;
use frontdesk_core::hook::{HookEvent, HookMessage, HookPoint, HookRole, HookText};
use frontdesk_core::message::Refusal;
use frontdesk_core::port::Prompt;
use frontdesk_store::row::{Fenced, InboundRow, Withheld};
use serde_json::Value;

use super::{TurnEnd, TurnRun};
use crate::hooks::HookEnd;

/// What later events of a turn repeat of earlier ones.
#[derive(Default)]
pub(super) struct TurnHooks {
    /// The messages that the agent got.
    prompts: Vec<HookMessage>,
    /// Parameters of the tool calls that run, by the agent's id of the call.
    calls: HashMap<String, Value>,
}

impl TurnHooks {
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
                return Err(TurnEnd::Answered { text, by_hook: true });
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
                    return Err(TurnEnd::Died(format!("a hook's rewriting was not stored: {error}")));
                }
            }
        }
        Ok(text)
    }

    /// What hooks want the agent to know besides its messages.
    pub(super) async fn added_context(&mut self, prompt: &[Prompt]) -> Vec<String> {
        let hooks = &self.shared.hooks;
        if hooks.any(HookPoint::AgentEnd) {
            let message = |prompt: &Prompt| HookMessage { role: HookRole::User, text: prompt.text.clone() };
            self.hooks.prompts = prompt.iter().map(message).collect();
        }
        if !hooks.any(HookPoint::BeforeAgentStart) {
            return Vec::new();
        }
        let message = prompt.iter().map(|prompt| prompt.text.as_str()).collect::<Vec<_>>().join("\n");
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
            self.hooks.calls.insert(call.id.clone(), params.clone());
        }
        Ok(params)
    }

    /// Passes the end of a tool call on to hooks: those that may rewrite the result first, then those that observe it.
    /// The agent has the result already.
    pub(super) async fn after_tool(&mut self, id: &str, tool: String, mut result: String) {
        let hooks = &self.shared.hooks;
        let params = self.hooks.calls.remove(id).unwrap_or_default();
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
        self.shared.hooks.sending(HookText { session, message: text, channel, piece: false }).await
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
