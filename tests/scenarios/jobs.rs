//! Scheduled jobs: each run happens once, whatever happens to the gateway and to the clock, and finds its chat.

mod budgets;
mod changes;
mod clock;
mod ends;
mod tool;
mod webhooks;

use std::time::Duration;

use frontdesk_core::agent::Origin;
use frontdesk_core::job::{JobId, JobState, MissedRule, OverlapRule, RunState, ScheduleKind};
use frontdesk_core::prompt;
use frontdesk_runtime::config::{ConfiguredJob, JobMode, JobSchedule, JobTarget, JobTargetTable};
use frontdesk_store::row::{JobReach, JobRow, RunRow};
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World, plan};

use crate::tasks::sees;

const HOUR: Duration = Duration::from_secs(3600);

/// A job of the file, every hour, whose results go to this chat.
pub fn hourly(id: &str, to: &str) -> ConfiguredJob {
    job(id, ScheduleKind::Every, "1h", announce(to))
}

pub fn job(id: &str, kind: ScheduleKind, expr: &str, delivery: JobTarget) -> ConfiguredJob {
    ConfiguredJob {
        id: id.to_owned(),
        task: format!("do {id}"),
        agent: None,
        owner: None,
        delivery,
        resume_context: false,
        missed: MissedRule::default(),
        overlap: OverlapRule::default(),
        jitter_s: 0,
        retries: 0,
        enabled: true,
        schedule: JobSchedule { kind, expr: expr.to_owned(), timezone: None },
    }
}

pub fn announce(to: &str) -> JobTarget {
    JobTarget::Table(JobTargetTable { mode: JobMode::Announce, to: Some(format!("fake:{to}")), url: None })
}

/// The default settings with these jobs in the file.
pub fn with_jobs(jobs: impl IntoIterator<Item = ConfiguredJob>) -> Plan {
    plan().with(|config| config.jobs = jobs.into_iter().collect())
}

pub fn id(name: &str) -> JobId {
    name.parse().unwrap()
}

/// The job of this name.
pub async fn stored(world: &World, name: &str) -> JobRow {
    world.store().job(&id(name), JobReach::All).await.unwrap().expect("there is such a job")
}

/// The runs of a job, the oldest first.
pub async fn runs(world: &World, name: &str) -> Vec<RunRow> {
    let mut runs = world.store().runs(&id(name), None, 1000).await.unwrap();
    runs.reverse();
    runs
}

/// Waits until a job has this number of runs and all of them have ended.
pub async fn ended(world: &World, name: &str, count: usize) -> Vec<RunRow> {
    until(&format!("{name} has {count} ended runs"), || async {
        let runs = runs(world, name).await;
        (runs.len() == count && runs.iter().all(|run| run.state.has_ended())).then_some(runs)
    })
    .await
}

/// Waits until a job is in this state.
pub async fn is(world: &World, name: &str, state: JobState) -> JobRow {
    until(&format!("{name} is {}", state.name()), || async {
        Some(stored(world, name).await).filter(|job| job.state == state)
    })
    .await
}

/// The states of runs with the times for which they were scheduled.
pub fn states(runs: &[RunRow]) -> Vec<(RunState, String)> {
    runs.iter().map(|run| (run.state, run.scheduled.format("%d %H:%M").to_string())).collect()
}

#[tokio::test]
async fn a_job_runs_at_its_time_and_its_result_comes_to_its_chat() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    let anna = world.user("anna");
    let next = "2026-03-28T13:00:00Z".parse().ok();
    assert_eq!(stored(&world, "report").await.next, next);
    let status = world.handle().status().await.unwrap();
    assert_eq!((status.jobs, status.next_run), (1, next));
    world.clock().pass(HOUR - Duration::from_secs(1));
    world.round_trip().await;
    assert_eq!((runs(&world, "report").await.len(), anna.sees().len()), (0, 0));
    world.agent().will([Step::Say("All is **well**.")]);
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(anna.hears().await, "All is <b>well</b>.");
    let first = ended(&world, "report", 1).await.remove(0);
    assert_eq!((first.state, first.result.as_deref()), (RunState::Succeeded, Some("All is **well**.")));
    let turn = world.agent().turns().remove(0);
    assert_eq!((turn.origin, turn.session.as_str()), (Origin::Job, "agent:main:fake:job:report"));
    assert_eq!(prompt::text(&turn), "do report");
    world.clock().pass(HOUR);
    assert_eq!(anna.hears().await, "do report");
    let runs = ended(&world, "report", 2).await;
    assert_eq!(
        states(&runs),
        [(RunState::Succeeded, "28 13:00".to_owned()), (RunState::Succeeded, "28 14:00".to_owned())]
    );
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 2);
}

#[tokio::test]
async fn each_run_begins_a_conversation_unless_they_share_one() {
    let shared = ConfiguredJob { resume_context: true, ..hourly("shared", "ben") };
    let world = World::with(with_jobs([hourly("fresh", "anna"), shared])).await;
    for n in 1..=3 {
        world.clock().pass(HOUR);
        ended(&world, "fresh", n).await;
        ended(&world, "shared", n).await;
    }
    let epochs = |name: &str| {
        let turns = world.agent().turns().into_iter();
        let of_job = turns.filter(|turn| turn.session.id() == name).map(|turn| turn.epoch);
        of_job.collect::<std::collections::BTreeSet<u64>>().len()
    };
    assert_eq!((epochs("fresh"), epochs("shared")), (3, 1));
}

#[tokio::test]
async fn a_run_that_is_due_during_another_is_skipped_or_waits() {
    let queue = ConfiguredJob { overlap: OverlapRule::Queue, ..hourly("queue", "ben") };
    let world = World::with(with_jobs([hourly("skip", "anna"), queue])).await;
    world.agent().will([Step::Pause, Step::Say("late")]);
    world.agent().will([Step::Pause, Step::Say("late")]);
    world.clock().pass(HOUR);
    world.agent().begun(2).await;
    world.clock().pass(HOUR);
    until("the second run of one job is skipped, and that of the other waits", || async {
        let last = runs(&world, "skip").await.pop().map(|run| run.state);
        (last == Some(RunState::Skipped) && runs(&world, "queue").await.len() == 2).then_some(())
    })
    .await;
    world.agent().resume();
    world.agent().resume();
    let skipped = ended(&world, "skip", 2).await;
    let queued = ended(&world, "queue", 2).await;
    let of = |runs: &[RunRow]| runs.iter().map(|run| run.state).collect::<Vec<_>>();
    assert_eq!(of(&skipped), [RunState::Succeeded, RunState::Skipped]);
    assert_eq!(of(&queued), [RunState::Succeeded, RunState::Succeeded]);
    world.at_rest().await;
    assert_eq!((world.user("anna").sees().len(), world.user("ben").sees().len()), (1, 2));
}

#[tokio::test]
async fn a_run_with_nothing_to_say_says_nothing() {
    let world = World::with(with_jobs([hourly("watch", "anna")])).await;
    world.agent().will([Step::Say("NO_"), Step::Say("REPLY")]);
    world.clock().pass(HOUR);
    let run = ended(&world, "watch", 1).await.remove(0);
    assert_eq!(run.state, RunState::Succeeded);
    world.clock().pass(HOUR);
    assert_eq!(world.user("anna").hears().await, "do watch");
}

#[tokio::test]
async fn a_result_does_not_put_off_a_new_conversation() {
    let world =
        World::with(plan().reset_idle(90).with(|config| config.jobs = vec![hourly("report", "anna")])).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    anna.hears().await;
    world.clock().pass(HOUR);
    sees(&anna, "do report").await;
    world.clock().pass(HOUR);
    ended(&world, "report", 2).await;
    anna.says("still here").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2, "two hours without a message of hers");
}

#[tokio::test]
async fn results_go_to_the_owner_in_private_or_nowhere() {
    let direct = ConfiguredJob {
        owner: Some("fake:anna".to_owned()),
        ..job("direct", ScheduleKind::Every, "1h", JobTarget::Mode(JobMode::Direct))
    };
    let silent = job("silent", ScheduleKind::Every, "1h", JobTarget::Mode(JobMode::Silent));
    let world = World::with(with_jobs([direct, silent])).await;
    world.clock().pass(HOUR);
    assert_eq!(world.user("anna").hears().await, "do direct");
    let run = ended(&world, "silent", 1).await.remove(0);
    assert_eq!((run.state, run.result.as_deref()), (RunState::Succeeded, Some("do silent")));
    world.at_rest().await;
    assert_eq!((world.user("anna").sees().len(), world.user("root").sees().len()), (1, 0));
}

#[tokio::test]
async fn a_run_survives_a_crash_and_its_result_comes_once() {
    let mut world = World::with(with_jobs([hourly("report", "anna")])).await;
    world.agent().will([Step::Say("half"), Step::Hang]);
    world.clock().pass(HOUR);
    world.agent().begun(1).await;
    world.crash().await;
    world.agent().will([Step::Say("whole")]);
    world.start().await.unwrap();
    assert_eq!(world.user("anna").hears().await, "whole");
    let run = ended(&world, "report", 1).await.remove(0);
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!((world.user("anna").sees().len(), runs(&world, "report").await.len()), (1, 1));
}
