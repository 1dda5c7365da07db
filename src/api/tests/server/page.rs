//! The web chat's page, as far as it can be tested without a browser.

use reqwest::Method;

use crate::client::answer;
use crate::harness::TestServer;

/// The paths of the page and of all its files.
fn paths() -> Vec<String> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let paths = names.filter(|name| name != "index.html").map(|name| format!("/page/{name}"));
    let paths: Vec<String> = paths.chain(["/".to_owned()]).collect();
    assert!(paths.len() > 10, "{paths:?}");
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_loads_nothing_from_other_hosts_and_shows_markup_as_text() {
    let server = TestServer::open().await;
    for path in paths() {
        let reply = answer(server.request(Method::GET, &path)).await;
        assert!(reply.status.is_success(), "{path}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        let text = reply.body.as_str().unwrap();
        assert!(!text.is_empty());
        for foreign in
            ["http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
        {
            assert!(!text.contains(foreign), "{path} contains {foreign}");
        }
    }
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_reads_no_query() {
    let server = TestServer::open().await;
    for path in paths() {
        let script = answer(server.request(Method::GET, &path)).await;
        let script = script.body.as_str().unwrap();
        assert!(
            !script.contains("location.search") && !script.contains("location.href"),
            "the page never reads the token from its URL: {path}"
        );
    }
    let page = answer(server.request(Method::GET, "/?gatewayUrl=wss://evil.example")).await;
    assert!(page.status.is_success());
    let page = page.body.as_str().unwrap();
    assert!(!page.contains("stolen") && !page.contains("evil"));
    server.close().await;
}
