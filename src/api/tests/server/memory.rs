//! Large lists and answers use bounded memory and are complete.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{ADMIN, MAIN, TestServer};

const PATH: &str = "/api/session/agent%3Amain%3Aweb%3Adm%3Amain/messages";

/// A gateway with `count` answered messages of this size.
async fn filled(count: usize, size: usize) -> TestServer {
    let server = TestServer::with(|_, runtime| runtime.queue.max_text = 1 << 20).await;
    for n in 0..count {
        let reply = server.post("/api/chat", json!({"text": format!("{n} {}", "x".repeat(size))})).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    server
}

/// Every page of a list, from the newest row to the oldest.
async fn pages(server: &TestServer, path: &str, name: &str) -> (Vec<usize>, Vec<Value>) {
    let (mut sizes, mut rows, mut next) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{path}?limit=200{next}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        sizes.push(page.body.to_string().len());
        rows.extend(page.body[name].as_array().unwrap().clone());
        match page.body["next"].as_str() {
            Some(cursor) => next = format!("&before={cursor}"),
            None => return (sizes, rows),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_history_is_bounded_in_bytes_and_the_cursor_continues() {
    let server = filled(12, 200_000).await;
    let (sizes, rows) = pages(&server, PATH, "messages").await;
    assert!(sizes.len() >= 4 && sizes.iter().all(|size| *size < 1_100_000), "{sizes:?}");
    let ids: Vec<&str> = rows.iter().map(|row| row["message"].as_str().unwrap()).collect();
    let expected: Vec<String> = (1..=12).rev().map(|n| format!("m{n}")).collect();
    assert_eq!(ids, expected, "no row is missing and none comes twice");
    assert!(rows.iter().all(|row| row["answer"].as_str().unwrap().len() > 200_000));
    let (sizes, parts) = pages(&server, "/api/outbox", "parts").await;
    assert!(sizes.len() >= 4 && sizes.iter().all(|size| *size < 1_100_000), "{sizes:?}");
    assert_eq!(parts.len(), 12);
    let small = server.get(&format!("{PATH}?limit=2")).await;
    assert_eq!(small.body["next"], "m11", "a full page says where the list goes on");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_larger_than_a_page_is_a_page() {
    let server = filled(2, 1_040_000).await;
    let (sizes, rows) = pages(&server, PATH, "messages").await;
    assert_eq!((sizes.len(), rows.len()), (2, 2), "{sizes:?}");
    let mut socket = server.socket().await;
    socket.send_json(json!({"type": "resume", "session": MAIN, "last_seq": 0})).await;
    for seq in 1..=2 {
        let done = socket.receive_type("done").await;
        assert_eq!((&done["seq"], done["fullText"].as_str().unwrap().len()), (&json!(seq), 1_040_002));
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_answers_share_bounded_memory() {
    let server = filled(2, 500_000).await;
    let before = resident();
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let get = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n");
        stream.write_all(get.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let begun = server.get("/api/status").await;
    assert_eq!(begun.status, 200, "small answers wait for nobody");
    for _ in 0..50 {
        server.get("/api/status").await;
        let grown = resident().saturating_sub(before);
        assert!(grown < 160 * 1024 * 1024, "{} MB", grown >> 20);
    }
    drop(slow);
    assert_eq!(server.get(PATH).await.status, 200);
    server.close().await;
}

/// The resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
