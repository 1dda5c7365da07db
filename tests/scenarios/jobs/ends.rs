//! How runs of jobs end without a result, and who is told.

use std::time::Duration;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::address::Principal;
use frontdesk_core::job::{JobState, PauseReason, RunState};
use frontdesk_runtime::config::ConfiguredJob;
use frontdesk_runtime::{GatewayError, JobFault};
use frontdesk_store::row::{AccessChange, JobReach, RunReason, Scope};
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, operator, plan};

use super::{HOUR, ended, hourly, id, is, runs, stored, with_jobs};
use crate::tasks::sees;

#[tokio::test]
async fn the_first_failure_is_told_and_the_fifth_disables_the_job() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    let anna = world.user("anna");
    for n in 1..=5 {
        world.agent().will([Step::Fail]);
        world.clock().pass(HOUR);
        ended(&world, "report", n).await;
    }
    let job = is(&world, "report", JobState::Disabled).await;
    assert_eq!((job.reason, job.failures, job.next), (Some(PauseReason::Failures), 5, None));
    // The watchdog may tell the admin other things.
    sees(&world.user("root"), "frontdesk cron resume report").await;
    until("the chat is told", || async { (anna.sees().len() == 2).then_some(()) }).await;
    let told = anna.sees();
    assert!(told[0].contains("failed.") && told[1].contains("5 times in a row"), "{told:?}");
    world.clock().pass(HOUR);
    world.round_trip().await;
    assert_eq!(runs(&world, "report").await.len(), 5);

    world.handle().resume_job(&id("report"), JobReach::All, operator()).await.unwrap();
    world.agent().will([Step::Fail]);
    world.clock().pass(HOUR);
    ended(&world, "report", 6).await;
    let job = stored(&world, "report").await;
    assert_eq!((job.state, job.failures), (JobState::Active, 1), "it counts from nothing again");
}

#[tokio::test]
async fn a_retry_that_succeeds_tells_nothing_of_the_failures() {
    let world = World::with(with_jobs([ConfiguredJob { retries: 2, ..hourly("report", "anna") }])).await;
    for script in [[Step::Fail], [Step::Fail], [Step::Say("at last")]] {
        world.agent().will(script);
    }
    world.clock().pass(HOUR);
    for tries in 1..=2 {
        until("the run waits for its next try", || async {
            runs(&world, "report").await.iter().any(|run| run.tries == tries).then_some(())
        })
        .await;
        world.clock().pass(Duration::from_secs(120));
    }
    assert_eq!(world.user("anna").hears().await, "at last");
    let run = ended(&world, "report", 1).await.remove(0);
    assert_eq!((run.state, run.tries), (RunState::Succeeded, 2));
    world.at_rest().await;
    assert_eq!(world.user("anna").sees(), ["at last"]);
    assert_eq!(stored(&world, "report").await.failures, 0);
}

#[tokio::test]
async fn a_run_that_has_acted_is_not_tried_again() {
    let mut world = World::with(with_jobs([ConfiguredJob { retries: 2, ..hourly("pay", "anna") }])).await;
    world.agent().will([Step::Say("I begin. "), Step::Tool("pay"), Step::Hang]);
    world.clock().pass(HOUR);
    until("the tool has run", || async { (!world.agent().tools().is_empty()).then_some(()) }).await;
    world.crash().await;
    world.start().await.unwrap();
    let told = sees(&world.user("anna"), "failed").await;
    assert!(told.contains("I begin."), "{told}");
    let run = ended(&world, "pay", 1).await.remove(0);
    assert_eq!(run.state, RunState::Failed);
    world.clock().pass(Duration::from_secs(600));
    world.round_trip().await;
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn a_job_of_somebody_who_lost_access_is_paused_and_the_admins_are_told() {
    let owned = ConfiguredJob { owner: Some("fake:anna".to_owned()), ..hourly("report", "anna") };
    let strangers = plan().access(|access| access.dm_policy = DmPolicy::Pairing);
    let world = World::with(strangers.with(|config| config.jobs = vec![owned])).await;
    let anna: Principal = "fake:anna".parse().unwrap();
    let grant = AccessChange::Grant { principal: anna.clone(), scope: Scope::Dm };
    world.handle().change_access(grant, operator()).await.unwrap();
    world.clock().pass(HOUR);
    ended(&world, "report", 1).await;
    let revoke = AccessChange::Revoke { principal: anna, scope: None, also: Vec::new(), private: None };
    world.handle().change_access(revoke, operator()).await.unwrap();
    world.clock().pass(HOUR);
    let job = is(&world, "report", JobState::Paused).await;
    assert_eq!(job.reason, Some(PauseReason::Revoked));
    let told = sees(&world.user("root"), "lost access").await;
    assert!(told.contains("report"), "{told}");
    assert_eq!(world.agent().turns().len(), 1);
    let resumed = world.handle().resume_job(&id("report"), JobReach::All, operator()).await;
    assert!(matches!(resumed, Err(GatewayError::Job(JobFault::NotAllowed))), "{resumed:?}");
}

#[tokio::test]
async fn a_run_that_somebody_stops_is_no_failure() {
    let world = World::with(with_jobs([hourly("report", "anna")])).await;
    world.agent().will([Step::Hang]);
    world.clock().pass(HOUR);
    world.agent().begun(1).await;
    let session = stored(&world, "report").await.session;
    world.handle().cancel(&session, &operator()).await.unwrap();
    let run = ended(&world, "report", 1).await.remove(0);
    assert_eq!(run.state, RunState::Skipped);
    assert!(matches!(run.reason, Some(RunReason::Skipped(_))), "{run:?}");
    assert_eq!(stored(&world, "report").await.failures, 0);
    world.clock().pass(HOUR);
    assert_eq!(world.user("anna").hears().await, "do report");
}
