//! The reload of the configuration over HTTP and WebSocket.

use async_trait::async_trait;
use frontdesk_api::{Reload, ReloadRefused};
use frontdesk_store::row::Author;
use serde_json::{Value, json};

use crate::client::answer;
use crate::harness::{READER, TestServer};

/// A file with an error: a plan of it can be shown, and it cannot be taken over.
pub struct WrongFile;

/// Where the error is.
const PLACE: &str = "frontdesk.toml:2:1: gateway.prot: unknown key `prot`";

#[async_trait]
impl Reload for WrongFile {
    async fn reload(&self, plan: bool, author: Author) -> Result<Value, ReloadRefused> {
        match plan {
            true => Ok(json!({"plan": true, "by": author.name})),
            false => Err(ReloadRefused::Wrong(PLACE.to_owned())),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_reloads_over_http_and_websocket_and_reads_what_is_wrong() {
    let server = TestServer::open().await;
    let path = "/api/config/reload";
    let plan = server.post(path, json!({"plan": true})).await;
    assert_eq!((plan.status.as_u16(), &plan.body["plan"]), (200, &json!(true)));
    let refused = server.post(path, json!({})).await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]["code"]), (400, &json!("bad_config")));
    assert_eq!(refused.body["error"]["message"], PLACE);
    for wrong in [json!({"plan": "yes"}), json!([]), json!([true])] {
        let refused = server.post(path, wrong).await;
        assert_eq!((refused.status.as_u16(), &refused.body["error"]["code"]), (400, &json!("bad_json")));
    }

    let mut socket = server.socket().await;
    socket.send_json(json!({"id": "1", "method": "config.reload", "params": {"plan": true}})).await;
    let plan = socket.receive().await;
    assert_eq!((&plan["id"], &plan["result"]["by"]), (&json!("1"), &json!("api:admin")), "{plan}");
    socket.send_json(json!({"id": "2", "method": "config.reload"})).await;
    let refused = socket.receive().await;
    assert_eq!((&refused["code"], &refused["message"]), (&json!("bad_config"), &json!(PLACE)), "{refused}");

    socket.send_json(json!({"id": "3", "method": "config.reload", "params": []})).await;
    let refused = socket.receive().await;
    assert_eq!((&refused["id"], &refused["code"]), (&json!("3"), &json!("bad_request")), "{refused}");

    let reader = server.request(reqwest::Method::POST, path).bearer_auth(READER).json(&json!({"plan": true}));
    assert_eq!(answer(reader).await.status, 403);
    server.close().await;
}
