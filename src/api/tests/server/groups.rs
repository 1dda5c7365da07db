//! The groups of a platform over HTTP.

use serde_json::json;

use crate::harness::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_described_with_whether_it_is_served() {
    let server = TestServer::open().await;
    let garden = server.get("/api/channel/demo@work/groups/garden").await;
    let expected = json!({
        "id": "garden", "name": "Garden", "kind": "group", "within": null, "topic": null, "members": 3, "joined": null,
        "archived": false, "served": false,
    });
    assert_eq!(garden.body, expected, "{garden:?}");
    for (path, status, code) in [
        ("demo@work/groups/nowhere", 404, "not_found"),
        ("demo@work/groups/busy", 502, "platform_unavailable"),
        ("demo@work/groups/secret", 502, "platform_refused"),
        ("demo@work/groups/panic", 502, "platform_refused"),
        ("demo/groups/garden", 400, "bad_request"),
        ("elsewhere/groups", 404, "not_found"),
        ("demo@work/groups?to=1", 400, "bad_request"),
    ] {
        let reply = server.get(&format!("/api/channel/{path}")).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{path}: {reply:?}");
    }
    server.close().await;
}
