//! `/timezone`, and a daily reset that does not cut through a conversation.

use std::time::Duration;

use frontdesk_world::event::message_from;
use frontdesk_world::{World, plan};

use crate::tasks::sees;

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

#[tokio::test]
async fn a_person_chooses_the_zone_of_their_chat_and_resets_follow_it() {
    let mut world =
        World::with(plan().reset_daily(4, "Europe/Berlin").starting("2026-03-10T17:00:00Z")).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    anna.says("/timezone").await;
    assert_eq!(
        anna.hears().await,
        "The time zone here is Europe/Berlin (Tuesday, 18:00). To change it, send /timezone with a name such as \
         America/New_York."
    );
    anna.says("/timezone Tokio").await;
    assert_eq!(anna.hears().await, "There is no time zone Tokio. Did you mean /timezone Asia/Tokyo?");
    anna.says("/timezone asia/tokyo").await;
    assert!(anna.hears().await.starts_with("The time zone here is Asia/Tokyo (Wednesday, 02:00) now."));
    world.crash().await;
    world.start().await.unwrap();
    for user in [&anna, &ben] {
        user.says("remember 7").await;
    }
    world.at_rest().await;
    // Four in the morning in Tokyo, eight in the evening in Berlin.
    world.clock().to("2026-03-10T19:00:00Z");
    for user in [&anna, &ben] {
        user.says("which number?").await;
    }
    world.at_rest().await;
    assert_eq!((world.session("anna").await.epoch, world.session("ben").await.epoch), (2, 1));
    anna.says("/timezone default").await;
    sees(&anna, "The time zone here is Europe/Berlin (Tuesday, 20:00) again, as configured.").await;
    world.clock().to("2026-03-11T03:00:00Z");
    anna.says("a new day in Berlin").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 3);
}

#[tokio::test]
async fn only_admins_choose_the_zone_of_a_group() {
    let world = World::new().await;
    let says = async |person: &str, text: &str| {
        world.platform().outcome_of(message_from(person, text).in_group("-1")).await;
    };
    let shown = |words: &str| world.platform().chat("-1").iter().any(|message| message.text.contains(words));
    says("anna", "/timezone Europe/Berlin").await;
    world.at_rest().await;
    assert!(shown("Only admins may change the time zone of a group."));
    says("anna", "/timezone").await;
    says("root", "/timezone Europe/Berlin").await;
    world.at_rest().await;
    assert!(shown("The time zone here is UTC") && shown("The time zone here is Europe/Berlin"));
    let audit = world.store().audits(None, 10).await.unwrap();
    let zones: Vec<_> = audit.iter().filter(|row| row.action == "timezone").collect();
    assert_eq!((zones.len(), zones[0].by.as_str(), zones[0].subject.as_str()), (1, "fake:root", "fake:-1"));
}

#[tokio::test]
async fn the_daily_reset_waits_until_the_person_is_silent() {
    let world = World::with(
        plan()
            .reset_daily(4, "UTC")
            .starting("2026-03-10T03:50:00Z")
            .with(|config| config.sessions.reset.quiet_minutes = 30),
    )
    .await;
    let anna = world.user("anna");
    // Four o'clock passes during the conversation.
    for _ in 0..4 {
        anna.says("and then?").await;
        world.at_rest().await;
        world.clock().pass(minutes(20));
    }
    assert_eq!(world.session("anna").await.epoch, 1);
    world.clock().pass(minutes(10));
    anna.says("good morning").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2, "half an hour of silence after the end of the day");
    world.clock().pass(minutes(60));
    anna.says("same day").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}
