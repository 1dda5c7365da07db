//! T1: what becomes of events.

use frontdesk_core::access::DenyReason;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::message::{EventKind, Forward, ForwardKind, InputKind, Link, Quote, Refusal, SenderKind};
use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn a_first_message_begins_its_session() {
    let fixture = Fixture::open().await;
    let items = fixture.accept(1, vec![says("anna", "1", "hello")]).await;
    let Stored::Accepted { message, epoch: 1, ended: None, began: true, .. } = items[0] else {
        panic!("{items:?}")
    };
    let row = fixture.store.message(message).await.unwrap().unwrap().message;
    assert_eq!((row.text.as_str(), row.state.name(), row.disposition.name()), ("hello", "waiting", "turn"));
    assert_eq!((row.session, row.received, row.address), (key("anna"), t(1), address("anna")));
    let session = fixture.store.session(&key("anna")).await.unwrap().unwrap();
    assert_eq!((session.epoch, session.last_epoch, session.waiting, session.running), (1, 1, 1, None));
    assert_eq!(fixture.store.cursor("telegram:1").await.unwrap().unwrap().0, "at 1");
    assert_eq!(fixture.store.cursor("telegram:2").await.unwrap(), None);
    assert_eq!(fixture.store.waiting(), 1);
}

#[tokio::test]
async fn a_redelivery_is_known_and_changes_nothing() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(1, says("anna", "1", "hello")).await;
    let items = fixture.accept(2, vec![says("anna", "1", "hello"), says("anna", "1", "other")]).await;
    let duplicate = |same| Stored::Duplicate { message: first, session: key("anna"), same, refused: None };
    assert_eq!(items, [duplicate(true), duplicate(false)]);
    assert_eq!(fixture.store.waiting(), 1);
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().last_user_at, Some(t(1)));
}

#[tokio::test]
async fn the_same_words_as_a_command_are_not_the_same_event() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says_new("anna", "1", "hello")).await;
    let items = fixture.accept(2, vec![says_new("anna", "1", "hello"), says("anna", "1", "hello")]).await;
    assert!(matches!(items[0], Stored::Duplicate { same: true, .. }));
    assert!(matches!(items[1], Stored::Duplicate { same: false, .. }));
}

#[tokio::test]
async fn a_redelivery_is_known_whatever_the_gate_makes_of_it_this_time() {
    let fixture = Fixture::open().await;
    let message = fixture.accept_one(1, says_new("anna", "1", "hello")).await;
    let disposition = Disposition::Refused(Refusal::RateLimited);
    let too_fast = Admitted { epoch: EpochChange::ByRule, disposition, ..says_new("anna", "1", "hello") };
    let clipped = Admitted { text: Some("hel".into()), ..too_fast.clone() };
    let same = Stored::Duplicate { message, session: key("anna"), same: true, refused: None };
    assert_eq!(fixture.accept(2, vec![too_fast, clipped]).await, [same.clone(), same]);
}

#[tokio::test]
async fn a_rewritten_message_is_still_recognized() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "hello").await;
    let polite = "hello, said politely".to_owned();
    done(fixture.store.rewrite(ids(&turn)[0], turn.claim, polite.clone()).await.unwrap());
    let items = fixture.accept(20, vec![says("anna", "anna-hello", "hello")]).await;
    assert!(matches!(items[0], Stored::Duplicate { same: true, .. }));
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    assert_eq!(fixture.claim("anna").await.unwrap().messages[0].text, polite);
}

#[tokio::test]
async fn one_batch_may_bring_the_same_event_twice() {
    let fixture = Fixture::open().await;
    let items = fixture.accept(1, vec![says("anna", "1", "x"), says("anna", "1", "x")]).await;
    assert!(matches!(items[..], [Stored::Accepted { .. }, Stored::Duplicate { same: true, .. }]));
}

#[tokio::test]
async fn what_is_passed_over_leaves_no_row_and_moves_the_cursor() {
    let fixture = Fixture::open().await;
    let reasons = [DropReason::Denied(DenyReason::NotAllowed), DropReason::Unused("sticker".into())];
    let events = reasons.into_iter().map(|reason| dropped(says("anna", "1", "x"), reason)).collect();
    let stored = fixture.store.accept(batch(5, events)).await.unwrap();
    assert_eq!(stored, [Stored::Dropped, Stored::Dropped]);
    assert_eq!(fixture.store.cursor("telegram:1").await.unwrap().unwrap().0, "at 5");
    assert_eq!(fixture.store.totals().await.unwrap(), Totals::default());
}

#[tokio::test]
async fn an_empty_batch_moves_the_cursor() {
    let fixture = Fixture::open().await;
    fixture.accept(9, vec![]).await;
    assert_eq!(fixture.store.cursor("telegram:1").await.unwrap().unwrap().0, "at 9");
}

#[tokio::test]
async fn a_refused_stranger_begins_no_session() {
    let fixture = Fixture::open().await;
    let refused = Disposition::Refused(Refusal::RateLimited);
    let accepted = fixture
        .accept_with_notices(1, vec![Admitted { disposition: refused, ..says("anna", "1", "x") }])
        .await;
    let [Stored::Refused { message, reason: Refusal::RateLimited, told: true }] = accepted.items[..] else {
        panic!("{accepted:?}")
    };
    assert_eq!(accepted.announced[0].address, address("anna"));
    assert_eq!(fixture.state(message).await, ("refused".into(), Some("rate_limited".into())));
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap(), None);
    assert_eq!(accepted.announced.len(), 1);
    assert_eq!(accepted.announced[0].post.key, format!("{message}/notice/refused/0"));
    assert_eq!(accepted.announced[0].post.about.messages, [message]);
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn a_refusal_that_is_not_told_says_nothing() {
    let fixture = Fixture::open().await;
    let refused = Disposition::Refused(Refusal::RateLimited);
    let quiet = Admitted { disposition: refused, tell: false, ..says("anna", "1", "x") };
    assert_eq!(fixture.accept_with_notices(1, vec![quiet]).await.announced, []);
}

#[tokio::test]
async fn a_full_session_refuses_and_says_so_once_per_head() {
    let fixture = Fixture::open().await;
    for n in 0..4 {
        fixture.accept_one(1, says("anna", &n.to_string(), "x")).await;
    }
    let accepted = fixture.accept_with_notices(2, vec![says("anna", "4", "x"), says("anna", "5", "x")]).await;
    assert!(accepted.items.iter().all(|i| matches!(i, Stored::Refused { reason: Refusal::SessionFull, .. })));
    assert_eq!(accepted.announced.len(), 1);
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().last_user_at, Some(t(1)));
    // The head is taken, one place is free; then the session is full behind another head.
    fixture.claim("anna").await.unwrap();
    let accepted = fixture.accept_with_notices(3, vec![says("anna", "6", "x"), says("anna", "7", "x")]).await;
    assert!(matches!(accepted.items[0], Stored::Accepted { .. }));
    assert!(matches!(accepted.items[1], Stored::Refused { .. }));
    assert_eq!(accepted.announced.len(), 1);
    assert_eq!(fixture.store.waiting(), 4);
}

#[tokio::test]
async fn a_command_is_taken_by_a_full_session() {
    let fixture = Fixture::open().await;
    for n in 0..4 {
        fixture.accept_one(1, says("anna", &n.to_string(), "x")).await;
    }
    let items = fixture.accept(2, vec![commands("anna", "c", EpochChange::ByRule)]).await;
    assert!(matches!(items[0], Stored::Accepted { .. }));
}

#[tokio::test]
async fn a_poisoned_event_is_kept_as_dead_and_the_others_pass() {
    let fixture = Fixture::open().await;
    let refused = Disposition::Refused(Refusal::TooLong);
    let poison = Admitted { disposition: refused, ..says("eve", "2", "poison") };
    let poison = with_event(poison, |event| event.address = address("PANIC"));
    let items = fixture.accept(1, vec![says("anna", "1", "x"), poison.clone(), says("bob", "3", "y")]).await;
    let [Stored::Accepted { .. }, Stored::Dead { message }, Stored::Accepted { .. }] = items[..] else {
        panic!("{items:?}")
    };
    assert_eq!(fixture.state(message).await, ("dead".into(), Some("poison".into())));
    let row = fixture.store.message(message).await.unwrap().unwrap().message;
    assert_eq!((row.text.as_str(), row.disposition, row.epoch), ("poison", RowDisposition::Refused, 0));
    assert_eq!(fixture.store.cursor("telegram:1").await.unwrap().unwrap().0, "at 1");
    assert_eq!(fixture.store.waiting(), 2);
    let items = fixture.accept(2, vec![poison]).await;
    assert_eq!(items, [Stored::Duplicate { message, session: key("eve"), same: true, refused: None }]);
}

#[tokio::test]
async fn how_something_was_said_is_kept_with_it() {
    let fixture = Fixture::open().await;
    let quote =
        Quote { message: Some("31".into()), sender: Some("B\"ob".into()), ours: true, ..Quote::of("ä") };
    let forward = Forward { kind: ForwardKind::Hidden, id: None, name: Some("Eve".into()) };
    let link = Link { label: "this".into(), url: "https://e.com/".into() };
    let message = with_event(says("anna", "1", "hello"), |event| {
        event.kind = EventKind::Button { target: None };
        event.from.kind = SenderKind::Bot;
        event.from.roles = vec!["staff".into(), "a\"b".into()];
        event.quote = Some(quote.clone());
        event.album = Some("x".into());
        event.forward = Some(forward.clone());
        event.links = vec![link.clone()];
    });
    let id = fixture.accept_one(1, message).await;
    let fixture = fixture.restarted(2).await;
    let row = fixture.store.message(id).await.unwrap().unwrap().message;
    assert_eq!((row.input_kind, row.from.kind, row.quote), (InputKind::Button, SenderKind::Bot, Some(quote)));
    assert_eq!((row.forward, row.links), (Some(forward), vec![link]));
    assert_eq!(
        (row.from.roles, row.album.as_deref()),
        (vec!["staff".to_owned(), "a\"b".to_owned()], Some("x"))
    );
    let plain = fixture.accept_one(2, says("anna", "2", "hello")).await;
    let row = fixture.store.message(plain).await.unwrap().unwrap().message;
    assert_eq!((row.input_kind, row.from.kind, row.quote), (InputKind::Message, SenderKind::Person, None));
    assert_eq!((row.forward, row.links), (None, vec![]));
    assert_eq!((row.from.roles, row.album), (vec![], None));
}
