//! Which runs are due, whatever the clock did.

use super::*;

const DAY: i64 = 24 * HOUR;

#[tokio::test]
async fn a_time_that_has_passed_is_one_run_however_often_that_is_decided() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    let due_at = |at| fixture.store.due_runs(t(at));
    assert_eq!(due_at(60).await.unwrap(), DueRuns { made: 0, next: Some(t(HOUR)) });
    assert_eq!(due_at(HOUR).await.unwrap(), DueRuns { made: 1, next: Some(t(2 * HOUR)) });
    assert_eq!(due_at(HOUR).await.unwrap().made, 0);
    let fixture = fixture.restarted(2).await;
    assert_eq!(due(&fixture, HOUR + 30).await, 0);
    assert_eq!(runs(&fixture, &id).await, [(RunState::Due, HOUR)]);
    assert_eq!(stored(&fixture, &id).await.last.unwrap().at, t(HOUR));
}

#[tokio::test]
async fn three_times_that_passed_in_a_day_without_the_gateway_are_one_run_or_none_or_three() {
    let fixture = Fixture::open().await;
    let rules = [(MissedRule::RunOnce, 1), (MissedRule::Skip, 0), (MissedRule::All, 3)];
    for (missed, _) in rules {
        let timing = timing(ScheduleKind::Every, "8h");
        created(&fixture, Job { timing, missed, ..job(missed.name()) }).await;
    }
    let fixture = fixture.restarted(2).await;
    assert_eq!(due(&fixture, 25 * HOUR).await, 4);
    for (rule, made) in rules {
        let id = rule.name().parse().unwrap();
        let (due, missed): (Vec<_>, Vec<_>) =
            runs(&fixture, &id).await.into_iter().partition(|(state, _)| *state == RunState::Due);
        assert_eq!(due.len(), made, "{rule:?}");
        assert_eq!(missed.len(), usize::from(made < 3), "{rule:?}");
        assert_eq!(stored(&fixture, &id).await.next, Some(t(32 * HOUR)));
    }
    let skipped = fixture.store.runs(&"skip".parse().unwrap(), None, 9).await.unwrap();
    let times = MissedTimes { first: t(8 * HOUR), count: 3, or_more: false };
    assert_eq!((skipped[0].missed, skipped[0].scheduled), (Some(times), t(24 * HOUR)));
    let told = told(&fixture).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().any(|text| text.contains("`run_once` has missed 2 runs") && text.contains("makes up"))
    );
    assert!(told.iter().any(|text| text.contains("`skip` has missed 3 runs") && !text.contains("makes up")));
    assert_eq!(due(&fixture, 25 * HOUR).await, 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_no_run_and_hides_none() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    // A day ahead by mistake: most of the times are only counted.
    assert_eq!(due(&fixture, HOUR).await, 1);
    assert_eq!(due(&fixture, HOUR + DAY).await, 1);
    assert_eq!(
        runs(&fixture, &id).await,
        [(RunState::Due, HOUR), (RunState::Missed, DAY), (RunState::Due, HOUR + DAY)]
    );
    // Back again: nothing is due at once, and the next time is a run like any other.
    let back = fixture.store.due_runs(t(HOUR + 600)).await.unwrap();
    assert_eq!((back.made, stored(&fixture, &id).await.next), (0, Some(t(2 * HOUR))));
    assert_eq!(due(&fixture, 2 * HOUR).await, 1);
    for hour in 3..24 {
        assert_eq!(due(&fixture, hour * HOUR).await, 1, "{hour}");
    }
    assert_eq!(due(&fixture, DAY).await, 1, "it was only counted as missed");
    assert_eq!(due(&fixture, HOUR + DAY).await, 0, "it has a run");
    assert_eq!(due(&fixture, 2 * HOUR + DAY).await, 1);
    let runs = runs(&fixture, &id).await;
    assert_eq!(runs.len(), 26);
    assert!(runs.iter().all(|(state, _)| *state == RunState::Due), "{runs:?}");
}

#[tokio::test]
async fn a_run_is_delayed_within_the_bounds_and_always_by_the_same_time() {
    let fixture = Fixture::open().await;
    let jitter = Duration::from_secs(600);
    let mut delays = Vec::new();
    for id in ["a", "b", "c"] {
        let id = created(&fixture, Job { jitter, overlap: OverlapRule::Queue, ..job(id) }).await.job.id;
        for hour in 1..5 {
            due(&fixture, hour * HOUR).await;
        }
        for run in fixture.store.runs(&id, None, 9).await.unwrap() {
            let delay = run.not_before - run.scheduled;
            assert!((0..=600).contains(&delay.num_seconds()), "{delay}");
            delays.push(delay.num_milliseconds());
        }
    }
    let another = Fixture::open().await;
    let id = created(&another, Job { jitter, ..job("a") }).await.job.id;
    due(&another, HOUR).await;
    let run = another.store.runs(&id, None, 1).await.unwrap().remove(0);
    assert!(delays.contains(&(run.not_before - run.scheduled).num_milliseconds()));
    delays.sort_unstable();
    delays.dedup();
    assert!(delays.len() > 8, "{delays:?}");
    let waits = another.store.runs_to_enter(run.not_before - chrono::TimeDelta::milliseconds(1));
    assert_eq!(waits.await.unwrap(), []);
    let next = another.store.due_runs(t(HOUR)).await.unwrap().next;
    assert_eq!(next, Some(run.not_before), "the loop wakes for it");
    assert_eq!(another.store.runs_to_enter(run.not_before).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_that_runs_once_is_done_when_it_has_run_or_was_missed() {
    let fixture = Fixture::open().await;
    let at = timing(ScheduleKind::At, "2027-01-15T09:00:00Z");
    let once = |id| Job { timing: at.clone(), ..job(id) };
    let runs_it = created(&fixture, once("runs")).await;
    assert_eq!(runs_it.next, Some(t(HOUR)));
    created(&fixture, Job { missed: MissedRule::Skip, ..once("skips") }).await;
    assert_eq!(due(&fixture, HOUR + 3 * DAY).await, 1, "one makes up for the missed time");
    assert_eq!(stored(&fixture, &"skips".parse().unwrap()).await.state, JobState::Done);
    let id = runs_it.job.id;
    assert_eq!(stored(&fixture, &id).await.state, JobState::Active);
    let turn = begun(&fixture, HOUR + 3 * DAY).await;
    fixture.finish(answered(&turn, "reminder")).await;
    assert_eq!(stored(&fixture, &id).await.state, JobState::Done);
    let resumed = fixture.store.resume_job(&id, JobReach::All, admin(), t(4 * DAY)).await.unwrap();
    assert_eq!(resumed, JobFound::Over);
    assert_eq!(due(&fixture, 9 * DAY).await, 0);
}

#[tokio::test]
async fn a_queue_of_runs_does_not_grow_for_ever() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, Job { overlap: OverlapRule::Queue, ..job("slow") }).await.job.id;
    for hour in 1..=103 {
        due(&fixture, hour * HOUR).await;
    }
    let runs = runs(&fixture, &id).await;
    let waiting = runs.iter().filter(|(state, _)| *state == RunState::Due).count();
    assert_eq!((waiting, runs.len()), (100, 103));
}
