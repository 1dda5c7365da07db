//! The heartbeat: the agent looks at a file by itself, and tells a chat only what needs attention.

use std::time::Duration;

use frontdesk_core::agent::Origin;
use frontdesk_core::job::{HEARTBEAT, JobId, RunState};
use frontdesk_core::key::Scope;
use frontdesk_core::prompt;
use frontdesk_store::row::RunRow;
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World, plan};

const MINUTE: Duration = Duration::from_secs(60);

fn beating() -> Plan {
    plan().with(|config| {
        config.heartbeat.to = Some("fake:ops".to_owned());
        config.watchdog.enabled = true;
        // The time that tests let pass is no slow commit.
        config.watchdog.commit_ms = 0;
        config.watchdog.notify = vec!["fake:alarm".to_owned()];
        config.watchdog.deaf_minutes = 10_080;
        config.watchdog.disk_mb = 0;
    })
}

/// A world whose home has this `HEARTBEAT.md`.
async fn world(plan: Plan, text: &str) -> World {
    let mut world = World::with(plan).await;
    world.stop().await;
    std::fs::write(world.home().join("HEARTBEAT.md"), text).unwrap();
    world.start().await.unwrap();
    world
}

async fn runs(world: &World) -> Vec<RunRow> {
    let id: JobId = HEARTBEAT.parse().unwrap();
    world.store().runs(&id, None, 1000).await.unwrap()
}

/// Lets minutes pass, one by one, as the scheduler looks at the clock.
async fn minutes(world: &World, minutes: usize) {
    for _ in 0..minutes {
        world.asleep(MINUTE).await;
        world.clock().pass(MINUTE);
    }
    world.asleep(MINUTE).await;
}

async fn ended(world: &World, n: usize) -> Vec<RunRow> {
    until(&format!("{n} heartbeats have ended"), || async {
        let runs = runs(world).await;
        (runs.iter().filter(|run| run.state.has_ended()).count() >= n).then_some(runs)
    })
    .await
}

fn told(world: &World, chat: &str) -> Vec<String> {
    world.platform().chat(chat).into_iter().map(|message| message.text).collect()
}

#[tokio::test]
async fn the_agent_gets_the_file_in_a_session_of_its_own_and_is_heard_only_if_it_has_something_to_say() {
    let world = world(beating(), "Look at the disk.").await;
    world.agent().will([Step::Say("All is well.\n\n**HEARTBEAT_OK**")]);
    minutes(&world, 15).await;
    ended(&world, 1).await;
    let turn = &world.agent().turns()[0];
    assert_eq!((turn.session.scope(), turn.origin), (Scope::Heartbeat, Origin::Heartbeat));
    assert!(prompt::text(turn).ends_with("Look at the disk."), "{}", prompt::text(turn));
    assert!(told(&world, "ops").is_empty());
    world.agent().will([Step::Say("The disk is full.")]);
    minutes(&world, 15).await;
    until("it is told", || async { (told(&world, "ops") == ["The disk is full."]).then_some(()) }).await;
    assert!(told(&world, "alarm").is_empty());
    // The file may change at any time.
    std::fs::write(world.home().join("HEARTBEAT.md"), "Look at the mail.").unwrap();
    world.agent().will([Step::Say("NO_REPLY")]);
    minutes(&world, 15).await;
    ended(&world, 3).await;
    assert!(prompt::text(&world.agent().turns()[2]).ends_with("Look at the mail."));
    assert_eq!(told(&world, "ops").len(), 1);
}

#[tokio::test]
async fn without_the_file_there_is_no_heartbeat_and_one_that_is_written_later_is_found() {
    let world = World::with(beating()).await;
    let id: JobId = HEARTBEAT.parse().unwrap();
    world.round_trip().await;
    let job = async || world.store().job(&id, frontdesk_store::row::JobReach::All).await.unwrap();
    assert!(job().await.is_none());
    std::fs::write(world.home().join("HEARTBEAT.md"), "Look.").unwrap();
    world.asleep(5 * MINUTE).await;
    world.clock().pass(5 * MINUTE);
    until("the heartbeat is known", || async { job().await.map(drop) }).await;
}

#[tokio::test]
async fn an_unchanged_file_costs_nothing_if_that_is_wanted() {
    let world = world(beating().with(|config| config.heartbeat.skip_unchanged = true), "Look.").await;
    world.agent().will([Step::Say("HEARTBEAT_OK")]);
    minutes(&world, 15).await;
    ended(&world, 1).await;
    minutes(&world, 45).await;
    let all = until("heartbeats are skipped", || async {
        let runs = runs(&world).await;
        runs.iter().any(|run| run.state == RunState::Skipped).then_some(runs)
    })
    .await;
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(all.len(), 2, "of those that were skipped one is kept: {all:?}");
    assert!(told(&world, "alarm").is_empty(), "they are not missed");
}

#[tokio::test]
async fn outside_of_its_hours_it_waits_until_they_begin() {
    // It is 12:00 UTC.
    let plan = beating().with(|config| {
        let hours = frontdesk_runtime::config::ActiveHours {
            from: "14:00".to_owned(),
            to: "24:00".to_owned(),
            timezone: Some("UTC".to_owned()),
        };
        config.heartbeat.active = hours;
    });
    let world = world(plan, "Look.").await;
    world.agent().will([Step::Say("Good afternoon.")]);
    minutes(&world, 119).await;
    assert!(world.agent().turns().is_empty());
    minutes(&world, 10).await;
    until("it is told", || async { (!told(&world, "ops").is_empty()).then_some(()) }).await;
    assert_eq!(told(&world, "ops"), ["Good afternoon."], "one heartbeat stands for all that were due");
    assert!(told(&world, "alarm").is_empty());
}

#[tokio::test]
async fn a_heartbeat_that_is_not_completed_raises_an_alarm_which_ends_with_the_next_completed_one() {
    let plan = beating().with(|config| config.turns.progress_timeout_seconds = 600_000);
    let world = world(plan.with(|config| config.turns.hard_limit_seconds = 600_000), "Look.").await;
    world.agent().will([Step::Pause, Step::Say("HEARTBEAT_OK")]);
    minutes(&world, 50).await;
    let texts = until("the alarm", || async {
        let texts = told(&world, "alarm");
        (!texts.is_empty()).then_some(texts)
    })
    .await;
    assert!(texts[0].contains("MISSED HEARTBEAT") && texts[0].contains("No heartbeat in"), "{texts:?}");
    for _ in 0..3 {
        world.agent().will([Step::Say("HEARTBEAT_OK")]);
    }
    world.agent().resume();
    ended(&world, 1).await;
    for _ in 0..20 {
        minutes(&world, 1).await;
        if told(&world, "alarm").len() > 1 {
            break;
        }
    }
    let texts = told(&world, "alarm");
    assert!(texts[1].starts_with("✅ No heartbeat is overdue any more."), "{texts:?}");
    assert_eq!(texts.len(), 2);
    assert!(told(&world, "ops").is_empty());
}

/// A world whose home has this `BOOT.md`, after its first start with it.
async fn started(plan: Plan, text: &str) -> World {
    let mut world = World::with(plan).await;
    world.stop().await;
    std::fs::write(world.home().join("BOOT.md"), text).unwrap();
    world.agent().will([Step::Say("The mail waits.")]);
    world.start().await.unwrap();
    world
}

#[tokio::test]
async fn after_each_start_the_agent_gets_the_file_for_starts_once() {
    let mut world = started(beating(), "Look at the mail.").await;
    until("it is told", || async { (told(&world, "ops") == ["The mail waits."]).then_some(()) }).await;
    let turn = &world.agent().turns()[0];
    assert_eq!((turn.session.scope(), turn.origin), (Scope::Task, Origin::Task));
    assert!(prompt::text(turn).ends_with("Look at the mail."), "{}", prompt::text(turn));
    world.agent().will([Step::Say("NO_REPLY")]);
    world.crash().await;
    world.start().await.unwrap();
    world.agent().begun(2).await;
    world.at_rest().await;
    assert_eq!(told(&world, "ops"), ["The mail waits."]);
    world.crash().await;
    std::fs::remove_file(world.home().join("BOOT.md")).unwrap();
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 2);
}

#[tokio::test]
async fn a_crash_loop_gives_the_agent_no_second_file_for_starts_before_it_has_ended_with_the_first() {
    let plan = beating().with(|config| config.turns.max_attempts = 9);
    let mut world = started(plan, "Look.").await;
    until("it is told", || async { (told(&world, "ops") == ["The mail waits."]).then_some(()) }).await;
    for _ in 0..3 {
        world.agent().will([Step::Hang]);
    }
    for n in 2..=4 {
        world.crash().await;
        world.start().await.unwrap();
        world.agent().begun(n).await;
    }
    assert_eq!(crate::tasks::tasks(&world).await.len(), 2);
}

#[tokio::test]
async fn a_pipe_or_a_device_in_place_of_a_file_of_instructions_is_not_read() {
    let mut world = World::with(beating()).await;
    world.stop().await;
    std::os::unix::fs::symlink("/dev/zero", world.home().join("HEARTBEAT.md")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.home().join("BOOT.md"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 0);
    let id: JobId = HEARTBEAT.parse().unwrap();
    let job = world.store().job(&id, frontdesk_store::row::JobReach::All).await.unwrap();
    assert!(job.is_none(), "there is no heartbeat without its file");
}
