//! Rows that cannot be read keep no other row from being handled.

use frontdesk_core::ask::{AskEnd, AskKind, Audience, Question};
use frontdesk_store::row::*;

use crate::disk::meddle;
use crate::fixture::*;

/// Opens a question in a chat of a turn that runs there.
async fn asks_in(fixture: &Fixture, who: &str) -> frontdesk_core::id::AskId {
    let turn = fixture.turn(who, "hi").await;
    let question = Question {
        kind: AskKind::Permission,
        text: "Delete it?".to_owned(),
        choices: Vec::new(),
        audience: None,
        deadline: Some(std::time::Duration::from_secs(600)),
        default: None,
    };
    let new = NewAsk {
        ordinal: 0,
        question: question.completed().unwrap(),
        audience: Audience::People(vec![person("7")]),
    };
    match done(fixture.store.ask_opened(turn.claim, new, t(11)).await.unwrap()) {
        AskOpened::Open(id) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_that_cannot_be_read_ends_and_the_others_expire() {
    let fixture = Fixture::open().await;
    let (broken, well) = (asks_in(&fixture, "broken").await, asks_in(&fixture, "well").await);
    meddle(fixture.home.path(), "UPDATE ask SET address = 'nonsense' WHERE id = 1");
    assert_eq!(fixture.store.open_asks(None).await.unwrap().len(), 1, "the other one is listed");
    assert_eq!(fixture.store.expire_asks(t(12)).await.unwrap(), Some(t(611)));
    assert_eq!(fixture.store.expire_asks(t(611)).await.unwrap(), None);
    let ended = fixture.renderer.ended_asks.lock().unwrap().clone();
    assert_eq!((ended[0].id, &ended[0].end), (broken, &AskEnd::Cancelled), "its turn goes on");
    assert_eq!(ended[1].id, well);
    assert_eq!(ended.len(), 2, "it is read once");
}

#[tokio::test]
async fn a_part_that_cannot_be_read_expires_with_the_others() {
    let fixture = Fixture::open().await;
    for who in ["broken", "well"] {
        let turn = fixture.turn(who, "hi").await;
        fixture.finish(answered(&turn, who)).await;
    }
    meddle(fixture.home.path(), "UPDATE outbox SET address = 'nonsense' WHERE body = 'broken'");
    fixture.store.expire_parts(t(1000), t(2000)).await.unwrap();
    let dead = "UPDATE outbox SET address = 'telegram:broken' WHERE body = 'broken'";
    meddle(fixture.home.path(), dead);
    assert_eq!(fixture.texts(OutboxState::Dead).await, ["broken", "well"]);
}

#[tokio::test]
async fn a_revocation_and_a_move_pass_over_what_cannot_be_read() {
    let fixture = Fixture::open().await;
    for who in ["broken", "7"] {
        let turn = fixture.turn(who, "hi").await;
        fixture.finish(answered(&turn, who)).await;
        fixture.turn(who, "runs").await;
        fixture.accept_one(3, says(who, &format!("{who} waits"), "waits")).await;
    }
    fixture.accept_one(4, in_group("-1", "bob", "in the group", "waits")).await;
    meddle(
        fixture.home.path(),
        "UPDATE outbox SET key = 'nonsense', address = 'nonsense' WHERE body = 'broken';
         UPDATE turn SET key = 'nonsense', address = 'nonsense' WHERE key LIKE '%:broken';
         UPDATE inbound SET key = 'nonsense', address = 'nonsense' WHERE key LIKE '%:broken';",
    );
    let AccessDone::Revoked(ended) = fixture.change(50, revoke_with_chat("7")).await else { panic!() };
    assert_eq!((ended.running.len(), ended.waiting.len(), ended.dropped), (1, 1, 1));
    let moved = fixture.store.chat_moved(&address("-1"), &address("-2"), false, t(60)).await.unwrap();
    assert!(moved.is_some());
}
