//! What strangers leave on the disk: no code, and little of anything.

use std::fs;

use frontdesk_core::pairing::Code;
use frontdesk_store::row::*;
use rusqlite::Connection;

use crate::fixture::*;

/// Every byte of the database and of what lies beside it.
fn bytes(fixture: &Fixture) -> Vec<u8> {
    let files = fs::read_dir(fixture.home.path()).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
}

/// The size of the database once everything is written back.
async fn size(fixture: Fixture) -> (u64, Fixture) {
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size = fs::metadata(&path).unwrap().len();
    (size, fixture.restarted(2).await)
}

#[tokio::test]
async fn no_code_is_on_the_disk() {
    let fixture = Fixture::open().await;
    let codes: Vec<Code> = ["eve", "mallory", "trent"].map(|who| code(who, who)).into();
    for who in ["eve", "mallory", "trent"] {
        let message = with_request(asks(who, who), |request| request.tell = vec![address("1")]);
        fixture.ask(1, message).await;
        fixture.claim_part(who).await.unwrap();
    }
    assert!(matches!(fixture.approve(2, &codes[0]).await, AccessDone::Approved(_)));
    let deny = AccessChange::Deny { code: codes[1].clone(), account: None };
    assert!(matches!(fixture.change(2, deny).await, AccessDone::Denied(_)));
    for _ in 0..9 {
        fixture.approve(3, &code("nobody", "wrong")).await;
    }
    fixture.approve(4, &codes[2]).await;
    let written = bytes(&fixture);
    assert!(holds(&written, b"shown as trent") && holds(&written, b"refused:locked"), "the test can see");
    let wrong = code("nobody", "wrong");
    for code in codes.iter().chain([&wrong]) {
        assert!(!holds(&written, code.reveal().as_bytes()), "in use");
    }
    let (_, fixture) = size(fixture).await;
    let written = bytes(&fixture);
    assert!(codes.iter().all(|code| !holds(&written, code.reveal().as_bytes())), "at rest");
}

#[tokio::test]
async fn what_a_stranger_says_is_not_on_the_disk() {
    let fixture = Fixture::open().await;
    fixture.ask(1, asks("eve", "1")).await;
    let again = fixture.accept(2, vec![says("eve", "1", "a secret of mine")]).await;
    assert!(matches!(again[0], Stored::Duplicate { .. }));
    assert!(!holds(&bytes(&fixture), b"a secret of mine"));
}

fn stranger(n: usize) -> Admitted {
    let message = asks(&format!("{}", 1_000_000_000 + n), &format!("{}", 5_000_000 + n));
    with_request(message, |request| {
        request.open = n < 100;
        request.tell = vec![address("1")];
    })
}

#[tokio::test]
async fn ten_thousand_strangers_leave_less_than_a_megabyte() {
    let (before, fixture) = size(Fixture::open().await).await;
    let mut asked = 0;
    for first in (0..10_000).step_by(100) {
        let crowd = (first..first + 100).map(|n| Decided::Admitted(stranger(n)));
        let accepted = fixture.store.accept(batch(first as i64 / 10, crowd.collect())).await.unwrap();
        asked += accepted.iter().filter(|item| matches!(item, Stored::Asked { .. })).count();
        // Each of them once more, at once.
        let again = (first..first + 100)
            .map(|n| Decided::Admitted(with_event(stranger(n), |event| event.id = format!("again {n}"))));
        let accepted = fixture.store.accept(batch(first as i64 / 10, again.collect())).await.unwrap();
        assert!(accepted.iter().all(|item| *item == Stored::Dropped));
    }
    assert_eq!((asked, fixture.store.pairing_requests(t(1000)).await.unwrap().len()), (100, 100));
    let (after, _fixture) = size(fixture).await;
    assert!(after - before < 1_000_000, "{} bytes", after - before);
}

#[tokio::test]
async fn a_thousand_strangers_who_drive_each_other_out_stay_small() {
    let (before, fixture) = size(Fixture::open().await).await;
    for n in 0..1000 {
        fixture.ask(n, stranger(n as usize)).await;
    }
    assert_eq!(fixture.store.pairing_requests(t(1000)).await.unwrap().len(), 100);
    let (after, _fixture) = size(fixture).await;
    assert!(after - before < 1_000_000, "{} bytes", after - before);
}
