//! Jobs and time: downtime, clock changes, and a clock that somebody sets.

use std::collections::BTreeSet;
use std::time::Duration;

use frontdesk_core::job::{JobState, MissedRule, RunState, ScheduleKind};
use frontdesk_runtime::config::ConfiguredJob;
use frontdesk_world::World;
use frontdesk_world::wait::until;

use super::{HOUR, announce, ended, hourly, is, job, runs, states, stored, with_jobs};
use crate::tasks::sees;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The longest pause between two looks at the clock.
const LOOK: Duration = Duration::from_secs(60);

fn berlin(id: &str, expr: &str, to: &str) -> ConfiguredJob {
    let mut job = job(id, ScheduleKind::Cron, expr, announce(to));
    job.schedule.timezone = Some("Europe/Berlin".to_owned());
    job
}

#[tokio::test]
async fn after_downtime_each_rule_makes_up_for_what_it_promises() {
    let with = |id: &str, to: &str, missed| ConfiguredJob {
        missed,
        ..job(id, ScheduleKind::Cron, "0 20,4,11 * * *", announce(to))
    };
    let mut world = World::with(with_jobs([
        with("once", "anna", MissedRule::RunOnce),
        with("skip", "ben", MissedRule::Skip),
        with("all", "cleo", MissedRule::All),
    ]))
    .await;
    world.stop().await;
    world.clock().pass(25 * HOUR);
    world.start().await.unwrap();
    let (anna, ben, cleo) = (world.user("anna"), world.user("ben"), world.user("cleo"));
    let told = sees(&anna, "has missed 2 runs").await;
    assert!(told.contains("`once`") || told.contains("once"), "{told}");
    sees(&ben, "has missed 3 runs").await;
    ended(&world, "all", 3).await;
    ended(&world, "once", 2).await;
    ended(&world, "skip", 1).await;
    world.at_rest().await;
    let results =
        |texts: Vec<String>, id: &str| texts.iter().filter(|text| **text == format!("do {id}")).count();
    assert_eq!(
        (results(anna.sees(), "once"), results(ben.sees(), "skip"), results(cleo.sees(), "all")),
        (1, 0, 3)
    );
    assert_eq!((anna.sees().len(), ben.sees().len(), cleo.sees().len()), (2, 1, 3));
    let missed = runs(&world, "skip").await.remove(0);
    assert_eq!(missed.state, RunState::Missed);
    assert_eq!(missed.missed.map(|missed| missed.count), Some(3));
    world.crash().await;
    world.start().await.unwrap();
    world.round_trip().await;
    assert_eq!((anna.sees().len(), ben.sees().len(), cleo.sees().len()), (2, 1, 3), "told once");
}

#[tokio::test]
async fn a_single_time_that_was_missed_for_days_runs_once() {
    let once = job("candles", ScheduleKind::At, "2026-03-28T13:00:00Z", announce("anna"));
    let mut world = World::with(with_jobs([once])).await;
    world.stop().await;
    world.clock().pass(3 * DAY);
    world.start().await.unwrap();
    sees(&world.user("anna"), "do candles").await;
    is(&world, "candles", JobState::Done).await;
    world.clock().pass(DAY);
    world.round_trip().await;
    assert_eq!(
        runs(&world, "candles").await.iter().filter(|run| run.state == RunState::Succeeded).count(),
        1
    );
}

#[tokio::test]
async fn a_clock_that_is_set_makes_no_storm_and_runs_nothing_twice() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    world.clock().pass(HOUR);
    ended(&world, "report", 1).await;
    // A day forward, then an hour and a day back, then the machine sleeps for eight hours.
    for (seconds, most) in [(24 * 3600, 3), (-3600, 3), (-24 * 3600, 5)] {
        world.clock().jump(seconds);
        world.clock().pass(LOOK);
        waits_for_the_next_hour(&world).await;
        let runs = runs(&world, "report").await;
        assert!(runs.len() <= most, "{:?}", states(&runs));
    }
    world.clock().sleep(8 * HOUR);
    world.clock().pass(LOOK);
    waits_for_the_next_hour(&world).await;
    world.at_rest().await;
    let all = runs(&world, "report").await;
    let times: BTreeSet<_> = all.iter().map(|run| run.scheduled).collect();
    assert_eq!(times.len(), all.len(), "{:?}", states(&all));
    assert!(all.len() <= 7, "{:?}", states(&all));
    let results = world.user("anna").sees().iter().filter(|text| *text == "do report").count();
    assert_eq!(results, all.iter().filter(|run| run.state == RunState::Succeeded).count());
}

/// Waits until the next run of the job is within the next hour of the clock, however that was set.
async fn waits_for_the_next_hour(world: &World) {
    until("the next run is within an hour", || async {
        let (next, now) = (stored(world, "report").await.next?, world.handle().clock().wall());
        (next > now && next - now <= chrono::TimeDelta::hours(1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_fixed_time_runs_once_on_both_days_on_which_the_clocks_change() {
    for (start, scheduled) in [("2026-03-28T12:00:00Z", "29 01:00"), ("2026-10-24T12:00:00Z", "25 00:30")] {
        let jobs = [berlin("night", "30 2 * * *", "anna")];
        let world = World::with(with_jobs(jobs).starting(start)).await;
        for _ in 0..24 {
            world.clock().pass(HOUR);
            world.round_trip().await;
        }
        let night = ended(&world, "night", 1).await;
        assert_eq!(states(&night), [(RunState::Succeeded, scheduled.to_owned())]);
    }
}

#[tokio::test]
async fn a_morning_stays_the_morning_over_both_changes() {
    for (start, before, after) in
        [("2026-03-27T07:30:00Z", "27 08:00", "30 07:00"), ("2026-10-23T06:30:00Z", "23 07:00", "26 08:00")]
    {
        let world = World::with(with_jobs([berlin("work", "0 9 * * 1-5", "anna")]).starting(start)).await;
        for n in 0..74 {
            world.clock().pass(HOUR);
            world.round_trip().await;
            if n == 0 {
                ended(&world, "work", 1).await;
            }
        }
        let runs = ended(&world, "work", 2).await;
        let times: Vec<String> = states(&runs).into_iter().map(|(_, time)| time).collect();
        assert_eq!(times, [before, after], "no run on the weekend");
    }
}

#[tokio::test]
async fn a_random_delay_is_bounded_and_the_same_after_a_restart() {
    let jittery = ConfiguredJob { jitter_s: 600, ..hourly("report", "anna") };
    let mut world = World::with(with_jobs([jittery])).await;
    world.clock().pass(HOUR);
    let run = until("the run is due", || async { runs(&world, "report").await.pop() }).await;
    let delay = run.not_before - run.scheduled;
    assert!(delay >= chrono::TimeDelta::zero() && delay <= chrono::TimeDelta::minutes(10), "{delay}");
    assert!(delay > chrono::TimeDelta::zero(), "this job is delayed at that time");
    assert!(world.user("anna").sees().is_empty());
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(runs(&world, "report").await[0].not_before, run.not_before);
    world.clock().pass((delay - chrono::TimeDelta::seconds(1)).to_std().unwrap());
    world.round_trip().await;
    assert!(world.user("anna").sees().is_empty());
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(world.user("anna").hears().await, "do report");
}
