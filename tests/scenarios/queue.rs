//! Messages that wait for a turn.

use std::time::Duration;

use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn messages_of_one_chat_are_answered_one_by_one_in_order() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    for text in ["one", "two", "three"] {
        anna.says(text).await;
    }
    assert_eq!(world.agent().turns().len(), 1, "the others wait");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["one", "two", "three"]);
    assert_eq!(anna.sees(), ["one", "two", "three"]);
}

#[tokio::test]
async fn no_chat_waits_for_another() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Hang]);
    anna.says("this hangs").await;
    world.agent().begun(1).await;
    ben.says("this does not").await;
    assert_eq!(ben.hears().await, "this does not");
}

#[tokio::test]
async fn collect_answers_all_that_gathered_in_one_turn() {
    let world = World::with(plan().collect(0)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    let first = anna.says("one").await;
    world.agent().begun(1).await;
    let (second, third) = (anna.says("two").await, anna.says("three").await);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["one", "two\nthree"]);
    assert_eq!(anna.sees(), ["one", "two\nthree"]);
    let turn = |row: frontdesk_store::row::HistoryRow| row.message.turn;
    assert_ne!(turn(world.message(first).await), turn(world.message(second).await));
    assert_eq!(turn(world.message(second).await), turn(world.message(third).await));
    assert_eq!(world.message(second).await.message.state.name(), "answered");
}

#[tokio::test]
async fn collect_waits_until_the_chat_is_quiet() {
    let world = World::with(plan().collect(2000)).await;
    let anna = world.user("anna");
    anna.says("I have").await;
    world.clock().pass(Duration::from_millis(1500));
    anna.says("a question").await;
    world.clock().pass(Duration::from_millis(1500));
    world.round_trip().await;
    assert!(world.agent().turns().is_empty(), "the second message has put the quiet period off");
    world.clock().pass(Duration::from_millis(600));
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["I have\na question"]);
}

#[tokio::test]
async fn collect_does_not_mix_two_conversations() {
    let world = World::with(plan().collect(0)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("old one").await;
    world.agent().begun(1).await;
    anna.says("old two").await;
    anna.says("/new fresh").await;
    anna.says("fresh two").await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["old one", "old two", "fresh\nfresh two"]);
    let epochs: Vec<u64> = world.agent().turns().iter().map(|turn| turn.epoch).collect();
    assert_eq!(epochs, [1, 1, 2]);
}

#[tokio::test]
async fn a_full_session_refuses_with_one_notice_and_accepts_again_afterwards() {
    let world = World::with(plan().with(|config| config.queue.per_session = 2)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("waits 1").await;
    anna.says("waits 2").await;
    for text in ["too much", "still too much"] {
        let outcome = anna.tries(text).await;
        assert!(matches!(outcome, Outcome::Refused { reason: Refusal::SessionFull, .. }), "{outcome:?}");
    }
    let notice = anna.hears().await;
    assert!(notice.contains("/stop"), "{notice}");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.answers(), ["runs", "waits 1", "waits 2"]);
    assert_eq!(anna.sees().len(), 4, "one notice for a full queue: {:?}", anna.sees());
    anna.says("space again").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts().last().unwrap(), "space again");
}

#[tokio::test]
async fn a_full_queue_withholds_the_acknowledgement_and_loses_nothing() {
    let world = World::with(plan().with(|config| config.queue.global = 2)).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("waits 1").await;
    anna.says("waits 2").await;
    assert_eq!(world.handle().store().waiting(), 2);
    let number = ben.writes("must not be lost");
    frontdesk_world::wait::until("the gateway says that it is full", || async {
        world.handle().health().degraded.iter().any(|reason| reason.contains("full")).then_some(())
    })
    .await;
    world.agent().resume();
    // The adapter connects again after its backoff, and the platform delivers the message again.
    let outcome = frontdesk_world::wait::soon("it is accepted in the end", async {
        loop {
            world.clock().pass(Duration::from_secs(1));
            let outcome = world.platform().outcome(number);
            if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(20), outcome).await {
                return outcome;
            }
        }
    })
    .await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(ben.hears().await, "must not be lost");
}

#[tokio::test]
async fn thousands_of_sessions_are_served_at_once() {
    let world = World::new().await;
    for n in 0..2000 {
        world.user(&format!("u{n}")).writes(&format!("hello from {n}"));
    }
    for n in 0..2000 {
        world.platform().shows(&format!("u{n}"), 1, |_| true).await;
    }
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 2000);
    for n in [0, 999, 1999] {
        assert_eq!(world.user(&format!("u{n}")).sees(), [format!("hello from {n}")]);
    }
}

#[tokio::test]
async fn an_agent_with_a_cap_runs_no_more_turns_than_that() {
    let world = World::with(plan().agent_turns(1)).await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.user("anna").says("first").await;
    world.agent().begun(1).await;
    let ben = world.user("ben");
    ben.says("second").await;
    ben.says("/status").await;
    assert!(ben.hears().await.contains("1 message in the queue"));
    assert_eq!(world.agent().turns().len(), 1);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["first", "second"]);
}

#[tokio::test]
async fn a_message_that_waited_longer_than_it_may_is_refused_visibly() {
    let mut world = World::with(plan().with(|config| config.queue.max_age_minutes = Some(60))).await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("hangs").await;
    world.agent().begun(1).await;
    let old = anna.says("gets old").await;
    world.crash().await;
    world.clock().pass(Duration::from_secs(2 * 3600));
    world.start().await.unwrap();
    let row = world.ended(old).await;
    assert_eq!(
        (row.message.state.name(), row.message.reason.map(|reason| reason.to_string()).as_deref()),
        ("refused", Some("too_old"))
    );
    world.at_rest().await;
    assert!(anna.sees().iter().any(|text| text.contains("waited too long")), "{:?}", anna.sees());
}
