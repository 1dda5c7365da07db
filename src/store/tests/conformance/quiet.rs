//! Quiet hours: what nobody has asked for waits and blocks nothing.

use frontdesk_core::delivery::PostKind;
use frontdesk_store::row::*;

use crate::fixture::*;

fn message(text: &str, request: &str, at: i64) -> OutgoingMessage {
    OutgoingMessage {
        address: address("anna"),
        session: None,
        parts: parts(text),
        media: vec![],
        key: request.into(),
        author: admin(),
        now: t(at),
    }
}

/// Quiet hours until this time.
fn quiet(until: i64) -> Option<Quiet> {
    Some(Quiet { until: t(until), steady: t(until) })
}

#[tokio::test]
async fn a_message_is_held_and_an_answer_overtakes_it() {
    let fixture = Fixture::open().await;
    let anna = address("anna");
    fixture.store.send(message("one|two", "k1", 1)).await.unwrap();
    let next = fixture.store.claim_part_in(&anna, quiet(500), t(2)).await.unwrap();
    assert_eq!(next, NextPart::Wait(t(500)));
    let rows = fixture.store.parts(Some(OutboxState::Queued), None, 9).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.held_until).collect::<Vec<_>>(), [Some(t(500)); 2]);

    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "the answer")).await;
    let NextPart::Send { part, .. } = fixture.store.claim_part_in(&anna, quiet(500), t(3)).await.unwrap()
    else {
        panic!("the answer is blocked")
    };
    assert_eq!(part.post.kind, PostKind::Answer);
    fixture.part_ended(&part, sent("1")).await;
    fixture.store.send_urgent(message("fire", "k2", 4)).await.unwrap();
    let NextPart::Send { part, .. } = fixture.store.claim_part_in(&anna, quiet(500), t(5)).await.unwrap()
    else {
        panic!("what is urgent is blocked")
    };
    assert_eq!(part.post.part.body, "fire");
    fixture.part_ended(&part, sent("2")).await;
    let next = fixture.store.claim_part_in(&anna, quiet(500), t(6)).await.unwrap();
    assert_eq!(next, NextPart::Wait(t(500)));

    // What waits since then does not expire before the hours end, and then as if it had just been stored.
    fixture.store.expire_parts(t(400), t(401)).await.unwrap();
    let NextPart::Send { part, .. } = fixture.store.claim_part_in(&anna, None, t(500)).await.unwrap() else {
        panic!("it is held for ever")
    };
    assert_eq!(part.post.part.body, "one");
    fixture.part_ended(&part, sent("3")).await;
    fixture.store.expire_parts(t(501), t(502)).await.unwrap();
    assert_eq!(fixture.store.parts(Some(OutboxState::Dead), None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn other_hours_replace_those_that_held_a_message() {
    let fixture = Fixture::open().await;
    let anna = address("anna");
    fixture.store.send(message("one", "k1", 1)).await.unwrap();
    for until in [500, 300, 900] {
        let next = fixture.store.claim_part_in(&anna, quiet(until), t(2)).await.unwrap();
        assert_eq!(next, NextPart::Wait(t(until)));
    }
    let NextPart::Send { .. } = fixture.store.claim_part_in(&anna, None, t(3)).await.unwrap() else {
        panic!()
    };
}
