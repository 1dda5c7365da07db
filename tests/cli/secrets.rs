//! Errors contain no secrets.

use std::time::{Duration, Instant};

use crate::program::{Daemon, NewHome, finish};
use crate::telegram::Telegram;

/// The secret part of a token. The number before it is the bot's id, which is public.
const SECRET: &str = "AAthis-is-NOBODYs-business_0123456789";
/// The secret of a webhook.
const HOOK: &str = "hook-NOBODYs-business-either";

#[test]
fn a_refused_token_is_shown_nowhere() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let section = format!(
        "[gateway]\npublic_url = \"https://frontdesk.example.org\"\n[log]\nlevel = \"trace\"\n[channels.telegram]\n\
         api_url = \"{}\"\ntoken = \"4711:{SECRET}\"\nmode = \"webhook\"\nwebhook_secret = \"{HOOK}\"\n\
         [channels.telegram.accounts.gone]\napi_url = \"http://127.0.0.1:1\"\ntoken = \"4712:{SECRET}\"\n\
         [channels.telegram.accounts.unknown]\napi_url = \"https://no-such-host.invalid\"\ntoken = \"4713:{SECRET}\"\n",
        telegram.api.url()
    );
    home.write("frontdesk.toml", &section);
    let daemon = Daemon::start_with(
        crate::program::command(&home.path())
            .args(["run", "--port", "0", "--verbose"])
            .env("RUST_LOG", "trace"),
    );
    let errors = || {
        let accounts = home.run(&["status", "--json"]).state()["accounts"].as_array().unwrap().clone();
        accounts.iter().filter(|account| account["error"].is_string()).count()
    };
    #[expect(clippy::disallowed_methods, reason = "a test waits for a program")]
    let begun = Instant::now();
    while errors() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", home.run(&["status", "--json"]));
    }
    let (url, token) = home.reached();
    let get = |path: &str| {
        let mut curl = std::process::Command::new("curl");
        curl.args(["-s", &format!("{url}{path}"), "-H", &format!("Authorization: Bearer {token}")]);
        finish(&mut curl, "")
    };
    let mut outputs: Vec<String> =
        ["/metrics", "/ready", "/health", "/api/status", "/api/access", "/api/audit"]
            .into_iter()
            .map(|path| get(path).good().out.clone())
            .collect();
    for arguments in [
        ["status"].as_slice(),
        &["config", "show"],
        &["config", "show", "--json"],
        &["config", "check"],
        &["send", "--to", "telegram:5", "--message", "x"],
        &["outbox"],
        &["outbox", "--json"],
    ] {
        let ran = home.run(arguments);
        outputs.extend([ran.out, ran.err]);
    }
    let ran = daemon.stop();
    outputs.extend([ran.out, ran.err]);
    assert!(
        outputs.iter().any(|text| text.contains("redentials")),
        "the platform refused no token: {outputs:?}"
    );
    for text in &outputs {
        for secret in [SECRET, HOOK, "NOBODYs"] {
            assert!(!text.contains(secret), "{}", text.lines().find(|line| line.contains(secret)).unwrap());
        }
    }
}

#[test]
fn the_database_contains_no_code_and_no_token() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, "");
    let anna = telegram.user(4242, "Anna");
    anna.tells("let me in");
    let code = anna.code();
    daemon.stop().good();
    let token = std::fs::read_to_string(home.path().join("token")).unwrap().trim().to_owned();
    let bot = frontdesk_botapi::TOKEN.split(':').nth(1).unwrap();
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("frontdesk.db") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in [code.as_str(), token.as_str(), bot] {
            let found = bytes.windows(secret.len()).any(|piece| piece == secret.as_bytes());
            assert!(!found, "{name} holds a secret");
        }
    }
}

#[test]
fn a_code_outlives_a_restart() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, "");
    let anna = telegram.user(4242, "Anna");
    anna.tells("let me in");
    let code = anna.code();
    daemon.stop().good();
    let _daemon = Daemon::start(&home.path());
    home.run(&["pairing", "approve", "telegram", &code]).good();
}

#[test]
fn the_log_at_level_trace_contains_no_code_no_token_and_no_text() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    home.write("frontdesk.toml", &telegram.config(""));
    let mut run = crate::program::command(&home.path());
    let daemon = Daemon::start_with(run.args(["run", "--port", "0", "--verbose"]).env("RUST_LOG", "trace"));
    let anna = telegram.user(4242, "Anna");
    anna.tells("let me in, sesame");
    let code = anna.code();
    home.run(&["pairing", "approve", "telegram", "ABCD2345"]).failed(1, &[]);
    home.run(&["pairing", "approve", "telegram", &code]).good();
    anna.tells("open now, sesame");
    anna.sees("open now, sesame");
    let token = std::fs::read_to_string(home.path().join("token")).unwrap().trim().to_owned();
    let bot = frontdesk_botapi::TOKEN.split(':').nth(1).unwrap();
    let log = daemon.stop().good().err.clone();
    assert!(log.contains("TRACE"), "the log says too little for this test: {log}");
    for secret in [code.as_str(), "ABCD2345", &token, bot, "sesame"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
