//! How much one person may say on a day.

use frontdesk_core::message::{InputKind, Refusal};
use frontdesk_store::row::*;

use crate::fixture::*;

fn limited(event: &str, limit: u32, day: i64) -> Message {
    Message { quota: Some(Quota { limit, day }), per_session: 99, ..says("anna", event, event) }
}

async fn used(fixture: &Fixture, day: i64) -> u32 {
    fixture.store.quota_used(&person("7"), day).await.unwrap()
}

#[tokio::test]
async fn the_message_beyond_the_limit_is_refused_and_told_once_a_day() {
    let fixture = Fixture::open().await;
    let accepted = fixture.accept(1, (0..5).map(|n| limited(&n.to_string(), 3, 20_000)).collect()).await;
    let refused = |item: &Stored| matches!(item, Stored::Refused { reason: Refusal::Quota, .. });
    assert_eq!(accepted.items.iter().map(refused).collect::<Vec<_>>(), [false, false, false, true, true]);
    assert_eq!(accepted.said.len(), 1);
    assert_eq!(accepted.said[0].post.part.body, Refusal::Quota.sentence());
    assert_eq!(used(&fixture, 20_000).await, 3);
    let next = fixture.accept(2, vec![limited("n", 3, 20_001)]).await;
    assert!(matches!(next.items[0], Stored::Accepted { .. }), "a new day");
    assert_eq!((used(&fixture, 20_000).await, used(&fixture, 20_001).await), (3, 1));
    let again = fixture.accept(3, (0..4).map(|n| limited(&format!("d{n}"), 3, 20_001)).collect()).await;
    assert_eq!(again.said.len(), 1, "told again on another day");
}

#[tokio::test]
async fn commands_count_and_two_people_count_apart() {
    let fixture = Fixture::open().await;
    let quota = Some(Quota { limit: 1, day: 1 });
    let command = Message { quota, ..commands("anna", "c", EpochChange::ByRule) };
    let bob = Message { quota, principal: person("8"), ..says("bob", "b", "x") };
    let items = fixture.take(1, vec![command, bob, limited("m", 1, 1)]).await;
    assert!(matches!(
        items[..],
        [Stored::Accepted { .. }, Stored::Accepted { .. }, Stored::Refused { reason: Refusal::Quota, .. }]
    ));
    assert_eq!(fixture.store.waiting(), 2);
}

#[tokio::test]
async fn what_is_not_taken_does_not_count() {
    let fixture = Fixture::open().await;
    fixture.take(1, vec![limited("1", 9, 1), limited("1", 9, 1)]).await;
    let edit =
        Message { input_kind: InputKind::Edit, platform_message: Some("p-1".into()), ..limited("2", 9, 1) };
    let refused = Message { disposition: Disposition::Refused(Refusal::RateLimited), ..limited("3", 9, 1) };
    let full = Message { per_session: 1, ..limited("4", 9, 1) };
    let context_message = Message { disposition: Disposition::Context(1), ..limited("5", 9, 1) };
    fixture.take(2, vec![edit, refused, full, context_message]).await;
    assert_eq!(used(&fixture, 1).await, 1);
}

#[tokio::test]
async fn no_limit_counts_nothing_and_none_at_all_refuses_everything() {
    let fixture = Fixture::open().await;
    fixture.heard(1, says("anna", "1", "x")).await;
    assert_eq!(used(&fixture, 1).await, 0);
    assert!(matches!(fixture.take(1, vec![limited("2", 0, 1)]).await[0], Stored::Refused { .. }));
    assert_eq!(used(&fixture, 1).await, 0);
}

#[tokio::test]
async fn counts_of_old_days_are_purged() {
    let fixture = Fixture::open().await;
    let today = t(0).timestamp() / 86_400;
    let items = (0..250).map(|n| Message {
        quota: Some(Quota { limit: 9, day: today }),
        principal: person(&n.to_string()),
        ..says(&format!("u{n}"), &n.to_string(), "x")
    });
    fixture.take(1, items.collect()).await;
    let keep = Retention {
        outbox_days: 999,
        refused_days: 999,
        dead_letter_days: 999,
        history_days: 999,
        audit_days: 999,
    };
    assert_eq!(fixture.store.purge(keep, t(8 * 86_400)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(keep, t(9 * 86_400)).await.unwrap(), 250);
}
