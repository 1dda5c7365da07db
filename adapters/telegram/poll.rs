//! Long polls: updates in, and the offset that acknowledges them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use frontdesk_core::message::{Cursor, Event, Source};
use frontdesk_core::port::{AdapterError, Inbox};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use teloxide_core::payloads::{DeleteWebhook, GetWebhookInfo};

use crate::api::Api;
use crate::callback::{self, Pressed};
use crate::config::Settings;
use crate::error::Fault;
use crate::inbound::{self, Albums, Me, Understood};
use crate::timer::{Moment, Timer};
use crate::{CHANNEL, menu};

/// What we ask for. Telegram leaves out some kinds that are not named.
pub(crate) const UPDATES: [&str; 7] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "message_reaction",
    "my_chat_member",
];

/// The most updates that Telegram hands out with one poll.
const MOST: u32 = 100;
/// How long to wait after a poll that brought nothing which can be acknowledged: it would return at once again.
const NUMBERLESS: Duration = Duration::from_secs(2);
/// The error of an account whose polls are filled by updates without a readable number.
const NO_NUMBERS: &str = "updates whose numbers cannot be read fill every poll: they are kept, and none can be \
                          acknowledged";

/// What to do about another program that receives this bot's updates.
const CONFLICT: &str = "another program receives this bot's updates: stop it, or give one of the two a token of its \
                        own from @BotFather";

/// One bot that is polled.
pub(crate) struct Poller<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub timer: Timer,
    pub me: &'a Me,
    pub inbox: &'a dyn Inbox,
    pub outage: &'a Outage,
}

/// Another program receives this bot's updates. Two pollers cut each other off in turns, so that a poll that
/// succeeds does not mean that it is over; several in a row do.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    conflicts: AtomicU32,
    calm: AtomicU32,
}

impl Outage {
    /// So many polls in a row must succeed.
    const OVER: u32 = 3;

    /// Another conflict. Says whether it is the first of its outage.
    fn strike(&self) -> bool {
        self.calm.store(0, Ordering::Relaxed);
        self.conflicts.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// A poll has succeeded. Says after how many conflicts it is over, if it is over now.
    fn settle(&self) -> Option<u32> {
        if self.conflicts.load(Ordering::Relaxed) == 0
            || self.calm.fetch_add(1, Ordering::Relaxed) + 1 < Self::OVER
        {
            return None;
        }
        self.calm.store(0, Ordering::Relaxed);
        Some(self.conflicts.swap(0, Ordering::Relaxed))
    }

    /// After how many conflicts the next poll must wait, if the last one met one.
    fn waits(&self) -> Option<u32> {
        let conflicts = self.conflicts.load(Ordering::Relaxed);
        (conflicts > 0 && self.calm.load(Ordering::Relaxed) == 0).then_some(conflicts)
    }
}

/// What the next poll acknowledges: everything below it.
///
/// After a week without updates Telegram may number them anew, from anywhere. An offset from before would
/// acknowledge unseen whatever has a lower number. So there is none until an update has come, and none a day after
/// the last one: then Telegram brings whatever is not acknowledged, and what is known already is recognised.
#[derive(Debug, Default)]
struct Offset(Option<(u64, Moment)>);

impl Offset {
    fn get(&self) -> Option<u64> {
        self.0.map(|(offset, _)| offset)
    }

    fn forget_after(&mut self, timer: &Timer, span: Duration) {
        if self.0.is_some_and(|(_, since)| timer.is_past(since, span)) {
            self.0 = None;
        }
    }

    /// Everything up to `last` is committed. An old update that is brought again takes nothing back.
    fn advance(&mut self, last: u64, now: Moment) {
        let next = last.saturating_add(1);
        self.0 = Some((self.get().map_or(next, |offset| offset.max(next)), now));
    }
}

/// The number of a batch's last update, in Telegram's order, which is not always the highest: an old update that is
/// brought again may be above all others.
///
/// An update without a readable number has a higher one than the update before it, or than the last offset, because
/// Telegram counts upwards and brings nothing below an offset. By the lowest number that is possible nothing is
/// acknowledged that has not been seen. If that is too low the update comes again, at most once per number.
fn last_number(batch: &[Understood], offset: Option<u64>) -> Option<u64> {
    let mut last = offset.and_then(|offset| offset.checked_sub(1));
    for understood in batch {
        last = understood.id.or_else(|| last.map(|last| last.saturating_add(1)));
    }
    last
}

/// Puts a batch in the order of its numbers, each event once. What has no number stays behind what came before it.
fn put_in_order(batch: Vec<Understood>) -> Vec<Understood> {
    let mut before = 0;
    let mut numbered: Vec<(u64, Understood)> = Vec::with_capacity(batch.len());
    for understood in batch {
        before = understood.id.unwrap_or(before);
        numbered.push((before, understood));
    }
    numbered.sort_by_key(|(number, _)| *number);
    numbered.dedup_by(|(_, one), (_, other)| one.event.id == other.event.id);
    numbered.into_iter().map(|(_, understood)| understood).collect()
}

impl Poller<'_> {
    /// Receives until the connection ends.
    pub(crate) async fn run(&self) -> Result<(), AdapterError> {
        self.take_over().await?;
        let (pressed, queue) = callback::queue();
        let chores = async {
            menu::write(self.api, &self.me.account).await;
            callback::answer(self.api, queue).await
        };
        tokio::select! {
            ended = self.receive(pressed) => ended,
            never = chores => match never {},
        }
    }

    /// A webhook that was set once keeps updates from whoever polls. What waits for it comes to us.
    async fn take_over(&self) -> Result<(), AdapterError> {
        #[derive(Deserialize)]
        struct Info {
            url: String,
        }
        let info: Info = self.api.learn(&GetWebhookInfo::new()).await.map_err(Fault::for_connection)?;
        if !info.url.is_empty() {
            tracing::info!(channel = CHANNEL, account = %self.me.account, "the bot's webhook is taken away");
            let delete = DeleteWebhook { drop_pending_updates: Some(false) };
            self.api.ask(&delete).await.map_err(Fault::for_connection)?;
        }
        Ok(())
    }

    async fn receive(&self, pressed: Pressed) -> Result<(), AdapterError> {
        let source = self.me.source();
        let (mut offset, mut albums) = (Offset::default(), Albums::default());
        let renumber = Duration::from_secs(self.settings.renumber_hours.saturating_mul(3600));
        // The first poll does not wait: whether Telegram speaks to us is known at once, also while nobody writes.
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
            let batch = self.understand(&polled, &mut albums)?;
            if batch.is_empty() {
                continue;
            }
            let (last, full) = (last_number(&batch, offset.get()), batch.len() >= MOST as usize);
            let numberless = batch.iter().all(|understood| understood.id.is_none());
            let mut batch = put_in_order(batch);
            let callbacks: Vec<String> =
                batch.iter_mut().filter_map(|understood| understood.callback.take()).collect();
            let events = batch.into_iter().map(|understood| understood.event).collect();
            if !self.push(&source, events, last).await {
                self.timer.pause(Duration::from_millis(self.settings.busy_ms)).await;
                continue;
            }
            callbacks.into_iter().for_each(|id| pressed.report(id));
            match last {
                // Only now: the next poll acknowledges everything below.
                Some(last) => offset.advance(last, self.timer.now()),
                None if full => return Err(AdapterError::Lost(NO_NUMBERS.to_owned())),
                // They are kept, and acknowledged together with the next update that has a number.
                None => {
                    limit = MOST;
                    self.timer.pause(NUMBERLESS).await;
                }
            }
            if numberless {
                // It may come again at once, until the offset has reached it.
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
        if let Some(conflicts) = self.outage.settle() {
            tracing::info!(
                channel = CHANNEL,
                account = %self.me.account,
                conflicts,
                "updates come here again"
            );
        }
        Ok(polled)
    }

    /// Each update on its own, so that one that nobody understands costs itself alone.
    fn understand(&self, polled: &RawValue, albums: &mut Albums) -> Result<Vec<Understood>, AdapterError> {
        let elements: Vec<&RawValue> =
            serde_json::from_str(polled.get()).map_err(|error| AdapterError::Lost(error.to_string()))?;
        let mut batch = Vec::with_capacity(elements.len());
        for element in elements {
            let understood = inbound::understand(self.me, element.get());
            batch.push(understood.map_err(|error| AdapterError::Setup(error.to_string()))?);
        }
        albums.settle(batch.iter_mut().map(|understood| &mut understood.event));
        Ok(batch)
    }

    /// Whether the batch is committed, and with it how far we have come.
    async fn push(&self, source: &Source, events: Vec<Event>, last: Option<u64>) -> bool {
        let cursor = last.map(|last| Cursor(last.saturating_add(1).to_string()));
        match self.inbox.push(source, events, cursor).await {
            Ok(_) => true,
            Err(busy) => {
                tracing::debug!(channel = CHANNEL, account = %source.account, %busy, "updates wait at Telegram");
                false
            }
        }
    }

    /// What a failed poll means: a pause, or the end of this connection.
    async fn failed(&self, fault: Fault) -> Result<(), AdapterError> {
        if let Some(description) = fault.conflict() {
            let first = self.outage.strike();
            if description.contains("webhook") {
                self.take_over().await?;
            }
            if first {
                tracing::error!(channel = CHANNEL, account = %self.me.account, %fault, "{CONFLICT}");
                // Whoever asks why the account is not ready reads this; from the next call on we wait here.
                return Err(AdapterError::Lost(CONFLICT.to_owned()));
            }
            return Ok(());
        }
        match fault.flood() {
            Some(pause) => {
                let pause_ms = pause.as_millis();
                tracing::warn!(channel = CHANNEL, account = %self.me.account, pause_ms, "polled too often");
                self.timer.pause(pause).await;
                Ok(())
            }
            None => Err(fault.for_connection()),
        }
    }

    async fn wait_out_conflict(&self) {
        if let Some(conflicts) = self.outage.waits() {
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

    /// A clock that a test sets: seconds on either side.
    struct Hands(Mutex<(u64, i64)>);

    #[async_trait]
    impl Clock for Hands {
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
        let hands = Arc::new(Hands(Mutex::new((0, 1_000_000))));
        let timer = Timer::new(hands.clone());
        let mut offset = Offset::default();
        assert_eq!(offset.get(), None, "the first poll has no offset");
        offset.advance(7, timer.now());
        *hands.0.lock().unwrap() = (mono, 1_000_000 + wall);
        offset.forget_after(&timer, Duration::from_secs(DAY));
        offset.get()
    }

    #[test]
    fn an_outage_is_over_when_several_polls_in_a_row_succeed() {
        let outage = Outage::default();
        assert_eq!((outage.settle(), outage.waits()), (None, None));
        assert!(outage.strike(), "the first is an alarm");
        assert_eq!(outage.waits(), Some(1));
        for _ in 0..5 {
            assert_eq!((outage.settle(), outage.settle(), outage.waits()), (None, None, None));
            assert!(!outage.strike(), "polls that succeed in between are no end of it");
        }
        assert_eq!(outage.waits(), Some(6));
        assert_eq!([outage.settle(), outage.settle(), outage.settle()], [None, None, Some(6)]);
        assert!(outage.strike(), "a new one");
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
        let timer = Timer::new(Arc::new(Hands(Mutex::new((0, 0)))));
        let mut offset = Offset::default();
        offset.advance(1_000_000, timer.now());
        offset.advance(900, timer.now());
        assert_eq!(offset.get(), Some(1_000_001));
        offset.forget_after(&timer, Duration::ZERO);
        offset.advance(900, timer.now());
        assert_eq!(offset.get(), Some(901), "numbered anew, from below");
    }
}
