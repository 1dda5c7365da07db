//! What Slack shows beside a thread while the agent works.
//!
//! In the private chats of an app with an agent view a thread is a session. Its state stays when a message comes, and Slack
//! shows a button that stops the answer. Everywhere else a text is shown behind the app's name, which a message of the app
//! removes, and two minutes do.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::delivery::SendError;
use frontdesk_kit::timer::{TimePoint, Timer};
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::Fault;

/// What Slack shows behind the app's name while an answer is written.
const WRITING: &str = "is writing…";
/// The time after which a session is said to be working again: Slack forgets it after an hour.
const AGAIN: Duration = Duration::from_secs(30 * 60);
/// Number of working sessions from which all are forgotten; they are said to be working once more.
const MOST: usize = 1024;

/// What the app does in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// It writes an answer.
    Writes,
    /// It has asked a question and waits for a person.
    Waits,
    /// Nothing.
    Rests,
}

/// The sessions of which Slack was told that they work, with the time of that.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<(String, String), TimePoint>>);

impl Sessions {
    fn working(&self) -> MutexGuard<'_, HashMap<(String, String), TimePoint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows what the app does. All of it may be lost without harm.
pub(crate) struct Status<'a> {
    pub api: &'a Api,
    pub sessions: &'a Sessions,
    pub timer: &'a Timer,
    /// Whether the app has an agent view.
    pub has_agent_view: bool,
}

impl Status<'_> {
    /// Shows it in a thread.
    pub(crate) async fn show(&self, channel: &str, thread: &str, work: Work) -> Result<(), SendError> {
        if self.has_agent_view && channel.starts_with('D') {
            return self.session(channel, thread, work).await;
        }
        match work {
            Work::Writes => self.text(channel, thread, WRITING).await,
            Work::Rests => self.text(channel, thread, "").await,
            // The question has removed the text.
            Work::Waits => Ok(()),
        }
    }

    async fn session(&self, channel: &str, thread: &str, work: Work) -> Result<(), SendError> {
        let place = (channel.to_owned(), thread.to_owned());
        let since = match work {
            Work::Writes => self.sessions.working().get(&place).copied(),
            Work::Waits | Work::Rests => self.sessions.working().remove(&place),
        };
        let (state, text) = match (work, since) {
            (Work::Writes, Some(since)) if !self.timer.is_past(since, AGAIN) => return Ok(()),
            (Work::Waits, None) => return Ok(()),
            (Work::Writes, _) => ("processing", WRITING),
            (Work::Waits, _) => ("suspended", ""),
            // A process before this one may have said that it works.
            (Work::Rests, _) => ("active", ""),
        };
        let shown = json!({"channel_id": channel, "thread_ts": thread, "status": state});
        match self.api.show("agents.sessions.setStatus", shown).await {
            Ok(_) if work == Work::Writes => {
                let mut working = self.sessions.working();
                if working.len() >= MOST {
                    working.clear();
                }
                working.insert(place, self.timer.now());
                Ok(())
            }
            Ok(_) => Ok(()),
            // The older way, which Slack has not taken away.
            Err(fault) if fault.is_final() => self.text(channel, thread, text).await,
            fault => passing(fault),
        }
    }

    async fn text(&self, channel: &str, thread: &str, text: &str) -> Result<(), SendError> {
        let shown = json!({"channel_id": channel, "thread_ts": thread, "status": text});
        passing(self.api.show("assistant.threads.setStatus", shown).await)
    }
}

/// Only a limit is an error: it is waited for. An app may have no assistants, and a thread may be gone.
fn passing(shown: Result<Value, Fault>) -> Result<(), SendError> {
    match shown {
        Err(fault) if fault.is(&["ratelimited", "rate_limited"]) => Err(fault.for_send()),
        _ => Ok(()),
    }
}
