//! Schedules: a year compared with other implementations, the changes of the clock one by one, and errors.

use std::collections::BTreeMap;

use chrono_tz::America::New_York;
use chrono_tz::Europe::Berlin;
use chrono_tz::Pacific::Apia;
use chrono_tz::UTC;
use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The runs after `after`, at most `count`.
fn runs(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let anchor = utc(after);
    std::iter::successors(schedule.next(anchor, anchor), |last| schedule.next(*last, anchor))
        .take(count)
        .map(|run| run.format("%FT%RZ").to_string())
        .collect()
}

fn cron(text: &str, zone: Tz) -> Schedule {
    Schedule::cron(text, zone).unwrap()
}

/// A year in a zone, as other implementations have it. `reference.py` writes the file, and prints the runs of a case whose
/// digest differs.
#[derive(Deserialize)]
struct Year {
    zone: String,
    begin: i64,
    end: i64,
    /// For each expression the number of runs, and the beginning of a digest of their times.
    runs: BTreeMap<String, (usize, String)>,
}

impl Year {
    /// The expressions that have other runs here.
    fn differing(&self) -> Vec<String> {
        let [begin, end] = [self.begin, self.end].map(|at| DateTime::from_timestamp(at, 0).unwrap());
        let differs = |(text, (count, digest)): (&String, &(usize, String))| {
            let schedule = cron(text, self.zone.parse().unwrap());
            let found: Vec<String> =
                std::iter::successors(schedule.next(begin, begin), |last| schedule.next(*last, begin))
                    .take_while(|run| *run <= end)
                    .map(|run| run.timestamp().to_string())
                    .collect();
            let is_same = format!("{:x}", Sha256::digest(found.join(" "))).starts_with(digest);
            (!is_same).then(|| format!("{text} in {}: {} runs, expected {count}", self.zone, found.len()))
        };
        self.runs.iter().filter_map(differs).collect()
    }
}

#[rstest]
#[case(0..6)]
#[case(6..12)]
#[case(12..17)]
fn a_year_in_many_zones_is_as_other_implementations_have_it(#[case] zones: std::ops::Range<usize>) {
    let years: Vec<Year> = serde_json::from_str(include_str!("reference.json")).unwrap();
    assert_eq!(years.iter().map(|year| year.runs.len()).sum::<usize>(), 17 * 35);
    let differing: Vec<String> = years[zones].iter().flat_map(Year::differing).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

#[rstest]
// The hour from 2 to 3 is skipped: the run is at the first instant after it, and there is one for each day.
#[case("30 2 * * *", Berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:00Z", "2026-03-30T00:30Z"])]
#[case("0,30 2 * * *", Berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:00Z", "2026-03-30T00:00Z"])]
#[case("0 9 * * 1-5", Berlin, "2026-03-27T12:00:00Z", &["2026-03-30T07:00Z", "2026-03-31T07:00Z"])]
// The hour from 2 to 3 comes twice: the run is in the first.
#[case("30 2 * * *", Berlin, "2026-10-24T12:00:00Z", &["2026-10-25T00:30Z", "2026-10-26T01:30Z"])]
#[case("30 2 * * *", Berlin, "2026-10-25T00:45:00Z", &["2026-10-26T01:30Z"])]
#[case("0 9 * * 1-5", Berlin, "2026-10-23T12:00:00Z", &["2026-10-26T08:00Z"])]
// A rhythm goes on through both hours, and has none in the skipped one.
#[case("*/30 * * * *", Berlin, "2026-10-25T00:00:00Z", &["2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"])]
#[case("*/30 2 * * *", Berlin, "2026-10-24T12:00:00Z", &["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-26T01:00Z"])]
#[case("*/30 2 * * *", Berlin, "2026-03-28T12:00:00Z", &["2026-03-30T00:00Z"])]
#[case("0 1-3 * * *", New_York, "2026-11-01T04:00:00Z", &["2026-11-01T05:00Z", "2026-11-01T06:00Z", "2026-11-01T07:00Z", "2026-11-01T08:00Z"])]
// The 30th of December 2011 did not exist in Apia.
#[case("0 12 * * *", Apia, "2011-12-29T12:00:00Z", &["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"])]
#[case("0 12 30 12 *", Apia, "2011-12-29T12:00:00Z", &["2012-12-29T22:00Z"])]
#[case("CRON_TZ=Europe/Berlin 0 9 * * *", New_York, "2026-01-01T00:00:00Z", &["2026-01-01T08:00Z"])]
#[case("@daily", UTC, "2026-01-01T00:00:00Z", &["2026-01-02T00:00Z"])]
#[case("0 0 29 2 1", UTC, "2097-01-01T00:00:00Z", &["2097-02-04T00:00Z"])]
#[case("0 0 29 2 *", UTC, "2097-01-01T00:00:00Z", &["2104-02-29T00:00Z"])]
fn clocks_change(#[case] text: &str, #[case] zone: Tz, #[case] after: &str, #[case] expected: &[&str]) {
    assert_eq!(runs(&cron(text, zone), after, expected.len()), expected);
}

#[test]
fn seconds_come_first() {
    let schedule = cron("*/20 0 * * * *", UTC);
    let first = utc("2026-01-01T00:00:00Z");
    assert_eq!(schedule.next(first, first), Some(utc("2026-01-01T00:00:20Z")));
    assert_eq!(schedule.next(utc("2026-01-01T00:00:19.999Z"), first), Some(utc("2026-01-01T00:00:20Z")));
}

#[test]
fn intervals_are_counted_from_their_anchor() {
    let schedule = Schedule::every("1h30m").unwrap();
    let anchor = utc("2026-03-29T00:10:00Z");
    assert_eq!(schedule.next(anchor, anchor), Some(utc("2026-03-29T01:40:00Z")));
    assert_eq!(schedule.next(utc("2026-03-29T01:39:59Z"), anchor), Some(utc("2026-03-29T01:40:00Z")));
    assert_eq!(schedule.next(utc("2026-03-29T01:40:00Z"), anchor), Some(utc("2026-03-29T03:10:00Z")));
    // A clock that was set back gives the first one again, not an earlier one.
    assert_eq!(schedule.next(utc("2026-03-28T00:00:00Z"), anchor), Some(utc("2026-03-29T01:40:00Z")));
    assert_eq!(schedule.next(DateTime::<Utc>::MAX_UTC, anchor), None);
}

#[test]
fn a_single_run_is_an_instant_or_a_local_time() {
    let at = |text| match Schedule::at(text, Berlin).unwrap() {
        Schedule::At(at) => at.format("%FT%RZ").to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(at("2026-07-01T09:30:00+02:00"), "2026-07-01T07:30Z");
    assert_eq!(at("2026-07-01T09:30"), "2026-07-01T07:30Z");
    assert_eq!(at("2026-03-29 02:30"), "2026-03-29T01:00Z", "skipped");
    assert_eq!(at("2026-10-25T02:30:00"), "2026-10-25T00:30Z", "the first of two");
    let once = Schedule::at("2026-07-01T09:30", Berlin).unwrap();
    assert_eq!(runs(&once, "2026-07-01T00:00:00Z", 9), ["2026-07-01T07:30Z"]);
    assert_eq!(runs(&once, "2026-07-01T07:30:00Z", 9), [""; 0]);
}

#[rstest]
#[case("0 9 * *", "4 fields")]
#[case("0 9 * * * * 2026", "7 fields")]
#[case("0 25 * * *", "25")]
#[case("a b c d e", "not valid")]
#[case("@reboot", "no such name")]
#[case("", "0 fields")]
#[case("0 0 30 2 *", "never comes due")]
#[case("0 0 31 4,6 *", "never comes due")]
#[case("CRON_TZ=Europe/Berln 0 9 * * *", "Europe/Berlin")]
#[case("CRON_TZ=Europe/Berlin", "0 fields")]
fn a_wrong_expression_says_what_is_wrong(#[case] text: &str, #[case] why: &str) {
    let error = Schedule::cron(text, UTC).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn wrong_intervals_and_times_say_what_to_write() {
    for text in
        ["", "0s", "15", "h", "1m1h", "1h 1m", "-1h", "99999999999999999999d", "367d", "1w", "٣h", "1µ"]
    {
        assert!(Schedule::every(text).unwrap_err().to_string().contains("write 15m"), "{text}");
    }
    for text in ["", "tomorrow", "2026-13-01T00:00", "2026-02-30 10:00", "10:00"] {
        assert!(Schedule::at(text, UTC).unwrap_err().to_string().contains("write 2026"), "{text}");
    }
    let long = "1".repeat(LONGEST + 1);
    for error in [Schedule::cron(&long, UTC), Schedule::every(&long), Schedule::at(&long, UTC)] {
        assert!(matches!(error, Err(ScheduleError::Long { length: 201 })));
    }
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(&chrono_tz::TZ_VARIANTS[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In every zone the runs grow, a daily job runs once a day, and an hourly one misses no hour.
    #[test]
    fn runs_go_forward(zone in zone(), minute in 0..60, hour in 0..24, begin in 0_i64..1_900_000_000) {
        let begin = DateTime::from_timestamp(begin, 0).unwrap();
        for (text, longest) in [(format!("{minute} {hour} * * *"), 49), (format!("{minute} * * * *"), 3)] {
            let schedule = cron(&text, zone);
            let mut last = begin;
            for _ in 0..40 {
                let next = schedule.next(last, begin).unwrap();
                prop_assert!(next > last, "{text} in {zone}: {next} after {last}");
                prop_assert!(next - last <= TimeDelta::hours(longest), "{text} in {zone}: {next} after {last}");
                // From any instant between the two, the same run is next.
                let between = last + (next - last) / 2;
                prop_assert_eq!(schedule.next(between, begin), Some(next));
                last = next;
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", fields in prop::collection::vec("[0-9*/,LW#?a-z+-]{1,6}", 5..7)) {
        for text in [text, fields.join(" ")] {
            let all = [Schedule::cron(&text, Berlin), Schedule::every(&text), Schedule::at(&text, Berlin)];
            for schedule in all.into_iter().flatten() {
                let after = utc("2026-03-29T00:00:00Z");
                prop_assert!(schedule.next(after, after).is_none_or(|next| next > after));
            }
        }
    }
}
