//! What is known of the workspace beside each event: its people, whether the app has an agent view, and how far everything
//! is stored.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::log_limit::LogLimit;
use frontdesk_core::message::{Cursor, Event};
use frontdesk_core::port::{AdapterError, Mono};
use frontdesk_kit::timer::Timer;
use tokio::sync::Notify;

use crate::CHANNEL;
use crate::api::Api;
use crate::error::Fault;
use crate::inbound::App;
use crate::people::People;
use crate::places::Places;

/// The pause before Slack is asked again who a sender is, unless it names one.
const AGAIN: Duration = Duration::from_secs(5);

/// The cursor of an account: the time up to which everything was received, and what the gateway has learnt about the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub at: DateTime<Utc>,
    /// Whether the app has an agent view.
    pub has_agent_view: bool,
}

impl Position {
    pub(crate) fn cursor(self) -> Cursor {
        let at = self.at.timestamp();
        Cursor(if self.has_agent_view { format!("{at} {AGENT_VIEW}") } else { at.to_string() })
    }

    pub(crate) fn of(cursor: &Cursor) -> Option<Position> {
        let (at, rest) = cursor.0.split_once(' ').unwrap_or((&cursor.0, ""));
        let at = DateTime::from_timestamp(at.parse().ok()?, 0)?;
        Some(Position { at, has_agent_view: rest == AGENT_VIEW })
    }
}

/// Stands behind the time in the cursor of an app with an agent view.
const AGENT_VIEW: &str = "agent_view";

/// The chats with an event that is not stored yet, because Slack could not describe its sender or the gateway did not take it.
/// The position must not move past such an event, because Slack sends it again only three times.
#[derive(Debug, Default)]
struct Held {
    /// Those that have to be read from the history.
    unread: BTreeSet<String>,
    /// Those whose events wait in memory.
    waiting: BTreeSet<String>,
    /// Events of any chat that were turned away.
    lost: Option<Lost>,
}

/// Events that were turned away since a time, although there was a connection. They have to be read from the histories.
#[derive(Debug, Clone, Copy)]
struct Lost {
    since: DateTime<Utc>,
    /// When the last one was.
    last: Mono,
    /// Whether the histories are being read, and nothing was turned away since that began.
    is_being_read: bool,
}

/// The histories are read when no event has been turned away for so long: Slack reports once a minute that it withholds
/// events, and a gateway that takes nothing needs time.
const CALM: Duration = Duration::from_secs(120);

/// One workspace, for all connections of an account.
pub(crate) struct Workspace {
    people: People,
    places: Mutex<Places>,
    timer: Timer,
    held: Mutex<Held>,
    /// Says that an event was turned away.
    turned_away: Notify,
    /// Whether Slack has sent what only apps with an agent view get.
    has_agent_view: AtomicBool,
    /// The other workspaces whose events came to this account.
    others: LogLimit<String>,
}

impl Workspace {
    /// `named` are the teams and user groups of the configuration.
    pub(crate) fn new(named: BTreeSet<String>, timer: Timer) -> Self {
        Self {
            people: People::new(named),
            places: Mutex::default(),
            timer,
            held: Mutex::default(),
            turned_away: Notify::new(),
            has_agent_view: AtomicBool::new(false),
            others: LogLimit::default(),
        }
    }

    /// An event of other workspaces came to this account. Logged once for each of them.
    pub(crate) fn note_foreign(&self, account: &AccountId, teams: &[String]) {
        let named = teams.join(", ");
        if let Some(others_since) = self.others.due(named.clone(), self.timer.mono()) {
            tracing::warn!(
                channel = CHANNEL,
                %account,
                workspace = named,
                others_since,
                "an event of another workspace came to this account; give each workspace an app of its own"
            );
        }
    }

    pub(crate) fn timer(&self) -> &Timer {
        &self.timer
    }

    /// Adds to an event what Slack says about its sender.
    pub(crate) async fn describe(&self, api: &Api, app: &App, event: Event) -> Result<Event, Fault> {
        self.people.judge(api, &self.timer, app, event).await
    }

    /// Adds to a missed message what Slack says about its sender. If Slack cannot say it now, the message has to be read
    /// again.
    pub(crate) async fn judge(&self, api: &Api, app: &App, event: Event) -> Result<Event, Fault> {
        let chat = event.address.chat().to_owned();
        let judged = self.describe(api, app, event).await;
        if judged.is_err() {
            self.held().unread.insert(chat);
        }
        judged
    }

    /// When Slack is to be asked again who a sender is: after [`AdapterError::Later`]. Any other error ends the connection.
    pub(crate) fn undescribed(fault: Fault) -> AdapterError {
        match fault.for_connection() {
            AdapterError::Lost(detail) => AdapterError::Later { detail, after: AGAIN },
            error => error,
        }
    }

    /// The channels and threads that were seen.
    pub(crate) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chats whose events wait in memory now.
    pub(crate) fn set_waiting(&self, chats: BTreeSet<String>) {
        self.held().waiting = chats;
    }

    /// A connection begins. What the one before held in memory is gone and has to be read from the history.
    pub(crate) fn begin(&self) {
        let mut held = self.held();
        let waiting = std::mem::take(&mut held.waiting);
        held.unread.extend(waiting);
    }

    /// Events of any chat may have been turned away since this time. Returns whether that is new.
    pub(crate) fn lost(&self, since: DateTime<Utc>) -> bool {
        let mut held = self.held();
        let known = held.lost.map(|lost| lost.since);
        let since = known.map_or(since, |known| known.min(since));
        held.lost = Some(Lost { since, last: self.timer.mono(), is_being_read: false });
        drop(held);
        self.turned_away.notify_waiters();
        known.is_none()
    }

    /// The histories are read from now on. Returns since when events were turned away.
    pub(crate) fn reads_lost(&self) -> Option<DateTime<Utc>> {
        let mut held = self.held();
        let lost = held.lost.as_mut()?;
        lost.is_being_read = true;
        Some(lost.since)
    }

    /// Waits until events were turned away, and then until none has been for a while.
    pub(crate) async fn lost_and_calm(&self) {
        loop {
            let another = self.turned_away.notified();
            let last = self.held().lost.map(|lost| lost.last);
            match last {
                None => another.await,
                Some(last) => tokio::select! {
                    () = another => {}
                    () = self.timer.until(last + CALM) => return,
                },
            }
        }
    }

    /// The chats with an event that could not be judged.
    pub(crate) fn unjudged(&self) -> Vec<String> {
        self.held().unread.iter().cloned().collect()
    }

    /// Everything that was missed has been read.
    pub(crate) fn is_read(&self) {
        let mut held = self.held();
        held.unread.clear();
        held.lost = held.lost.filter(|lost| !lost.is_being_read);
    }

    /// The position if everything up to now is stored; `None` if an event is still to come again.
    pub(crate) fn position(&self) -> Option<Cursor> {
        self.position_at(self.timer.wall())
    }

    /// The position if everything up to this time is stored.
    pub(crate) fn position_at(&self, at: DateTime<Utc>) -> Option<Cursor> {
        let position = Position { at, has_agent_view: self.has_agent_view() };
        let held = self.held();
        let is_stored = held.unread.is_empty() && held.waiting.is_empty() && held.lost.is_none();
        is_stored.then(|| position.cursor())
    }

    /// The app as its events are to be understood now.
    pub(crate) fn app<'a>(&self, app: &'a App) -> Cow<'a, App> {
        match self.has_agent_view() {
            true => Cow::Owned(App { has_agent_view: true, ..app.clone() }),
            false => Cow::Borrowed(app),
        }
    }

    /// Whether the app is known to have an agent view.
    pub(crate) fn has_agent_view(&self) -> bool {
        self.has_agent_view.load(Ordering::Relaxed)
    }

    /// Slack has shown that the app has an agent view.
    pub(crate) fn found_agent_view(&self) {
        self.has_agent_view.store(true, Ordering::Relaxed);
    }
}
