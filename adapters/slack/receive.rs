//! What Slack has sent becomes an event, and what came of the event is answered: the same for sockets and for requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use frontdesk_core::message::{Event, Outcome};
use frontdesk_core::port::{AdapterError, Inbox};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::config::Settings;
use crate::gap::Gap;
use crate::history::Missed;
use crate::inbound::{self, App, Opened, Payload};
use crate::workspace::{Position, Workspace};
use crate::{CHANNEL, markup};

/// What the sender alone is told when a command has had no effect.
const NOT_TAKEN: &str = "This command was not taken here.";

/// One connection of the supervisor.
pub(crate) struct Receiving<'a> {
    pub api: &'a Arc<Api>,
    pub settings: &'a Settings,
    pub workspace: &'a Arc<Workspace>,
    pub app: &'a App,
    pub inbox: &'a dyn Inbox,
    /// Whether what was missed before this connection or one before it was read.
    pub was_read: &'a AtomicBool,
    /// Whether Slack has shown that the connection works.
    pub is_connected: AtomicBool,
}

impl Receiving<'_> {
    pub(crate) fn receiver(&self) -> Receiver<'_> {
        Receiver {
            api: self.api,
            settings: self.settings,
            workspace: self.workspace,
            app: self.app,
            inbox: self.inbox,
        }
    }

    /// Slack has shown that the connection works.
    pub(crate) fn heard(&self) {
        if !self.is_connected.swap(true, Ordering::Relaxed) {
            let App { account, team, .. } = self.app;
            tracing::info!(channel = CHANNEL, %account, team, "connected");
        }
        self.inbox.heard(&self.app.source());
    }

    /// Events may have been turned away since this time, and have to be read from the histories.
    pub(crate) fn lost(&self, since: DateTime<Utc>) -> bool {
        self.receiver().lost(since)
    }

    /// What was missed since the last connection; nothing before the first one.
    pub(crate) async fn missed(&self) -> Result<Option<Missed<'_>>, AdapterError> {
        self.workspace.begin();
        let stored = self.inbox.cursor(&self.app.source()).await;
        let stored = stored.map_err(|busy| AdapterError::Lost(busy.to_string()))?;
        let stored = stored.as_ref().and_then(Position::of);
        if stored.is_some_and(|stored| stored.has_agent_view) {
            self.workspace.found_agent_view();
        }
        let lost = self.workspace.reads_lost();
        let Some(stored) = stored.filter(|_| self.settings.missed_messages > 0).map(|stored| stored.at)
        else {
            self.is_read();
            self.receiver().store_position().await;
            return Ok(None);
        };
        let mark = lost.map_or(stored, |lost| lost.min(stored));
        self.since(mark, !self.was_read.load(Ordering::Relaxed)).await.map(Some)
    }

    async fn since(&self, mark: DateTime<Utc>, is_start: bool) -> Result<Missed<'_>, AdapterError> {
        let missed = Missed {
            api: self.api,
            settings: self.settings,
            workspace: self.workspace,
            app: self.app,
            inbox: self.inbox,
            mark,
            is_start,
            left: Mutex::default(),
            one_read: Notify::new(),
        };
        missed.prepare().await?;
        Ok(missed)
    }

    /// Reads what was missed, and then whatever is turned away while the connection lasts, until that fails.
    pub(crate) async fn reads(&self, missed: Option<&Missed<'_>>, gap: &Gap) -> AdapterError {
        if let Some(missed) = missed {
            if let Err(error) = missed.read().await {
                return error;
            }
            self.is_read();
            gap.close();
        }
        loop {
            self.workspace.lost_and_calm().await;
            if let Some(since) = self.workspace.reads_lost()
                && let Err(error) = self.reread(since).await
            {
                return error;
            }
            gap.store_position();
        }
    }

    async fn reread(&self, since: DateTime<Utc>) -> Result<(), AdapterError> {
        // It concerns all channels, as after a start.
        self.since(since, true).await?.read().await?;
        self.is_read();
        Ok(())
    }

    /// Everything that was missed and can be read is stored.
    pub(crate) fn is_read(&self) {
        self.workspace.is_read();
        self.was_read.store(true, Ordering::Relaxed);
    }
}

/// Takes what arrives for one app in one workspace.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub api: &'a Arc<Api>,
    pub settings: &'a Settings,
    pub workspace: &'a Workspace,
    pub app: &'a App,
    pub inbox: &'a dyn Inbox,
}

impl Receiver<'_> {
    /// The event of a payload; `None` if the payload must come again, because it is for another account.
    pub(crate) fn read(&self, payload: Payload<'_>) -> Result<Option<Event>, AdapterError> {
        let (Payload::Event(raw) | Payload::Interaction(raw) | Payload::Command(raw)) = payload;
        let teams = inbound::teams(raw);
        if !teams.is_empty() && !teams.contains(&self.app.team) {
            // An app has the same sockets for all workspaces. The event comes again, and may then reach the account of its own
            // workspace.
            self.workspace.note_foreign(&self.app.account, &teams);
            return Ok(None);
        }
        if let Some(since) = inbound::withheld(payload)
            && (self.lost(since) || self.settings.missed_messages == 0)
        {
            tracing::warn!(
                channel = CHANNEL, account = %self.app.account,
                "Slack withholds events, because the app gets more than 30,000 an hour: remove it from busy channels"
            );
        }
        if inbound::shows_agent_view(payload) {
            self.workspace.found_agent_view();
        }
        let event = inbound::parse(&self.workspace.app(self.app), payload);
        let event = event.map_err(|error| AdapterError::Setup(error.to_string()))?;
        Ok(Some(self.workspace.places().complete(self.app, event)))
    }

    /// Returns the answer to a command whose event is stored. Replies to single people are sent by tasks in `sentences`, so
    /// that the acknowledgement does not wait.
    pub(crate) fn conclude(
        &self,
        payload: Payload<'_>,
        outcome: Option<&Outcome>,
        sentences: &mut JoinSet<()>,
    ) -> Option<Value> {
        if let (Payload::Interaction(raw), Some(sentence)) =
            (payload, outcome.and_then(Outcome::private_sentence))
        {
            self.say_to_one(raw, sentence, sentences);
        }
        if let Some(opened) = inbound::opened(payload).filter(|_| !self.settings.prompts.is_empty()) {
            self.suggest(opened, sentences);
        }
        answer(payload, outcome)
    }

    /// Events may have been turned away since this time, and have to be read from the histories. Returns whether that is new.
    pub(crate) fn lost(&self, since: DateTime<Utc>) -> bool {
        self.settings.missed_messages > 0 && self.workspace.lost(since)
    }

    /// Stores that everything up to now has arrived.
    pub(crate) async fn store_position(&self) {
        let Some(position) = self.workspace.position() else { return };
        if let Err(busy) = self.inbox.push(&self.app.source(), Vec::new(), Some(position)).await {
            tracing::debug!(channel = CHANNEL, account = %self.app.account, %busy, "the position was not stored");
        }
    }

    /// Shows the prompts of the configuration where somebody begins to write.
    fn suggest(&self, opened: Opened, sentences: &mut JoinSet<()>) {
        let mut shown = json!({"channel_id": opened.channel, "prompts": self.settings.prompts});
        if let Some(thread) = opened.thread {
            shown["thread_ts"] = thread.into();
        }
        let api = self.api.clone();
        sentences.spawn(async move {
            if let Err(fault) = api.call("assistant.threads.setSuggestedPrompts", shown).await {
                tracing::debug!(%fault, "the suggested prompts are not shown");
            }
        });
    }

    /// Tells a sentence to the person who has pressed a button, and to nobody else.
    fn say_to_one(&self, raw: &str, sentence: String, sentences: &mut JoinSet<()>) {
        let payload: Value = serde_json::from_str(raw).unwrap_or_default();
        let Some(url) = payload["response_url"].as_str().map(str::to_owned) else { return };
        let api = self.api.clone();
        sentences.spawn(async move {
            let body = json!({"response_type": "ephemeral", "replace_original": false, "text": markup::literal(&sentence)});
            if let Err(fault) = api.respond(&url, &body).await {
                tracing::debug!(%fault, "the person who pressed a button was not told what came of it");
            }
        });
    }
}

/// The answer to a command, if nothing else will answer it. Only its sender sees it.
fn answer(payload: Payload<'_>, outcome: Option<&Outcome>) -> Option<Value> {
    let sentence = match (payload, outcome) {
        (Payload::Command(_), Some(Outcome::Denied | Outcome::Ignored | Outcome::DeadLetter)) => {
            NOT_TAKEN.to_owned()
        }
        (Payload::Command(_), Some(outcome)) => outcome.private_sentence()?,
        _ => return None,
    };
    Some(json!({"text": markup::literal(&sentence)}))
}
