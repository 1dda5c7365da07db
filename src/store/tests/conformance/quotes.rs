//! What a message of the platform says.

use frontdesk_core::message::{EventKind, Quote};
use frontdesk_store::row::*;

use crate::fixture::*;

async fn quote(fixture: &Fixture, chat: &str, id: &str) -> Option<Quote> {
    fixture.store.quote_of(&address(chat), id).await.unwrap()
}

#[tokio::test]
async fn our_own_words_are_found_by_their_id() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "*Well*")).await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, sent("77")).await;
    let ours = Quote { message: Some("77".into()), ours: true, ..Quote::of("Well") };
    assert_eq!(quote(&fixture, "anna", "77").await, Some(ours));
    assert_eq!(quote(&fixture, "bob", "77").await, None, "ids belong to their chat");
    assert_eq!(quote(&fixture, "web:anna", "77").await, None);
    assert_eq!(quote(&fixture, "anna", "78").await, None);
    let topic = "telegram:anna:topic:5".parse().unwrap();
    assert!(fixture.store.quote_of(&topic, "77").await.unwrap().is_some(), "a thread is part of its chat");
}

#[tokio::test]
async fn what_a_person_said_is_found_and_cut() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", &"ä".repeat(1500))).await;
    let quote = quote(&fixture, "anna", "p-1").await.unwrap();
    assert_eq!((quote.sender.as_deref(), quote.ours), (Some("Anna"), false));
    assert_eq!(quote.text, "ä".repeat(1000));
}

#[tokio::test]
async fn the_newest_text_counts_and_a_stranger_said_nothing() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "old").await;
    let edit = |id: &str, text: &str| {
        with_event(says("anna", id, text), |event| {
            event.kind = EventKind::Edit;
            event.platform_message = Some("p-anna-old".into());
        })
    };
    fixture.accept_one(20, edit("2", "new")).await;
    assert_eq!(quote(&fixture, "anna", "p-anna-old").await.unwrap().text, "new");
    fixture.accept(21, vec![edit("3", "newer")]).await;
    assert_eq!(quote(&fixture, "anna", "p-anna-old").await.unwrap().text, "newer");
    fixture.finish(answered(&turn, "A")).await;
    fixture.ask(1, asks("eve", "e")).await;
    assert_eq!(quote(&fixture, "eve", "p-e").await, None);
}

#[tokio::test]
async fn what_is_too_far_back_is_not_looked_for() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    let many = |n: i32| Admitted { per_session: 9999, ..says("bob", &format!("b{n}"), "y") };
    fixture.accept(2, (0..1999).map(many).collect()).await;
    assert!(quote(&fixture, "anna", "p-1").await.is_some());
    fixture.accept(3, vec![many(1999)]).await;
    assert_eq!(quote(&fixture, "anna", "p-1").await, None);
}
