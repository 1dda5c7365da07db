//! Long polling: fetches updates, and acknowledges them by the offset of the next poll.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use frontdesk_core::message::{Cursor, Event, Outcome, Source};
use frontdesk_core::port::{AdapterError, Inbox};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use teloxide_core::payloads::{DeleteWebhook, GetWebhookInfo};

use crate::api::Api;
use crate::callback::{self, CallbackAnswer, CallbackQueue};
use crate::config::Settings;
use crate::error::Fault;
use crate::inbound::{self, Albums, Bot, ParsedUpdate, UPDATES};
use crate::{CHANNEL, menu};
use frontdesk_kit::timer::{TimePoint, Timer};

/// The maximum number of updates per poll that Telegram allows.
const MAX_UPDATES: u32 = 100;
/// The pause after a poll whose updates cannot be acknowledged. The next poll would return the same at once.
const UNACKNOWLEDGED_PAUSE: Duration = Duration::from_secs(2);
/// The error of an account whose polls are full of updates without a readable number.
const NO_NUMBERS: &str = "updates whose numbers cannot be read fill every poll: they are kept, and none can be \
                          acknowledged";

/// What to do about another program that receives this bot's updates.
const CONFLICT: &str = "another program receives this bot's updates: stop it, or give one of the two a token of its \
                        own from @BotFather";

/// Polls the updates of one bot.
pub(crate) struct Poller<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub timer: Timer,
    pub bot: &'a Bot,
    pub inbox: &'a dyn Inbox,
    pub conflict: &'a PollConflict,
}

/// Detects that another program receives this bot's updates. Two pollers interrupt each other in turns, so one
/// successful poll does not mean that the conflict is over; several in a row do.
#[derive(Debug, Default)]
pub(crate) struct PollConflict {
    conflicts: AtomicU32,
    calm: AtomicU32,
}

impl PollConflict {
    /// The number of successful polls in a row that end a conflict.
    const POLLS_TO_RECOVER: u32 = 3;

    /// Records a conflict. Returns whether it is the first one.
    fn record_failure(&self) -> bool {
        self.calm.store(0, Ordering::Relaxed);
        self.conflicts.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Records a successful poll. If this ends the conflict, returns how many polls had failed.
    fn record_success(&self) -> Option<u32> {
        if self.conflicts.load(Ordering::Relaxed) == 0
            || self.calm.fetch_add(1, Ordering::Relaxed) + 1 < Self::POLLS_TO_RECOVER
        {
            return None;
        }
        self.calm.store(0, Ordering::Relaxed);
        Some(self.conflicts.swap(0, Ordering::Relaxed))
    }

    /// The number of failed polls, if the last one failed and the next one must wait.
    fn waits(&self) -> Option<u32> {
        let conflicts = self.conflicts.load(Ordering::Relaxed);
        (conflicts > 0 && self.calm.load(Ordering::Relaxed) == 0).then_some(conflicts)
    }
}

/// The offset of the next poll, which acknowledges every update with a lower number.
///
/// After a week without updates Telegram may restart its numbering at any number. An old offset would then acknowledge
/// updates with a lower number that we have not seen. So there is no offset before the first update, and none a day
/// after the last one: Telegram then returns everything that is not acknowledged, and duplicates are recognised by
/// their ids.
#[derive(Debug, Default)]
struct Offset(Option<(u64, TimePoint)>);

impl Offset {
    fn get(&self) -> Option<u64> {
        self.0.map(|(offset, _)| offset)
    }

    fn forget_after(&mut self, timer: &Timer, span: Duration) {
        if self.0.is_some_and(|(_, since)| timer.is_past(since, span)) {
            self.0 = None;
        }
    }

    /// Everything up to `last` is committed. A redelivered older update does not lower the offset.
    fn advance(&mut self, last: u64, now: TimePoint) {
        let next = last.saturating_add(1);
        self.0 = Some((self.get().map_or(next, |offset| offset.max(next)), now));
    }
}

/// The number of a batch's last update, in Telegram's order. It is not always the highest number, because a redelivered
/// update may have a higher one than all others.
///
/// The number of an update without a readable number is higher than that of the update before it, or than the last
/// offset, because Telegram counts upwards and returns nothing below an offset. This assumes the lowest possible
/// number, so that nothing unseen is acknowledged. If that is too low, the update is returned again, at most once per
/// number.
fn last_number(batch: &[ParsedUpdate], offset: Option<u64>) -> Option<u64> {
    let mut last = offset.and_then(|offset| offset.checked_sub(1));
    for parsed in batch {
        last = parsed.id.or_else(|| last.map(|last| last.saturating_add(1)));
    }
    last
}

/// Sorts a batch by its numbers and removes duplicates. An update without a number stays after the one before it.
fn put_in_order(batch: Vec<ParsedUpdate>) -> Vec<ParsedUpdate> {
    let mut before = 0;
    let mut numbered: Vec<(u64, ParsedUpdate)> = Vec::with_capacity(batch.len());
    for parsed in batch {
        before = parsed.id.unwrap_or(before);
        numbered.push((before, parsed));
    }
    numbered.sort_by_key(|(number, _)| *number);
    numbered.dedup_by(|(_, one), (_, other)| one.event.id == other.event.id);
    numbered.into_iter().map(|(_, parsed)| parsed).collect()
}

impl Poller<'_> {
    /// Receives until the connection ends.
    pub(crate) async fn run(&self) -> Result<(), AdapterError> {
        self.take_over().await?;
        let (callback_queue, queue) = callback::queue();
        let chores = async {
            menu::write(self.api, &self.bot.account).await;
            callback::answer(self.api, queue).await
        };
        tokio::select! {
            ended = self.receive(callback_queue) => ended,
            never = chores => match never {},
        }
    }

    /// Removes a webhook of the bot, because Telegram delivers nothing to polls while there is one. Pending updates are
    /// kept.
    async fn take_over(&self) -> Result<(), AdapterError> {
        #[derive(Deserialize)]
        struct Info {
            url: String,
        }
        let info: Info = self.api.query(&GetWebhookInfo::new()).await.map_err(Fault::for_connection)?;
        if !info.url.is_empty() {
            tracing::info!(channel = CHANNEL, account = %self.bot.account, "removed the bot's webhook");
            let delete = DeleteWebhook { drop_pending_updates: Some(false) };
            self.api.invoke(&delete).await.map_err(Fault::for_connection)?;
        }
        Ok(())
    }

    async fn receive(&self, callback_queue: CallbackQueue) -> Result<(), AdapterError> {
        let source = self.bot.source();
        let (mut offset, mut albums) = (Offset::default(), Albums::default());
        let renumber = Duration::from_secs(self.settings.renumber_hours.saturating_mul(3600));
        // The first poll returns at once, so that readiness is known immediately, even if nobody writes.
        let mut seconds = 0;
        let mut limit = self.settings.poll_updates;
        loop {
            self.wait_out_conflict().await;
            offset.forget_after(&self.timer, renumber);
            let polled = match self.poll(offset.get(), seconds, limit).await {
                Ok(polled) => polled,
                Err(fault) => {
                    self.failed(fault).await?;
                    continue;
                }
            };
            (seconds, limit) = (self.settings.poll_seconds, self.settings.poll_updates);
            self.inbox.heard(&source);
            let batch = self.parse(&polled, &mut albums)?;
            if batch.is_empty() {
                continue;
            }
            let (last, full) = (last_number(&batch, offset.get()), batch.len() >= MAX_UPDATES as usize);
            let numberless = batch.iter().all(|parsed| parsed.id.is_none());
            let mut batch = put_in_order(batch);
            let callbacks: Vec<Option<String>> =
                batch.iter_mut().map(|parsed| parsed.callback.take()).collect();
            let events = batch.into_iter().map(|parsed| parsed.event).collect();
            let Some(outcomes) = self.push(&source, events, last).await else {
                self.timer.pause(Duration::from_millis(self.settings.busy_ms)).await;
                continue;
            };
            for (index, id) in callbacks.into_iter().enumerate() {
                if let Some(id) = id {
                    callback_queue.report(CallbackAnswer::new(id, outcomes.get(index)));
                }
            }
            match last {
                // Only now, because the next poll acknowledges everything below the offset.
                Some(last) => offset.advance(last, self.timer.now()),
                None if full => return Err(AdapterError::Lost(NO_NUMBERS.to_owned())),
                // These are stored, and acknowledged together with the next update that has a number.
                None => {
                    limit = MAX_UPDATES;
                    self.timer.pause(UNACKNOWLEDGED_PAUSE).await;
                }
            }
            if numberless {
                // The update may be returned again at once, until the offset has reached it.
                self.timer.pause(Duration::from_millis(self.settings.busy_ms)).await;
            }
        }
    }

    async fn poll(&self, offset: Option<u64>, seconds: u64, limit: u32) -> Result<Box<RawValue>, Fault> {
        let mut body = json!({
            "timeout": seconds,
            "limit": limit,
            "allowed_updates": UPDATES,
        });
        if let Some(offset) = offset {
            body["offset"] = json!(offset);
        }
        let within = Duration::from_secs(seconds + self.settings.poll_grace_seconds);
        let polled = self.api.call("getUpdates", &body, within).await?;
        if let Some(conflicts) = self.conflict.record_success() {
            tracing::info!(
                channel = CHANNEL,
                account = %self.bot.account,
                conflicts,
                "polling works again"
            );
        }
        Ok(polled)
    }

    /// Parses each update separately, so that one unreadable update does not affect the others.
    fn parse(&self, polled: &RawValue, albums: &mut Albums) -> Result<Vec<ParsedUpdate>, AdapterError> {
        let elements: Vec<&RawValue> =
            serde_json::from_str(polled.get()).map_err(|error| AdapterError::Lost(error.to_string()))?;
        let mut batch = Vec::with_capacity(elements.len());
        for element in elements {
            let parsed = inbound::parse(self.bot, element.get());
            batch.push(parsed.map_err(|error| AdapterError::Setup(error.to_string()))?);
        }
        albums.settle(batch.iter_mut().map(|parsed| &mut parsed.event));
        Ok(batch)
    }

    /// Stores a batch together with its cursor. Returns the outcomes once it is committed.
    async fn push(&self, source: &Source, events: Vec<Event>, last: Option<u64>) -> Option<Vec<Outcome>> {
        let cursor = last.map(|last| Cursor(last.saturating_add(1).to_string()));
        match self.inbox.push(source, events, cursor).await {
            Ok(outcomes) => Some(outcomes),
            Err(busy) => {
                tracing::debug!(channel = CHANNEL, account = %source.account, %busy, "the updates were not stored and will be fetched again");
                None
            }
        }
    }

    /// Handles a failed poll: with a pause, or by ending this connection.
    async fn failed(&self, fault: Fault) -> Result<(), AdapterError> {
        if let Some(description) = fault.conflict() {
            let first = self.conflict.record_failure();
            if description.contains("webhook") {
                self.take_over().await?;
            }
            if first {
                tracing::error!(channel = CHANNEL, account = %self.bot.account, %fault, "{CONFLICT}");
                // This error is shown as the reason why the account is not ready. The next call of `run` waits in this
                // function.
                return Err(AdapterError::Lost(CONFLICT.to_owned()));
            }
            return Ok(());
        }
        match fault.flood() {
            Some(pause) => {
                let pause_ms = pause.as_millis();
                tracing::warn!(channel = CHANNEL, account = %self.bot.account, pause_ms, "Telegram asks to poll less often");
                self.timer.pause(pause).await;
                Ok(())
            }
            None => Err(fault.for_connection()),
        }
    }

    async fn wait_out_conflict(&self) {
        if let Some(conflicts) = self.conflict.waits() {
            let first = Duration::from_secs(self.settings.conflict_seconds);
            let longest = Duration::from_secs(self.settings.conflict_longest_seconds);
            self.timer.back_off(conflicts, first, longest).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use frontdesk_core::port::{Clock, Mono};

    use super::*;

    /// A clock that the test sets: monotonic and calendar time, in seconds.
    struct TestClock(Mutex<(u64, i64)>);

    #[async_trait]
    impl Clock for TestClock {
        fn wall(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.lock().unwrap().1, 0).unwrap()
        }
        fn mono(&self) -> Mono {
            Mono(Duration::from_secs(self.0.lock().unwrap().0))
        }
        fn elapsed(&self) -> Duration {
            self.mono().0
        }
        async fn sleep_until(&self, _: Mono) {}
    }

    const DAY: u64 = 24 * 3600;

    fn after(mono: u64, wall: i64) -> Option<u64> {
        let clock = Arc::new(TestClock(Mutex::new((0, 1_000_000))));
        let timer = Timer::new(clock.clone());
        let mut offset = Offset::default();
        assert_eq!(offset.get(), None, "the first poll has no offset");
        offset.advance(7, timer.now());
        *clock.0.lock().unwrap() = (mono, 1_000_000 + wall);
        offset.forget_after(&timer, Duration::from_secs(DAY));
        offset.get()
    }

    #[test]
    fn a_conflict_is_over_when_several_polls_in_a_row_succeed() {
        let conflict = PollConflict::default();
        assert_eq!((conflict.record_success(), conflict.waits()), (None, None));
        assert!(conflict.record_failure(), "the first is an alarm");
        assert_eq!(conflict.waits(), Some(1));
        for _ in 0..5 {
            assert_eq!(
                (conflict.record_success(), conflict.record_success(), conflict.waits()),
                (None, None, None)
            );
            assert!(!conflict.record_failure(), "polls that succeed in between are no end of it");
        }
        assert_eq!(conflict.waits(), Some(6));
        assert_eq!(
            [conflict.record_success(), conflict.record_success(), conflict.record_success()],
            [None, None, Some(6)]
        );
        assert!(conflict.record_failure(), "a new one");
    }

    #[test]
    fn a_day_without_updates_is_a_day_by_either_clock() {
        assert_eq!(after(DAY - 1, 24 * 3600 - 1), Some(8));
        assert_eq!(after(DAY, 0), None);
        assert_eq!(after(60, 7 * 24 * 3600), None, "the machine was asleep for a week");
        assert_eq!(after(60, -7 * 24 * 3600), Some(8), "the calendar was set back");
    }

    #[test]
    fn an_old_update_that_comes_again_takes_nothing_back() {
        let timer = Timer::new(Arc::new(TestClock(Mutex::new((0, 0)))));
        let mut offset = Offset::default();
        offset.advance(1_000_000, timer.now());
        offset.advance(900, timer.now());
        assert_eq!(offset.get(), Some(1_000_001));
        offset.forget_after(&timer, Duration::ZERO);
        offset.advance(900, timer.now());
        assert_eq!(offset.get(), Some(901), "numbered anew, from below");
    }
}
