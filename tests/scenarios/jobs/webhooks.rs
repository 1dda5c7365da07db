//! Results that are posted to web servers.

use std::time::Duration;

use frontdesk_core::config::Secret;
use frontdesk_core::job::{RunState, ScheduleKind};
use frontdesk_core::port::WebhookFault;
use frontdesk_runtime::config::{JobMode, JobTarget, JobTargetTable};
use frontdesk_store::row::HookState;
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World};
use serde_json::{Value, json};

use super::{HOUR, ended, job, runs, with_jobs};

const URL: &str = "https://example.com/jobs";

fn posting() -> Plan {
    let to = JobTarget::Table(JobTargetTable { mode: JobMode::Webhook, to: None, url: Some(URL.to_owned()) });
    with_jobs([job("report", ScheduleKind::Every, "1h", to)])
        .with(|config| config.cron.webhook_secret = Some(Secret::new("0123456789abcdef")))
}

async fn hook_is(world: &World, state: HookState) {
    until(&format!("the request is {}", state.name()), || async {
        runs(world, "report").await.iter().any(|run| run.hook == Some(state)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_result_is_posted_again_until_it_arrives_with_the_same_bytes() {
    let mut world = World::with(posting()).await;
    let later = || WebhookFault::Later("HTTP 500".to_owned());
    world.web().will_fail([later(), later()]);
    world.agent().will([Step::Say("All is well.")]);
    world.clock().pass(HOUR);
    let run = ended(&world, "report", 1).await.remove(0);
    assert_eq!((run.state, run.hook), (RunState::Succeeded, Some(HookState::Waiting)));
    for count in 1..=2 {
        until("it was posted", || async { (world.web().posts().len() == count).then_some(()) }).await;
        world.round_trip().await;
        if count == 1 {
            world.crash().await;
            world.start().await.unwrap();
        }
        world.clock().pass(Duration::from_secs(100));
    }
    hook_is(&world, HookState::Sent).await;
    let posts = world.web().posts();
    assert_eq!(posts.len(), 3);
    let header = |n: usize, name: &str| {
        let (_, post) = &posts[n];
        post.headers.iter().find(|(known, _)| *known == name).unwrap().1.clone()
    };
    assert!(posts.iter().all(|(url, post)| url == URL && post.body == posts[0].1.body));
    assert_eq!(
        (header(0, "x-frontdesk-delivery"), header(2, "x-frontdesk-delivery")),
        ("r1".into(), "r1".into())
    );
    assert_ne!(header(0, "x-frontdesk-timestamp"), header(2, "x-frontdesk-timestamp"));
    assert!(header(0, "x-frontdesk-signature").starts_with("sha256="));
    let body: Value = serde_json::from_str(&posts[0].1.body).unwrap();
    for (field, value) in [
        ("job", json!("report")),
        ("run", json!("r1")),
        ("state", json!("succeeded")),
        ("text", json!("All is well.")),
    ] {
        assert_eq!(body[field], value, "{body}");
    }
    assert!(world.user("root").sees().is_empty(), "nothing is sent to a chat");
}

#[tokio::test]
async fn a_result_that_is_refused_is_given_up_and_stays_in_the_list() {
    let world = World::with(posting()).await;
    world.web().will_fail([WebhookFault::Refused("HTTP 404".to_owned())]);
    world.clock().pass(HOUR);
    hook_is(&world, HookState::Dead).await;
    let run = runs(&world, "report").await.remove(0);
    assert_eq!((run.state, run.result.as_deref()), (RunState::Succeeded, Some("do report")));
    world.clock().pass(Duration::from_secs(7200 - 3601));
    world.round_trip().await;
    assert_eq!(world.web().posts().len(), 1);
}
