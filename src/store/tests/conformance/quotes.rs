//! What a message of the platform says.

use frontdesk_core::message::Quote;

use crate::fixture::*;

async fn said(fixture: &Fixture, chat: &str, id: &str) -> Option<Quote> {
    fixture.store.said_as(&address(chat), id).await.unwrap()
}

#[tokio::test]
async fn our_own_words_are_found_by_their_id() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.ends(answered(&turn, "*Well*")).await;
    let part = fixture.part("anna").await.unwrap();
    fixture.ended(&part, sent("77")).await;
    let quote = Quote { message: Some("77".into()), ours: true, ..Quote::of("Well") };
    assert_eq!(said(&fixture, "anna", "77").await, Some(quote));
    assert_eq!(said(&fixture, "bob", "77").await, None, "ids belong to their chat");
    assert_eq!(said(&fixture, "web:anna", "77").await, None);
    assert_eq!(said(&fixture, "anna", "78").await, None);
    let topic = "telegram:anna:topic:5".parse().unwrap();
    assert!(fixture.store.said_as(&topic, "77").await.unwrap().is_some(), "a thread is part of its chat");
}

#[tokio::test]
async fn what_a_person_said_is_found_and_cut() {
    let fixture = Fixture::open().await;
    fixture.heard(1, says("anna", "1", &"ä".repeat(1500))).await;
    let quote = said(&fixture, "anna", "p-1").await.unwrap();
    assert_eq!((quote.sender.as_deref(), quote.ours), (Some("Anna"), false));
    assert_eq!(quote.text, "ä".repeat(1000));
}

#[tokio::test]
async fn the_newest_text_counts_and_a_stranger_said_nothing() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "old").await;
    let edit = Message {
        input_kind: frontdesk_core::message::InputKind::Edit,
        platform_message: Some("p-anna-old".into()),
        ..says("anna", "2", "new")
    };
    fixture.heard(20, edit.clone()).await;
    assert_eq!(said(&fixture, "anna", "p-anna-old").await.unwrap().text, "new");
    fixture.take(21, vec![Message { event_id: "3".into(), text: "newer".into(), ..edit }]).await;
    assert_eq!(said(&fixture, "anna", "p-anna-old").await.unwrap().text, "newer");
    fixture.ends(answered(&turn, "A")).await;
    fixture.asked(1, asks("eve", "e")).await;
    assert_eq!(said(&fixture, "eve", "p-e").await, None);
}

#[tokio::test]
async fn what_is_too_far_back_is_not_looked_for() {
    let fixture = Fixture::open().await;
    fixture.heard(1, says("anna", "1", "x")).await;
    let many = |n: i32| Message { per_session: 9999, ..says("bob", &format!("b{n}"), "y") };
    fixture.take(2, (0..1999).map(many).collect()).await;
    assert!(said(&fixture, "anna", "p-1").await.is_some());
    fixture.take(3, vec![many(1999)]).await;
    assert_eq!(said(&fixture, "anna", "p-1").await, None);
}
