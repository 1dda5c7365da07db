//! One run of pi as a state machine: lines and events in, commands and reports out. It has no IO and no clock.
//!
//! pi loses a command that is written before the one before it is answered. So there is one command at a time, and the
//! next one is written after the response. A run begins with `agent_start` and ends with the `agent_settled` after it;
//! an `agent_settled` without a beginning belongs to something else.

mod act;
mod commands;
mod tools;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use frontdesk_core::port::Mono;
use serde_json::Value;

use super::answer::{Answer, Report};
use super::settings::Settings;
use super::wire::{self, Image, Line, Response, UiAnswer};
pub(super) use act::{Act, End, Goal, Note, PiCall};

/// How long pi may take to answer a command that does no work.
pub(super) const CONTROL: Duration = Duration::from_secs(10);
/// How long pi may take from its start to its first answer.
const STARTUP: Duration = Duration::from_secs(60);
/// The pause before a prompt is sent again that pi has refused because it is busy.
const BUSY: Duration = Duration::from_millis(500);
/// How long an aborted run may take to end. The gateway waits two seconds.
const ABORT: Duration = Duration::from_millis(1700);
/// How many notifications of an extension command are kept as its answer.
const NOTES: usize = 20;

/// The titles of the dialogs of our extension (`extension.mjs`).
const FACTS: &str = "frontdesk.facts";
const TOOL: &str = "frontdesk.tool";
const CALL: &str = "frontdesk.call";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    State,
    SetModel,
    SetThinking,
    Goal,
    Steer(u64),
    ClearQueue,
    Abort,
    Stats,
}

struct InFlight {
    id: String,
    what: What,
    due: Option<Mono>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Setup,
    /// The goal was refused because pi is busy: it is sent again then.
    Busy(Mono),
    /// The goal was sent.
    Running,
    /// The run has ended; what it left behind is cleared.
    Settled,
    Over,
}

struct Steer {
    number: u64,
    text: String,
    images: Vec<Image>,
    sent: bool,
}

pub(super) struct Machine {
    /// The beginning of the ids of all commands.
    prefix: String,
    count: u64,
    in_flight: Option<InFlight>,
    stage: Stage,
    goal: Goal,
    /// What pi uses now; `None` before it has told.
    settings: Option<Settings>,
    wanted: Settings,
    /// `agent_start` came since the goal was sent.
    started: bool,
    settled: bool,
    handled: bool,
    answer: Answer,
    notes: Vec<String>,
    facts_given: bool,
    /// The open dialogs, with the tool call that each is about.
    dialogs: HashMap<String, Option<String>>,
    steers: VecDeque<Steer>,
    /// How many steering messages wait in pi, as it has told last.
    queued: usize,
    compacting: bool,
    retrying: bool,
    /// The deadline of an aborted run.
    aborting: Option<Mono>,
    cleared: bool,
    is_unclean: bool,
    asked_stats: bool,
    end: Option<End>,
}

impl Machine {
    /// A run whose settings pi has now as `settings` says, and is to have as `wanted` says.
    pub(super) fn new(prefix: String, goal: Goal, settings: Option<Settings>, wanted: Settings) -> Self {
        Self {
            prefix,
            count: 0,
            in_flight: None,
            stage: Stage::Setup,
            goal,
            settings,
            wanted,
            started: false,
            settled: false,
            handled: false,
            answer: Answer::default(),
            notes: Vec::new(),
            facts_given: false,
            dialogs: HashMap::new(),
            steers: VecDeque::new(),
            queued: 0,
            compacting: false,
            retrying: false,
            aborting: None,
            cleared: false,
            is_unclean: false,
            asked_stats: false,
            end: None,
        }
    }

    /// What pi uses now, for its next run.
    pub(super) fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// Begins.
    pub(super) fn start(&mut self, now: Mono) -> Vec<Act> {
        let mut acts = Vec::new();
        self.advance(now, &mut acts);
        acts
    }

    /// When [`Machine::tick`] is to be called.
    pub(super) fn due(&self) -> Option<Mono> {
        let busy = match self.stage {
            Stage::Busy(again) => Some(again),
            _ => None,
        };
        let response = self.in_flight.as_ref().and_then(|command| command.due);
        [busy, response, self.aborting].into_iter().flatten().min()
    }

    /// Whether pi is known to be at work although it may say nothing for long.
    pub(super) fn is_working(&self) -> bool {
        self.compacting
            || self.retrying
            || self.answer.has_open_tools()
            || matches!(self.stage, Stage::Busy(_))
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Mono) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.aborting.is_some_and(|due| due <= now) {
            self.over(End::Broken("it did not end when it was asked to".to_owned()), &mut acts);
            return acts;
        }
        if let Some(command) = self.in_flight.take_if(|command| command.due.is_some_and(|due| due <= now)) {
            let late = Response {
                id: Value::Null,
                success: false,
                data: Value::Null,
                error: Some("no answer in time".to_owned()),
            };
            match command.what {
                What::State => self.over(End::Broken("it does not answer".to_owned()), &mut acts),
                // The run has ended without a response.
                What::Goal => {}
                what => self.answered(what, late, now, &mut acts),
            }
        }
        self.advance(now, &mut acts);
        acts
    }

    /// Adds a message to the run.
    pub(super) fn steer(&mut self, number: u64, text: String, images: Vec<Image>, now: Mono) -> Vec<Act> {
        let open = !matches!(self.stage, Stage::Settled | Stage::Over)
            && self.aborting.is_none()
            && matches!(self.goal, Goal::Answer { .. });
        if !open || self.settled {
            return vec![Act::Steered(number, false)];
        }
        self.steers.push_back(Steer { number, text, images, sent: false });
        let mut acts = Vec::new();
        self.advance(now, &mut acts);
        acts
    }

    /// Ends the run soon. Open dialogs are cancelled first, because pi does not abort while one is open.
    pub(super) fn abort(&mut self, now: Mono) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.aborting.is_none() && self.stage != Stage::Over {
            self.aborting = Some(now + ABORT);
            for dialog in std::mem::take(&mut self.dialogs).into_keys() {
                acts.push(Act::Write(wire::ui_response(&dialog, &UiAnswer::Cancelled)));
            }
            self.advance(now, &mut acts);
        }
        acts
    }

    /// The lines that let pi end although dialogs are open.
    pub(super) fn cancel_dialogs(&mut self) -> Vec<Act> {
        let dialogs = std::mem::take(&mut self.dialogs).into_keys();
        dialogs.map(|dialog| Act::Write(wire::ui_response(&dialog, &UiAnswer::Cancelled))).collect()
    }

    /// pi has written a line.
    pub(super) fn line(&mut self, line: Line, now: Mono) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.stage == Stage::Over {
            return acts;
        }
        match line {
            Line::Response(response) => self.response(response, now, &mut acts),
            Line::Ui(request) => self.dialog(request, &mut acts),
            Line::ExtensionError { path, event, error } => {
                acts.push(Act::Note(Note::ExtensionError { path, event, error }));
            }
            Line::Queue { steering } => self.queue(steering, &mut acts),
            line => self.event(line, now, &mut acts),
        }
        self.advance(now, &mut acts);
        acts
    }

    fn event(&mut self, line: Line, now: Mono, acts: &mut Vec<Act>) {
        let idle = self.stage != Stage::Running;
        match line {
            Line::CompactionStart => {
                self.compacting = true;
                self.report(Report::Compacting, acts);
            }
            Line::CompactionEnd { summary, tokens, done } => {
                self.compacting = false;
                self.wake(now);
                let report = if done { Report::Compacted { summary, tokens } } else { Report::Progress };
                self.report(report, acts);
            }
            Line::RetryStart => self.retrying = true,
            Line::RetryEnd => self.retrying = false,
            Line::AgentSettled { .. } if idle => self.wake(now),
            _ if idle || matches!(self.goal, Goal::Compact(_)) => {}
            Line::AgentStart => (self.started, self.retrying) = (true, false),
            // It belongs to an earlier run.
            _ if !self.started => {}
            Line::AgentSettled { aborted } => self.settle(aborted, now),
            Line::MessageStart { role } if role == "assistant" => {
                for report in self.answer.message_begins() {
                    self.report(report, acts);
                }
            }
            Line::Text(text) => {
                let report = self.answer.text(text);
                self.report(report, acts);
                return;
            }
            Line::MessageEnd(message) if message.role == "assistant" => {
                for report in self.answer.message_ends(&message) {
                    self.report(report, acts);
                }
                self.report(Report::Usage(self.answer.usage.clone()), acts);
            }
            Line::ToolStart { id } => self.answer.tool_announced(id),
            Line::ToolUpdate { id, name } => {
                let report = self.answer.tool_runs(id, name);
                self.report(report, acts);
            }
            Line::ToolEnd(end) => {
                for report in self.answer.tool_ends(end) {
                    self.report(report, acts);
                }
            }
            _ => {}
        }
        if acts.is_empty() {
            self.report(Report::Progress, acts);
        }
    }

    fn report(&self, report: Report, acts: &mut Vec<Act>) {
        if self.aborting.is_none() {
            acts.push(Act::Report(report));
        }
    }

    /// What kept pi busy may be over.
    fn wake(&mut self, now: Mono) {
        if let Stage::Busy(_) = self.stage {
            self.stage = Stage::Busy(now);
        }
    }

    fn settle(&mut self, aborted: bool, now: Mono) {
        self.settled = true;
        let is_aborted = aborted;
        let aborted = is_aborted.then(|| "the run was aborted within pi".to_owned());
        self.end = Some(match aborted.or_else(|| self.answer.fault()) {
            None => End::Answered(None),
            Some(why) if !is_aborted && self.answer.says_provider_is_down() => End::Unavailable(why),
            Some(why) => End::Failed(why),
        });
        // A response that never came is not waited for any longer.
        if let Some(command) = &mut self.in_flight {
            command.due.get_or_insert(now + CONTROL);
        }
    }
}

#[cfg(test)]
mod tests;
