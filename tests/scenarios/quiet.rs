//! Quiet hours: what nobody has asked for waits, and nothing else does.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::quiet::QuietHours;
use frontdesk_core::task::TaskState;
use frontdesk_runtime::{EventRequest, EventTarget, SendRequest};
use frontdesk_store::row::{OutboxRow, OutboxState};
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, World, operator, plan};

use crate::jobs::hourly;
use crate::tasks::{is, sees};

const MINUTE: Duration = Duration::from_secs(60);

fn hours(from: &str, to: &str) -> QuietHours {
    let zone = Some("Europe/Berlin".to_owned());
    QuietHours { from: from.to_owned(), to: to.to_owned(), timezone: zone }
}

/// In quiet hours, at half past ten on the evening before the clock goes forward.
fn night() -> Plan {
    plan().starting("2026-03-28T21:30:00Z").with(|config| {
        config.delivery.quiet_hours = hours("22:00", "07:00");
        config.delivery.ttl_hours = 1;
    })
}

fn at(wall: &str) -> DateTime<Utc> {
    wall.parse().unwrap()
}

async fn sends(world: &World, text: &str, urgent: bool) {
    let author = operator();
    let message = SendRequest { text, media: None, key: text, author: &author, urgent, native: None };
    world.handle().send_as(&"fake:anna".parse().unwrap(), message).await.unwrap();
}

/// Waits until a message is held.
async fn held(world: &World, words: &str) -> OutboxRow {
    until(&format!("{words:?} is held"), || async {
        let rows = world.outbox().await;
        rows.into_iter().find(|row| row.post.part.body.contains(words) && row.held_until.is_some())
    })
    .await
}

#[tokio::test]
async fn a_message_of_a_program_waits_until_morning_and_blocks_nothing() {
    let mut world = World::with(night()).await;
    let anna = world.user("anna");
    sends(&world, "news", false).await;
    let row = held(&world, "news").await;
    // The night is an hour shorter than usual.
    let morning = at("2026-03-29T05:00:00Z");
    assert_eq!((row.held_until, row.state), (Some(morning), OutboxState::Queued));
    assert_eq!(world.handle().quiet_until(&"fake:anna".parse().unwrap()), Some(morning));
    // Her own messages are answered, and her commands.
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");
    anna.says("/whoami").await;
    anna.hears().await;
    sends(&world, "fire!", true).await;
    assert_eq!(anna.hears().await, "fire!");
    // It is kept although it waits for longer than `ttl_hours`, and across a crash.
    world.clock().pass(MINUTE * 300);
    world.crash().await;
    world.start().await.unwrap();
    held(&world, "news").await;
    world.clock().pass(MINUTE * 149);
    world.round_trip().await;
    assert!(!anna.sees().contains(&"news".to_owned()));
    world.clock().pass(MINUTE * 2);
    assert_eq!(sees(&anna, "news").await, "news");
    world.at_rest().await;
    assert!(!anna.sees().iter().any(|text| text.contains("late")), "{:?}", anna.sees());
}

#[tokio::test]
async fn what_was_held_expires_counted_from_the_morning() {
    let world = World::with(night()).await;
    let anna = world.user("anna");
    sends(&world, "news", false).await;
    held(&world, "news").await;
    world.platform().set_offline(true);
    world.clock().pass(MINUTE * 451);
    world.clock().pass(MINUTE * 50);
    let state = async || held(&world, "news").await.state;
    assert_ne!(state().await, OutboxState::Dead);
    world.clock().pass(MINUTE * 10);
    until("it has expired", || async {
        world.clock().pass(MINUTE);
        (state().await == OutboxState::Dead).then_some(())
    })
    .await;
    assert_eq!(anna.sees(), Vec::<String>::new());
}

#[tokio::test]
async fn a_result_and_an_event_wait_and_the_question_of_a_task_does_not() {
    let world = World::with(night()).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("All read.")]);
    anna.says("/bg read").await;
    is(&world, 1, TaskState::Succeeded).await;
    held(&world, "All read.").await;
    world.agent().will([Step::Say("The disk is full.")]);
    let event = EventRequest {
        hook: "disk".to_owned(),
        key: "1".to_owned(),
        text: "Look.".to_owned(),
        owner: "fake:root".parse().unwrap(),
        target: EventTarget::Agent { to: "fake:anna".parse().unwrap(), agent: None },
    };
    world.handle().event(event).await.unwrap();
    held(&world, "The disk is full.").await;
    anna.says("hello").await;
    sees(&anna, "hello").await;
    assert!(
        !anna.sees().iter().any(|text| text.contains("All read.") || text.contains("disk")),
        "{:?}",
        anna.sees()
    );
    world.clock().pass(MINUTE * 451);
    sees(&anna, "All read.").await;
    assert_eq!(sees(&anna, "The disk is full.").await, "The disk is full.");
    world.at_rest().await;
}

#[tokio::test]
async fn a_chat_has_quiet_hours_of_its_own_or_none() {
    let plan = night().chat("anna", |chat| chat.quiet_hours = Some(hours("00:00", "00:00")));
    let plan = plan.chat("-1", |chat| chat.quiet_hours = Some(hours("12:00", "23:00")));
    let world = World::with(plan).await;
    let anna = world.user("anna");
    sends(&world, "news", false).await;
    assert_eq!(anna.hears().await, "news");
    let author = operator();
    let group = "fake:-1".parse().unwrap();
    world.handle().send(&group, "for all", None, "k", &author).await.unwrap();
    assert_eq!(held(&world, "for all").await.held_until, Some(at("2026-03-28T22:00:00Z")));
    world.clock().pass(MINUTE * 31);
    world.at_rest().await;
    let sent = world.outbox().await.into_iter().find(|row| row.post.part.body == "for all").unwrap();
    assert_eq!(sent.state, OutboxState::Sent);
}

#[tokio::test]
async fn quiet_hours_that_name_no_zone_follow_the_one_that_a_chat_has_chosen() {
    let plan = night().with(|config| config.delivery.quiet_hours.timezone = None);
    let world = World::with(plan).await;
    let anna = world.user("anna");
    // It is 21:30 in UTC, where nothing is quiet, and 06:30 of the next day in Tokyo.
    sends(&world, "early", false).await;
    assert_eq!(anna.hears().await, "early");
    anna.says("/timezone Asia/Tokyo").await;
    anna.hears().await;
    sends(&world, "news", false).await;
    assert_eq!(held(&world, "news").await.held_until, Some(at("2026-03-28T22:00:00Z")));
}

#[tokio::test]
async fn what_the_agent_of_a_job_sends_by_itself_waits_like_its_result() {
    let plan = night().with(|config| config.jobs = vec![hourly("report", "anna")]);
    let world = World::with(plan).await;
    let anna = world.user("anna");
    let send = serde_json::json!({"text": "a word before"});
    world.agent().will([Step::GatewayTool("send_message", send), Step::Say("The report.")]);
    world.clock().pass(MINUTE * 60);
    held(&world, "The report.").await;
    held(&world, "a word before").await;
    assert_eq!(anna.sees(), Vec::<String>::new());
}
