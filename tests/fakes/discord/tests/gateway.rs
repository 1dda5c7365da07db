//! Sessions and the codes with which connections are closed.

use serde_json::{Value, json};

use super::socket::{SOON, Socket, identify, resume};
use crate::{Discord, Id, TOKEN, Way};

#[tokio::test]
async fn what_a_client_does_wrong_has_a_code_of_its_own() {
    let discord = Discord::start().await;
    let with = |intents: u64, more: Value| {
        let mut frame = identify();
        frame["d"]["intents"] = json!(intents);
        frame["d"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame
    };
    let long = json!({"op": 1, "d": "x".repeat(5000)});
    for (frame, code) in [
        (json!({"op": 77}), 4001),
        (json!({"no": "op"}), 4002),
        (long, 4002),
        (json!({"op": 3, "d": {}}), 4003),
        (with(1, json!({"token": "wrong"})), 4004),
        (with(1, json!({"shard": [1, 2]})), 4010),
        (with(1 << 40, json!({})), 4013),
    ] {
        let mut socket = Socket::dials(&discord).await;
        socket.sends(&frame).await;
        assert_eq!(socket.reads().await, Err(code), "{frame}");
    }
    assert_eq!(Socket::dials_with(&discord, "v=6&encoding=json").await.reads().await, Err(4012));
    let (mut socket, _) = Socket::identifies(&discord).await;
    socket.sends(&identify()).await;
    assert_eq!(socket.reads().await, Err(4005));
}

#[tokio::test]
async fn a_client_that_sends_too_much_is_cut_off() {
    let discord = Discord::start().await;
    let mut socket = Socket::dials(&discord).await;
    for _ in 0..121 {
        socket.sends(&json!({"op": 1, "d": null})).await;
    }
    let mut last = socket.reads().await;
    while last.is_ok() {
        last = socket.reads().await;
    }
    assert_eq!(last, Err(4008));
}

#[tokio::test]
async fn a_session_replays_what_was_missed_and_then_says_so() {
    let discord = Discord::start().await;
    let ann = discord.user(7, "Ann");
    let (mut socket, ready) = Socket::identifies(&discord).await;
    ann.tells("first");
    let (seq, _) = socket.hears("MESSAGE_CREATE").await;
    drop(socket);
    ann.tells("second");
    ann.tells("third");
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&resume(&ready["session_id"], seq)).await;
    let texts = [socket.hears("MESSAGE_CREATE").await, socket.hears("MESSAGE_CREATE").await];
    assert_eq!(texts.map(|(_, data)| data["content"].clone()), ["second", "third"]);
    assert_eq!(socket.hears("RESUMED").await.0, seq + 3);
    assert_eq!(discord.act("sessions", json!({}))["identified"], 1);
}

#[tokio::test]
async fn a_goodbye_and_a_forgotten_session_need_a_new_identify() {
    let discord = Discord::start().await;
    for code in [1000, 1001, 4000] {
        let (socket, ready) = Socket::identifies(&discord).await;
        socket.closes(code).await;
        let mut socket = Socket::dials(&discord).await;
        socket.sends(&resume(&ready["session_id"], 1)).await;
        let answer = socket.reads().await.unwrap();
        assert_eq!(answer["op"], if code == 4000 { 0 } else { 9 }, "{code}");
    }
    let (socket, ready) = Socket::identifies(&discord).await;
    socket.closes(4000).await;
    discord.advance(std::time::Duration::from_secs(181));
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&resume(&ready["session_id"], 1)).await;
    assert_eq!(socket.reads().await.unwrap()["d"], false);
}

#[tokio::test]
async fn a_sequence_number_that_was_never_reached_ends_the_session() {
    let discord = Discord::start().await;
    let (socket, ready) = Socket::identifies(&discord).await;
    drop(socket);
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&resume(&ready["session_id"], 99)).await;
    assert_eq!(socket.reads().await, Err(4007));
}

#[tokio::test]
async fn a_thousandth_identify_is_the_last() {
    let discord = Discord::start().await;
    discord.act("budget", json!({"identifies": 1}));
    Socket::identifies(&discord).await;
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&identify()).await;
    assert_eq!(socket.reads().await, Err(4004));
    discord.act("token", json!({"token": TOKEN}));
    discord.advance(std::time::Duration::from_secs(86_401));
    Socket::identifies(&discord).await;
}

#[tokio::test]
async fn two_identifies_at_once_are_one_too_many_where_limits_are_real() {
    let discord = Discord::start().await;
    discord.act("limits", json!({}));
    Socket::identifies(&discord).await;
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&identify()).await;
    let answer = socket.reads().await.unwrap();
    assert_eq!((&answer["op"], &answer["d"]), (&json!(9), &json!(false)));
}

#[tokio::test]
async fn the_journal_knows_what_was_delivered_and_confirmed() {
    let discord = Discord::start().await;
    let ann = discord.user(7, "Ann");
    let (mut socket, _) = Socket::identifies(&discord).await;
    let sent = ann.tells("hello");
    let (seq, data) = socket.hears("MESSAGE_CREATE").await;
    assert_eq!(Id::read(&data["id"]), Some(sent.message_id));
    let is_delivered = |journal: &crate::Journal| {
        journal.deliveries()[0].delivered.iter().any(|(_, way)| *way == Way::Socket)
    };
    discord.wait_for(is_delivered, SOON).await.unwrap();
    assert_eq!(discord.journal().unconfirmed(), 1);
    socket.sends(&json!({"op": 1, "d": seq})).await;
    discord.wait_for(|journal| journal.unconfirmed() == 0, SOON).await.unwrap();
}

#[tokio::test]
async fn a_cut_network_leaves_the_session() {
    let discord = Discord::start().await;
    let ann = discord.user(7, "Ann");
    let (mut socket, ready) = Socket::identifies(&discord).await;
    discord.cut().await;
    assert_eq!(socket.reads().await, Err(0));
    ann.tells("meanwhile");
    discord.restore().await.unwrap();
    let mut socket = Socket::dials(&discord).await;
    socket.sends(&resume(&ready["session_id"], 1)).await;
    assert_eq!(socket.hears("MESSAGE_CREATE").await.1["content"], "meanwhile");
}
