//! The reset rule: its recorded cases, and a comparison with a direct implementation in every time zone.

use chrono::{Offset, TimeZone};
use chrono_tz::America::New_York;
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;
use serde::Deserialize;

use super::day::DAY;
use super::*;
use crate::zone::parse_zone;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    zone: String,
    mode: String,
    hour: Option<u8>,
    idle_minutes: Option<u32>,
    last_activity_utc: String,
    now_utc: String,
    last_activity_ms: i64,
    now_ms: i64,
    last_activity_local: String,
    now_local: String,
    prev_boundary_utc: Option<String>,
    prev_boundary_ms: Option<i64>,
    prev_boundary_local: Option<String>,
    next_boundary_utc: Option<String>,
    next_boundary_ms: Option<i64>,
    idle_deadline_ms: Option<i64>,
    daily_stale: bool,
    idle_stale: bool,
    reset: bool,
    reasons: Vec<String>,
    note: String,
}

impl Case {
    fn check(&self) {
        let mode: ResetMode = self.mode.parse().unwrap();
        let zone = parse_zone(&self.zone).unwrap();
        let (idle, hour) = (self.idle_minutes.unwrap_or(1440), self.hour.unwrap_or(4));
        let policy = ResetPolicy::new(mode, idle, hour, zone, true).unwrap();
        let (last, now) = (at(&self.last_activity_utc), at(&self.now_utc));
        let (previous, next) = (policy.previous_boundary(now), policy.next_boundary(now));
        let local = |t: DateTime<Utc>| t.with_timezone(&zone).format("%F %T%.3f %z").to_string();
        let millis = |t: Option<DateTime<Utc>>| t.map(|t| t.timestamp_millis());
        let what = format!("{}: {}", self.id, self.note);

        assert_eq!((last.timestamp_millis(), now.timestamp_millis()), (self.last_activity_ms, self.now_ms));
        // The file marks the second occurrence of a local time. Here the offset distinguishes it.
        let unmarked = |text: &str| text.trim_end_matches(" fold=1").to_owned();
        assert_eq!(
            (local(last), local(now)),
            (unmarked(&self.last_activity_local), unmarked(&self.now_local)),
            "{what}"
        );
        assert_eq!(millis(previous), self.prev_boundary_ms, "{what}");
        assert_eq!(previous, self.prev_boundary_utc.as_deref().map(at), "{what}");
        assert_eq!(previous.map(local), self.prev_boundary_local.as_deref().map(unmarked), "{what}");
        assert_eq!(millis(next), self.next_boundary_ms, "{what}");
        assert_eq!(next, self.next_boundary_utc.as_deref().map(at), "{what}");
        assert_eq!(millis(policy.idle_deadline(last)), self.idle_deadline_ms, "{what}");
        let due = policy.due(last, now);
        assert_eq!(
            (due.daily, due.idle, due.any()),
            (self.daily_stale, self.idle_stale, self.reset),
            "{what}"
        );
        assert_eq!(due.names().collect::<Vec<_>>(), self.reasons, "{what}");
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn daily(hour: u8, zone: Tz) -> ResetPolicy {
    ResetPolicy::new(ResetMode::Daily, 60, hour, zone, true).unwrap()
}

#[test]
fn every_case_of_the_specification_holds() {
    let file: File = serde_json::from_str(include_str!("../reset_cases.json")).unwrap();
    assert!(!file.cases.is_empty(), "reset_cases.json has no cases");
    for case in &file.cases {
        case.check();
    }
}

#[test]
fn a_date_that_was_skipped_adds_no_boundary() {
    // Apia skipped from the end of 2011-12-29 to the start of 2011-12-31.
    for hour in 0..24 {
        let policy = daily(hour, chrono_tz::Pacific::Apia);
        let mut boundaries = Vec::new();
        let mut now = at("2011-12-27T00:00:00Z");
        while now < at("2012-01-03T00:00:00Z") {
            now = policy.next_boundary(now).unwrap();
            boundaries.push(now);
        }
        let apart: Vec<i64> = boundaries.windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect();
        assert!(apart.iter().all(|hours| *hours == 24), "at {hour}: {apart:?}");
    }
}

#[test]
fn a_date_that_came_twice_has_one_boundary() {
    // Sitka repeated a day when Alaska was sold: after 1867-10-19 15:30 came 1867-10-18 15:30.
    let policy = daily(20, chrono_tz::America::Sitka);
    let first = policy.next_boundary(at("1867-10-17T12:00:00Z")).unwrap();
    let second = policy.next_boundary(first).unwrap();
    assert_eq!((second - first).num_hours(), 48);
}

#[test]
fn midnight_counts_though_the_clocks_go_back_to_the_evening_before() {
    // St John's, 2010: one minute after midnight (02:31Z) the clocks went back to 23:01.
    let policy = daily(0, chrono_tz::America::St_Johns);
    let (midnight, evening) = (at("2010-11-07T02:30:00Z"), at("2010-11-07T03:00:00Z"));
    assert_eq!(policy.previous_boundary(evening), Some(midnight));
    assert_eq!(policy.next_boundary(evening), Some(at("2010-11-08T03:30:00Z")));
    assert!(policy.due(at("2010-11-07T02:29:59Z"), evening).daily);
    assert!(!policy.due(midnight, evening).daily);
}

#[test]
fn parts_of_a_millisecond_do_not_count() {
    let policy = ResetPolicy::new(ResetMode::Idle, 1, 4, Berlin, true).unwrap();
    let last = at("2026-06-10T02:00:00.000999Z");
    assert!(!policy.due(last, at("2026-06-10T02:01:00.000001Z")).any());
    assert!(!policy.due(last, at("2026-06-10T02:01:00.000999Z")).any());
    assert!(policy.due(last, at("2026-06-10T02:01:00.001Z")).idle);
}

#[test]
fn the_ends_of_the_calendar_do_not_panic() {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    for zone in [Tz::UTC, chrono_tz::Pacific::Kiritimati, chrono_tz::Pacific::Pago_Pago, New_York] {
        for hour in [0, 4, 23] {
            let policy =
                ResetPolicy::new(ResetMode::Both, ResetPolicy::MAX_IDLE_MINUTES, hour, zone, true).unwrap();
            assert_eq!(policy.due(first, last), Reasons { daily: true, idle: true });
            assert_eq!(policy.due(last, first), Reasons::default());
            assert!(!policy.due(last, last).any());
            assert_eq!(policy.next_boundary(last), None);
            assert_eq!(policy.idle_deadline(last), None);
            assert!(policy.previous_boundary(last).is_some_and(|before| before <= last));
            assert!(policy.previous_boundary(first).is_none_or(|before| before <= first));
            assert!(policy.idle_deadline(first).is_some() && policy.next_boundary(first).is_some());
        }
    }
}

#[test]
fn the_narrower_level_wins_field_by_field() {
    let default = ResetPolicy::new(ResetMode::Idle, 1440, 4, Berlin, true).unwrap();
    let scope = ResetOverride { mode: Some(ResetMode::Daily), hour: Some(5), ..ResetOverride::default() };
    let channel = ResetOverride { idle_minutes: Some(60), notify: Some(false), ..ResetOverride::default() };
    let chat = ResetOverride {
        hour: Some(6),
        timezone: Some("America/New_York".into()),
        ..ResetOverride::default()
    };
    let policy = default.with(&scope).unwrap().with(&channel).unwrap().with(&chat).unwrap();
    assert_eq!(policy, ResetPolicy::new(ResetMode::Daily, 60, 6, New_York, false).unwrap());
    assert_eq!(default.with(&ResetOverride::default()), Ok(default));
}

#[test]
fn a_number_out_of_range_is_refused_at_every_level() {
    let good = daily(23, Berlin);
    let hour = good.with(&ResetOverride { hour: Some(24), ..ResetOverride::default() });
    assert_eq!(hour, Err(PolicyError::Hour { given: 24 }));
    for given in [0, ResetPolicy::MAX_IDLE_MINUTES + 1] {
        let idle = good.with(&ResetOverride { idle_minutes: Some(given), ..ResetOverride::default() });
        assert_eq!(idle, Err(PolicyError::IdleMinutes { given }));
    }
}

/// A direct implementation of the rule: for each date, it searches the periods between two clock changes for the
/// first instant that shows the hour.
struct Oracle {
    /// Start, end and offset of each period.
    stretches: Vec<(i64, i64, i64)>,
    hour: i64,
}

impl Oracle {
    fn around(now: i64, hour: u8, zone: Tz) -> Self {
        let (mut start, end) = (now - 6 * DAY, now + 6 * DAY);
        let mut stretches = Vec::new();
        let mut t = start;
        while t < end {
            if offset(zone, t + 900) != offset(zone, t) {
                let change = (t + 1..=t + 900).find(|s| offset(zone, *s) != offset(zone, t)).unwrap();
                stretches.push((start, change, offset(zone, t)));
                start = change;
            }
            t += 900;
        }
        stretches.push((start, end, offset(zone, start)));
        Oracle { stretches, hour: i64::from(hour) * 3600 }
    }

    fn boundaries(&self, now: i64) -> Vec<i64> {
        (now.div_euclid(DAY) - 4..=now.div_euclid(DAY) + 4).filter_map(|date| self.boundary(date)).collect()
    }

    fn boundary(&self, date: i64) -> Option<i64> {
        let midnight = date * DAY;
        if !self.stretches.iter().any(|(from, to, off)| from + off < midnight + DAY && to + off > midnight) {
            return None;
        }
        let local = midnight + self.hour;
        let shown = self.stretches.iter().find(|(from, to, off)| (*from..*to).contains(&(local - off)));
        let skipped = || {
            let pair = self.stretches.windows(2).find(|pair| {
                let ((_, change, before), (_, _, after)) = (pair[0], pair[1]);
                (change + before..change + after).contains(&local)
            })?;
            Some(local - pair[0].2)
        };
        shown.map(|(_, _, off)| local - off).or_else(skipped)
    }
}

fn offset(zone: Tz, at: i64) -> i64 {
    let at = DateTime::from_timestamp(at, 0).unwrap().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&at).fix().local_minus_utc())
}

/// An instant (in seconds) within two days of a clock change in the year after `from`, if there is one.
fn near_a_change(zone: Tz, from: i64, pick: prop::sample::Index, shift: i64) -> i64 {
    let days: Vec<i64> = (0..366).map(|day| from + day * DAY).collect();
    let changes: Vec<i64> =
        days.into_iter().filter(|day| offset(zone, *day) != offset(zone, day + DAY)).collect();
    if changes.is_empty() { from + shift } else { changes[pick.index(changes.len())] + shift }
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(&chrono_tz::TZ_VARIANTS[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn boundaries_are_those_of_the_rule_in_every_zone(
        zone in zone(),
        year in 0_i64..260,
        pick: prop::sample::Index,
        shift in -2 * DAY..3 * DAY,
        ms in 0_i64..1000,
        hour in 0_u8..24,
        ago in 0_i64..4 * DAY,
    ) {
        // From 1840, before the first clock change that chrono-tz knows, to its last in 2100.
        let now = near_a_change(zone, (year - 130) * 365 * DAY, pick, shift);
        let boundaries = Oracle::around(now, hour, zone).boundaries(now);
        let previous = boundaries.iter().copied().filter(|b| *b <= now).max();
        let next = boundaries.iter().copied().filter(|b| *b > now).min();
        let policy = daily(hour, zone);
        let at = DateTime::from_timestamp_millis(now * 1000 + ms).unwrap();
        prop_assert_eq!(policy.previous_boundary(at).map(|b| b.timestamp()), previous);
        prop_assert_eq!(policy.next_boundary(at).map(|b| b.timestamp()), next);
        let last = DateTime::from_timestamp(now - ago, 0).unwrap();
        prop_assert_eq!(policy.due(last, at).daily, Some(now - ago) < previous);
    }

    #[test]
    fn after_a_reset_the_same_instant_is_fresh(
        zone in zone(),
        last in -4_000_000_000_000_i64..8_000_000_000_000,
        now in -4_000_000_000_000_i64..8_000_000_000_000,
        hour in 0_u8..24,
        idle in 1..=ResetPolicy::MAX_IDLE_MINUTES,
    ) {
        let [last, now] = [last, now].map(|ms| DateTime::from_timestamp_millis(ms).unwrap());
        let policy = ResetPolicy::new(ResetMode::Both, idle, hour, zone, true).unwrap();
        let due = policy.due(last, now);
        prop_assert!(!policy.due(now, now).any());
        prop_assert!(now > last || !due.any());
        prop_assert_eq!(due.idle, policy.idle_deadline(last).is_some_and(|deadline| now > deadline));
        prop_assert_eq!(due.daily, policy.next_boundary(last).is_some_and(|boundary| now >= boundary));
        let never = policy.with(&ResetOverride { mode: Some(ResetMode::None), ..ResetOverride::default() }).unwrap();
        prop_assert!(!never.due(last, now).any());
    }
}

#[test]
fn the_daily_reset_waits_for_silence_and_the_idle_one_does_not() {
    let policy =
        |mode| ResetPolicy::new(mode, 60, 4, chrono_tz::UTC, true).unwrap().waiting_for_quiet(30).unwrap();
    let at = |time: &str| format!("2026-03-10T{time}:00Z").parse::<DateTime<Utc>>().unwrap();
    let due = |mode, last: &str, held, now: &str| policy(mode).due_after(at(last), held, at(now));
    let none = Reasons::default();
    let daily = Reasons { daily: true, idle: false };
    let held = Due { reasons: none, held_back: true };
    assert_eq!(due(ResetMode::Daily, "03:50", false, "04:10"), held);
    assert_eq!(due(ResetMode::Daily, "03:50", false, "04:19"), held);
    assert_eq!(due(ResetMode::Daily, "03:50", false, "04:20"), Due { reasons: daily, held_back: false });
    assert_eq!(due(ResetMode::Daily, "04:10", true, "04:39"), held);
    assert_eq!(due(ResetMode::Daily, "04:10", true, "04:40"), Due { reasons: daily, held_back: false });
    assert_eq!(due(ResetMode::Daily, "04:10", false, "09:00"), Due::default(), "nothing is due");
    assert_eq!(due(ResetMode::Idle, "03:50", true, "04:10"), Due::default(), "the rule was changed");
    assert_eq!(due(ResetMode::Daily, "04:10", true, "04:00"), held, "the clock went back");
    let both = Reasons { daily: true, idle: true };
    assert_eq!(due(ResetMode::Both, "03:00", false, "04:10").reasons, both);
    let longest = ResetPolicy::MAX_QUIET_MINUTES;
    assert!(policy(ResetMode::Daily).waiting_for_quiet(longest).is_ok());
    assert_eq!(
        policy(ResetMode::Daily).waiting_for_quiet(longest + 1),
        Err(PolicyError::QuietMinutes { given: longest + 1 })
    );
    let narrower = ResetOverride { quiet_minutes: Some(5), ..ResetOverride::default() };
    assert_eq!(policy(ResetMode::Daily).with(&narrower).unwrap().quiet_minutes(), 5);
    assert_eq!(policy(ResetMode::Daily).in_zone(Berlin).zone(), Berlin);
}
