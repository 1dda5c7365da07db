//! What is measured in each minute is added up, and kept for two days.

use chrono::{DateTime, Utc};
use frontdesk_store::row::*;

use crate::fixture::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn minutes_add_up_and_old_ones_are_deleted() {
    let fixture = Fixture::open().await;
    let first = at("2026-03-28T22:30:10Z");
    let row = MinuteRow {
        messages: 2,
        turns: 1,
        turn_ms: 500,
        turn_max_ms: 500,
        queue_ms: 70,
        ..MinuteRow::default()
    };
    let minute = minute_of(first);
    fixture.store.minutes_measured(vec![(minute, row)], first).await.unwrap();
    let more = MinuteRow {
        messages: 1,
        turns: 1,
        turn_ms: 100,
        turn_max_ms: 100,
        cost_micro: 9,
        ..MinuteRow::default()
    };
    fixture.store.minutes_measured(vec![(minute, more), (minute + 1, more)], first).await.unwrap();
    let sum = MinuteRow { messages: 3, turns: 2, turn_ms: 600, cost_micro: 9, ..row };
    assert_eq!(fixture.store.minutes(first).await.unwrap(), [(minute, sum), (minute + 1, more)]);
    assert_eq!(fixture.store.minutes(at("2026-03-28T22:31:00Z")).await.unwrap(), [(minute + 1, more)]);
    fixture.store.minutes_measured(vec![], at("2026-03-30T22:31:59Z")).await.unwrap();
    assert_eq!(
        fixture.store.minutes(first).await.unwrap(),
        [(minute + 1, more)],
        "the first is two days old"
    );
}

#[tokio::test]
async fn commits_are_counted_until_they_are_taken() {
    let fixture = Fixture::open().await;
    fixture.store.take_commits();
    fixture.accept_one(0, says("anna", "1", "hello")).await;
    let taken = fixture.store.take_commits();
    assert!(
        taken.commits >= 1 && taken.commit_us >= taken.commit_max_us && taken.commit_max_us > 0,
        "{taken:?}"
    );
    assert!(taken.is_idle(), "a minute with nothing but commits is not stored");
    assert_eq!(fixture.store.take_commits(), MinuteRow::default());
}
