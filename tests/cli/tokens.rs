//! `frontdesk tokens`: made, used, replaced and revoked on the command line, over a kill.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::program::{Daemon, NewHome};

/// The status of a request to the running gateway with this token.
fn status(home: &NewHome, token: &str, path: &str) -> u16 {
    let url = format!("{}{path}", home.reached().0);
    let request = reqwest::Client::builder().no_proxy().build().unwrap().get(url).bearer_auth(token);
    Runtime::new().unwrap().block_on(request.send()).unwrap().status().as_u16()
}

#[test]
fn a_token_is_made_used_replaced_and_revoked() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let made = home.run(&["tokens", "add", "grafana", "--scope", "read", "--expires", "90d"]);
    let secret = made.good().out.trim().to_owned();
    assert!(secret.len() == 43 && made.err.contains("shown only now"), "{made:?}");
    home.run(&["tokens", "add", "grafana", "--scope", "read"]).failed(1, &["never used again"]);
    home.run(&["tokens", "add", "x", "--scope", "all"]).failed(2, &["chat, app, read, admin"]);
    home.run(&["tokens", "add", "x", "--scope", "chat", "--expires", "soon"]).failed(2, &["for example 90d"]);
    assert_eq!(status(&home, &secret, "/api/sessions"), 200);
    drop(daemon);
    let daemon = Daemon::start(&home.path());
    assert_eq!(status(&home, &secret, "/api/sessions"), 200, "it outlives a kill");
    let next = home.run(&["tokens", "rotate", "grafana"]).good().out.trim().to_owned();
    assert_eq!((status(&home, &secret, "/api/sessions"), status(&home, &next, "/api/sessions")), (401, 200));
    home.run(&["tokens", "revoke", "grafana"]).failed(2, &["--yes"]);
    home.run(&["tokens", "revoke", "main", "--yes"]).failed(1, &["delete the file"]);
    home.run(&["tokens", "revoke", "grafana", "--yes"]).good();
    assert_eq!(status(&home, &next, "/api/sessions"), 401);
    let listed = home.run(&["tokens", "--json"]).json();
    let states: Vec<(&Value, &Value)> =
        listed["tokens"].as_array().unwrap().iter().map(|one| (&one["name"], &one["state"])).collect();
    assert_eq!(states, [(&json!("grafana"), &json!("revoked")), (&json!("main"), &json!("valid"))]);
    let table = home.run(&["tokens"]);
    assert!(table.good().out.contains("grafana") && table.out.contains("revoked"), "{table:?}");
    daemon.stop().good();
    let database = std::fs::read(home.path().join("frontdesk.db")).unwrap();
    for secret in [&secret, &next] {
        assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()), "in the database");
    }
}
