//! A full disk, a damaged page, a file that is gone.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use frontdesk_store::StoreError;
use frontdesk_store::row::*;

use crate::desk::*;

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
async fn a_full_disk_takes_nothing_back_and_is_over_when_there_is_room() {
    let Some(small) = Small::mount(6) else {
        println!("not run: mounting a file system is not permitted here");
        return;
    };
    fs::write(small.path().join("filler"), vec![0; 3 << 20]).unwrap();
    let store = open(small.path(), 1, Arc::default()).await;
    let text = "x".repeat(100_000);
    let mut taken = 0;
    let refusal = loop {
        let item = Item::Keep(Box::new(says("anna", &taken.to_string(), &text)));
        let item = match item {
            Item::Keep(message) => Item::Keep(Box::new(Incoming { per_session: 10_000, ..*message })),
            other => other,
        };
        match store.accept(batch(taken, vec![item])).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "the disk never filled up");
    };
    assert!(matches!(&refusal, StoreError::Unavailable(cause) if cause.contains("full")), "{refusal:?}");
    // Everyone in a group is told the same.
    let together: Vec<_> = (0..8)
        .map(|n| {
            let item = Item::Keep(Box::new(says("bob", &format!("b{n}"), &text)));
            store.accept(batch(1, vec![item]))
        })
        .collect();
    for outcome in join_all(together).await {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
    assert_eq!(store.waiting(), taken as u64, "what failed is not counted");
    fs::remove_file(small.path().join("filler")).unwrap();
    for n in 0..taken {
        let again = Item::Keep(Box::new(says("anna", &n.to_string(), &text)));
        let known = store.accept(batch(n, vec![again])).await.unwrap();
        assert!(matches!(known.items[0], Stored::Duplicate { same: true, .. }), "{n} was lost");
    }
    let fresh = Item::Keep(Box::new(says("eve", "fresh", "there is room again")));
    assert!(matches!(store.accept(batch(1, vec![fresh])).await.unwrap().items[0], Stored::Accepted { .. }));
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
    let desk = Desk::open().await;
    let command = desk.heard(1, commands("eve", "c", EpochChange::ByRule)).await;
    let broken = desk.store.answer_command(command, CommandEffect::None, t(2), Box::new(|_| panic!("oh")));
    let many = (0..20).map(|n| {
        let item = Item::Keep(Box::new(says(&format!("u{n}"), &n.to_string(), "x")));
        desk.store.accept(batch(2, vec![item]))
    });
    let (broken, many) = tokio::join!(broken, join_all(many.collect()));
    assert!(matches!(&broken, Err(StoreError::Invalid(cause)) if cause.contains("oh")), "{broken:?}");
    assert!(many.iter().all(Result::is_ok));
    assert_eq!(desk.store.waiting(), 21);
}

#[tokio::test]
async fn a_damaged_page_ends_the_house_and_is_left_as_it_is() {
    let desk = Desk::open().await;
    for n in 0..200 {
        desk.heard(1, says(&format!("u{n}"), &n.to_string(), &"x".repeat(3000))).await;
    }
    desk.store.close().await;
    let path = desk.home.path().join("frontdesk.db");
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
    let store = open(desk.home.path(), 2, Arc::default()).await;
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
async fn a_file_that_is_deleted_in_use_ends_the_house() {
    let desk = Desk::open().await;
    desk.heard(1, says("anna", "1", "x")).await;
    fs::rename(desk.home.path().join("frontdesk.db"), desk.home.path().join("elsewhere.db")).unwrap();
    let item = Item::Keep(Box::new(says("anna", "2", "x")));
    let lost = desk.store.accept(batch(1, vec![item])).await;
    assert!(matches!(lost, Err(StoreError::Fatal(_))), "{lost:?}");
    assert!(desk.store.fatal().await.contains("moved"));
}
