//! What a message of the platform says.

use frontdesk_core::message::Quote;
use frontdesk_store::row::*;

use crate::desk::*;

async fn said(desk: &Desk, chat: &str, id: &str) -> Option<Quote> {
    desk.store.said_as(&address(chat), id).await.unwrap()
}

#[tokio::test]
async fn our_own_words_are_found_by_their_id() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    desk.ends(answered(&turn, "*Well*")).await;
    let part = desk.part("anna").await.unwrap();
    desk.ended(&part, sent("77")).await;
    let quote = Quote { message: Some("77".into()), ours: true, ..Quote::of("Well") };
    assert_eq!(said(&desk, "anna", "77").await, Some(quote));
    assert_eq!(said(&desk, "bob", "77").await, None, "ids belong to their chat");
    assert_eq!(said(&desk, "web:anna", "77").await, None);
    assert_eq!(said(&desk, "anna", "78").await, None);
    let topic = "telegram:anna:topic:5".parse().unwrap();
    assert!(desk.store.said_as(&topic, "77").await.unwrap().is_some(), "a thread is part of its chat");
}

#[tokio::test]
async fn what_a_person_said_is_found_and_cut() {
    let desk = Desk::open().await;
    desk.heard(1, says("anna", "1", &"ä".repeat(1500))).await;
    let quote = said(&desk, "anna", "p-1").await.unwrap();
    assert_eq!((quote.sender.as_deref(), quote.ours), (Some("Anna"), false));
    assert_eq!(quote.text, "ä".repeat(1000));
}

#[tokio::test]
async fn the_newest_text_counts_and_a_stranger_said_nothing() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "old").await;
    let edit = Incoming {
        manner: frontdesk_core::message::Manner::Edit,
        platform_message: Some("p-anna-old".into()),
        ..says("anna", "2", "new")
    };
    desk.heard(20, edit.clone()).await;
    assert_eq!(said(&desk, "anna", "p-anna-old").await.unwrap().text, "new");
    desk.take(21, vec![Incoming { event_id: "3".into(), text: "newer".into(), ..edit }]).await;
    assert_eq!(said(&desk, "anna", "p-anna-old").await.unwrap().text, "newer");
    desk.ends(answered(&turn, "A")).await;
    desk.asked(1, asks("eve", "e")).await;
    assert_eq!(said(&desk, "eve", "p-e").await, None);
}

#[tokio::test]
async fn what_is_too_far_back_is_not_looked_for() {
    let desk = Desk::open().await;
    desk.heard(1, says("anna", "1", "x")).await;
    let many = |n: i32| Incoming { per_session: 9999, ..says("bob", &format!("b{n}"), "y") };
    desk.take(2, (0..1999).map(many).collect()).await;
    assert!(said(&desk, "anna", "p-1").await.is_some());
    desk.take(3, vec![many(1999)]).await;
    assert_eq!(said(&desk, "anna", "p-1").await, None);
}
