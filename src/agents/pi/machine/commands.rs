//! Which command is next, and what its response means.

use frontdesk_core::port::Mono;
use serde_json::{Map, Value};

use super::{
    Act, BUSY, CALL, CONTROL, End, FACTS, Goal, InFlight, Machine, NOTES, Note, PiCall, STARTUP, Stage,
    Steer, TOOL, What,
};
use crate::pi::answer::Report;
use crate::pi::settings::{Model, Settings};
use crate::pi::wire::{self, Response, UiAnswer, UiRequest, compacted, tokens};

impl Machine {
    /// Sends the next command, if none is under way and there is one.
    pub(super) fn advance(&mut self, now: Mono, acts: &mut Vec<Act>) {
        while self.in_flight.is_none() && self.stage != Stage::Over {
            let next = match self.stage {
                Stage::Setup | Stage::Busy(_) if self.aborting.is_some() => {
                    return self.over(End::Aborted, acts);
                }
                Stage::Setup => self.next_setup(),
                Stage::Busy(again) if again > now => return,
                Stage::Busy(_) => Some(What::Goal),
                Stage::Running => match self.next_running() {
                    Some(next) => Some(next),
                    None if self.settled || self.handled => None,
                    None => return,
                },
                Stage::Settled | Stage::Over => self.next_settled(),
            };
            match next {
                Some(what) => self.send(what, now, acts),
                None => self.step(acts),
            }
        }
    }

    /// The stage is done.
    fn step(&mut self, acts: &mut Vec<Act>) {
        match self.stage {
            Stage::Running => self.stage = Stage::Settled,
            _ => {
                let aborted = self.aborting.is_some().then_some(End::Aborted);
                let end = aborted.or_else(|| self.end.take()).unwrap_or(End::Ready);
                self.over(end, acts);
            }
        }
    }

    fn next_setup(&self) -> Option<What> {
        let Some(settings) = &self.settings else { return Some(What::State) };
        let Settings { model, thinking, .. } = &self.wanted;
        match self.goal {
            Goal::Ready => None,
            _ if model.is_some() && *model != settings.model => Some(What::SetModel),
            _ if thinking.is_some() && *thinking != settings.thinking => Some(What::SetThinking),
            _ => Some(What::Goal),
        }
    }

    /// Whether messages that were not answered could be left in pi, so that it must not get another prompt.
    pub(in crate::pi) fn is_unclean(&self) -> bool {
        self.is_unclean
    }

    fn next_running(&self) -> Option<What> {
        if !self.started || self.settled {
            return None;
        }
        if self.aborting.is_some() {
            // What waits would be answered by the next run, or be used up by this one without an answer.
            let waits = !self.cleared && (self.queued > 0 || self.steers.iter().any(|steer| steer.sent));
            return Some(if waits { What::ClearQueue } else { What::Abort });
        }
        self.steers.iter().find(|steer| !steer.sent).map(|steer| What::Steer(steer.number))
    }

    fn next_settled(&mut self) -> Option<What> {
        let left = self.queued > 0 || self.steers.iter().any(|steer| steer.sent);
        if left && !self.cleared {
            return Some(What::ClearQueue);
        }
        let answered = matches!(self.end, Some(End::Answered(_) | End::Failed(_) | End::Unavailable(_)));
        (self.started && answered && self.aborting.is_none() && !self.asked_stats).then_some(What::Stats)
    }

    fn send(&mut self, what: What, now: Mono, acts: &mut Vec<Act>) {
        let mut command = match what {
            What::State => wire::command("get_state"),
            What::SetModel => {
                let mut command = wire::command("set_model");
                if let Some(Model { provider, id }) = &self.wanted.model {
                    command.insert("provider".into(), provider.as_str().into());
                    command.insert("modelId".into(), id.as_str().into());
                }
                command
            }
            What::SetThinking => {
                let mut command = wire::command("set_thinking_level");
                command.insert("level".into(), self.wanted.thinking.as_deref().into());
                command
            }
            What::Goal => self.goal_command(),
            What::Steer(number) => match self.steers.iter_mut().find(|steer| steer.number == number) {
                Some(Steer { text, images, sent, .. }) => {
                    *sent = true;
                    wire::message("steer", text, images)
                }
                None => return,
            },
            What::ClearQueue => wire::command("clear_queue"),
            What::Abort => wire::command("abort"),
            What::Stats => wire::command("get_session_stats"),
        };
        self.count += 1;
        let id = format!("{}-{}", self.prefix, self.count);
        command.insert("id".into(), id.as_str().into());
        let due = match what {
            // The gateway has a deadline for the whole turn.
            What::Goal => None,
            What::State => Some(now + STARTUP),
            _ => Some(now + CONTROL),
        };
        if what == What::Goal {
            (self.stage, self.started) = (Stage::Running, false);
        }
        self.in_flight = Some(InFlight { id, what, due });
        acts.push(Act::Write(Value::Object(command)));
    }

    fn goal_command(&self) -> Map<String, Value> {
        match &self.goal {
            Goal::Answer { text, images, .. } => wire::message("prompt", text, images),
            Goal::Compact(instructions) => {
                let mut command = wire::command("compact");
                if let Some(instructions) = instructions {
                    command.insert("customInstructions".into(), instructions.as_str().into());
                }
                command
            }
            Goal::Ready => wire::command("get_state"),
        }
    }

    /// The response to the command under way. One that came after its deadline has another id.
    pub(super) fn response(&mut self, response: Response, now: Mono, acts: &mut Vec<Act>) {
        // Versions that do not know a command say so without its id.
        let is_unknown = response.id.is_null()
            && response.error.as_deref().is_some_and(|error| error.starts_with("Unknown command"));
        let matches =
            |command: &mut InFlight| is_unknown || response.id.as_str() == Some(command.id.as_str());
        match self.in_flight.take_if(matches) {
            Some(command) => self.answered(command.what, response, now, acts),
            None => self.report(Report::Progress, acts),
        }
    }

    pub(super) fn answered(&mut self, what: What, response: Response, now: Mono, acts: &mut Vec<Act>) {
        let Response { success, data, error, .. } = response;
        let error = error.unwrap_or_default();
        if !success && !matches!(what, What::Goal | What::SetModel) {
            acts.push(Act::Note(Note::CommandFailed { command: name(what), error: error.clone() }));
        }
        match what {
            What::State if success => self.settings = Some(Settings::of_state(&data)),
            What::State => self.over(End::Broken("it does not tell its state".to_owned()), acts),
            What::SetModel if success => {
                let thinking = self.settings.take().and_then(|settings| settings.thinking);
                // pi may change the level together with the model.
                let thinking = thinking.filter(|_| self.wanted.thinking.is_none());
                self.settings = Some(Settings { thinking, ..Settings::of_model(&data) });
                self.took_model();
            }
            What::SetModel => self.over(End::Failed(format!("the model cannot be chosen: {error}")), acts),
            What::SetThinking => {
                // Also after a failure: it goes on with the level that it has.
                if let Some(settings) = &mut self.settings {
                    settings.thinking.clone_from(&self.wanted.thinking);
                }
            }
            What::Goal => self.goal_answered(success, &data, error, now, acts),
            What::Steer(number) => self.steer_answered(number, success, &data, acts),
            What::ClearQueue => {
                (self.cleared, self.queued) = (true, 0);
                // The next prompt would be answered together with what is left.
                self.is_unclean |= !success;
                self.drop_steers(acts);
            }
            What::Abort if !success => self.over(End::Broken(format!("it does not abort: {error}")), acts),
            What::Abort => {
                self.settled = true;
                self.end = Some(End::Aborted);
            }
            What::Stats => {
                self.asked_stats = true;
                let number = |name: &str| data.pointer(name).and_then(tokens);
                let used = number("/contextUsage/tokens");
                let window = number("/contextUsage/contextWindow");
                let window = window.or(self.settings.as_ref().and_then(|settings| settings.window));
                (self.answer.usage.context_used, self.answer.usage.context_window) = (used, window);
                self.report(Report::Usage(self.answer.usage.clone()), acts);
            }
        }
    }

    /// A model of another name than the one that was asked for is not asked for again.
    fn took_model(&mut self) {
        if let Some(settings) = &mut self.settings {
            settings.model.clone_from(&self.wanted.model);
        }
    }

    fn goal_answered(&mut self, success: bool, data: &Value, error: String, now: Mono, acts: &mut Vec<Act>) {
        if !success {
            let busy = ["already processing", "compaction is in progress"];
            if busy.iter().any(|busy| error.to_lowercase().contains(busy)) {
                (self.stage, self.started) = (Stage::Busy(now + BUSY), false);
                return self.report(Report::Progress, acts);
            }
            return self.over(End::Failed(format!("pi refused: {error}")), acts);
        }
        if matches!(self.goal, Goal::Compact(_)) {
            let (summary, tokens) = compacted(data);
            return self.over(End::Compacted { summary, tokens }, acts);
        }
        let handled = data.get("disposition").and_then(Value::as_str) == Some("handled");
        if handled && !self.started {
            self.handled = true;
            let notes = std::mem::take(&mut self.notes).join("\n");
            self.end = Some(End::Answered(Some(if notes.is_empty() { "Done.".to_owned() } else { notes })));
        }
    }

    fn steer_answered(&mut self, number: u64, success: bool, data: &Value, acts: &mut Vec<Act>) {
        let handled = data.get("disposition").and_then(Value::as_str) == Some("handled");
        if !success || handled {
            self.steers.retain(|steer| steer.number != number);
            acts.push(Act::Steered(number, success));
        }
    }

    /// pi tells how many steering messages wait. One that waits no more has become part of the run.
    pub(super) fn queue(&mut self, waiting: usize, acts: &mut Vec<Act>) {
        let clearing = self.in_flight.as_ref().is_some_and(|command| command.what == What::ClearQueue);
        let taken = self.queued.saturating_sub(waiting);
        self.queued = waiting;
        if clearing || self.aborting.is_some() {
            return;
        }
        for _ in 0..taken {
            match self.steers.front() {
                Some(steer) if steer.sent => {
                    acts.push(Act::Steered(steer.number, true));
                    self.steers.pop_front();
                }
                _ => break,
            }
        }
        self.report(Report::Progress, acts);
    }

    fn drop_steers(&mut self, acts: &mut Vec<Act>) {
        acts.extend(self.steers.drain(..).map(|steer| Act::Steered(steer.number, false)));
    }

    /// An extension wants to show or to ask something.
    pub(super) fn dialog(&mut self, request: UiRequest, acts: &mut Vec<Act>) {
        if !request.waits() {
            if request.method == "notify" {
                if self.notes.len() < NOTES {
                    self.notes.push(request.message.clone());
                }
                let kind = request.notify_type.unwrap_or_default();
                acts.push(Act::Note(Note::Notification { kind, text: request.message }));
            }
            return self.report(Report::Progress, acts);
        }
        let reply = |answer: UiAnswer| Act::Write(wire::ui_response(&request.id, &answer));
        if request.title == FACTS {
            let facts = match &self.goal {
                // Not for messages of extensions, and once for this prompt.
                Goal::Answer { facts, .. }
                    if self.stage == Stage::Running
                        && request.placeholder.as_deref() != Some("extension")
                        && !std::mem::replace(&mut self.facts_given, true) =>
                {
                    facts.clone()
                }
                _ => String::new(),
            };
            return acts.push(reply(UiAnswer::Value(facts)));
        }
        if self.aborting.is_some() || !matches!(self.goal, Goal::Answer { .. }) {
            return acts.push(reply(UiAnswer::Cancelled));
        }
        if request.title != TOOL && request.title != CALL {
            self.dialogs.insert(request.id.clone(), None);
            return acts.push(Act::Ask(request));
        }
        let said: Value =
            serde_json::from_str(request.placeholder.as_deref().unwrap_or_default()).unwrap_or_default();
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let params = said.get("params").cloned().unwrap_or_default();
        let call = PiCall { id: text("id"), name: text("name"), params };
        if request.title == CALL && !self.answer.may_call(&call.id) {
            return acts.push(reply(UiAnswer::Cancelled));
        }
        let dialog = request.id;
        self.dialogs.insert(dialog.clone(), Some(call.id.clone()));
        if request.title == CALL {
            return acts.push(Act::Call { dialog, name: call.name, params: call.params });
        }
        self.answer.tool_asks(&call.id);
        let ours = said.get("ours").and_then(Value::as_bool).unwrap_or_default();
        acts.push(Act::Permit { dialog, call, ours });
    }

    pub(super) fn over(&mut self, end: End, acts: &mut Vec<Act>) {
        if self.stage != Stage::Over {
            self.stage = Stage::Over;
            self.drop_steers(acts);
            acts.push(Act::End(end));
        }
    }
}

fn name(what: What) -> &'static str {
    match what {
        What::State => "get_state",
        What::SetModel => "set_model",
        What::SetThinking => "set_thinking_level",
        What::Goal => "prompt",
        What::Steer(_) => "steer",
        What::ClearQueue => "clear_queue",
        What::Abort => "abort",
        What::Stats => "get_session_stats",
    }
}
