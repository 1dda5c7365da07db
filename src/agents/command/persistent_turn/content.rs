//! What the lines of a persistent program do to its turn.

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::ask::{AgentQuestion, AskReply, Question};
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::{AgentError, Compacted, Delta, ToolApproval, ToolCall, ToolDecision};
use frontdesk_core::progress::Progress;
use frontdesk_core::visible;
use futures_util::future::FutureExt;
use serde_json::Value;
use tracing::{debug, warn};

use super::{PersistentTurn, Step};
use crate::command::fields::{LineId, WrongField};
use crate::command::history::{Asked, answered};
use crate::command::line::{Content, Line, WireUsage};
use crate::command::wire;

/// The maximum number of tool calls whose names are kept until they end.
const MAX_TOOLS: usize = 1024;
/// The maximum number of wrong fields that are logged in one turn.
const MAX_WARNINGS: u32 = 8;

impl PersistentTurn {
    pub(super) fn handle_line(&mut self, line: &[u8]) -> Step {
        match Line::read(line) {
            Ok(Some(line)) if self.is_own(&line) => self.handle_content(line.content),
            Ok(_) => Step::Continue,
            Err(why) => {
                let number = self.idle_process.as_ref().map_or(0, |idle_process| idle_process.lines.count());
                Step::Broken(AgentError::Died(Cause::plain(format!("line {number} of its output is {why}"))))
            }
        }
    }

    fn is_own(&self, line: &Line) -> bool {
        let own = line.turn.as_ref().is_none_or(|turn| *turn == self.turn.to_string());
        if !own {
            debug!(agent = self.host.processes.name, turn = %self.turn, "dropped a line for another turn");
        }
        own
    }

    fn handle_content(&mut self, content: Content) -> Step {
        match content {
            Content::Delta(text) => {
                self.answer_bytes = self.answer_bytes.saturating_add(text.len());
                if self.answer_bytes > self.host.max_answer {
                    return Step::Broken(self.host.too_long());
                }
                Step::Emit(Delta::Text(text))
            }
            Content::ToolStart { id, name, params } => self.tool_start(id, name, params),
            Content::ToolEnd { id, failed, result } => {
                let id = id.text();
                let name = self.tools.remove(&id).unwrap_or_default();
                Step::Emit(Delta::ToolEnd { id, name, result, failed })
            }
            Content::Ask { id, question: Ok(question) } => self.ask(id, *question),
            Content::Ask { id, question: Err(wrong) } => {
                self.warn("ask", &wrong);
                self.send(wire::answer(self.turn, &id, &Err(wrong.to_string())))
            }
            Content::Progress(progress) if progress == Progress::default() => Step::Emit(Delta::Progress),
            Content::Progress(progress) => Step::Emit(Delta::Step(progress)),
            Content::Restart => {
                self.answer_bytes = 0;
                Step::Emit(Delta::Restart)
            }
            Content::Session(name) => Step::Emit(Delta::Session(name)),
            Content::Compacting => Step::Emit(Delta::Compacting),
            Content::Compacted { summary, tokens } => {
                Step::Emit(Delta::Compacted(Compacted { summary, tokens, usage: None }))
            }
            Content::History { id, page } => {
                if let Err(wrong) = &page {
                    self.warn("history", wrong);
                }
                let page = page.map_err(|wrong| wrong.to_string());
                let asked = Asked { turn: self.turn, id, page };
                self.pages.push(answered(self.history.clone(), asked).boxed());
                Step::Emit(Delta::Progress)
            }
            Content::Media { path, caption } => Step::Emit(Delta::Media { path, caption }),
            Content::Steered { taken } => {
                self.steered(taken);
                Step::Emit(Delta::Progress)
            }
            Content::Done { text, usage } => self.finish(text, usage),
            Content::Error(message) => {
                Step::Finish(Some(Err(AgentError::Failed(Cause::quoting("it reported an error", message)))))
            }
            Content::Unknown => {
                debug!(agent = self.host.processes.name, turn = %self.turn, "ignored a line of an unknown type");
                Step::Emit(Delta::Progress)
            }
        }
    }

    fn tool_start(&mut self, id: LineId, name: String, params: Value) -> Step {
        let (approval, decision) = ToolApproval::channel();
        let call = id.text();
        if self.tools.len() < MAX_TOOLS {
            self.tools.insert(call.clone(), visible::name(&name));
        }
        let answer = decision.map(move |decision| {
            (id, decision.unwrap_or_else(|_| ToolDecision::Deny("the gateway gave no approval".into())))
        });
        // An aborted turn gets no more approvals.
        if self.end_by.is_none() {
            self.approvals.push(answer.boxed());
        }
        Step::Emit(Delta::ToolStart(ToolCall { id: call, name, params, approval }))
    }

    /// Passes a question on.
    fn ask(&mut self, id: LineId, question: Question) -> Step {
        let (reply, end) = AskReply::channel();
        // A reply that is dropped means that the turn ends.
        let end = end.map(|end| (id, end.unwrap_or_else(|_| Err("the turn has ended".into()))));
        // An aborted turn gets no more answers.
        if self.end_by.is_none() {
            self.asks.push(end.boxed());
        }
        Step::Emit(Delta::Ask(AgentQuestion { question, reply }))
    }

    /// The answer is complete.
    fn finish(&mut self, text: Option<String>, WireUsage { usage, wrong }: WireUsage) -> Step {
        if text.as_ref().is_some_and(|text| text.len() > self.host.max_answer) {
            return Step::Broken(self.host.too_long());
        }
        wrong.iter().for_each(|wrong| self.warn("done", wrong));
        let done = Delta::Done { text, end: AnswerEnd::Whole };
        Step::Finish(Some(Ok(match usage {
            Some(usage) => {
                self.done = Some(done);
                Delta::Usage(usage)
            }
            None => done,
        })))
    }

    /// Tells the operator of a wrong field that does not end the turn.
    fn warn(&mut self, line: &str, WrongField { field, expected }: &WrongField) {
        let (agent, turn) = (&self.host.processes.name, self.turn);
        self.warnings += 1;
        if self.warnings <= MAX_WARNINGS {
            warn!(agent, %turn, line, field, expected, "a line of the program has a wrong field");
        }
    }

    fn steered(&self, taken: bool) {
        if !self.running.steers.answered(taken) {
            debug!(agent = self.host.processes.name, turn = %self.turn, taken, "nobody waits for this answer to a steer");
        }
    }

    /// A line after the end of the turn: only an answer to a steer counts.
    pub(super) fn handle_held_line(&mut self, line: &[u8]) -> Step {
        match Line::read(line) {
            Ok(Some(line @ Line { content: Content::Steered { taken }, .. })) if self.is_own(&line) => {
                self.steered(taken);
                // The end is kept back again if there are more.
                Step::Finish(self.held.take().and_then(|(result, _)| result))
            }
            _ => Step::Continue,
        }
    }
}
