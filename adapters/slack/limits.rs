//! Rate limits of the Web API, which Slack counts by method, app and workspace.
//!
//! After a refusal nobody asks until the pause that Slack has named is over. Then one request finds out whether the method
//! is free again, and the others follow at the rate that Slack documents, until nobody has waited for a minute. A request
//! that may not be made is told when its turn is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::{Clock, Mono};

/// How long a method without requests that wait is used at the documented rate after a refusal.
const CALM: Duration = Duration::from_secs(60);
/// A turn that nobody takes for this long is forgotten.
const MISSED: Duration = Duration::from_secs(5);
/// Number of limits from which those that are over are forgotten.
const MOST: usize = 1024;
/// The method whose limit Slack counts by channel. A second one, for the whole workspace, is much higher.
const BY_CHANNEL: &str = "chat.postMessage";
/// The pause between two posts to a workspace whose limit was reached ("several hundred messages per minute").
const POSTS: Duration = Duration::from_millis(200);

/// A method, and the channel where that has a limit of its own.
type Key = (&'static str, Option<String>);

/// The rate limits of one token, as far as Slack has shown them.
pub(crate) struct Limits {
    clock: Arc<dyn Clock>,
    limited: Mutex<HashMap<Key, Limited>>,
}

/// A limit that was reached.
#[derive(Debug)]
struct Limited {
    /// Nothing is asked before this time.
    until: Mono,
    trial: Trial,
    /// The times that were named to requests, in order.
    turns: VecDeque<Mono>,
    /// The first time that is free.
    next: Mono,
    /// The pause between two requests.
    gap: Duration,
}

/// Whether the method is free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    /// The next request finds out.
    Due,
    /// A request is finding out.
    UnderWay,
    Passed,
}

/// What waits for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Something that has to be done: if it cannot be done now it gets a turn.
    Waits,
    /// It is asked again and again, or only shows something. It yields to all others and gets no turn.
    Yields,
}

/// Why a request may not be made: how long to wait, for those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held(pub Option<Duration>);

/// A request that may be made.
pub(crate) struct Permit<'l> {
    limits: &'l Limits,
    keys: Vec<Key>,
    /// The limits that this request tries.
    tries: Vec<Key>,
}

impl Limits {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, limited: Mutex::default() }
    }

    fn limited(&self) -> MutexGuard<'_, HashMap<Key, Limited>> {
        self.limited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request, unless it has to wait.
    pub(crate) fn begin(
        &self,
        method: &'static str,
        channel: Option<&str>,
        urgency: Urgency,
    ) -> Result<Permit<'_>, Held> {
        let now = self.clock.mono();
        let mut keys = vec![(method, None)];
        keys.extend(
            channel.filter(|_| method == BY_CHANNEL).map(|channel| (method, Some(channel.to_owned()))),
        );
        let mut all = self.limited();
        all.retain(|key, limited| !keys.contains(key) || !limited.is_over(now));
        // Only a request that may be made takes its turns.
        for key in &keys {
            let Some(limited) = all.get_mut(key) else { continue };
            if !limited.admits(now, urgency) {
                return Err(Held((urgency == Urgency::Waits).then(|| limited.turn(now).since(now))));
            }
        }
        let mut tries = Vec::new();
        for key in &keys {
            if all.get_mut(key).is_some_and(|limited| limited.take(now)) {
                tries.push(key.clone());
            }
        }
        Ok(Permit { limits: self, keys, tries })
    }

    fn refused(&self, keys: &[Key], after: Duration) {
        let now = self.clock.mono();
        let mut all = self.limited();
        if all.len() >= MOST {
            all.retain(|_, limited| !limited.is_over(now));
        }
        let Some(own) = keys.last() else { return };
        all.entry(own.clone()).or_insert_with(|| Limited::of(own, now)).refused(now + after);
        let others = all.iter().filter(|(key, limited)| key.0 == own.0 && *key != own && limited.until > now);
        // Slack does not say whose limit it was: if posts to two channels are refused, it was probably the workspace's.
        if own.1.is_some() && others.count() > 0 {
            let all_posts = (own.0, None);
            all.entry(all_posts.clone()).or_insert_with(|| Limited::of(&all_posts, now)).refused(now + after);
        }
    }
}

impl Permit<'_> {
    /// Slack has refused the request for this long.
    pub(crate) fn refused(mut self, after: Duration) {
        self.tries.clear();
        self.limits.refused(&self.keys, after);
    }

    /// Slack has answered.
    pub(crate) fn passed(mut self) {
        self.end(Trial::Passed);
    }

    fn end(&mut self, trial: Trial) {
        if self.tries.is_empty() {
            return;
        }
        let mut all = self.limits.limited();
        for key in self.tries.drain(..) {
            if let Some(limited) = all.get_mut(&key).filter(|limited| limited.trial == Trial::UnderWay) {
                limited.trial = trial;
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // No answer has come, so the next request finds out.
        self.end(Trial::Due);
    }
}

impl Limited {
    fn of(key: &Key, now: Mono) -> Self {
        Self { until: now, trial: Trial::Due, turns: VecDeque::new(), next: now, gap: gap(key) }
    }

    fn refused(&mut self, until: Mono) {
        self.until = self.until.max(until);
        self.trial = Trial::Due;
        self.turns.retain(|turn| *turn >= self.until);
        self.next = self.next.max(self.until);
    }

    /// Whether nobody waits or has waited lately.
    fn is_over(&self, now: Mono) -> bool {
        self.trial != Trial::UnderWay && now.since(self.next.max(self.until)) >= CALM
    }

    fn admits(&mut self, now: Mono, urgency: Urgency) -> bool {
        while self.turns.front().is_some_and(|turn| now.since(*turn) > MISSED) {
            self.turns.pop_front();
        }
        if now < self.until || self.trial == Trial::UnderWay {
            return false;
        }
        match (urgency, self.turns.front()) {
            (Urgency::Yields, Some(_)) => false,
            // It finds out whether the method is free for those that wait.
            (Urgency::Waits, _) if self.trial == Trial::Due => true,
            (_, turn) => turn.unwrap_or(&self.next) <= &now,
        }
    }

    /// Takes the turn of a request that is admitted. Returns whether it finds out if the method is free again.
    fn take(&mut self, now: Mono) -> bool {
        match self.turns.front() {
            Some(turn) if *turn <= now => drop(self.turns.pop_front()),
            // What was not used lately may be made up for.
            _ => self.next = self.next.max(Mono(now.0.saturating_sub(MISSED))) + self.gap,
        }
        let tries = self.trial == Trial::Due;
        if tries {
            self.trial = Trial::UnderWay;
        }
        tries
    }

    /// Gives a turn to a request that has to wait.
    fn turn(&mut self, now: Mono) -> Mono {
        let free = self.next.max(self.until);
        let turn = if free > now { free } else { now + self.gap };
        self.turns.push_back(turn);
        self.next = turn + self.gap;
        turn
    }
}

/// The pause between two requests at the rate that Slack guarantees for a method ("Rate limits", and the page of each
/// method): 1, 20, 50 or 100 requests a minute.
fn gap((method, channel): &Key) -> Duration {
    let per_minute = match *method {
        BY_CHANNEL => return if channel.is_some() { Duration::from_secs(1) } else { POSTS },
        "apps.connections.open" => 1,
        "chat.startStream"
        | "chat.stopStream"
        | "pins.add"
        | "reactions.remove"
        | "usergroups.users.list" => 20,
        "assistant.threads.setStatus" | "auth.test" => 600,
        "chat.appendStream"
        | "chat.postEphemeral"
        | "files.completeUploadExternal"
        | "files.getUploadURLExternal"
        | "users.info" => 100,
        _ => 50,
    };
    Duration::from_secs(60) / per_minute
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};

    use super::*;

    /// A clock that a test sets, in milliseconds.
    #[derive(Default)]
    struct Millis(AtomicU64);

    #[async_trait]
    impl Clock for Millis {
        fn wall(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + self.elapsed()
        }

        fn mono(&self) -> Mono {
            Mono(self.elapsed())
        }

        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }

        async fn sleep_until(&self, _: Mono) {}
    }

    struct Bench {
        clock: Arc<Millis>,
        limits: Limits,
    }

    impl Bench {
        fn new() -> Self {
            let clock = Arc::new(Millis::default());
            Self { limits: Limits::new(clock.clone()), clock }
        }

        fn at(&self, millis: u64) {
            self.clock.0.store(millis, Ordering::Relaxed);
        }

        fn ask(&self, method: &'static str, channel: &str) -> Result<Permit<'_>, Held> {
            self.limits.begin(method, Some(channel), Urgency::Waits)
        }

        /// How long a request has to wait, in milliseconds.
        fn waits(&self, method: &'static str, channel: &str) -> Option<u128> {
            self.ask(method, channel).err().and_then(|held| Some(held.0?.as_millis()))
        }

        fn refuse(&self, method: &'static str, channel: &str, millis: u64) {
            self.ask(method, channel).ok().unwrap().refused(Duration::from_millis(millis));
        }
    }

    #[test]
    fn everybody_gets_a_turn_at_the_documented_rate_after_a_refusal() {
        let bench = Bench::new();
        bench.refuse("chat.update", "C1", 30_000);
        let turns: Vec<_> = (0..3).map(|_| bench.waits("chat.update", "C2")).collect();
        assert_eq!(turns, [Some(30_000), Some(31_200), Some(32_400)]);
        bench.at(30_000);
        let trial = bench.ask("chat.update", "C2").ok().unwrap();
        assert!(bench.ask("chat.update", "C3").is_err(), "one request finds out");
        trial.passed();
        assert!(bench.ask("chat.update", "C3").is_err(), "the next turn is later");
        bench.at(31_200);
        bench.ask("chat.update", "C3").ok().unwrap().passed();
        assert!(bench.ask("chat.update", "C3").is_err());
        assert!(bench.ask("chat.delete", "C3").is_ok(), "another method has its own limit");
    }

    #[test]
    fn a_second_refusal_begins_anew_and_a_lost_trial_is_made_again() {
        let bench = Bench::new();
        bench.refuse("users.info", "", 1000);
        bench.at(1000);
        bench.refuse("users.info", "", 5000);
        assert_eq!(bench.waits("users.info", ""), Some(5000));
        bench.at(6000);
        drop(bench.ask("users.info", "").ok().unwrap());
        assert!(bench.ask("users.info", "").is_ok(), "no answer has come to the first one");
    }

    #[test]
    fn what_only_shows_something_gets_no_turn_and_takes_none() {
        let bench = Bench::new();
        let show = || bench.limits.begin("chat.update", None, Urgency::Yields);
        bench.refuse("chat.update", "C1", 1000);
        assert_eq!(show().err(), Some(Held(None)));
        bench.at(1000);
        show().ok().unwrap().passed();
        bench.at(2000);
        assert_eq!(bench.waits("chat.update", "C1"), Some(200));
        bench.at(2200);
        assert_eq!(show().err(), Some(Held(None)), "somebody waits");
        bench.ask("chat.update", "C1").ok().unwrap().passed();
    }

    #[test]
    fn posts_are_limited_by_channel_unless_several_channels_are_refused() {
        let bench = Bench::new();
        let post = "chat.postMessage";
        let (first, second) = (bench.ask(post, "C1").ok().unwrap(), bench.ask(post, "C2").ok().unwrap());
        first.refused(Duration::from_secs(1));
        assert!(bench.ask(post, "C1").is_err() && bench.ask(post, "C3").is_ok());
        second.refused(Duration::from_secs(9));
        assert_eq!(bench.waits(post, "C3"), Some(9000), "it is the limit of the workspace");
    }

    #[test]
    fn a_limit_is_forgotten_once_nobody_has_waited_for_a_minute() {
        let bench = Bench::new();
        bench.refuse("chat.update", "C1", 1000);
        bench.at(1000);
        bench.ask("chat.update", "C1").ok().unwrap().passed();
        bench.at(60_000);
        bench.ask("chat.update", "C1").ok().unwrap().passed();
        bench.at(123_700);
        let all: Vec<_> = (0..10).map(|_| bench.ask("chat.update", "C1")).collect();
        assert!(all.iter().all(Result::is_ok));
    }
}
