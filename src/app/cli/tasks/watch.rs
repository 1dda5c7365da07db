//! Follows a task until it ends: with a bar on a terminal, else with a line for each change.

use std::time::Duration;

use frontdesk::clock::SystemClock;
use frontdesk_core::port::Clock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::super::client::Client;
use super::super::{Done, Failure, Remote, field, screen};
use super::{outcome, reported};

/// The pause between two looks at the task.
const PAUSE: Duration = Duration::from_millis(500);
/// How long to wait for a gateway that has stopped.
const RETRY_FOR: Duration = Duration::from_secs(60);

/// Waits for the end of a task and prints its result. A task without a result is a failure of the command.
pub async fn watch(remote: &Remote, id: &str) -> Done {
    let clock = SystemClock::new();
    let mut shown = Shown::new(remote.json);
    let mut reached = clock.mono();
    let task = loop {
        match look(remote, id).await {
            Ok(task) if !field::text(&task, "finished").is_empty() => break task,
            Ok(task) => {
                reached = clock.mono();
                shown.update(id, &task);
            }
            Err(failure) if failure.is_unavailable() && clock.mono().since(reached) < RETRY_FOR => {}
            Err(failure) => return Err(failure),
        }
        clock.sleep_until(clock.mono() + PAUSE).await;
    };
    shown.end();
    let has_result = field::text(&task, "state") == "succeeded";
    if remote.json {
        screen::json(&task)?;
    } else if has_result {
        screen::line(outcome(&task))?;
    }
    match has_result {
        true => Ok(()),
        false => Err(Failure::new(format!("{id} is {}: {}", field::text(&task, "state"), outcome(&task)))),
    }
}

async fn look(remote: &Remote, id: &str) -> Result<Value, Failure> {
    Client::find(remote)?.get(&format!("/api/tasks/{id}")).await
}

/// Shows the state and the progress of the task on standard error while the command waits.
struct Shown {
    bar: ProgressBar,
    /// The last line, where there is no terminal.
    line: String,
    quiet: bool,
}

impl Shown {
    fn new(quiet: bool) -> Shown {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(100), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:20} {pos:>3} % {wide_msg}") {
            bar.set_style(style.progress_chars("█░"));
        }
        Shown { bar, line: String::new(), quiet }
    }

    fn update(&mut self, id: &str, task: &Value) {
        let (state, progress) = (field::text(task, "state"), reported(&task["progress"]));
        let line = progress.line.clone().filter(|_| state == "running").unwrap_or_else(|| state.clone());
        self.bar.set_prefix(id.to_owned());
        self.bar.set_position(progress.percent.map_or(0, u64::from));
        self.bar.set_message(line);
        if self.quiet || !self.bar.is_hidden() {
            return;
        }
        let now = format!("{id} is {state} {}", progress.shown());
        if now != self.line {
            screen::note(now.trim_end());
            self.line = now;
        }
    }

    fn end(self) {
        self.bar.finish_and_clear();
    }
}
