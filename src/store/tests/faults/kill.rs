//! A process that is killed while it writes: what it had acknowledged is there.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use frontdesk_store::row::*;

use crate::database::open;
use crate::fixture::*;

/// The child's home; without it the child's test does nothing.
const HOME: &str = "FRONTDESK_KILL_HOME";

fn item(event: &str) -> Vec<Decided> {
    vec![Decided::Admitted(says(event, event, "hello"))]
}

#[tokio::test]
async fn the_child_writes_until_it_is_killed() {
    let Ok(home) = std::env::var(HOME) else { return };
    let round = std::env::var("ROUND").unwrap();
    let store = open(&PathBuf::from(home), std::process::id().into(), Arc::default()).await;
    store.recover(recovery()).await.unwrap();
    for n in 0.. {
        let event = format!("{round}-{n}");
        store.accept(batch(n, item(&event))).await.unwrap();
        println!("acknowledged {event}");
        std::io::stdout().flush().unwrap();
        if let Some(turn) = store
            .claim_turn(&key(&event), Take::InMode(frontdesk_core::queue_mode::QueueMode::Followup), t(n))
            .await
            .unwrap()
        {
            store.finish(answered(&turn, "answer")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_killed_process_has_lost_nothing_that_it_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..20_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::the_child_writes_until_it_is_killed", "--nocapture"])
            .env(HOME, home.path())
            .env("ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // A different moment of the life of a message each time.
        let mut seen = 0;
        for line in lines.map_while(Result::ok) {
            let Some(event) = line.split("acknowledged ").nth(1) else { continue };
            acknowledged.push(event.to_owned());
            seen += 1;
            if seen == 5 + round * 7 {
                child.kill().unwrap();
            }
        }
        assert!(seen >= 5 + round * 7, "the child ended by itself after {seen}");
        assert!(!child.wait().unwrap().success());
    }
    let store = open(home.path(), 1, Arc::default()).await;
    for event in &acknowledged {
        let known = store.accept(batch(1, item(event))).await.unwrap();
        assert!(matches!(known[0], Stored::Duplicate { same: true, .. }), "{event} was lost");
    }
    let found = store.recover(recovery()).await.unwrap();
    println!("{} acknowledged over 20 kills, none lost; {} turns resumed", acknowledged.len(), found.resumed);
    store.close().await;
    let check = rusqlite::Connection::open(home.path().join("frontdesk.db")).unwrap();
    let verdict: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
