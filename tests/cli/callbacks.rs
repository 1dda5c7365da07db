//! What became of a message is posted to the web server of a program that did not wait, also over a kill.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::program::{Daemon, NewHome, finish};

/// The longest time that a callback may take in these tests.
const SOON: Duration = Duration::from_secs(40);

/// One request: its headers in small letters, and its body.
type Posted = (Vec<(String, String)>, String);

/// A web server that takes everything. Returns its URL and what it is sent.
fn web_server() -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/done", listener.local_addr().unwrap());
    let (sender, posted) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(read(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

fn read(stream: TcpStream) -> Posted {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        line.clear();
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.into_inner().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    (headers, String::from_utf8(body).unwrap())
}

fn chat(home: &NewHome, body: &Value, key: &str) -> Value {
    chat_as(home, &home.reached().1, body, key)
}

fn chat_as(home: &NewHome, token: &str, body: &Value, key: &str) -> Value {
    let (url, _) = home.reached();
    let mut post = Command::new("curl");
    post.args(["-s", &format!("{url}/api/chat"), "-H", &format!("Authorization: Bearer {token}")]);
    post.args(["-H", "content-type: application/json", "-H", &format!("idempotency-key: {key}")]);
    finish(post.args(["-d", &body.to_string()]), "").json()
}

/// Checks who has signed it, and returns the body.
fn checked((headers, body): &Posted, token: &str) -> Value {
    let header = |name: &str| &headers.iter().find(|(known, _)| known == name).unwrap().1;
    let key: String = Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", header("x-frontdesk-timestamp")).as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(header("x-frontdesk-signature"), &format!("sha256={expected}"));
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(header("x-frontdesk-delivery"), body["message"].as_str().unwrap());
    body
}

#[test]
fn a_callback_is_signed_and_outlives_a_kill() {
    let (url, posted) = web_server();
    let home = NewHome::new();
    home.write("frontdesk.toml", "[security.ssrf]\nblock_localhost = false\n");
    let daemon = Daemon::start(&home.path());
    let (_, token) = home.reached();
    let asks = |text: &str| json!({"text": text, "wait": false, "callback": url});
    let first = chat(&home, &asks("hello"), "k1");
    let told = checked(&posted.recv_timeout(SOON).unwrap(), &token);
    assert_eq!(
        (&told["message"], &told["state"], &told["answer"]),
        (&first["message"], &json!("answered"), &json!("hello"))
    );
    let second = chat(&home, &asks("!wait 2000 after a kill"), "k2");
    assert!(second["message"].is_string(), "{second}");
    drop(daemon);
    let _daemon = Daemon::start(&home.path());
    let told = checked(&posted.recv_timeout(SOON).unwrap(), &token);
    assert_eq!((&told["message"], &told["answer"]), (&second["message"], &json!("after a kill")));
    // A repetition is the same message, of which everything was told.
    assert_eq!(chat(&home, &asks("hello"), "k1")["message"], first["message"]);
    for wrong in [json!("ftp://example.org"), json!("nonsense"), json!("https://a:b@example.org/"), json!(7)]
    {
        let refused = chat(&home, &json!({"text": "x", "wait": false, "callback": wrong}), "k3");
        assert!(
            refused["error"]["message"].as_str().is_some_and(|why| why.contains("callback")),
            "{refused}"
        );
    }
    let waits = chat(&home, &json!({"text": "x", "callback": url}), "k4");
    assert!(waits["error"]["message"].as_str().unwrap().contains("\"wait\": false"), "{waits}");
    let third = chat(&home, &asks("the end"), "k5");
    let told = checked(&posted.recv_timeout(SOON).unwrap(), &token);
    assert_eq!(told["message"], third["message"], "nothing was told twice");
}

#[test]
fn a_web_server_that_does_not_answer_delays_nobody_elses_callbacks() {
    let (url, posted) = web_server();
    // Its connections are opened by the system, and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silence = format!("http://{}/", silent.local_addr().unwrap());
    let home = NewHome::new();
    home.write("frontdesk.toml", "[security.ssrf]\nblock_localhost = false\n");
    let _daemon = Daemon::start(&home.path());
    let made = home.run(&["tokens", "add", "ben", "--scope", "chat", "--json"]).json();
    let ben = made["token"].as_str().unwrap().to_owned();
    for n in 0..20 {
        let asks = json!({"text": "hello", "wait": false, "callback": silence});
        let accepted = chat_as(&home, &ben, &asks, &format!("silent-{n}"));
        assert!(accepted["message"].is_string(), "{accepted}");
    }
    silent.accept().unwrap();
    for n in 0..3 {
        let asks = json!({"text": "hello", "wait": false, "callback": url});
        let accepted = chat(&home, &asks, &format!("answered-{n}"));
        // Each attempt to the silent one lasts half a minute.
        let told = checked(&posted.recv_timeout(Duration::from_secs(8)).unwrap(), &home.reached().1);
        assert_eq!(told["message"], accepted["message"]);
    }
}
