//! What the tests of the machine play pi with.

use serde_json::json;

use super::super::*;
use crate::pi::settings::Model;

/// A machine with the lines that it has written and the reports that it has made.
pub(super) struct Pi {
    pub(super) machine: Machine,
    pub(super) now: Mono,
    pub(super) written: Vec<Value>,
    pub(super) acts: Vec<Act>,
}

pub(super) fn settings() -> Settings {
    Settings {
        model: Some(Model { provider: "fake".into(), id: "fake-1".into() }),
        thinking: Some("off".into()),
        window: Some(32_000),
        ..Settings::default()
    }
}

pub(super) fn answer() -> Goal {
    Goal::Answer { text: "hi".into(), images: Vec::new(), facts: "{}".into() }
}

impl Pi {
    /// A machine whose pi is ready.
    pub(super) fn ready(goal: Goal) -> Self {
        Self::with(goal, Some(settings()), Settings::default())
    }

    pub(super) fn with(goal: Goal, known: Option<Settings>, wanted: Settings) -> Self {
        let machine = Machine::new("t1-1".into(), goal, known, wanted);
        let mut pi =
            Self { machine, now: Mono(Duration::from_secs(1)), written: Vec::new(), acts: Vec::new() };
        let acts = pi.machine.start(pi.now);
        pi.keep(acts);
        pi
    }

    pub(super) fn keep(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Write(line) => self.written.push(line),
                act => self.acts.push(act),
            }
        }
    }

    pub(super) fn line(&mut self, line: Value) -> &mut Self {
        let line = Line::read(line.to_string().as_bytes()).unwrap().unwrap();
        let acts = self.machine.line(line, self.now);
        self.keep(acts);
        self
    }

    pub(super) fn event(&mut self, kind: &str) -> &mut Self {
        self.line(json!({"type": kind}))
    }

    /// pi answers the last command.
    pub(super) fn responds(&mut self, data: Value) -> &mut Self {
        let id = self.written.last().unwrap()["id"].clone();
        self.line(json!({"type": "response", "id": id, "success": true, "data": data}))
    }

    pub(super) fn refuses(&mut self, error: &str) -> &mut Self {
        let id = self.written.last().unwrap()["id"].clone();
        self.line(json!({"type": "response", "id": id, "success": false, "error": error}))
    }

    /// pi begins the run.
    pub(super) fn begins(&mut self) -> &mut Self {
        self.responds(json!({"disposition": "started"})).event("agent_start")
    }

    pub(super) fn says(&mut self, text: &str) -> &mut Self {
        let event = json!({"type": "text_delta", "delta": text});
        self.line(json!({"type": "message_update", "assistantMessageEvent": event}))
    }

    pub(super) fn message(&mut self, kind: &str, text: &str, stop: &str) -> &mut Self {
        let message = json!({"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": stop,
            "errorMessage": "429: {}", "model": "fake-1", "usage": {"input": 10, "output": 1, "cost": {"total": 0.25}}});
        self.line(json!({"type": kind, "message": message}))
    }

    pub(super) fn settles(&mut self) -> &mut Self {
        self.line(json!({"type": "agent_settled", "aborted": false}))
    }

    pub(super) fn passes(&mut self, time: Duration) -> &mut Self {
        self.now = self.now + time;
        let acts = self.machine.tick(self.now);
        self.keep(acts);
        self
    }

    /// The types of the lines that were written since the last call.
    pub(super) fn commands(&mut self) -> Vec<String> {
        let lines: Vec<Value> = std::mem::take(&mut self.written);
        let kinds = lines.iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect();
        self.written.extend(lines.last().cloned().map(|mut line| {
            line["type"] = "seen".into();
            line
        }));
        let kinds: Vec<String> = kinds;
        kinds.into_iter().filter(|kind| kind != "seen").collect()
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.acts.iter().find_map(|act| match act {
            Act::End(end) => Some(end),
            _ => None,
        })
    }

    /// The answer as the chat shows it.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        for act in &self.acts {
            match act {
                Act::Report(Report::Text(text)) => shown.push_str(text),
                Act::Report(Report::Restart) => shown.clear(),
                _ => {}
            }
        }
        shown
    }

    pub(super) fn usage(&self) -> frontdesk_core::delta::Usage {
        let usage = |act: &Act| match act {
            Act::Report(Report::Usage(usage)) => Some(usage.clone()),
            _ => None,
        };
        self.acts.iter().rev().find_map(usage).unwrap_or_default()
    }
}
