//! Whatever an operator does to a conversation or to a part leaves a line, in the transaction that does it.

use frontdesk_store::row::*;

use crate::fixture::*;

/// Action, subject and outcome of every line, the oldest first.
async fn lines(fixture: &Fixture) -> Vec<(String, String, String)> {
    let rows = fixture.store.audits(None, 100).await.unwrap();
    for row in &rows {
        assert_eq!((row.by.as_str(), row.via.as_str()), (admin().name.as_str(), admin().via), "{row:?}");
    }
    rows.into_iter().rev().map(|row| (row.action, row.subject, row.outcome)).collect()
}

fn line(action: &str, subject: impl ToString, outcome: &str) -> (String, String, String) {
    (action.into(), subject.to_string(), outcome.into())
}

#[tokio::test]
async fn what_an_operator_does_to_a_session_leaves_a_line() {
    let fixture = Fixture::open().await;
    let (anna, bob) = (key("anna"), key("bob"));
    fixture.store.reset(&bob, EpochReason::Api, &admin(), t(1)).await.unwrap();
    fixture.store.erase(&bob, &admin(), t(1)).await.unwrap();
    assert_eq!(lines(&fixture).await, [], "there is no such session: nothing was done");
    fixture.accept_one(0, says("anna", "1", "a secret word")).await;
    fixture.store.cancel(&anna, &admin(), t(2)).await.unwrap();
    fixture.store.cancel(&anna, &admin(), t(3)).await.unwrap();
    fixture.store.reset(&anna, EpochReason::Api, &admin(), t(4)).await.unwrap();
    fixture.store.erase(&anna, &admin(), t(5)).await.unwrap();
    let expected = [
        line("session stop", &anna, "done"),
        line("session stop", &anna, "unchanged"),
        line("session reset", &anna, "done"),
        line("session erase", &anna, "done"),
    ];
    assert_eq!(lines(&fixture).await, expected);
}

#[tokio::test]
async fn what_an_operator_sends_retries_and_drops_leaves_a_line_without_its_text() {
    let fixture = Fixture::open().await;
    let to = address("anna");
    let outgoing = OutgoingMessage {
        address: to.clone(),
        session: None,
        parts: parts("a secret word"),
        media: vec![],
        key: "k".into(),
        author: admin(),
        now: t(1),
    };
    let part = fixture.store.send(outgoing.clone()).await.unwrap().remove(0);
    fixture.store.send(outgoing).await.unwrap();
    let id = part.post.out;
    assert_eq!(fixture.store.part_retried(id, &admin(), t(2)).await.unwrap(), None, "it is on its way");
    let claimed = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&claimed, SendResult::Dead { error: "refused".into() }).await;
    fixture.store.part_retried(id, &admin(), t(3)).await.unwrap();
    fixture.store.part_dropped(id, &admin(), t(4)).await.unwrap();
    let about = format!("{id} {to}");
    let expected = [
        line("send", &to, "done"),
        line("outbox retry", &about, "done"),
        line("outbox drop", &about, "done"),
    ];
    assert_eq!(lines(&fixture).await, expected, "once each, and a repetition of a request is none");
}

#[tokio::test]
async fn a_refusal_that_changes_nothing_can_leave_a_line() {
    let fixture = Fixture::open().await;
    fixture.store.audit(&admin(), "origin", "https://evil.example", "refused", t(1)).await.unwrap();
    assert_eq!(lines(&fixture).await, [line("origin", "https://evil.example", "refused")]);
}
