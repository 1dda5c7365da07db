//! What agents report, bounded and cleaned at the one place where it enters the gateway.
//!
//! An agent is often somebody else's program. What it reports besides its answer is stored, logged, shown in chats and
//! by the API, and given to hooks; none of them has to expect a name of a megabyte or one that hides characters.

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Compacted, Delta, SUMMARY, TOOL_RESULT, ToolCall, Usage};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Prompt, Turn};
use frontdesk_core::progress::Progress;
use frontdesk_core::visible;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

/// Maximum number of characters of each part of an error, and of a problem.
const CAUSE: usize = 1000;
/// Maximum size of an agent's id of a tool call, in bytes.
const CALL_ID: usize = 2048;
/// Maximum number of models, or of levels of thinking, that an agent offers.
const CHOICES: usize = 1000;
/// The largest number that the database can store.
const NUMBER: u64 = i64::MAX.unsigned_abs();

/// An agent whose reports are bounded.
pub(crate) struct Reported(pub(crate) Arc<dyn Agent>);

#[async_trait]
impl Agent for Reported {
    fn capabilities(&self) -> Capabilities {
        let can = self.0.capabilities();
        let shown = |name: Option<String>| name.map(|name| visible::name(&name));
        Capabilities {
            models: choices(can.models),
            thinking: choices(can.thinking),
            default_model: shown(can.default_model),
            default_thinking: shown(can.default_thinking),
            ..can
        }
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        self.0.turn(turn).map(|reported| reported.map(delta).map_err(error)).boxed()
    }

    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        self.0.steer(turn, prompt).await.map_err(error)
    }

    async fn abort(&self, turn: TurnId) {
        self.0.abort(turn).await;
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        self.0.compact(turn, instructions).await.map(compacted).map_err(error)
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.0.forget(session, epoch).await;
    }

    async fn stop(&self) {
        self.0.stop().await;
    }

    fn problem(&self) -> Option<String> {
        self.0.problem().map(|problem| visible::escaped(&problem, CAUSE))
    }

    fn failover(&self, of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        let mut failover = self.0.failover(of)?;
        for candidate in &mut failover.candidates {
            candidate.name = visible::name(&candidate.name);
            candidate.place = visible::name(&candidate.place);
        }
        Some(failover)
    }
}

fn delta(delta: Delta) -> Delta {
    match delta {
        Delta::ToolStart(ToolCall { id, name, params, approval }) => {
            Delta::ToolStart(ToolCall { id: cut(id, CALL_ID), name: visible::name(&name), params, approval })
        }
        Delta::ToolEnd { id, name, result, failed } => Delta::ToolEnd {
            id: cut(id, CALL_ID),
            name: visible::name(&name),
            result: cut(result, TOOL_RESULT),
            failed,
        },
        Delta::Compacted(reported) => Delta::Compacted(compacted(reported)),
        Delta::Usage(reported) => Delta::Usage(usage(reported)),
        Delta::Step(Progress { percent, line }) => Delta::Step(Progress {
            percent: percent.map(|percent| percent.min(100)),
            line: line.map(|line| visible::name(line.trim())).filter(|line| visible::is_visible(line)),
        }),
        // The text of the answer and what goes with it, whose limits are the agent's configuration and the platform's;
        // questions have limits of their own, and so has the name of the conversation, which is kept as it is.
        other @ (Delta::Text(_)
        | Delta::Restart
        | Delta::Session(_)
        | Delta::Compacting
        | Delta::Media { .. }
        | Delta::Ask(_)
        | Delta::TakeOver(_)
        | Delta::AnsweredBy(_)
        | Delta::Progress
        | Delta::Done { .. }) => other,
    }
}

fn usage(usage: Usage) -> Usage {
    let number = |number: Option<u64>| number.filter(|number| *number <= NUMBER);
    Usage {
        model: usage.model.map(|model| visible::name(&model)).filter(|model| visible::is_visible(model)),
        input: number(usage.input),
        output: number(usage.output),
        cache_read: number(usage.cache_read),
        cache_write: number(usage.cache_write),
        cost_micro: number(usage.cost_micro),
        context_used: number(usage.context_used),
        context_window: number(usage.context_window),
    }
}

fn compacted(Compacted { summary, tokens, usage: cost }: Compacted) -> Compacted {
    Compacted {
        summary: summary.map(|summary| cut(summary, SUMMARY)),
        tokens: tokens.filter(|tokens| *tokens <= NUMBER),
        usage: cost.map(usage),
    }
}

/// What a chat can choose. A name that had to be changed is left out: the agent would not know it.
fn choices(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| visible::name(name) == *name && visible::is_visible(name));
    names.truncate(CHOICES);
    names
}

fn error(error: AgentError) -> AgentError {
    let bounded = |cause: Cause| cause.map(|words| visible::escaped(words, CAUSE));
    match error {
        AgentError::Died(cause) => AgentError::Died(bounded(cause)),
        AgentError::Failed(cause) => AgentError::Failed(bounded(cause)),
        AgentError::Unavailable(cause) => AgentError::Unavailable(bounded(cause)),
        AgentError::Later(cause) => AgentError::Later(bounded(cause)),
    }
}

fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use frontdesk_core::delta::ToolApproval;

    use super::*;

    #[test]
    fn names_that_an_agent_reports_are_short_and_hide_nothing() {
        let long = format!(" m\n\u{202e}{}", "x".repeat(1 << 20));
        let Delta::Usage(seen) = delta(Delta::Usage(Usage {
            model: Some(long.clone()),
            input: Some(u64::MAX),
            ..Usage::default()
        })) else {
            panic!()
        };
        let model = seen.model.unwrap();
        assert!(model.starts_with("m x") && model.chars().count() == visible::NAME + 1, "{model:?}");
        assert_eq!(seen.input, None);
        let blank = usage(Usage { model: Some("\u{200b}".into()), ..Usage::default() });
        assert_eq!(blank.model, None);
        let call = ToolCall {
            id: "i".repeat(5000),
            name: long.clone(),
            params: serde_json::json!({}),
            approval: ToolApproval::not_awaited(),
        };
        let Delta::ToolStart(ToolCall { id, name, .. }) = delta(Delta::ToolStart(call)) else { panic!() };
        assert_eq!((id.len(), name), (CALL_ID, model));
        let Delta::ToolEnd { id: end, result, .. } = delta(Delta::ToolEnd {
            id: "i".repeat(9000),
            name: String::new(),
            result: long.clone(),
            failed: false,
        }) else {
            panic!()
        };
        assert_eq!((end, result.len()), (id, TOOL_RESULT));
        assert_eq!(
            compacted(Compacted { summary: Some(long.clone()), ..Compacted::default() })
                .summary
                .unwrap()
                .len(),
            SUMMARY
        );
        let AgentError::Died(cause) = error(AgentError::Died(Cause::quoting(&long, &long))) else { panic!() };
        for part in [cause.for_log(), cause.foreign()] {
            assert!(part.contains("\\n") && part.chars().count() < CAUSE + 20, "{part}");
        }
        assert_eq!(choices(vec!["large".into(), long, "a\u{202e}b".into(), String::new()]), ["large"]);
    }
}
