//! A process of pi, also while it has no turn.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::cause::Cause;
use frontdesk_core::delta::AgentError;
use frontdesk_core::port::{Clock, Mono};
use tracing::debug;

use super::abilities::Abilities;
use super::given::Given;
use super::machine::{Act, CONTROL, End, Goal, Machine};
use super::settings::{Model, Settings};
use super::wire::{self, Line, UiAnswer};
use crate::process::{LineError, Lines, NotReading, Process, Reusable, json_line};

/// The id of the command that asks for models.
const MODELS: &str = "models";

pub(super) struct PiProcess {
    pub(super) process: Process,
    pub(super) lines: Lines,
    /// The id of pi's session, which never changes.
    pub(super) session_id: String,
    /// The arguments and files with which it was started.
    pub(super) given: Given,
    /// What it uses now; `None` before it has told.
    pub(super) settings: Option<Settings>,
    abilities: Abilities,
    clock: Arc<dyn Clock>,
    /// Whether the newest message of the model is an error, which pi may answer by trying again.
    has_failed: bool,
    /// When a run of a version without `agent_settled` counts as settled.
    settles: Option<Mono>,
}

/// How long after its `agent_end` an older version may begin to try again.
const RETRY: Duration = Duration::from_millis(500);

/// What came of waiting for a line.
pub(super) enum Read {
    Line(Line),
    /// The line was empty, or too long and skipped.
    Skipped,
    /// The output has ended.
    End,
    /// It is no line of the protocol.
    Garbage(String),
}

impl PiProcess {
    pub(super) fn new(
        process: Process,
        session_id: String,
        given: Given,
        max_line: usize,
        abilities: Abilities,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let lines = Lines::new(max_line);
        Self {
            process,
            lines,
            session_id,
            given,
            settings: None,
            abilities,
            clock,
            has_failed: false,
            settles: None,
        }
    }

    /// The next line. Dropping the future loses nothing.
    pub(super) async fn read(&mut self) -> Read {
        let settled = async {
            match self.settles {
                Some(due) => self.clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let line = tokio::select! {
            line = self.lines.next(&mut self.process.output) => line,
            () = settled => {
                self.settles = None;
                return Read::Line(Line::AgentSettled { aborted: false });
            }
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return Read::End,
            // The longest lines repeat what was said before.
            Err(error @ LineError::TooLong { .. }) => {
                debug!(%error, "skipped a line of pi");
                return Read::Skipped;
            }
            Err(LineError::Io(error)) => return Read::Garbage(format!("its output cannot be read: {error}")),
        };
        match Line::read(&line) {
            Ok(Some(line)) => {
                if !self.abilities.settles {
                    self.look_for_end(&line);
                }
                Read::Line(line)
            }
            Ok(None) => Read::Skipped,
            Err(why) => Read::Garbage(format!("line {} of its output is {why}", self.lines.count())),
        }
    }

    /// Finds the end of a run where pi does not tell it.
    fn look_for_end(&mut self, line: &Line) {
        match line {
            Line::AgentStart | Line::RetryStart => self.settles = None,
            Line::MessageEnd(message) if message.role == "assistant" => {
                self.has_failed = message.stop_reason.as_deref() == Some("error");
            }
            Line::AgentEnd => {
                let wait = if self.has_failed { RETRY } else { Duration::ZERO };
                self.settles = Some(self.clock.mono() + wait);
            }
            _ => {}
        }
    }

    /// Writes one line.
    pub(super) fn write(&self, value: &serde_json::Value) -> Result<(), NotReading> {
        match &self.process.input {
            Some(input) => input.send(json_line::write(value)),
            None => Err(NotReading),
        }
    }

    /// Waits until it has shown that it works, without a turn. Nobody can answer a dialog then.
    pub(super) async fn ready(&mut self, clock: &dyn Clock) -> Result<(), AgentError> {
        let mut machine = Machine::new("ready".into(), Goal::Ready, None, Settings::default());
        let mut acts = machine.start(clock.mono());
        loop {
            for act in acts {
                match act {
                    Act::Write(line) if self.write(&line).is_err() => {
                        return Err(AgentError::Unavailable("pi does not read its stdin".into()));
                    }
                    Act::End(End::Ready) => {
                        self.settings = machine.settings().cloned();
                        return Ok(());
                    }
                    Act::End(_) => return Err(AgentError::Unavailable("pi does not answer".into())),
                    _ => {}
                }
            }
            let due = machine.due().unwrap_or_default();
            acts = tokio::select! {
                read = self.read() => match read {
                    Read::Line(line) => machine.line(line, clock.mono()),
                    Read::Skipped => Vec::new(),
                    Read::End => {
                        self.process.kill();
                        return Err(AgentError::Unavailable(self.process.failure().await));
                    }
                    Read::Garbage(why) => return Err(AgentError::Unavailable(Cause::plain(why))),
                },
                () = clock.sleep_until(due) => machine.tick(clock.mono()),
            };
        }
    }

    /// The models for which it has credentials, asked without a turn; `None` if it does not tell.
    pub(super) async fn models(&mut self, clock: &dyn Clock) -> Option<Vec<Model>> {
        let mut command = wire::command("get_available_models");
        command.insert("id".to_owned(), MODELS.into());
        self.write(&command.into()).ok()?;
        let due = clock.mono() + CONTROL;
        loop {
            tokio::select! {
                read = self.read() => match read {
                    Read::Line(Line::Response(response)) if response.id == MODELS => {
                        return response.success.then(|| Model::all(&response.data));
                    }
                    Read::Line(Line::Ui(request)) if request.waits() => {
                        self.write(&wire::ui_response(&request.id, &UiAnswer::Cancelled)).ok()?;
                    }
                    Read::Line(_) | Read::Skipped => {}
                    Read::End | Read::Garbage(_) => return None,
                },
                () = clock.sleep_until(due) => return None,
            }
        }
    }
}

#[async_trait]
impl Reusable for PiProcess {
    async fn idle(&mut self) -> String {
        loop {
            match self.read().await {
                // Without a turn nobody can answer.
                Read::Line(Line::Ui(request)) if request.waits() => {
                    if self.write(&wire::ui_response(&request.id, &UiAnswer::Cancelled)).is_err() {
                        return "it does not read its stdin".into();
                    }
                }
                Read::Line(_) | Read::Skipped => {}
                Read::End => return "it has ended".into(),
                Read::Garbage(why) => return why,
            }
        }
    }

    fn reuse(&mut self) -> Result<(), String> {
        if self.process.has_gone() { Err("it has ended".into()) } else { Ok(()) }
    }

    fn retire(self) {
        self.process.retire();
    }
}
