//! When a conversation starts a new epoch.

use std::time::Duration;

use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn a_chat_left_overnight_starts_anew() {
    let world = World::with(plan().reset_daily(4, "Europe/Berlin")).await;
    let anna = world.user("anna");
    anna.says("remember 7").await;
    world.at_rest().await;
    // In this night the clocks go forward: 04:00 exists, and is one hour earlier in UTC.
    world.clock().to("2026-03-29T04:00:00+02:00");
    anna.says("which number?").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
    let sees = anna.sees();
    assert_eq!(sees.len(), 3, "{sees:?}");
    assert!(sees[1].contains("it is a new day") && sees[1].contains("/resume 1"), "{}", sees[1]);
    assert_eq!(world.agent().turns()[1].epoch, 2);
}

#[tokio::test]
async fn a_reset_comes_at_the_boundary_and_not_a_millisecond_before() {
    let world = World::with(plan().reset_daily(4, "Europe/Berlin").starting("2026-06-10T00:00:00Z")).await;
    let anna = world.user("anna");
    anna.says("before midnight").await;
    world.at_rest().await;
    world.clock().to("2026-06-10T01:59:59.999Z");
    anna.says("one millisecond before").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
    world.clock().pass(Duration::from_millis(1));
    anna.says("at the boundary").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}

#[tokio::test]
async fn a_silence_of_exactly_the_limit_is_not_too_long() {
    let world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    world.at_rest().await;
    world.clock().pass(Duration::from_secs(30 * 60));
    anna.says("two").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
    world.clock().pass(Duration::from_millis(30 * 60 * 1000 + 1));
    anna.says("three").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}

#[tokio::test]
async fn many_boundaries_make_one_reset() {
    let world = World::with(plan().reset_daily(4, "UTC")).await;
    let anna = world.user("anna");
    anna.says("one").await;
    world.clock().pass(Duration::from_secs(10 * 24 * 3600));
    anna.says("two").await;
    anna.says("three").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}

#[tokio::test]
async fn answers_and_commands_are_no_activity() {
    let world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("one").await;
    world.agent().begun(1).await;
    world.clock().pass(Duration::from_secs(20 * 60));
    anna.says("/status").await;
    world.agent().resume();
    world.at_rest().await;
    world.clock().pass(Duration::from_secs(11 * 60));
    anna.says("31 minutes after the first").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}

#[tokio::test]
async fn a_first_contact_by_command_is_no_activity() {
    let world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    anna.says("/help").await;
    anna.hears().await;
    world.clock().pass(Duration::from_secs(3600));
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
    assert!(anna.sees().iter().all(|text| !text.contains("long silence")), "{:?}", anna.sees());
}

#[tokio::test]
async fn a_reset_does_not_cut_off_the_running_turn() {
    let world = World::with(plan().reset_idle(1)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Say("the old answer")]);
    let old = anna.says("old question").await;
    world.agent().begun(1).await;
    world.clock().pass(Duration::from_secs(61));
    let new = anna.says("new question").await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.answers(), ["the old answer", "new question"]);
    assert_eq!(world.message(old).await.message.epoch, 1, "it keeps the epoch in which it was accepted");
    assert_eq!(world.message(new).await.message.epoch, 2);
}

#[tokio::test]
async fn a_calendar_that_goes_back_resets_nothing() {
    let world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    world.at_rest().await;
    world.clock().jump(-24 * 3600);
    anna.says("two").await;
    world.at_rest().await;
    world.clock().jump(24 * 3600);
    anna.says("three").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 1);
}

#[tokio::test]
async fn a_reset_survives_the_death_of_the_process() {
    let mut world = World::with(plan().reset_idle(30)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    world.at_rest().await;
    world.crash().await;
    world.clock().pass(Duration::from_secs(31 * 60));
    world.start().await.unwrap();
    anna.says("two").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
    world.crash().await;
    world.start().await.unwrap();
    anna.says("three").await;
    world.at_rest().await;
    assert_eq!(world.session("anna").await.epoch, 2);
}

#[tokio::test]
async fn the_status_announces_a_reset_only_if_one_can_come() {
    for (plan, promise) in
        [(plan().reset_idle(1), "If you write nothing for"), (plan().reset_daily(4, "UTC"), "It ends in")]
    {
        let world = World::with(plan).await;
        let anna = world.user("anna");
        anna.says("/help").await;
        anna.says("/status").await;
        world.at_rest().await;
        let before = anna.sees().pop().unwrap();
        assert!(before.contains("no message for the agent yet") && !before.contains(promise), "{before}");
        assert_eq!(world.session("anna").await.last_user_at, None);
        anna.says("hello").await;
        anna.says("/status").await;
        world.at_rest().await;
        let sees = anna.sees();
        assert!(sees.iter().any(|text| text.contains(promise)), "{sees:?}");
    }
}
