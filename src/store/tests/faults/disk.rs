//! A full disk, a damaged page, a file that is gone.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use frontdesk_store::row::*;
use frontdesk_store::{Store, StoreError};

use crate::database::{open, options};
use crate::fixture::*;

/// A file system of its own, as small as we like; `None` where we may not mount.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(megabytes: u32) -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Small(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_full_disk_takes_nothing_back_and_is_over_when_there_is_space() {
    let Some(small) = Small::mount(6) else {
        println!("not run: mounting a file system is not permitted here");
        return;
    };
    fs::write(small.path().join("filler"), vec![0; 3 << 20]).unwrap();
    let store = open(small.path(), 1, Arc::default()).await;
    let text = "x".repeat(100_000);
    let mut taken = 0;
    let refusal = loop {
        let message = Admitted { per_session: 10_000, ..says("anna", &taken.to_string(), &text) };
        match store.accept(batch(taken, vec![Decided::Admitted(message)])).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "the disk never filled up");
    };
    assert!(matches!(&refusal, StoreError::Unavailable(cause) if cause.contains("full")), "{refusal:?}");
    // Everyone in a group is told the same.
    let together: Vec<_> = (0..8)
        .map(|n| {
            let item = Decided::Admitted(says("bob", &format!("b{n}"), &text));
            store.accept(batch(1, vec![item]))
        })
        .collect();
    for outcome in join_all(together).await {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
    assert_eq!(store.waiting(), taken as u64, "what failed is not counted");
    fs::remove_file(small.path().join("filler")).unwrap();
    for n in 0..taken {
        let again = Decided::Admitted(says("anna", &n.to_string(), &text));
        let known = store.accept(batch(n, vec![again])).await.unwrap();
        assert!(matches!(known[0], Stored::Duplicate { same: true, .. }), "{n} was lost");
    }
    let fresh = Decided::Admitted(says("eve", "fresh", "there is space again"));
    assert!(matches!(store.accept(batch(1, vec![fresh])).await.unwrap()[0], Stored::Accepted { .. }));
    store.close().await;
}

#[tokio::test]
async fn a_start_on_a_full_disk_says_so_and_works_when_there_is_space() {
    let Some(small) = Small::mount(2) else {
        println!("not run: mounting a file system is not permitted here");
        return;
    };
    let store = open(small.path(), 1, Arc::default()).await;
    let message = Decided::Admitted(says("anna", "1", "hello"));
    store.accept(batch(1, vec![message.clone()])).await.unwrap();
    store.close().await;
    // Until not one more byte fits.
    let mut filler = fs::File::create(small.path().join("filler")).unwrap();
    for size in [4096, 1] {
        while std::io::Write::write_all(&mut filler, &vec![0; size]).is_ok() {}
    }
    drop(filler);
    let options = options(&small.path().join("frontdesk.db"), 2, Arc::default());
    let Err(error) = Store::open(options).await else { panic!("it opened") };
    let text = error.to_string();
    assert!(text.contains("full") && text.contains("Nothing is lost") && !text.contains("backup"), "{text}");
    fs::remove_file(small.path().join("filler")).unwrap();
    let store = open(small.path(), 2, Arc::default()).await;
    let known = store.accept(batch(1, vec![message])).await.unwrap();
    assert!(matches!(known[0], Stored::Duplicate { same: true, .. }));
    store.close().await;
}

/// Polls all of them at once, without another crate.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in &mut waiting {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        match waiting.iter().all(|(_, done)| done.is_some()) {
            true => std::task::Poll::Ready(waiting.iter_mut().filter_map(|(_, done)| done.take()).collect()),
            false => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_unit_that_fails_fails_alone() {
    let fixture = Fixture::open().await;
    let command = fixture.accept_one(1, commands("eve", "c", EpochChange::ByRule)).await;
    let broken = fixture.answer_command(command, CommandEffect::None, t(2), Box::new(|_| panic!("oh")));
    let many = (0..20).map(|n| {
        let item = Decided::Admitted(says(&format!("u{n}"), &n.to_string(), "x"));
        fixture.store.accept(batch(2, vec![item]))
    });
    let (broken, many) = tokio::join!(broken, join_all(many.collect()));
    assert!(matches!(&broken, Err(StoreError::Invalid(cause)) if cause.contains("oh")), "{broken:?}");
    assert!(many.iter().all(Result::is_ok));
    assert_eq!(fixture.store.waiting(), 21);
}

/// Runs SQL on the file beside the store, as a foreign program would.
pub fn meddle(home: &Path, sql: &str) {
    rusqlite::Connection::open(home.join("frontdesk.db")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn nothing_is_accepted_after_sqlite_has_given_up_the_transaction() {
    let fixture = Fixture::open().await;
    // The second event cannot be stored, and burying it with its text takes the whole transaction along, as a
    // full disk may; without its text it could be marked_dead, in a transaction that knows nothing of the first.
    meddle(
        fixture.home.path(),
        "CREATE TRIGGER poison BEFORE INSERT ON inbound WHEN new.event_id = '2' AND new.state <> 'dead'
           BEGIN SELECT RAISE(ABORT, 'poison'); END;
         CREATE TRIGGER gone BEFORE INSERT ON inbound WHEN new.state = 'dead' AND new.body <> ''
           BEGIN SELECT RAISE(ROLLBACK, 'all is gone'); END;",
    );
    let items = || {
        let all = [says("anna", "1", "good"), says("eve", "2", "poison"), says("bob", "3", "good")];
        all.map(Decided::Admitted).to_vec()
    };
    let lost = fixture.store.accept(batch(1, items())).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let around = join_all(vec![
        fixture.store.accept(batch(1, vec![Decided::Admitted(says("carl", "4", "good"))])),
        fixture.store.accept(batch(1, items())),
    ]);
    for outcome in around.await {
        // Each item that was said to be stored is there.
        for item in outcome.into_iter().flatten() {
            let Stored::Accepted { message, .. } = item else { panic!("{item:?}") };
            assert!(fixture.store.message(message).await.unwrap().is_some(), "{message} was lost");
        }
    }
    meddle(fixture.home.path(), "DROP TRIGGER gone");
    let stored = fixture.store.accept(batch(2, items())).await.unwrap();
    assert!(matches!(stored[..], [Stored::Accepted { .. }, Stored::Dead { .. }, Stored::Accepted { .. }]));
}

#[tokio::test]
async fn rows_that_cannot_be_read_do_not_keep_the_gateway_from_starting() {
    let fixture = Fixture::open().await;
    for who in ["turn", "part", "well"] {
        let turn = fixture.turn(who, "a").await;
        if who == "part" {
            fixture.finish(answered(&turn, "one")).await;
            fixture.claim_part(who).await.unwrap();
        }
    }
    fixture.accept_one(20, says("waiting", "w", "x")).await;
    fixture.store.close().await;
    meddle(
        fixture.home.path(),
        "UPDATE turn SET address = 'nonsense', side_effect_at = 1 WHERE key LIKE '%:turn';
         UPDATE outbox SET address = 'nonsense';
         UPDATE inbound SET key = 'nonsense' WHERE state = 'waiting';",
    );
    let store = open(fixture.home.path(), 2, Arc::default()).await;
    let found = store.recover(Recovery { resend: false, ..recovery() }).await.unwrap();
    assert_eq!((found.resumed, found.dead, found.parts), (1, 1, 1));
    assert_eq!(found.sessions, [key("well")]);
    store.close().await;
}

#[tokio::test]
async fn a_damaged_page_ends_the_store_and_is_left_as_it_is() {
    let fixture = Fixture::open().await;
    for n in 0..200 {
        fixture.accept_one(1, says(&format!("u{n}"), &n.to_string(), &"x".repeat(3000))).await;
    }
    fixture.store.close().await;
    let path = fixture.home.path().join("frontdesk.db");
    // Rows in the middle of the table: opening does not look at them, reading them does.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    // 13 marks a leaf of a table.
    let full = |page: &[u8]| page[0] == 13 && page.iter().filter(|b| **b == b'x').count() > 2000;
    let rows = bytes.chunks(4096).enumerate().filter(|(_, page)| full(page));
    for (page, _) in rows.skip(20).take(20) {
        file.write_all_at(&[0xee; 4096], page as u64 * 4096).unwrap();
    }
    let before = fs::read(&path).unwrap();
    let store = open(fixture.home.path(), 2, Arc::default()).await;
    let mut failed = None;
    for n in 0..200 {
        failed = failed.or(store.history(&key(&format!("u{n}")), None, None, 10).await.err());
    }
    assert!(matches!(failed, Some(StoreError::Fatal(_))), "{failed:?}");
    assert!(!store.fatal().await.is_empty());
    let later = store.accept(batch(1, vec![])).await;
    assert!(matches!(later, Err(StoreError::Fatal(_))), "nothing is tried any more: {later:?}");
    store.close().await;
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_deleted_in_use_ends_the_store() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "x")).await;
    fs::rename(fixture.home.path().join("frontdesk.db"), fixture.home.path().join("elsewhere.db")).unwrap();
    let item = Decided::Admitted(says("anna", "2", "x"));
    let lost = fixture.store.accept(batch(1, vec![item])).await;
    assert!(matches!(lost, Err(StoreError::Fatal(_))), "{lost:?}");
    assert!(fixture.store.fatal().await.contains("moved"));
}
