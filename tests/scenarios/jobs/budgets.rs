//! Runs of jobs count for budgets like other answers.

use std::time::Duration;

use frontdesk_core::job::{JobState, RunState};
use frontdesk_runtime::config::DayBudget;
use frontdesk_store::row::RunReason;
use frontdesk_world::World;

use super::{HOUR, ended, hourly, stored, with_jobs};
use crate::tasks::sees;

#[tokio::test]
async fn a_job_warns_is_skipped_without_a_budget_and_runs_again_at_midnight() {
    let plan = with_jobs([hourly("report", "anna")]).with(|config| {
        config.sessions.reset.timezone = Some("Europe/Berlin".to_owned());
        config.limits.budget.agent = DayBudget { turns: 5, ..DayBudget::default() };
    });
    let mut world = World::with(plan).await;
    let anna = world.user("anna");
    let told = |words: &str| anna.sees().iter().filter(|text| text.contains(words)).count();
    for n in 1..=5 {
        world.clock().pass(HOUR);
        ended(&world, "report", n).await;
    }
    // It is 18:00 in Berlin.
    let warning = "Scheduled job report: Its agent has used 80 % of today's budget (4 of 5 answers). The next one begins at 00:00 \
                   (Europe/Berlin), in 7 hours.";
    let sentence = sees(&anna, "80 %").await;
    assert!(sentence.replace("<code>", "").replace("</code>", "").ends_with(warning), "{sentence}");
    for n in 6..=8 {
        world.clock().pass(HOUR);
        let runs = ended(&world, "report", n).await;
        let last = runs.last().unwrap();
        assert_eq!(last.state, RunState::Skipped);
        assert!(matches!(&last.reason, Some(RunReason::Skipped(reason)) if reason.name() == "budget"));
    }
    let sentence = sees(&anna, "did not run").await;
    let refusal = "Its agent has used up today's budget (5 answers). It opens again at 00:00 (Europe/Berlin), in 5 hours.";
    assert!(sentence.ends_with(refusal), "{sentence}");
    world.crash().await;
    world.start().await.unwrap();
    world.clock().to("2026-03-28T22:59:30Z");
    world.asleep(Duration::from_secs(30)).await;
    world.at_rest().await;
    assert_eq!((told("did not run"), told("80 %")), (1, 1), "once a day: {:?}", anna.sees());
    let job = stored(&world, "report").await;
    assert_eq!((job.state, job.failures), (JobState::Active, 0), "it has not failed");
    world.clock().to("2026-03-28T23:00:01Z");
    let runs = crate::jobs::runs(&world, "report").await.len();
    let ran = frontdesk_world::wait::until("it runs again", || async {
        let all = crate::jobs::runs(&world, "report").await;
        all.last()
            .filter(|run| all.len() >= runs && run.state == RunState::Succeeded)
            .map(|run| run.scheduled)
    })
    .await;
    assert_eq!(ran, "2026-03-28T23:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
}
