//! The clock, and the dates that are derived from it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono};
use frontdesk_core::time::{CautiousCalendar, Now, Pause, Steady};

/// How long a gateway may have been down before its clock's date is doubted: a long weekend.
const LIKELY_DOWNTIME: chrono::Duration = chrono::Duration::days(4);
/// The longest wait until a stored pause is checked again: while a machine sleeps, a timer stands still.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Everything that is measured in time goes through here.
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    /// Measures stored pauses.
    steady: Steady,
    /// Decides which answers and messages are too old.
    ages: Mutex<CautiousCalendar>,
    /// Decides which rows and files are old enough to be deleted.
    purges: Mutex<CautiousCalendar>,
}

impl Time {
    /// `believed` is the last date that an earlier run believed. What a wrong clock deletes is gone, so a date far
    /// ahead of it is believed only after a day.
    pub(crate) fn new(clock: Arc<dyn Clock>, believed: Option<DateTime<Utc>>) -> Self {
        let (wall, elapsed) = (clock.wall(), clock.elapsed());
        let likely = believed.and_then(|believed| believed.checked_add_signed(LIKELY_DOWNTIME));
        let purges_from = likely.map_or(wall, |likely| likely.min(wall));
        Self {
            steady: Steady::begun(wall, elapsed),
            ages: Mutex::new(CautiousCalendar::begun(wall, elapsed)),
            purges: Mutex::new(CautiousCalendar::begun(purges_from, elapsed)),
            clock,
        }
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The time by which deadlines are measured.
    pub(crate) fn mono(&self) -> Mono {
        self.clock.mono()
    }

    /// The time that the machine's calendar shows.
    pub(crate) fn wall(&self) -> DateTime<Utc> {
        self.clock.wall()
    }

    pub(crate) async fn sleep(&self, span: Duration) {
        self.clock.sleep_until(self.clock.mono() + span).await;
    }

    pub(crate) async fn sleep_until(&self, deadline: Mono) {
        self.clock.sleep_until(deadline).await;
    }

    /// This moment, by the calendar and by steady time.
    pub(crate) fn now(&self) -> Now {
        Now { wall: self.clock.wall(), steady: self.steady.at(self.clock.elapsed()) }
    }

    /// A pause that begins now, as it is stored.
    pub(crate) fn pause(&self, span: Duration) -> Pause {
        let since = self.now().steady;
        let until = chrono::Duration::from_std(span).ok().and_then(|span| since.checked_add_signed(span));
        Pause { since, until: until.unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }

    /// The end of a stored pause as a deadline, at most [`LONGEST_WAIT`] from now.
    pub(crate) fn deadline(&self, steady: DateTime<Utc>) -> Mono {
        let wait = (steady - self.now().steady).to_std().unwrap_or_default();
        self.clock.mono() + wait.min(LONGEST_WAIT)
    }

    /// A steady time as people should see it: the same distance from now, by their calendar.
    pub(crate) fn on_calendar(&self, steady: DateTime<Utc>) -> DateTime<Utc> {
        let now = self.now();
        now.wall.checked_add_signed(steady - now.steady).unwrap_or(steady)
    }

    /// The date by which answers and messages are too old.
    pub(crate) fn date_for_ages(&self) -> DateTime<Utc> {
        self.read(&self.ages).0
    }

    /// The date by which rows and files are old enough to be deleted, and whether it is what the clock shows.
    pub(crate) fn date_for_purges(&self) -> (DateTime<Utc>, bool) {
        self.read(&self.purges)
    }

    fn read(&self, calendar: &Mutex<CautiousCalendar>) -> (DateTime<Utc>, bool) {
        let mut calendar = calendar.lock().unwrap_or_else(PoisonError::into_inner);
        let wall = self.clock.wall();
        let date = calendar.read(wall, self.clock.elapsed());
        (date, date == wall)
    }
}
