//! The answer of a run: text, tool calls and cost of all messages of the model.

use std::collections::HashMap;

use frontdesk_core::delta::{TOOL_RESULT, Usage};

use super::fault;
use super::wire::{Message, ToolEnd};

/// The maximum number of tool calls that are kept until they end.
const MAX_TOOLS: usize = 1024;

/// What a run reports.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Report {
    Text(String),
    /// Takes back the text that was reported so far.
    Restart,
    /// A tool that began without permission being asked.
    ToolBegun {
        id: String,
        name: String,
    },
    ToolEnd {
        id: String,
        name: String,
        result: String,
        failed: bool,
    },
    Usage(Usage),
    Compacting,
    Compacted {
        summary: Option<String>,
        tokens: Option<u64>,
    },
    /// pi is alive.
    Progress,
}

/// What is known of a tool call that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// pi has announced it.
    Announced,
    /// Permission was asked for, and not given.
    NotAllowed,
    /// It runs.
    Begun,
    /// One of the gateway's own tools, which the gateway itself reports.
    Ours,
}

/// What the model has said until now.
#[derive(Default)]
pub(super) struct Answer {
    /// The text of all messages that have ended well.
    kept: String,
    /// The text of the message under way.
    current: String,
    tools: HashMap<String, Tool>,
    ran_a_tool: bool,
    pub(super) usage: Usage,
    /// Why the last message failed.
    error: Option<String>,
    /// Whether it was the model that failed, not the run.
    model_failed: bool,
}

impl Answer {
    /// More text of the message under way.
    pub(super) fn text(&mut self, text: String) -> Report {
        let begins = self.current.is_empty();
        self.current.push_str(&text);
        Report::Text(if begins { format!("{}{text}", self.gap()) } else { text })
    }

    /// What separates the next message from those before it.
    fn gap(&self) -> &'static str {
        match &self.kept {
            kept if kept.is_empty() || kept.ends_with("\n\n") => "",
            kept if kept.ends_with('\n') => "\n",
            _ => "\n\n",
        }
    }

    /// A message has begun. Text of one that did not end is not valid.
    pub(super) fn message_begins(&mut self) -> Vec<Report> {
        self.take_back()
    }

    /// A message of the model has ended.
    pub(super) fn message_ends(&mut self, message: &Message) -> Vec<Report> {
        message.add_usage(&mut self.usage);
        if message.stop_reason.as_deref() == Some("error") {
            let why = message.error_message.clone().unwrap_or_else(|| "the model failed".to_owned());
            self.error = Some(why);
            self.model_failed = true;
            return self.take_back();
        }
        self.model_failed = false;
        let aborted = message.stop_reason.as_deref() == Some("aborted");
        self.error = aborted.then(|| "the run was aborted within pi".to_owned());
        let mut reports = Vec::new();
        let whole = message.text();
        if whole != self.current {
            // The final text holds: a missing end is added, and any other difference replaces what was reported.
            match whole.strip_prefix(self.current.as_str()).map(str::to_owned) {
                Some(rest) => reports.push(self.text(rest)),
                None => {
                    reports = self.take_back();
                    if !whole.is_empty() {
                        reports.push(self.text(whole));
                    }
                }
            }
        }
        if !self.current.is_empty() {
            self.kept.push_str(self.gap());
            self.kept.push_str(&std::mem::take(&mut self.current));
        }
        reports
    }

    /// Takes the text of the message under way back.
    fn take_back(&mut self) -> Vec<Report> {
        if std::mem::take(&mut self.current).is_empty() {
            return Vec::new();
        }
        let kept = (!self.kept.is_empty()).then(|| Report::Text(self.kept.clone()));
        std::iter::once(Report::Restart).chain(kept).collect()
    }

    pub(super) fn tool_announced(&mut self, id: String) {
        if self.tools.len() < MAX_TOOLS {
            self.tools.entry(id).or_insert(Tool::Announced);
        }
    }

    /// Permission was asked for.
    pub(super) fn tool_asks(&mut self, id: &str) {
        self.set(id, Tool::NotAllowed);
    }

    /// It may begin now.
    pub(super) fn tool_allowed(&mut self, id: &str) {
        self.set(id, Tool::Begun);
        self.ran_a_tool = true;
    }

    /// A call of one of the gateway's own tools may begin.
    pub(super) fn our_tool_allowed(&mut self, id: &str) {
        self.set(id, Tool::Ours);
        self.ran_a_tool = true;
    }

    /// Whether pi may have the gateway carry out the call with this id.
    pub(super) fn may_call(&self, id: &str) -> bool {
        self.tools.get(id) == Some(&Tool::Ours)
    }

    fn set(&mut self, id: &str, state: Tool) {
        if self.tools.len() < MAX_TOOLS || self.tools.contains_key(id) {
            self.tools.insert(id.to_owned(), state);
        }
    }

    /// A tool shows that it runs. One that has not asked for permission is reported now.
    pub(super) fn tool_runs(&mut self, id: String, name: String) -> Report {
        if self.tools.get(&id) != Some(&Tool::Announced) {
            return Report::Progress;
        }
        self.tool_allowed(&id);
        Report::ToolBegun { id, name }
    }

    pub(super) fn tool_ends(&mut self, end: ToolEnd) -> Vec<Report> {
        let mut reports = Vec::new();
        let mut result = end.text();
        result.truncate(result.floor_char_boundary(TOOL_RESULT));
        match self.tools.remove(&end.id) {
            // A call that pi refuses by itself (unknown tool, wrong parameters) has not run.
            Some(Tool::Announced) if end.is_error => return vec![Report::Progress],
            Some(Tool::Announced) => {
                self.ran_a_tool = true;
                reports.push(Report::ToolBegun { id: end.id.clone(), name: end.name.clone() });
            }
            Some(Tool::Begun) => {}
            Some(Tool::NotAllowed | Tool::Ours) | None => return vec![Report::Progress],
        }
        reports.push(Report::ToolEnd { id: end.id, name: end.name, result, failed: end.is_error });
        reports
    }

    /// Whether a tool runs or waits for permission.
    pub(super) fn has_open_tools(&self) -> bool {
        !self.tools.is_empty()
    }

    /// Whether the last message failed in a way in which those of everybody else would fail as well.
    pub(super) fn says_provider_is_down(&self) -> bool {
        self.model_failed && self.error.as_deref().is_some_and(fault::is_for_everybody)
    }

    /// Why this is no answer, now that the run has ended.
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(error) = &self.error {
            return Some(error.clone());
        }
        let empty = self.kept.trim().is_empty() && !self.ran_a_tool;
        empty.then(|| "the model gave an empty answer; it may have refused".to_owned())
    }
}
