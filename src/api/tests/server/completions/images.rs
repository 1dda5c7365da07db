//! Images in completion requests.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{PATH, request};
use crate::client::answer;
use crate::harness::TestServer;

/// A picture of this many bytes as a part of a message.
fn picture(bytes: usize) -> Value {
    use base64::Engine as _;
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.resize(bytes, b'.');
    let url = format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(png));
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn kept_files(server: &TestServer) -> usize {
    std::fs::read_dir(server.media().join("in")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_reach_the_agent_as_files_and_the_same_one_is_kept_once() {
    let server = TestServer::open().await;
    let ask = |parts: Value| json!({"model": "main", "messages": [{"role": "user", "content": parts}]});
    for _ in 0..2 {
        let reply = server.post(PATH, ask(json!([{"type": "text", "text": "look"}, picture(100)]))).await;
        assert_eq!(reply.body["choices"][0]["message"]["content"], "look\n[photo, 100 bytes]", "{reply:?}");
        let files = server.agent.files();
        let [file] = files.as_slice() else { panic!("{files:?}") };
        assert_eq!((file.kind, file.size), (frontdesk_core::message::FileKind::Photo, Some(100)));
        assert!(std::fs::read(file.got.as_ref().unwrap()).unwrap().starts_with(b"\x89PNG"));
        assert_eq!(kept_files(&server), 1);
    }
    let only = server.post(PATH, ask(json!([picture(101), picture(102)]))).await;
    assert_eq!((only.status, server.agent.files().len()), (StatusCode::OK, 2), "no text is needed: {only:?}");
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_is_not_taken_leaves_no_file() {
    let server = TestServer::with(|_, runtime| runtime.media.daily_bytes = 150).await;
    let ask = |part: Value| json!({"model": "main", "messages": [{"role": "user", "content": [part]}]});
    let elsewhere = json!({"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}});
    let refused = server.post(PATH, ask(elsewhere)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, "unsupported_parameter"));
    assert_eq!(kept_files(&server), 0);
    // A request that is repeated has its files already.
    let body = ask(picture(100));
    let keyed = || request(&server, &body).header("x-frontdesk-chat", "c").header("idempotency-key", "k");
    let (first, again) = (answer(keyed()).await, answer(keyed()).await);
    assert_eq!((first.status, &first.body["id"]), (StatusCode::OK, &again.body["id"]), "{first:?} {again:?}");
    assert_eq!(kept_files(&server), 1);
    // Beyond a person's daily limit the agent is told, and nothing is kept.
    let beyond = server.post(PATH, ask(picture(101))).await;
    assert_eq!(beyond.status, StatusCode::OK, "{beyond:?}");
    let missing = server.agent.files()[0].got.clone().unwrap_err();
    assert!(missing.contains("as much today"), "{missing}");
    assert_eq!(kept_files(&server), 1);
    server.close().await;
}
