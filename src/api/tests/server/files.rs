//! Files that clients upload and name in messages, and files that they are shown.

use frontdesk_api::{Scope, Token, hash_token};
use frontdesk_core::message::FileKind;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Reply, answer, within};
use crate::harness::{ADMIN, MAIN, READER, TestServer};

const OTHER: &str = "other-token";

/// Lets a second person write.
fn with_another_person(server: &TestServer) {
    let token = |id: &str, clear, scope| Token { id: id.into(), hash: hash_token(clear), scope };
    let tokens = vec![
        token("admin", ADMIN, Scope::Admin),
        token("reader", READER, Scope::Read),
        token("other", OTHER, Scope::Admin),
    ];
    server.tokens.replace(tokens).unwrap();
}

fn upload(server: &TestServer, query: &str, content: &[u8]) -> RequestBuilder {
    let request = server.request(Method::POST, &format!("/api/files{query}"));
    request.header("content-type", "application/octet-stream").body(content.to_vec())
}

async fn uploaded(server: &TestServer, query: &str, content: &[u8]) -> String {
    let reply = answer(upload(server, query, content).bearer_auth(ADMIN)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    reply.body["file"].as_str().unwrap().to_owned()
}

fn kept(server: &TestServer) -> usize {
    std::fs::read_dir(server.media().join("in")).unwrap().count()
}

/// Waits until this many files are kept, the unfinished ones among them.
async fn has_files(server: &TestServer, count: usize) {
    within(async {
        while kept(server) != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn chat(server: &TestServer, key: &str, text: &str, files: &[&str]) -> Reply {
    server.post_as(key, "/api/chat", json!({"text": text, "files": files})).await
}

fn png(size: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.resize(size, b'.');
    png
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uploaded_file_comes_with_its_message_and_is_shown_to_those_who_read_the_session() {
    let server = TestServer::open().await;
    let mut follower = server.socket().await;
    follower.send_json(json!({"type": "resume", "id": "r", "chat": "main", "follow": true})).await;
    while follower.receive().await["id"] != "r" {}
    let page = "?name=..%2F..%2Fetc%2Fpa%20ge.html";
    let (picture, page) =
        (uploaded(&server, "?name=a.txt", &png(2000)).await, uploaded(&server, page, b"<script>").await);
    let mut socket = server.socket().await;
    let prompt = json!({"type": "prompt", "id": "1", "text": "look", "files": [picture, page]});
    socket.send_json(prompt.clone()).await;
    let message = socket.receive_type("accepted").await["message"].as_str().unwrap().to_owned();
    socket.receive_type("done").await;
    let files = server.agent.files();
    let [first, second] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!((first.kind, first.mime.as_deref()), (FileKind::Photo, Some("image/png")));
    assert_eq!((second.kind, second.name.as_deref()), (FileKind::Document, Some("pa ge.html")));
    for (file, content) in [(first, png(2000)), (second, b"<script>".to_vec())] {
        assert_eq!(std::fs::read(file.got.as_ref().unwrap()).unwrap(), content);
    }
    let shown = json!([
        {"kind": "photo", "name": "a.txt", "mime": "image/png", "size": 2000},
        {"kind": "document", "name": "pa ge.html", "mime": "text/html", "size": 8},
    ]);
    assert_eq!(follower.receive_type("prompt").await["attachments"], shown);
    // A repeated prompt with the same files is the same message. With other files its id is refused.
    socket.send_json(prompt).await;
    assert_eq!(socket.receive_type("accepted").await["message"], *message);
    socket.send_json(json!({"type": "prompt", "id": "1", "text": "look", "files": [page]})).await;
    assert_eq!(socket.receive_type("error").await["code"], "conflict");
    let path = |n: u8| format!("/api/session/{MAIN}/files/{message}.{n}");
    let get = |path: String| server.request(Method::GET, &path).bearer_auth(ADMIN).send();
    let picture = get(path(0)).await.unwrap();
    let header = |reply: &reqwest::Response, name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(&picture, "content-type"), "image/png");
    assert_eq!(header(&picture, "content-disposition"), "inline; filename*=UTF-8''a.txt");
    assert_eq!(picture.bytes().await.unwrap(), png(2000));
    let page = get(path(1)).await.unwrap();
    assert_eq!(header(&page, "content-type"), "application/octet-stream");
    assert_eq!(header(&page, "content-disposition"), "attachment; filename*=UTF-8''pa%20ge.html");
    assert_eq!(header(&page, "x-content-type-options"), "nosniff");
    assert_eq!(header(&page, "content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(page.text().await.unwrap(), "<script>");
    let elsewhere = format!("/api/session/agent:main:web:dm:other/files/{message}.0");
    for missing in
        [path(2), elsewhere, format!("/api/session/{MAIN}/files/x"), format!("/api/session/{MAIN}/files/o1")]
    {
        assert_eq!(get(missing.clone()).await.unwrap().status(), 404, "{missing}");
    }
    with_another_person(&server);
    let foreign = answer(server.request(Method::GET, &path(0)).bearer_auth(OTHER)).await;
    assert_eq!((foreign.status, foreign.code()), (StatusCode::FORBIDDEN, "forbidden"));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_its_owners_alone() {
    let server = TestServer::open().await;
    with_another_person(&server);
    let file = uploaded(&server, "?name=mine.txt", b"mine").await;
    let path = format!("/api/files/{file}");
    for (token, status) in [(None, 401), (Some(READER), 404), (Some(OTHER), 404), (Some(ADMIN), 200)] {
        let request = server.request(Method::GET, &path);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        assert_eq!(answer(request).await.status, status, "{token:?}");
    }
    for (token, code) in [(READER, "forbidden"), (OTHER, "not_found")] {
        assert_eq!(answer(server.request(Method::DELETE, &path).bearer_auth(token)).await.code(), code);
    }
    let chat_of_other = server.request(Method::POST, "/api/chat").bearer_auth(OTHER);
    let named = answer(chat_of_other.json(&json!({"text": "x", "files": [file]}))).await;
    assert_eq!((named.status, named.code()), (StatusCode::NOT_FOUND, "unknown_file"));
    assert_eq!(server.agent.turns(), 0, "a message whose file is unknown is not accepted");
    assert_eq!(server.delete(&path).await.body, json!({"removed": file}));
    assert_eq!(kept(&server), 0);
    let mut socket = server.socket().await;
    socket.send_json(json!({"type": "prompt", "id": "7", "text": "x", "files": [file]})).await;
    let error = socket.receive_type("error").await;
    assert_eq!((&error["id"], &error["code"]), (&json!("7"), &json!("unknown_file")));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_refused_leaves_no_file() {
    let server = TestServer::with(|_, runtime| {
        runtime.media.max_bytes = 1000;
        runtime.media.daily_bytes = 1500;
    })
    .await;
    assert_eq!(server.get("/api/files").await.body, json!({"max_bytes": 1000, "max_files": 10}));
    let admin = |request: RequestBuilder| answer(request.bearer_auth(ADMIN));
    assert_eq!(answer(upload(&server, "", b"x")).await.status, 401);
    assert_eq!(answer(upload(&server, "", b"x").bearer_auth(READER)).await.status, 403);
    let stated = admin(upload(&server, "", &[b'x'; 1001])).await;
    assert_eq!((stated.status, stated.code()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    let head = "POST /api/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin-token\r\n";
    let pieces = format!("{head}Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let unstated = server.raw(pieces.as_bytes()).await;
    assert!(unstated.contains("413 Payload Too Large"), "{unstated}");
    // A client that is gone before the end of its file.
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(format!("{head}Content-Length: 9\r\n\r\nabc").as_bytes()).await.unwrap();
    has_files(&server, 1).await;
    drop(half);
    has_files(&server, 0).await;
    assert_eq!(admin(upload(&server, "", b"")).await.code(), "empty_file");
    let form =
        server.request(Method::POST, "/api/files").header("content-type", "multipart/form-data; boundary=x");
    assert_eq!(admin(form.body("--x--")).await.code(), "unsupported_media_type");
    assert_eq!(admin(upload(&server, "?kind=sticker", b"x")).await.code(), "bad_request");
    assert_eq!(admin(upload(&server, "?token=x", b"x")).await.status, 400);
    let foreign = upload(&server, "", b"x").header("origin", "https://evil.example");
    assert_eq!(admin(foreign).await.code(), "foreign_origin");
    let first = uploaded(&server, "?name=a", &[b'a'; 1000]).await;
    let second = admin(upload(&server, "?name=b", &[b'b'; 501])).await;
    assert_eq!((second.status, second.code()), (StatusCode::TOO_MANY_REQUESTS, "quota"));
    assert_eq!(kept(&server), 1);
    // What a message has named does not wait any more.
    assert_eq!(chat(&server, "k", "", &[&first]).await.status, 200);
    uploaded(&server, "?name=b", &[b'b'; 501]).await;
    let many = vec!["x"; 11];
    assert_eq!(chat(&server, "k2", "", &many).await.code(), "bad_request");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_repeated_is_one_upload() {
    let server = TestServer::open().await;
    let keyed = |key: &str, content: &[u8]| {
        answer(upload(&server, "?name=a.txt", content).bearer_auth(ADMIN).header("idempotency-key", key))
    };
    let first = keyed("k", b"one").await;
    assert_eq!(keyed("k", b"one").await.body, first.body);
    let other = keyed("k", b"two").await;
    assert_eq!((other.status, other.code()), (StatusCode::CONFLICT, "conflict"));
    assert_ne!(keyed("k2", b"one").await.body["file"], first.body["file"]);
    assert_eq!(kept(&server), 2);
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_outlives_a_restart_and_can_be_named_by_several_messages() {
    let server = TestServer::open().await;
    let file = uploaded(&server, "?name=note.webm&kind=voice", b"\x1aE\xdf\xa3").await;
    let server = server.restarted().await;
    for key in ["1", "2"] {
        let reply = chat(&server, key, "", &[&file]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let files = server.agent.files();
        assert_eq!((files.len(), files[0].kind), (1, FileKind::Voice));
        assert_eq!(std::fs::read(files[0].got.as_ref().unwrap()).unwrap(), b"\x1aE\xdf\xa3");
    }
    let timeline = server.get(&format!("/api/session/{MAIN}/timeline")).await.body;
    let prompts = timeline["items"].as_array().unwrap().iter().filter(|item| item["type"] == "prompt");
    let kinds: Vec<&Value> = prompts.map(|item| &item["attachments"][0]["kind"]).collect();
    assert_eq!(kinds, ["voice", "voice"]);
    // Erased with its conversation.
    assert_eq!(server.delete(&format!("/api/session/{MAIN}")).await.status, 200);
    assert_eq!((kept(&server), server.get(&format!("/api/files/{file}")).await.status.as_u16()), (0, 404));
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_sent_is_shown_and_can_be_fetched() {
    let server = TestServer::open().await;
    std::fs::write(server.media().join("chart.png"), png(300)).unwrap();
    let mut socket = server.socket().await;
    socket.prompt("1", "hello").await;
    socket.receive_type("done").await;
    let sent = json!({"to": "web:main", "text": "*look*", "media": "chart.png"});
    let queued = server.post("/api/send", sent).await;
    assert!(queued.status.is_success(), "{}", queued.body);
    let frame = socket.receive_type("file").await;
    let file = &frame["file"];
    assert_eq!(
        (&file["name"], &file["mime"], &file["size"]),
        (&json!("chart.png"), &json!("image/png"), &json!(300))
    );
    assert_eq!((&frame["session"], frame["seq"].is_u64()), (&json!(MAIN), true));
    let path = format!("/api/session/{MAIN}/files/{}", file["id"].as_str().unwrap());
    let content = server.request(Method::GET, &path).bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(content.bytes().await.unwrap(), png(300));
    let timeline = server.get(&format!("/api/session/{MAIN}/timeline?limit=1")).await.body;
    assert_eq!(timeline["items"][0]["frame"], frame, "it is the same in the history");
    server.close().await;
}
