//! How much one person may say on a day.

use frontdesk_core::message::{EventKind, Refusal};
use frontdesk_store::row::*;

use crate::fixture::*;

fn limited(event: &str, limit: u32, day: i64) -> Admitted {
    Admitted { quota: Some(Quota { limit, day }), per_session: 99, ..says("anna", event, event) }
}

async fn used(fixture: &Fixture, day: i64) -> u32 {
    fixture.store.quota_used(&person("7"), day).await.unwrap()
}

#[tokio::test]
async fn the_message_beyond_the_limit_is_refused_and_told_once_a_day() {
    let fixture = Fixture::open().await;
    let accepted =
        fixture.accept_with_notices(1, (0..5).map(|n| limited(&n.to_string(), 3, 20_000)).collect()).await;
    let refused = |item: &Stored| matches!(item, Stored::Refused { reason: Refusal::Quota, .. });
    assert_eq!(accepted.items.iter().map(refused).collect::<Vec<_>>(), [false, false, false, true, true]);
    assert_eq!(accepted.announced.len(), 1);
    assert_eq!(accepted.announced[0].post.part.body, Refusal::Quota.sentence());
    assert_eq!(used(&fixture, 20_000).await, 3);
    let next = fixture.accept_with_notices(2, vec![limited("n", 3, 20_001)]).await;
    assert!(matches!(next.items[0], Stored::Accepted { .. }), "a new day");
    assert_eq!((used(&fixture, 20_000).await, used(&fixture, 20_001).await), (3, 1));
    let again =
        fixture.accept_with_notices(3, (0..4).map(|n| limited(&format!("d{n}"), 3, 20_001)).collect()).await;
    assert_eq!(again.announced.len(), 1, "told again on another day");
}

#[tokio::test]
async fn commands_count_and_two_people_count_apart() {
    let fixture = Fixture::open().await;
    let quota = Some(Quota { limit: 1, day: 1 });
    let command = Admitted { quota, ..commands("anna", "c", EpochChange::ByRule) };
    let bob = with_event(Admitted { quota, ..says("bob", "b", "x") }, |event| event.from.id = person("8"));
    let items = fixture.accept(1, vec![command, bob, limited("m", 1, 1)]).await;
    assert!(matches!(
        items[..],
        [Stored::Accepted { .. }, Stored::Accepted { .. }, Stored::Refused { reason: Refusal::Quota, .. }]
    ));
    assert_eq!(fixture.store.waiting(), 2);
}

#[tokio::test]
async fn what_is_not_taken_does_not_count() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![limited("1", 9, 1), limited("1", 9, 1)]).await;
    let edit = with_event(limited("2", 9, 1), |event| {
        event.kind = EventKind::Edit;
        event.platform_message = Some("p-1".into());
    });
    let refused = Admitted { disposition: Disposition::Refused(Refusal::RateLimited), ..limited("3", 9, 1) };
    let full = Admitted { per_session: 1, ..limited("4", 9, 1) };
    let context_message = Admitted { disposition: Disposition::Context(1), ..limited("5", 9, 1) };
    fixture.accept(2, vec![edit, refused, full, context_message]).await;
    assert_eq!(used(&fixture, 1).await, 1);
}

#[tokio::test]
async fn no_limit_counts_nothing_and_none_at_all_refuses_everything() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    assert_eq!(used(&fixture, 1).await, 0);
    assert!(matches!(fixture.accept(1, vec![limited("2", 0, 1)]).await[0], Stored::Refused { .. }));
    assert_eq!(used(&fixture, 1).await, 0);
}

#[tokio::test]
async fn counts_of_old_days_are_purged() {
    let fixture = Fixture::open().await;
    let today = t(0).timestamp() / 86_400;
    let items = (0..250).map(|n| {
        let quota = Some(Quota { limit: 9, day: today });
        let message = Admitted { quota, ..says(&format!("u{n}"), &n.to_string(), "x") };
        with_event(message, |event| event.from.id = person(&n.to_string()))
    });
    fixture.accept(1, items.collect()).await;
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
