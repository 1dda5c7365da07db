//! Events that could not be read.

use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::message::{Cursor, Event, EventKind, RawEvent};
use frontdesk_store::row::*;

use crate::fixture::*;

fn letter(event: &str, body: &[u8]) -> Decided {
    let raw = RawEvent { kind: "hologram".into(), reason: "chat.id".into(), body: body.to_vec() };
    let event = Event::undecodable(&source(), Some(event.into()), raw).unwrap();
    Decided::Dropped { event, reason: DropReason::Undecodable("hologram".into()), session: None }
}

/// An event that cannot be read of somebody who may write.
fn hers(event: &str, body: &[u8]) -> Decided {
    let event = letter(event, body).event().clone();
    let EventKind::Undecodable(raw) = event.kind.clone() else { panic!("{event:?}") };
    let event = event.unreadable(raw, false);
    Decided::Dropped { event, reason: DropReason::NotForUs, session: Some(key("anna")) }
}

async fn kept(fixture: &Fixture, at: i64, letters: Vec<Decided>) {
    fixture.store.accept(batch(at, letters)).await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_read_is_kept_with_the_cursor_and_once() {
    let fixture = Fixture::open().await;
    kept(&fixture, 1, vec![letter("7", br#"{"text":"secret"}"#)]).await;
    kept(&fixture, 2, vec![letter("7", b"another body"), letter("8", b"")]).await;
    assert_eq!(fixture.store.cursor("telegram:1").await.unwrap(), Some(Cursor("at 2".into())));
    let rows = fixture.store.dead_letters(None, 10).await.unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row.event_id.as_str(), row.size, row.body.len())).collect();
    assert_eq!(shown, [("8", 0, 0), ("7", 17, 0)], "the newest first, without bytes");
    let row = fixture.store.dead_letter(rows[1].id).await.unwrap().unwrap();
    assert_eq!(
        (row.body.as_slice(), row.kind.as_str(), row.received),
        (br#"{"text":"text"}"#.as_slice(), "hologram", t(1)),
        "without its values, because its sender is not known"
    );
    assert_eq!(fixture.store.dead_letters(Some(rows[0].id), 10).await.unwrap().len(), 1);
    assert_eq!(fixture.store.totals().await.unwrap().dead_letters, 2);
}

#[tokio::test]
async fn neither_many_nor_large_ones_fill_the_disk() {
    let fixture = Fixture::open().await;
    kept(&fixture, 1, vec![hers("huge", &vec![b'x'; 1 << 20])]).await;
    let huge = fixture.store.dead_letters(None, 1).await.unwrap().remove(0);
    let huge = fixture.store.dead_letter(huge.id).await.unwrap().unwrap();
    assert_eq!((huge.size, huge.body.len()), (1 << 20, 64 * 1024), "its beginning, and how long it was");
    for round in 0..11 {
        let many = (0..100).map(|n| hers(&format!("{round}/{n}"), b"x")).collect();
        kept(&fixture, 2, many).await;
    }
    let totals = fixture.store.totals().await.unwrap();
    assert_eq!((totals.dead_letters, totals.dead_letters_deleted), (1000, 101));
    assert_eq!(fixture.store.dead_letter(huge.id).await.unwrap(), None, "the oldest was deleted for it");
    for round in 0..3 {
        let large = (0..100).map(|n| hers(&format!("large {round}/{n}"), &vec![b'x'; 1 << 16])).collect();
        kept(&fixture, 3, large).await;
    }
    let rows = fixture.store.dead_letters(None, 2000).await.unwrap();
    let bytes: u64 = rows.iter().map(|row| row.size).sum();
    assert_eq!((rows.len(), bytes), (256, 16 << 20), "sixteen megabytes in all");
}

#[tokio::test]
async fn it_goes_when_it_is_dropped_erased_or_old() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "hello")).await;
    kept(&fixture, 1, vec![letter("3", b"a"), hers("2", b"hers"), letter("4", b"b"), letter("5", b"c")])
        .await;
    let ids: Vec<i64> =
        fixture.store.dead_letters(None, 10).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(fixture.store.dead_letters_dropped(Some(ids[0]), &admin(), t(2)).await.unwrap(), 1);
    assert_eq!(fixture.store.dead_letters_dropped(Some(ids[0]), &admin(), t(2)).await.unwrap(), 0);
    fixture.store.erase(&key("anna"), &admin(), t(2)).await.unwrap();
    let left: Vec<String> =
        fixture.store.dead_letters(None, 10).await.unwrap().into_iter().map(|row| row.event_id).collect();
    assert_eq!(left, ["4", "3"], "with the session what was said in it");
    let keep = Retention {
        dead_letter_days: 30,
        outbox_days: 999,
        refused_days: 999,
        history_days: 999,
        audit_days: 999,
    };
    const DAY: i64 = 86_400;
    assert_eq!(fixture.store.purge(keep, t(29 * DAY)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(keep, t(32 * DAY)).await.unwrap(), 2);
    kept(&fixture, 40 * DAY, vec![letter("6", b"d"), letter("7", b"e")]).await;
    assert_eq!(fixture.store.dead_letters_dropped(None, &admin(), t(2)).await.unwrap(), 2);
}
