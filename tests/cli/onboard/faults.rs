//! Platforms that refuse, fail, hang or cannot be reached: each check ends, says so, and repeats no foreign words.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use frontdesk_fakeslack::Fault;

use super::{ALL, DISCORD, Platforms, SLACK, TELEGRAM, says};
use crate::program::{NewHome, command, finish};

/// What the platforms say here, and nobody shows.
const WORDS: &str = "foreign words";

#[test]
fn a_token_that_the_platform_does_not_know_is_named_with_where_to_get_another() {
    let platforms = Platforms::start();
    let bad = [
        (
            "slack",
            "SLACK_BOT_TOKEN",
            "xoxb-9-nobody",
            "Slack does not know the bot's token",
            "\"Bot User OAuth Token\"",
        ),
        (
            "discord",
            "DISCORD_TOKEN",
            "MTIz.nobody.token",
            "Discord does not know the token",
            "\"Reset Token\"",
        ),
        ("telegram", "TELEGRAM_BOT_TOKEN", "999:nobody", "Telegram does not know the token", "/token"),
    ];
    for (platform, variable, token, found, next) in bad {
        let tokens: Vec<_> =
            ALL.iter().map(|(name, good)| (*name, if *name == variable { token } else { good })).collect();
        let ran = platforms.with(&["onboard", platform], &tokens);
        ran.failed(1, &["does not work yet: 1 error"]);
        says(&ran, &["error    ", found, next]);
    }
}

#[test]
fn a_platform_that_has_a_fault_is_told_apart_from_a_bad_token() {
    let platforms = Platforms::start();
    platforms.slack.fault(Fault::status(503));
    platforms.discord.fault(frontdesk_fakediscord::Fault::status(502));
    platforms.telegram.fault(frontdesk_botapi::Fault::status(502));
    let ran = platforms.with(&["doctor"], &ALL);
    ran.failed(1, &["4 checks failed"]);
    for found in ["Slack has a fault at the moment (127.0.0.1", "Discord has a fault", "Telegram has a fault"]
    {
        assert!(ran.out.contains(found), "{found}: {ran:?}");
    }
    assert_eq!(ran.out.matches("Try again in a few minutes.").count(), 4, "{ran:?}");
}

#[test]
fn words_of_a_platform_are_only_in_the_log_at_debug() {
    let platforms = Platforms::start();
    platforms.slack.fault(Fault::refuse(200, WORDS));
    platforms.discord.fault(frontdesk_fakediscord::Fault::refuse(403, &format!("50001 {WORDS}")));
    platforms.telegram.fault(frontdesk_botapi::Fault::refuse(400, WORDS));
    let ran = platforms.with(&["doctor"], &ALL);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for found in
        ["Slack does not accept the bot's token", "Discord refuses to tell", "Telegram refuses to tell"]
    {
        assert!(ran.out.contains(found), "{found}: {ran:?}");
    }
    assert!(!ran.out.contains(WORDS) && !ran.err.contains(WORDS), "{ran:?}");
    let verbose = platforms.with(&["doctor", "--verbose"], &ALL);
    assert!(verbose.err.matches(WORDS).count() >= 3 && !verbose.out.contains(WORDS), "{verbose:?}");
}

#[test]
fn a_platform_that_never_answers_ends_the_check_after_its_time_limit() {
    let platforms = Platforms::start();
    platforms.configure("request_seconds = 1", "");
    platforms.slack.fault(Fault::silent().on("auth.test"));
    platforms.discord.fault(frontdesk_fakediscord::Fault::silent().on("get_my_user"));
    platforms.telegram.fault(frontdesk_botapi::Fault::silent().on("getMe"));
    let ran = platforms.with(&["doctor"], &ALL);
    ran.failed(1, &["3 checks failed"]);
    for found in ["Slack does not answer (", "Discord does not answer (", "Telegram does not answer ("] {
        assert!(ran.out.contains(found), "{found}: {ran:?}");
    }
    assert!(ran.out.contains("Socket Mode is on."), "what answers is still checked: {ran:?}");
}

#[test]
fn the_proxy_of_the_environment_is_used_and_named_if_it_cannot_be_reached() {
    let home = NewHome::new();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut request = [0; 64];
        let n = stream.read(&mut request).unwrap();
        String::from_utf8_lossy(&request[..n]).into_owned()
    });
    let run = |platform: &str, variable: &str, token: &str, proxy: &str| {
        finish(
            command(&home.path()).args(["onboard", platform]).env(variable, token).env("HTTPS_PROXY", proxy),
            "",
        )
    };
    let ran = run("discord", "DISCORD_TOKEN", DISCORD, &address);
    assert!(asked.join().unwrap().starts_with("CONNECT discord.com:443 "), "it asks for Discord: {ran:?}");
    ran.failed(1, &["1 error"]);
    // The port is closed now.
    for (platform, variable, token, host) in [
        ("discord", "DISCORD_TOKEN", DISCORD, "Discord cannot be reached (discord.com)"),
        ("telegram", "TELEGRAM_BOT_TOKEN", TELEGRAM, "Telegram cannot be reached (api.telegram.org)"),
        ("slack", "SLACK_BOT_TOKEN", SLACK, "Slack cannot be reached (slack.com)"),
    ] {
        let ran = run(platform, variable, token, &address);
        says(&ran, &[host, "HTTPS_PROXY"]);
        assert_ne!(ran.code, Some(0), "{ran:?}");
    }
}
