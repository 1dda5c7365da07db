//! Telegram updates by webhook.

use std::net::TcpListener;
use std::process::Command;

use crate::program::{Daemon, NewHome, command, finish};
use crate::telegram::Telegram;

const SECRET: &str = "the-hooks-secret_1";

/// Sends an update with this secret, and returns the status.
fn deliver(port: u16, secret: Option<&str>, text: &str) -> String {
    let update = format!(
        "{{\"update_id\": 5, \"message\": {{\"message_id\": 5, \"date\": 0, \"text\": \"{text}\", \
         \"from\": {{\"id\": 4242, \"is_bot\": false, \"first_name\": \"Eve\"}}, \
         \"chat\": {{\"id\": 4242, \"type\": \"private\", \"first_name\": \"Eve\"}}}}}}"
    );
    let mut curl = Command::new("curl");
    curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", &update]);
    curl.arg(format!("http://127.0.0.1:{port}/webhooks/telegram/default"));
    if let Some(secret) = secret {
        curl.args(["-H", &format!("X-Telegram-Bot-Api-Secret-Token: {secret}")]);
    }
    finish(&mut curl, "").good().out.clone()
}

#[test]
fn only_who_knows_the_secret_brings_updates() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config =
        telegram.config(&format!("mode = \"webhook\"\nwebhook_secret = \"{SECRET}\"\nallow = [4242]\n"));
    home.write(
        "frontdesk.toml",
        &format!("[gateway]\nport = {port}\npublic_url = \"http://127.0.0.1:{port}\"\n{config}"),
    );
    let daemon = Daemon::start_with(command(&home.path()).arg("run"));
    let anna = telegram.user(4242, "Anna");
    anna.tells("hello over the hook");
    anna.sees("hello over the hook");
    for secret in [None, Some(""), Some("the-hooks-secret"), Some("THE-HOOKS-SECRET_1"), Some("x")] {
        assert_eq!(deliver(port, secret, "forged"), "401", "{secret:?}");
    }
    anna.tells("still here");
    anna.sees("still here");
    let messages = home.run(&["sessions", "messages", "agent:main:telegram:dm:4242", "--json"]);
    assert!(!messages.good().out.contains("forged"), "{messages:?}");
    let log = daemon.stop().good().err.clone();
    assert!(log.contains("a webhook without the right secret was refused") && !log.contains(SECRET), "{log}");
}
