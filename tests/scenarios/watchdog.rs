//! The watchdog: people are told once of each fault of the gateway, and once that it is over.

use std::time::Duration;

use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World, plan};
use serde_json::Value;

/// As long as the platform may be silent, so that an account that is heard before each check is well.
const CHECK: Duration = Duration::from_secs(60);

fn watched() -> Plan {
    plan().with(|config| {
        config.watchdog.enabled = true;
        // The time that tests let pass is no slow commit.
        config.watchdog.commit_ms = 0;
        config.watchdog.check_minutes = 1;
        config.watchdog.remind_hours = 1;
        config.watchdog.notify = vec!["fake:ops".to_owned()];
        config.watchdog.deaf_minutes = 10_080;
        config.watchdog.waiting_minutes = 20;
        config.watchdog.disk_mb = 0;
    })
}

/// Lets this many checks happen.
async fn checked(world: &World, times: usize) {
    for _ in 0..times {
        world.asleep(CHECK).await;
        world.clock().pass(CHECK);
    }
    world.asleep(CHECK).await;
}

/// What the operators' chat shows, once there are `n` messages.
async fn told(world: &World, n: usize) -> Vec<String> {
    until(&format!("{n} messages to the operators"), || async {
        let texts: Vec<String> =
            world.platform().chat("ops").into_iter().map(|message| message.text).collect();
        (texts.len() >= n).then_some(texts)
    })
    .await
}

#[tokio::test]
async fn an_account_that_hears_nothing_is_told_once_reminded_of_and_over() {
    let mut world = World::with(watched().with(|config| config.watchdog.deaf_minutes = 15)).await;
    for _ in 0..20 {
        world.round_trip().await;
        checked(&world, 1).await;
    }
    assert!(world.platform().chat("ops").is_empty(), "nothing is wrong");
    world.platform().hang_polls(true);
    checked(&world, 20).await;
    let texts = told(&world, 1).await;
    assert!(texts[0].starts_with("⚠️ fake has not heard from its platform for 15 minutes."), "{texts:?}");
    world.crash().await;
    world.start().await.unwrap();
    checked(&world, 10).await;
    assert_eq!(told(&world, 1).await.len(), 1, "neither repeated nor over after a restart");
    checked(&world, 60).await;
    let texts = told(&world, 2).await;
    assert!(texts[1].starts_with("⚠️ For 1 hour now: "), "{texts:?}");
    world.platform().hang_polls(false);
    for _ in 0..3 {
        world.round_trip().await;
        checked(&world, 1).await;
    }
    let texts = told(&world, 3).await;
    assert!(
        texts[2].starts_with("✅ fake no longer lacks contact to its platform. It lasted 1 hour."),
        "{texts:?}"
    );
    assert_eq!(texts.len(), 3);
}

#[tokio::test]
async fn messages_that_wait_too_long_are_a_fault() {
    let world = World::with(watched().with(|config| config.turns.progress_timeout_seconds = 600_000)).await;
    world.agent().will([Step::Pause, Step::Say("late")]);
    let anna = world.user("anna");
    anna.says("one").await;
    world.agent().begun(1).await;
    world.agent().will([Step::Say("two")]);
    anna.says("two").await;
    checked(&world, 21).await;
    let texts = told(&world, 1).await;
    assert!(texts[0].starts_with("⚠️ A message has waited for its answer for 20 minutes."), "{texts:?}");
}

#[tokio::test]
async fn the_file_of_the_last_check_says_when_it_was_and_what_was_found() {
    let world = World::with(watched().with(|config| config.watchdog.disk_mb = u64::MAX)).await;
    checked(&world, 1).await;
    let check: Value =
        serde_json::from_slice(&std::fs::read(world.home().join("last-check")).unwrap()).unwrap();
    assert_eq!(check["at"], "2026-03-28T12:01:00Z");
    assert!(check["faults"].as_array().unwrap().contains(&"disk".into()), "{check}");
    let texts = told(&world, 1).await;
    assert!(texts[0].contains("MB left. When it is full"), "{texts:?}");
    let problems = world.handle().status().await.unwrap().problems();
    assert!(problems.iter().any(|problem| problem.contains("MB left. When it is full")), "{problems:?}");
}

#[tokio::test]
async fn admins_are_told_if_the_file_names_no_chat() {
    let plan = watched().with(|config| {
        config.watchdog.notify.clear();
        config.watchdog.disk_mb = u64::MAX;
    });
    let world = World::with(plan).await;
    checked(&world, 1).await;
    until("the admin is told", || async { (!world.platform().chat("root").is_empty()).then_some(()) }).await;
}

#[tokio::test]
async fn a_chat_of_a_channel_that_is_not_there_keeps_nobody_from_being_told() {
    let plan = watched().with(|config| {
        config.watchdog.notify = vec!["nope:1".to_owned()];
        config.watchdog.disk_mb = u64::MAX;
    });
    let world = World::with(plan).await;
    let problems = world.handle().status().await.unwrap().problems();
    assert!(
        problems.iter().any(|problem| problem.starts_with("watchdog.notify: nope:1 gets nothing")),
        "{problems:?}"
    );
    checked(&world, 1).await;
    let root = world.user("root");
    until("the admin is told", || async {
        root.sees().iter().any(|text| text.contains("MB left")).then_some(())
    })
    .await;
}
