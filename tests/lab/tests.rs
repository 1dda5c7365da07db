//! The adapter against a platform of one connection, and an inbox in memory.

use frontdesk_core::act::{About, Post, PostKind};
use frontdesk_core::id::OutId;
use frontdesk_core::markup::Part;
use frontdesk_core::port::Busy;
use frontdesk_kit::{Ledger, facts};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

async fn platform() -> (TcpListener, LabAdapter) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, LabAdapter::new(Config { address, ..Config::default() }))
}

async fn heard(stream: &mut BufReader<TcpStream>) -> Value {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

async fn say(stream: &mut BufReader<TcpStream>, value: Value) {
    stream.write_all(format!("{value}\n").as_bytes()).await.unwrap();
}

fn post() -> Act {
    let part = Part { key: 0, body: "hi".into(), plain: "hi".into() };
    let about = About::default();
    Act::Post(Post {
        part,
        out: OutId(1),
        key: "t1/0".into(),
        reply_to: None,
        kind: PostKind::Answer,
        about,
        seq: None,
        more: false,
    })
}

#[test]
fn its_profile_can_be_right() {
    facts::check(LabAdapter::new(Config::default()).profile());
}

#[tokio::test]
async fn an_event_is_acknowledged_only_after_it_was_taken() {
    let (listener, adapter) = platform().await;
    let inbox = Arc::new(Ledger::at("5"));
    inbox.refuses(Busy::Full { waiting: 1 });
    let stop = Stop::new();
    let platform = async {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        assert_eq!(heard(&mut stream).await["offset"], 5, "it goes on where it was");
        let event = |id| json!({"id": id, "chat": "c", "user": "u", "text": "hello", "private": true});
        say(&mut stream, json!({"events": [event(3), event(6)]})).await;
        assert_eq!(heard(&mut stream).await["offset"], 7);
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(adapter.run(inbox.clone(), stop.clone()), platform);
    assert_eq!(ended, Ok(()));
    let taken = [(vec!["3".to_owned(), "6".to_owned()], Some("7".to_owned()))];
    assert_eq!(inbox.batches(), taken, "the refused batch was offered again, whole");
}

#[tokio::test]
async fn a_lost_answer_is_not_taken_for_a_refusal() {
    let (listener, adapter) = platform().await;
    let to: Address = "lab:c".parse().unwrap();
    let platform = async {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        assert_eq!(heard(&mut stream).await["key"], "t1/0");
        say(&mut stream, json!({"ok": true, "message": "17"})).await;
        heard(&mut stream).await;
        drop(stream);
        drop(listener);
    };
    let sends = async {
        assert_eq!(adapter.send(&to, post()).await, Ok(Receipt { message: Some("17".into()) }));
        assert!(matches!(adapter.send(&to, post()).await, Err(SendError::Unknown(_))));
    };
    tokio::join!(platform, sends);
    assert_eq!(adapter.send(&to, post()).await, Err(SendError::Offline), "nobody listens any more");
}
