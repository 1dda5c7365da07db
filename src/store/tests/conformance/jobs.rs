//! Scheduled jobs: they are made, changed and deleted.

mod due;
mod ending;
mod entering;
mod gone;
mod hooks;
mod synced;

use std::time::Duration;

use frontdesk_core::id::RunId;
use frontdesk_core::job::*;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_core::zone::parse_zone;
use frontdesk_store::row::*;

use crate::fixture::*;

const HOUR: i64 = 3600;

/// A job of every hour.
fn job(id: &str) -> Job {
    Job {
        id: id.parse().unwrap(),
        agent: "main".into(),
        timing: timing(ScheduleKind::Every, "1h"),
        task: format!("do {id}"),
        delivery: JobDelivery::Announce(address("anna")),
        resume_context: false,
        missed: MissedRule::RunOnce,
        overlap: OverlapRule::Skip,
        jitter: Duration::ZERO,
        retries: 0,
    }
}

fn timing(kind: ScheduleKind, expr: &str) -> Timing {
    Timing::parse(kind, expr, parse_zone("UTC").unwrap()).unwrap()
}

fn place() -> JobPlace {
    JobPlace { account: key("anna").account().clone(), chat: Some(chat()) }
}

/// The chat of the results.
fn chat() -> JobChat {
    JobChat { address: address("anna"), session: Some(key("anna")) }
}

fn new(job: Job) -> NewJob {
    NewJob {
        request: Some(format!("request {}", job.id)),
        job,
        place: place(),
        source: JobSource::Chat,
        owner: Sender::new(person("anna"), SenderKind::Person),
        origin: Some(key("anna")),
        most: MostJobs { total: 100, per_person: 100 },
    }
}

async fn created(fixture: &Fixture, job: Job) -> JobRow {
    match fixture.store.create_job(new(job), t(0)).await.unwrap() {
        JobCreated::Stored(job) => *job,
        other => panic!("{other:?}"),
    }
}

async fn stored(fixture: &Fixture, id: &JobId) -> JobRow {
    fixture.store.job(id, JobReach::All).await.unwrap().expect("a job")
}

/// How many runs become due.
async fn due(fixture: &Fixture, at: i64) -> u64 {
    fixture.store.due_runs(t(at)).await.unwrap().made
}

/// The states of the runs of a job, the oldest first, with the seconds for which they were scheduled.
async fn runs(fixture: &Fixture, id: &JobId) -> Vec<(RunState, i64)> {
    let mut runs = fixture.store.runs(id, None, 1000).await.unwrap();
    runs.reverse();
    runs.iter().map(|run| (run.state, (run.scheduled - t(0)).num_seconds())).collect()
}

async fn run_row(fixture: &Fixture, run: RunId) -> RunRow {
    fixture.store.run(run).await.unwrap().expect("a run")
}

/// Lets every run begin that may; returns what became of each.
async fn enter(fixture: &Fixture, at: i64) -> Vec<(RunId, Entered)> {
    let mut all = Vec::new();
    for run in fixture.store.runs_to_enter(t(at)).await.unwrap() {
        let entered = fixture.store.enter_run(run.run, Entrance::Begin(chat()), t(at)).await.unwrap();
        all.push((run.run, entered));
    }
    all
}

/// The turn of the run that is due next.
async fn begun(fixture: &Fixture, at: i64) -> ClaimedTurn {
    due(fixture, at).await;
    let (run, session) = entered(fixture, at).await;
    let turn = claimed(fixture, &session, at).await;
    assert_eq!(turn.job.as_ref().map(|job| job.run), Some(run));
    turn
}

/// The one run that begins, and its session.
async fn entered(fixture: &Fixture, at: i64) -> (RunId, SessionKey) {
    let entered = enter(fixture, at).await;
    let [(run, Entered::Begun(session))] = entered.as_slice() else { panic!("{entered:?}") };
    (*run, session.clone())
}

async fn claimed(fixture: &Fixture, session: &SessionKey, at: i64) -> ClaimedTurn {
    fixture.store.claim_turn(session, ONE, t(at)).await.unwrap().expect("a turn")
}

/// The parts that were stored for chats, the oldest first.
async fn told(fixture: &Fixture) -> Vec<String> {
    let mut rows = fixture.store.parts(None, None, 1000).await.unwrap();
    rows.reverse();
    rows.into_iter().map(|row| row.post.part.plain).collect()
}

#[tokio::test]
async fn a_request_makes_one_job_and_an_id_names_one() {
    let fixture = Fixture::open().await;
    let first = created(&fixture, job("report")).await;
    assert_eq!((first.state, first.next, first.anchor), (JobState::Active, Some(t(HOUR)), t(0)));
    assert_eq!(first.session.as_str(), "agent:main:telegram:job:report");
    let create = |new: NewJob, at: i64| fixture.store.create_job(new, t(at));
    assert_eq!(
        create(new(job("report")), 9).await.unwrap(),
        JobCreated::Known(Box::new(first.clone())),
        "the same request"
    );
    let other = NewJob { request: None, ..new(job("report")) };
    assert_eq!(create(other, 9).await.unwrap(), JobCreated::IdTaken);
    let late = Job { timing: timing(ScheduleKind::At, "2020-01-01T00:00:00Z"), ..job("late") };
    assert_eq!(create(new(late), 9).await.unwrap(), JobCreated::Over);
    let with = |total, per_person| NewJob { most: MostJobs { total, per_person }, ..new(job("more")) };
    assert_eq!(create(with(9, 1), 9).await.unwrap(), JobCreated::PersonFull);
    assert_eq!(create(with(1, 9), 9).await.unwrap(), JobCreated::Full);
    assert_eq!(fixture.store.job_totals().await.unwrap(), (1, Some(t(HOUR))));
    let fixture = fixture.restarted(2).await;
    assert_eq!(stored(&fixture, &first.job.id).await, first, "it reads back as it was stored");
}

#[tokio::test]
async fn a_job_is_seen_and_changed_within_reach_only() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    let strangers = [JobReach::Own(person("bob")), JobReach::Chat(key("bob"))];
    for reach in strangers {
        assert_eq!(fixture.store.job(&id, reach.clone()).await.unwrap(), None);
        let (store, by) = (&fixture.store, admin());
        assert_eq!(store.pause_job(&id, reach.clone(), by.clone(), t(1)).await.unwrap(), JobFound::Unknown);
        assert_eq!(store.resume_job(&id, reach.clone(), by.clone(), t(1)).await.unwrap(), JobFound::Unknown);
        assert_eq!(store.run_job_now(&id, reach.clone(), by.clone(), t(1)).await.unwrap(), JobFound::Unknown);
        let patch = JobPatch::default();
        assert_eq!(
            store.patch_job(&id, reach.clone(), patch, by.clone(), t(1)).await.unwrap(),
            JobFound::Unknown
        );
        assert_eq!(store.delete_job(&id, reach.clone(), by, t(1)).await.unwrap(), JobFound::Unknown);
        let filter = JobFilter { reach, state: None, after: None };
        assert_eq!(store.jobs(filter, 9).await.unwrap(), []);
    }
    for reach in [JobReach::Own(person("anna")), JobReach::Chat(key("anna")), JobReach::All] {
        assert!(fixture.store.job(&id, reach.clone()).await.unwrap().is_some());
        let filter = |state| JobFilter { reach: reach.clone(), state, after: None };
        assert_eq!(fixture.store.jobs(filter(Some(JobState::Active)), 9).await.unwrap().len(), 1);
        assert_eq!(fixture.store.jobs(filter(Some(JobState::Paused)), 9).await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_paused_job_misses_nothing_and_makes_up_for_nothing() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    due(&fixture, HOUR).await;
    let pause = |at| fixture.store.pause_job(&id, JobReach::All, admin(), t(at));
    let JobFound::Done(paused) = pause(HOUR + 1).await.unwrap() else { panic!() };
    assert_eq!(
        (paused.state, paused.reason, paused.next),
        (JobState::Paused, Some(PauseReason::Asked), None)
    );
    assert_eq!(pause(HOUR + 2).await.unwrap(), JobFound::NotNow(JobState::Paused));
    assert_eq!(due(&fixture, 9 * HOUR).await, 0);
    let resume = |at| fixture.store.resume_job(&id, JobReach::All, admin(), t(at));
    let JobFound::Done(resumed) = resume(9 * HOUR + 60).await.unwrap() else { panic!() };
    assert_eq!((resumed.state, resumed.reason), (JobState::Active, None));
    assert_eq!(resumed.next, Some(t(10 * HOUR)), "its intervals begin where they began");
    assert_eq!(resume(9 * HOUR + 61).await.unwrap(), JobFound::NotNow(JobState::Active));
    assert_eq!(due(&fixture, 10 * HOUR).await, 1);
    let all = runs(&fixture, &id).await;
    assert_eq!(all, [(RunState::Skipped, HOUR), (RunState::Due, 10 * HOUR)]);
    assert_eq!(told(&fixture).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_changed_schedule_begins_anew_and_any_other_change_does_not() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    let patch = |patch, at| fixture.store.patch_job(&id, JobReach::All, patch, admin(), t(at));
    let text = JobPatch { task: Some("else".into()), agent: Some("b".into()), ..JobPatch::default() };
    let JobFound::Done(changed) = patch(text, 60).await.unwrap() else { panic!() };
    assert_eq!((changed.job.task.as_str(), changed.next, changed.updated), ("else", Some(t(HOUR)), t(60)));
    assert_eq!(changed.session.as_str(), "agent:b:telegram:job:report");
    let delivery = Some((JobDelivery::Silent, JobPlace { chat: None, ..place() }));
    let silent = JobPatch { delivery, ..JobPatch::default() };
    let JobFound::Done(changed) = patch(silent, 61).await.unwrap() else { panic!() };
    assert_eq!((changed.job.delivery, changed.chat), (JobDelivery::Silent, None));
    let often = JobPatch { timing: Some(timing(ScheduleKind::Every, "10m")), ..JobPatch::default() };
    let JobFound::Done(changed) = patch(often, 120).await.unwrap() else { panic!() };
    assert_eq!((changed.anchor, changed.next), (t(120), Some(t(720))));
    let over = timing(ScheduleKind::At, "2020-01-01T00:00:00Z");
    let over = JobPatch { timing: Some(over), ..JobPatch::default() };
    assert_eq!(patch(over, 121).await.unwrap(), JobFound::Over);
    assert_eq!(stored(&fixture, &id).await.next, Some(t(720)), "nothing was changed");
}

#[tokio::test]
async fn a_job_is_run_at_once_in_every_state_and_one_such_run_at_a_time() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    let now = |at| fixture.store.run_job_now(&id, JobReach::All, admin(), t(at));
    fixture.store.pause_job(&id, JobReach::All, admin(), t(1)).await.unwrap();
    let JobFound::Done(run) = now(2).await.unwrap() else { panic!() };
    assert_eq!(now(2).await.unwrap(), JobFound::NotNow(JobState::Paused));
    let turn = begun(&fixture, 2).await;
    assert_eq!(now(2).await.unwrap(), JobFound::NotNow(JobState::Paused), "it has not ended");
    fixture.finish(answered(&turn, "done")).await;
    let row = run_row(&fixture, run).await;
    assert_eq!((row.manual, row.state, row.scheduled), (true, RunState::Succeeded, t(2)));
    assert_eq!(stored(&fixture, &id).await.state, JobState::Paused);
    let JobFound::Done(again) = now(2).await.unwrap() else { panic!("in the same instant") };
    assert!(again > run);
}
