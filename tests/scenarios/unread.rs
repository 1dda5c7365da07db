//! Events that could not be read.

use std::time::Duration;

use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_world::event::{message_from, undecodable};
use frontdesk_world::{World, plan};

#[tokio::test]
async fn an_event_that_cannot_be_read_is_kept_and_what_follows_it_is_answered() {
    let mut world = World::new().await;
    let platform = world.platform();
    let body = br#"{"beam":{"text":"me up"}}"#;
    assert_eq!(platform.outcome_of(undecodable("hologram", body)).await, Outcome::DeadLetter);
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(world.handle().status().await.unwrap().totals.dead_letters, 1);
    let [letter] = world.handle().store().dead_letters(None, 10).await.unwrap().try_into().unwrap();
    let letter = world.handle().store().dead_letter(letter.id).await.unwrap().unwrap();
    let shape = br#"{"beam":{"text":"text"}}"#;
    assert_eq!(
        (letter.kind.as_str(), letter.body.as_slice(), letter.size),
        ("hologram", shape.as_slice(), body.len() as u64),
        "whose it is is not known, so its values are not kept"
    );
    world.at_rest().await;
    assert!(world.agent().turns().iter().all(|turn| turn.prompt[0].text == "hello"), "no agent saw it");
}

#[tokio::test]
async fn a_message_of_an_unknown_kind_is_answered_and_kept_unless_its_sender_is_unknown() {
    let world =
        World::with(plan().access(|access| access.dm_policy = frontdesk_core::access::DmPolicy::Allowlist))
            .await;
    let platform = world.platform();
    let outcome = platform.outcome_of(message_from("root", "").of_unknown_kind("hologram", b"raw")).await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::Unreadable, .. }), "{outcome:?}");
    assert_eq!(
        platform.outcome_of(message_from("stranger", "").of_unknown_kind("hologram", b"raw")).await,
        Outcome::Denied
    );
    let letters = world.handle().store().dead_letters(None, 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].session.as_ref().is_some_and(|session| session.id() == "root"));
    world.at_rest().await;
}

#[tokio::test]
async fn a_known_and_unused_event_is_no_dead_letter() {
    let world = World::new().await;
    assert!(matches!(
        world.platform().outcome_of(message_from("anna", "").unreadable()).await,
        Outcome::Refused { .. }
    ));
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(world.handle().status().await.unwrap().totals.dead_letters, 0);
    world.at_rest().await;
}
