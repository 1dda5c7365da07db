//! Jobs are made, paused, run by hand, removed, and changed with the configuration.

use frontdesk_core::address::Principal;
use frontdesk_core::job::{JobSource, JobState, RunState};
use frontdesk_runtime::config::{JobChange, JobDraft};
use frontdesk_runtime::{GatewayError, JobFault, JobRequest};
use frontdesk_store::row::JobReach;
use frontdesk_world::{Step, World, operator};
use serde_json::{Value, json};

use super::{HOUR, ended, hourly, id, is, runs, stored, with_jobs};

/// A request for an hourly job in the name of this person.
pub fn request(owner: &str, name: &str, to: &str) -> JobRequest {
    let draft = json!({
        "id": name, "task": format!("do {name}"), "schedule": {"kind": "every", "expr": "1h"},
        "delivery": {"mode": "announce", "to": format!("fake:{to}")},
    });
    asked(owner, draft)
}

fn asked(owner: &str, draft: Value) -> JobRequest {
    let draft: JobDraft = serde_json::from_value(draft).unwrap();
    let owner: Principal = format!("fake:{owner}").parse().unwrap();
    JobRequest { owner, source: JobSource::Api, key: None, draft }
}

#[tokio::test]
async fn a_job_that_is_made_at_run_time_runs_and_a_repeated_request_is_one_job() {
    let mut world = World::new().await;
    let request = JobRequest { key: Some("k".to_owned()), ..request("anna", "report", "anna") };
    let made = world.handle().create_job(request.clone()).await.unwrap();
    assert_eq!(world.handle().create_job(request.clone()).await.unwrap().job, made.job);
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(world.handle().create_job(request.clone()).await.unwrap().job, made.job);
    let mut other = request.clone();
    other.draft.task = "something else".to_owned();
    let conflict = world.handle().create_job(other).await.unwrap_err();
    assert!(matches!(conflict, GatewayError::Job(JobFault::Conflict)), "{conflict}");
    let taken = world.handle().create_job(JobRequest { key: None, ..request }).await.unwrap_err();
    assert!(matches!(taken, GatewayError::Job(JobFault::Exists(_))), "{taken}");
    world.clock().pass(HOUR);
    assert_eq!(world.user("anna").hears().await, "do report");
}

#[tokio::test]
async fn only_a_chat_in_which_its_owner_may_write_gets_the_results_of_a_job() {
    let world = World::new().await;
    let denied = world.handle().create_job(request("anna", "spy", "-7")).await.unwrap_err();
    assert!(matches!(denied, GatewayError::Job(JobFault::NotAllowed)), "{denied}");
    world.handle().create_job(request("root", "news", "-7")).await.unwrap();
    world.handle().create_job(request("anna", "group", "-1")).await.unwrap();
    let own = world.handle().job_reach(&"fake:anna".parse().unwrap());
    assert!(world.handle().job(&id("news"), own.clone()).await.is_err());
    assert!(world.handle().pause_job(&id("news"), own.clone(), operator()).await.is_err());
    assert!(world.handle().remove_job(&id("news"), own.clone(), operator()).await.is_err());
    assert!(world.handle().job(&id("group"), own).await.is_ok());
    assert_eq!(world.handle().job_reach(&"fake:root".parse().unwrap()), JobReach::All);
}

#[tokio::test]
async fn a_job_that_can_never_run_or_makes_no_sense_is_refused() {
    let world = World::new().await;
    let base = json!({"task": "x", "schedule": {"kind": "every", "expr": "1h"}, "delivery": "silent"});
    for (field, value, says) in [
        ("schedule", json!({"kind": "at", "expr": "2026-03-28T11:00:00Z"}), "is over"),
        ("schedule", json!({"kind": "cron", "expr": "soon"}), "schedule.expr"),
        ("schedule", json!({"kind": "cron", "expr": "@daily", "timezone": "Berlin"}), "schedule.timezone"),
        ("task", json!("  "), "no task"),
        ("delivery", json!("announce"), "needs a chat"),
        ("delivery", json!({"mode": "announce", "to": "nowhere:1"}), "delivery.to"),
        ("delivery", json!({"mode": "webhook", "url": "https://example.com"}), "cron.webhook_secret"),
        ("agent", json!("nobody"), "there is no agent"),
        ("id", json!("a b"), "not the id of a job"),
        ("retries", json!(11), "at most 10"),
    ] {
        let mut draft = base.clone();
        draft[field] = value;
        let error = world.handle().create_job(asked("anna", draft)).await.unwrap_err().to_string();
        assert!(error.contains(says), "{field}: {error}");
    }
    let made = world.handle().create_job(asked("anna", base)).await.unwrap();
    assert!(made.job.id.as_str().starts_with("job-"), "{}", made.job.id);
}

#[tokio::test]
async fn times_that_pass_during_a_pause_are_not_made_up_for() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    world.handle().pause_job(&id("report"), JobReach::All, operator()).await.unwrap();
    world.clock().pass(3 * HOUR + HOUR / 2);
    world.round_trip().await;
    let resumed = world.handle().resume_job(&id("report"), JobReach::All, operator()).await.unwrap();
    assert_eq!(resumed.next, "2026-03-28T16:00:00Z".parse().ok());
    assert!(runs(&world, "report").await.is_empty());
    world.clock().pass(HOUR / 2);
    assert_eq!(world.user("anna").hears().await, "do report");
    assert_eq!(ended(&world, "report", 1).await[0].state, RunState::Succeeded);
    assert_eq!(world.user("anna").sees().len(), 1);
}

#[tokio::test]
async fn a_job_runs_by_hand_also_while_it_is_paused() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    world.handle().pause_job(&id("report"), JobReach::All, operator()).await.unwrap();
    world.agent().will([Step::Pause, Step::Say("now")]);
    world.handle().run_job(&id("report"), JobReach::All, operator()).await.unwrap();
    world.agent().begun(1).await;
    let again = world.handle().run_job(&id("report"), JobReach::All, operator()).await.unwrap_err();
    assert!(again.to_string().contains("has not ended"), "{again}");
    world.agent().resume();
    assert_eq!(world.user("anna").hears().await, "now");
    let run = ended(&world, "report", 1).await.remove(0);
    assert!(run.manual && run.state == RunState::Succeeded, "{run:?}");
    assert_eq!(stored(&world, "report").await.state, JobState::Paused);
}

#[tokio::test]
async fn a_job_that_is_removed_stops_its_run() {
    let world = World::new().await;
    world.handle().create_job(request("anna", "report", "anna")).await.unwrap();
    world.agent().will([Step::Hang]);
    world.clock().pass(HOUR);
    world.agent().begun(1).await;
    world.handle().remove_job(&id("report"), JobReach::All, operator()).await.unwrap();
    world.at_rest().await;
    assert!(!world.agent().aborted().is_empty(), "its agent is stopped");
    let gone = world.handle().job(&id("report"), JobReach::All).await.unwrap_err();
    assert!(matches!(gone, GatewayError::Job(JobFault::Unknown(_))), "{gone}");
    world.clock().pass(HOUR);
    world.round_trip().await;
    assert!(world.user("anna").sees().is_empty());
}

#[tokio::test]
async fn a_changed_job_follows_its_new_schedule() {
    let world = World::with(with_jobs([hourly("file", "anna")])).await;
    world.handle().create_job(request("anna", "report", "anna")).await.unwrap();
    let change: JobChange =
        serde_json::from_value(json!({"schedule": {"kind": "every", "expr": "30m"}, "task": "hurry"}))
            .unwrap();
    let of_file = world.handle().change_job(&id("file"), JobReach::All, change.clone(), operator()).await;
    assert!(matches!(of_file, Err(GatewayError::Job(JobFault::OfFile(_)))), "{of_file:?}");
    let changed = world.handle().change_job(&id("report"), JobReach::All, change, operator()).await.unwrap();
    assert_eq!(changed.next, "2026-03-28T12:30:00Z".parse().ok());
    world.clock().pass(HOUR / 2);
    assert_eq!(world.user("anna").hears().await, "hurry");
    let change: JobChange =
        serde_json::from_value(json!({"delivery": {"mode": "announce", "to": "fake:-7"}})).unwrap();
    let denied = world.handle().change_job(&id("report"), JobReach::All, change, operator()).await;
    assert!(matches!(denied, Err(GatewayError::Job(JobFault::NotAllowed))), "{denied:?}");
}

#[tokio::test]
async fn a_reload_adds_changes_and_removes_jobs_of_the_file() {
    let mut world = World::with(with_jobs([hourly("stays", "anna"), hourly("goes", "ben")])).await;
    world.handle().create_job(request("anna", "mine", "anna")).await.unwrap();
    world.handle().pause_job(&id("stays"), JobReach::All, operator()).await.unwrap();
    // The scheduler has looked at the clock, which half an hour passes now.
    world.asleep(HOUR / 60).await;
    world.clock().pass(HOUR / 2);
    let later = [hourly("stays", "anna"), hourly("comes", "cleo"), hourly("mine", "ben")];
    world
        .reload()
        .plan(|plan| plan.with(|config| config.jobs = later.into()))
        .apply(&mut world)
        .await
        .unwrap();
    assert_eq!(stored(&world, "stays").await.state, JobState::Paused, "what somebody asked for stays");
    assert_eq!(stored(&world, "comes").await.next, "2026-03-28T13:30:00Z".parse().ok());
    assert!(world.store().job(&id("goes"), JobReach::All).await.unwrap().is_none());
    let clash = stored(&world, "mine").await;
    assert_eq!((clash.source, clash.owner.id.id()), (JobSource::Api, "anna"));
    let problems = world.handle().status().await.unwrap().unconfigured;
    assert!(problems.iter().any(|problem| problem.contains("job mine is not in use")), "{problems:?}");
    world.clock().pass(HOUR);
    world.user("cleo").hears().await;
    world.user("anna").hears().await;
    world.at_rest().await;
    assert_eq!((world.user("ben").sees().len(), world.user("anna").sees().len()), (0, 1));
}

#[tokio::test]
async fn no_job_runs_while_jobs_are_switched_off() {
    let mut world =
        World::with(with_jobs([hourly("report", "anna")]).with(|config| config.cron.enabled = false)).await;
    world.clock().pass(2 * HOUR);
    world.round_trip().await;
    assert!(runs(&world, "report").await.is_empty());
    assert!(world.handle().run_job(&id("report"), JobReach::All, operator()).await.is_err());
    world
        .reload()
        .plan(|plan| plan.with(|config| config.cron.enabled = true))
        .apply(&mut world)
        .await
        .unwrap();
    is(&world, "report", JobState::Active).await;
    world.user("anna").hears().await;
}
