//! Faults of the gateway, and what has waited or run for too long.

use chrono::TimeDelta;
use frontdesk_core::alarm::{FaultId, FaultKind, OpenFault};
use frontdesk_store::row::*;

use crate::fixture::*;

fn disk() -> FaultId {
    FaultId { kind: FaultKind::Disk, subject: String::new() }
}

#[tokio::test]
async fn a_fault_is_open_from_its_first_check_on_until_people_know_that_it_is_over() {
    let fixture = Fixture::open().await;
    let channel = FaultId { kind: FaultKind::Channel, subject: "fake".into() };
    let open = fixture.store.note_faults(vec![disk(), channel.clone()], t(1)).await.unwrap();
    let first = OpenFault { id: disk(), since: t(1), told: None, tells: 0 };
    assert_eq!(open, [OpenFault { id: channel.clone(), ..first.clone() }, first]);
    fixture.store.fault_told(disk(), false, t(2)).await.unwrap();
    // The other one ends before anybody is told.
    let open = fixture.store.note_faults(vec![disk()], t(3)).await.unwrap();
    let told = OpenFault { id: disk(), since: t(1), told: Some(t(2)), tells: 1 };
    assert_eq!(open, std::slice::from_ref(&told));
    let fixture = fixture.restarted(2).await;
    assert_eq!(
        fixture.store.note_faults(vec![], t(4)).await.unwrap(),
        [told],
        "it is over, and nobody knows"
    );
    assert_eq!(fixture.store.faults().await.unwrap(), [disk()]);
    fixture.store.fault_told(disk(), true, t(5)).await.unwrap();
    assert_eq!(fixture.store.note_faults(vec![], t(6)).await.unwrap(), []);
}

#[tokio::test]
async fn the_backlog_is_what_waits_runs_or_failed() {
    let fixture = Fixture::open().await;
    let backlog = async |at: i64| {
        let (late, turns) = (TimeDelta::seconds(100), TimeDelta::seconds(1000));
        fixture.store.backlog(t(at), late, turns).await.unwrap()
    };
    assert_eq!(backlog(0).await, Backlog::default());
    fixture.accept_one(10, says("bob", "1", "hello")).await;
    assert_eq!(backlog(20).await, Backlog { oldest_message: Some(t(10)), ..Backlog::default() });
    let turn = fixture.claim("bob").await.unwrap();
    let began = fixture.store.message(turn.messages[0].id).await.unwrap().unwrap();
    assert_eq!(backlog(20).await, Backlog::default(), "{began:?}");
    let stuck = backlog(5000).await.stuck;
    assert_eq!(stuck.len(), 1);
    assert_eq!((stuck[0].turn, &stuck[0].session), (turn.claim.id, &key("bob")));
    fixture.finish(answered(&turn, "an answer")).await;
    let late = backlog(5000).await;
    assert_eq!((late.stuck.len(), late.late_parts.len()), (0, 1));
    assert_eq!((late.late_parts[0].account.channel(), late.late_parts[0].parts), ("telegram", 1));
    let part = fixture.claim_part("bob").await.unwrap();
    let dead = SendResult::Dead { error: "gone".into() };
    assert!(fixture.part_ended(&part, dead).await);
    let failed = backlog(30).await;
    assert_eq!((failed.failed_parts, failed.late_parts.len()), (1, 0));
    assert_eq!(backlog(9000).await.failed_parts, 0, "that was long ago");
}

#[tokio::test]
async fn what_quiet_hours_hold_back_is_late_from_their_end_on() {
    let fixture = Fixture::open().await;
    let outgoing = OutgoingMessage {
        address: address("anna"),
        session: None,
        parts: parts("good morning"),
        media: vec![],
        key: "k".into(),
        author: admin(),
        now: t(1),
    };
    fixture.store.send(outgoing).await.unwrap();
    let quiet = Quiet { until: t(500), steady: t(500) };
    let next = fixture.store.claim_part_in(&address("anna"), Some(quiet), t(2)).await.unwrap();
    assert!(matches!(next, NextPart::Wait(_)), "{next:?}");
    let late = async |at: i64| {
        let (late, turns) = (TimeDelta::seconds(100), TimeDelta::seconds(1000));
        fixture.store.backlog(t(at), late, turns).await.unwrap().late_parts.len()
    };
    assert_eq!((late(490).await, late(590).await, late(601).await), (0, 0, 1));
}
