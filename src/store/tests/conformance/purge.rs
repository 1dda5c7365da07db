//! What is too old goes; what somebody waits for stays.

use frontdesk_core::message::Refusal;
use frontdesk_store::row::*;

use crate::fixture::*;

const DAY: i64 = 86_400;
const KEEP: Retention =
    Retention { outbox_days: 14, refused_days: 8, dead_letter_days: 30, history_days: 365, audit_days: 90 };

fn refused(event: &str) -> Admitted {
    let disposition = Disposition::Refused(Refusal::RateLimited);
    Admitted { disposition, tell: false, ..says("anna", event, "x") }
}

#[tokio::test]
async fn each_kind_goes_in_its_own_time() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "one|two")).await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, sent("1")).await;
    fixture.accept_one(0, refused("r")).await;
    for (days, gone) in [(7, 0), (9, 1), (13, 0), (15, 1), (364, 0), (366, 2)] {
        assert_eq!(fixture.store.purge(KEEP, t(days * DAY)).await.unwrap(), gone, "after {days} days");
    }
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["two"], "what is still to be sent stays");
    assert!(fixture.store.history(&key("anna"), None, None, 10).await.unwrap().is_empty());
    assert!(fixture.store.session(&key("anna")).await.unwrap().is_some(), "the session stays");
}

#[tokio::test]
async fn no_event_id_goes_before_its_last_redelivery() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "")).await;
    fixture.accept_one(10, refused("r")).await;
    let greedy =
        Retention { outbox_days: 0, refused_days: 0, dead_letter_days: 0, history_days: 0, audit_days: 0 };
    assert_eq!(fixture.store.purge(greedy, t(7 * DAY)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(greedy, t(9 * DAY)).await.unwrap(), 3);
}

#[tokio::test]
async fn what_waits_or_runs_stays_however_old() {
    let fixture = Fixture::open().await;
    fixture.turn("anna", "a").await;
    fixture.accept_one(11, says("anna", "2", "b")).await;
    assert_eq!(fixture.store.purge(KEEP, t(4000 * DAY)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_large_purge_goes_in_small_units() {
    let fixture = Fixture::open().await;
    let items = (0..1000).map(|n| refused(&n.to_string())).collect();
    fixture.accept(1, items).await;
    assert_eq!(fixture.store.purge(KEEP, t(9 * DAY)).await.unwrap(), 1000);
}

#[tokio::test]
async fn what_is_kept_longer_than_the_calendar_is_never_purged() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "")).await;
    fixture.accept_one(10, refused("r")).await;
    let ever = Retention {
        outbox_days: u32::MAX,
        refused_days: u32::MAX,
        dead_letter_days: u32::MAX,
        history_days: u32::MAX,
        audit_days: u32::MAX,
    };
    assert_eq!(fixture.store.purge(ever, t(9000 * DAY)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(Retention { refused_days: 8, ..ever }, t(9000 * DAY)).await.unwrap(), 1);
}
