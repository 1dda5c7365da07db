//! Which runs are due after every kind of pause and jump of the clock.

use std::collections::BTreeSet;

use chrono_tz::Europe::Berlin;
use chrono_tz::{Tz, UTC};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn shown(time: DateTime<Utc>) -> String {
    time.format("%m-%dT%H:%M").to_string()
}

fn cron(text: &str, zone: Tz) -> Schedule {
    Schedule::cron(text, zone).unwrap()
}

fn by(schedule: &Schedule, missed: MissedRule) -> Timetable<'_> {
    Timetable { schedule, anchor: utc("2026-03-01T00:00:00Z"), missed }
}

/// The scheduled times after `after` and up to `until`, one by one.
fn all(schedule: &Schedule, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let anchor = utc("2026-03-01T00:00:00Z");
    std::iter::successors(schedule.next(after, anchor), |last| schedule.next(*last, anchor))
        .take_while(|time| *time <= until)
        .collect()
}

/// The runs, and how many were missed.
fn decided(due: &Due) -> (String, usize) {
    let runs: Vec<String> = due.runs.iter().copied().map(shown).collect();
    (runs.join(" "), due.missed.map_or(0, |missed| missed.count))
}

#[rstest]
#[case(MissedRule::RunOnce, "03-10T09:00", 0)]
#[case(MissedRule::Skip, "", 1)]
#[case(MissedRule::All, "03-10T09:00", 0)]
fn a_single_run_that_was_missed_for_three_days(
    #[case] rule: MissedRule,
    #[case] runs: &str,
    #[case] missed: usize,
) {
    let schedule = Schedule::at("2026-03-10T09:00:00Z", UTC).unwrap();
    let due = by(&schedule, rule).due(utc("2026-03-09T00:00:00Z"), utc("2026-03-13T09:00:00Z"));
    assert_eq!(decided(&due), (runs.to_owned(), missed));
    assert_eq!((shown(due.until), due.next), ("03-10T09:00".to_owned(), None));
    let again = by(&schedule, rule).due(due.until, utc("2026-03-13T09:01:00Z"));
    assert_eq!(decided(&again), (String::new(), 0), "it is decided once");
}

#[rstest]
#[case(MissedRule::RunOnce, "03-11T01:00", Some(("03-10T09:00", "03-10T17:00", 2)))]
#[case(MissedRule::Skip, "", Some(("03-10T09:00", "03-11T01:00", 3)))]
#[case(MissedRule::All, "03-10T09:00 03-10T17:00 03-11T01:00", None)]
fn a_pause_of_25_hours_over_three_runs(
    #[case] rule: MissedRule,
    #[case] runs: &str,
    #[case] missed: Option<(&str, &str, usize)>,
) {
    let schedule = cron("0 1,9,17 * * *", UTC);
    let due = by(&schedule, rule).due(utc("2026-03-10T01:00:00Z"), utc("2026-03-11T02:30:00Z"));
    assert_eq!(decided(&due).0, runs);
    let told = due.missed.map(|missed| (shown(missed.first), shown(missed.last), missed.count));
    assert_eq!(told, missed.map(|(first, last, count)| (first.to_owned(), last.to_owned(), count)));
    assert!(due.missed.is_none_or(|missed| !missed.or_more));
    assert_eq!((shown(due.until), due.next), ("03-11T01:00".to_owned(), Some(utc("2026-03-11T09:00:00Z"))));
}

#[rstest]
#[case(0, 1)]
#[case(300, 1)]
#[case(301, 0)]
fn a_run_that_is_at_most_five_minutes_late_is_not_missed(#[case] late: i64, #[case] runs: usize) {
    let schedule = cron("0 9 * * *", UTC);
    let now = utc("2026-03-10T09:00:00Z") + TimeDelta::seconds(late);
    let due = by(&schedule, MissedRule::Skip).due(utc("2026-03-10T00:00:00Z"), now);
    assert_eq!((due.runs.len(), due.missed.map_or(0, |missed| missed.count)), (runs, 1 - runs));
}

#[test]
fn nothing_is_due_before_its_time() {
    let schedule = cron("0 9 * * *", UTC);
    let since = utc("2026-03-09T09:00:00Z");
    for rule in MissedRule::ALL {
        let due = by(&schedule, rule).due(since, utc("2026-03-10T08:59:59.999Z"));
        assert_eq!((decided(&due), due.until), ((String::new(), 0), since));
        assert_eq!(due.next, Some(utc("2026-03-10T09:00:00Z")));
    }
}

/// What the clock shows at each look, the runs that an hourly job then makes, and how many it misses.
#[rstest]
// A day ahead, and back again: the times of that day are due once more.
#[case::ahead(MissedRule::RunOnce, &[("10T10:30", "", 0), ("11T10:30", "03-11T10:00", 23), ("10T10:31", "", 0), ("10T11:00", "03-10T11:00", 0)])]
#[case::ahead(MissedRule::Skip, &[("10T10:30", "", 0), ("11T10:30", "", 24), ("10T10:31", "", 0), ("10T11:00", "03-10T11:00", 0)])]
// An hour back: 10:00 is due again, under the name of the run that it has already.
#[case::hour_back(MissedRule::RunOnce, &[("10T10:30", "", 0), ("10T09:30", "", 0), ("10T10:00", "03-10T10:00", 0), ("10T11:00", "03-10T11:00", 0)])]
#[case::hour_back(MissedRule::All, &[("10T10:30", "", 0), ("10T09:30", "", 0), ("10T10:00", "03-10T10:00", 0), ("10T11:00", "03-10T11:00", 0)])]
// A day back: the job does not wait until the clock has caught up.
#[case::day_back(MissedRule::All, &[("10T10:30", "", 0), ("09T10:30", "", 0), ("09T11:00", "03-09T11:00", 0), ("09T12:00", "03-09T12:00", 0)])]
// The machine slept.
#[case::slept(MissedRule::RunOnce, &[("10T10:30", "", 0), ("10T18:30", "03-10T18:00", 7), ("10T19:00", "03-10T19:00", 0)])]
#[case::slept(MissedRule::Skip, &[("10T10:30", "", 0), ("10T18:30", "", 8), ("10T19:00", "03-10T19:00", 0)])]
#[case::slept(MissedRule::All, &[("10T10:30", "", 0), ("10T13:30", "03-10T11:00 03-10T12:00 03-10T13:00", 0), ("10T13:31", "", 0)])]
fn the_clock_jumps(#[case] rule: MissedRule, #[case] looks: &[(&str, &str, usize)]) {
    for schedule in [cron("0 * * * *", UTC), Schedule::every("1h").unwrap()] {
        let mut since = utc("2026-03-10T10:00:00Z");
        for (clock, runs, missed) in looks {
            let now = utc(&format!("2026-03-{clock}:00Z"));
            let due = by(&schedule, rule).due(since, now);
            assert_eq!(decided(&due), ((*runs).to_owned(), *missed), "{clock}");
            let next = (now + TimeDelta::minutes(60)).timestamp() / 3600 * 3600;
            assert_eq!(due.next.map(|next| next.timestamp()), Some(next), "{clock}");
            since = due.until;
        }
    }
}

#[test]
fn intervals_go_on_behind_the_time_at_which_the_job_was_made() {
    let schedule = Schedule::every("1h").unwrap();
    let anchor = utc("2026-03-10T10:20:00Z");
    let job = Timetable { schedule: &schedule, anchor, missed: MissedRule::RunOnce };
    // The clock is set back by two days as soon as the job is made.
    let back = utc("2026-03-08T10:30:00Z");
    let due = job.due(anchor, back);
    assert_eq!((due.runs.len(), due.until, due.next), (0, back, Some(utc("2026-03-08T11:20:00Z"))));
    let due = job.due(due.until, utc("2026-03-08T11:20:00Z"));
    assert_eq!((decided(&due), due.next), (("03-08T11:20".to_owned(), 0), Some(utc("2026-03-08T12:20:00Z"))));
}

#[test]
fn at_most_a_hundred_runs_are_made_at_once_and_the_others_are_counted() {
    let schedule = cron("*/10 * * * *", UTC);
    let due = by(&schedule, MissedRule::All).due(utc("2026-03-10T00:00:00Z"), utc("2026-03-11T00:00:00Z"));
    assert_eq!(
        (due.runs.len(), due.runs.last().copied().map(shown)),
        (CATCH_UP, Some("03-11T00:00".to_owned()))
    );
    let missed = Missed {
        first: utc("2026-03-10T00:10:00Z"),
        last: utc("2026-03-10T07:20:00Z"),
        count: 44,
        or_more: false,
    };
    assert_eq!(due.missed, Some(missed));
}

#[test]
fn years_of_seconds_are_decided_without_walking_through_them() {
    let (since, now) = (utc("2023-03-10T00:00:00Z"), utc("2026-03-10T00:00:00.250Z"));
    for (schedule, rule, runs) in [
        (cron("* * * * * *", Berlin), MissedRule::All, CATCH_UP),
        (cron("* * * * * *", Berlin), MissedRule::RunOnce, 1),
        (Schedule::every("1s").unwrap(), MissedRule::All, CATCH_UP),
    ] {
        let due = Timetable { anchor: since, ..by(&schedule, rule) }.due(since, now);
        assert_eq!((due.runs.len(), due.until), (runs, utc("2026-03-10T00:00:00Z")));
        let seconds = TimeDelta::seconds(i64::try_from(runs).unwrap());
        let missed = due.missed.unwrap();
        assert_eq!((missed.first, missed.last), (since + TimeDelta::seconds(1), due.until - seconds));
        assert_eq!((missed.count, missed.or_more), (1000 - runs, true));
    }
}

/// Looks every five minutes.
#[rstest]
#[case("30 2 * * *", "2026-03-28", &["03-28T01:30", "03-29T01:00", "03-30T00:30"])]
#[case("30 2 * * *", "2026-10-24", &["10-24T00:30", "10-25T00:30", "10-26T01:30"])]
#[case("0 9 * * 1-5", "2026-03-27", &["03-27T08:00", "03-30T07:00", "03-31T07:00"])]
#[case("0 9 * * 1-5", "2026-10-23", &["10-23T07:00", "10-26T08:00", "10-27T08:00"])]
fn a_job_runs_once_a_day_while_the_clocks_change(
    #[case] text: &str,
    #[case] day: &str,
    #[case] expected: &[&str],
) {
    let schedule = cron(text, Berlin);
    let begin = utc(&format!("{day}T00:00:00Z"));
    for rule in MissedRule::ALL {
        let (mut since, mut runs) = (begin, Vec::new());
        for look in 1..5 * 24 * 12 {
            let due = by(&schedule, rule).due(since, begin + TimeDelta::minutes(5 * look));
            assert_eq!(due.missed, None);
            since = due.until;
            runs.extend(due.runs.into_iter().map(shown));
        }
        runs.truncate(expected.len());
        assert_eq!(runs, expected);
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let zone = || {
        prop::sample::select(vec![UTC, Berlin, chrono_tz::America::New_York, chrono_tz::Australia::Lord_Howe])
    };
    prop_oneof![
        (0..60, 0..24, zone()).prop_map(|(minute, hour, zone)| cron(&format!("{minute} {hour} * * *"), zone)),
        (1..60, zone()).prop_map(|(step, zone)| cron(&format!("*/{step} * * * *"), zone)),
        (30..100_000).prop_map(|seconds| Schedule::every(&format!("{seconds}s")).unwrap()),
        (0_i64..40 * 86_400)
            .prop_map(|after| Schedule::At(utc("2026-03-10T00:00:00Z") + TimeDelta::seconds(after))),
    ]
}

fn rules() -> impl Strategy<Value = MissedRule> {
    prop::sample::select(MissedRule::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However the clock moves: what it passes between two looks is decided at the second, all of it and only that.
    #[test]
    fn every_time_that_the_clock_passes_is_decided_once(
        schedule in schedules(),
        rule in rules(),
        steps in prop::collection::vec(
            prop_oneof![4 => 1_i64..120_000, 2 => 1_i64..200_000_000, 1 => -100_000_000_i64..0],
            1..12,
        ),
    ) {
        let job = by(&schedule, rule);
        let mut now = utc("2026-03-20T00:00:00Z");
        let mut since = now;
        for step in steps {
            let before = now;
            now += TimeDelta::milliseconds(step);
            let due = job.due(since, now);
            let passed = all(&schedule, before, now);
            let missed = due.missed.map_or(0, |missed| missed.count);
            if due.missed.is_none_or(|missed| !missed.or_more) {
                prop_assert_eq!(due.runs.len() + missed, passed.len());
            } else {
                prop_assert!(due.runs.len() + missed < passed.len());
            }
            prop_assert!(passed.ends_with(&due.runs) || due.runs.is_empty(), "the runs are the newest times");
            if let Some(missed) = due.missed {
                let late = &passed[..passed.len() - due.runs.len()];
                prop_assert_eq!((late.first(), late.last()), (Some(&missed.first), Some(&missed.last)));
            }
            let most = if rule == MissedRule::All { CATCH_UP } else { 1 };
            prop_assert!(due.runs.len() <= most);
            prop_assert!(rule == MissedRule::Skip || passed.is_empty() || !due.runs.is_empty());
            prop_assert!(due.until <= now && due.next == schedule.next(now, job.anchor));
            since = due.until;
        }
    }

    /// One long pause with the rule `all` makes the same runs as many looks do.
    #[test]
    fn all_makes_up_for_a_pause_completely(schedule in schedules(), looks in prop::collection::vec(1_i64..3000, 1..30)) {
        let job = by(&schedule, MissedRule::All);
        let begin = utc("2026-03-20T00:00:00Z");
        let (mut since, mut now, mut runs) = (begin, begin, BTreeSet::new());
        for look in looks {
            now += TimeDelta::seconds(look);
            let due = job.due(since, now);
            prop_assert!(due.runs.iter().all(|run| runs.insert(*run)), "a run was made twice");
            since = due.until;
        }
        let at_once = job.due(begin, now).runs;
        let newest: Vec<_> = runs.iter().rev().take(CATCH_UP).rev().copied().collect();
        prop_assert_eq!(at_once, newest);
    }
}

#[test]
fn a_look_that_is_a_moment_older_than_the_job_makes_no_run() {
    let schedule = Schedule::every("1h").unwrap();
    let made = utc("2026-03-10T09:00:00.004Z");
    let timetable = Timetable { schedule: &schedule, anchor: made, missed: MissedRule::RunOnce };
    let due = timetable.due(made, utc("2026-03-10T09:00:00Z"));
    assert_eq!((due.runs.len(), due.until, due.next), (0, made, Some(made + TimeDelta::hours(1))));
}
