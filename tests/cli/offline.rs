//! Commands that need no running gateway: explain, format, key, help.

use serde_json::json;

use crate::program::{NewHome, Ran, command, fed, finish};

fn run(arguments: &[&str]) -> Ran {
    NewHome::new().run(arguments)
}

#[test]
fn explain_reset_answers_with_the_documented_json() {
    let daily = [
        "explain",
        "reset",
        "--mode",
        "daily",
        "--hour",
        "4",
        "--timezone",
        "Europe/Berlin",
        "--last-activity",
        "2026-03-28T22:00:00Z",
        "--now",
        "2026-03-29T05:00:00+02:00",
        "--json",
    ];
    assert_eq!(
        run(&daily).json(),
        json!({
            "reset": true,
            "reasons": ["daily"],
            "previous_boundary": "2026-03-29T02:00:00.000Z",
            "next_boundary": "2026-03-30T02:00:00.000Z",
            "idle_deadline": null,
        })
    );
    let idle = [
        "explain",
        "reset",
        "--last-activity",
        "2026-01-01T00:00:00Z",
        "--now",
        "2026-01-02T00:00:00.000Z",
        "--json",
    ];
    assert_eq!(
        run(&idle).json(),
        json!({
            "reset": false,
            "reasons": [],
            "previous_boundary": null,
            "next_boundary": null,
            "idle_deadline": "2026-01-02T00:00:00.000Z",
        })
    );
}

#[test]
fn explain_reset_says_it_to_people_in_their_own_time() {
    let ran = run(&[
        "explain",
        "reset",
        "--mode",
        "both",
        "--hour",
        "4",
        "--idle-minutes",
        "60",
        "--timezone",
        "Europe/Berlin",
        "--last-activity",
        "2026-01-01T22:00:00Z",
        "--now",
        "2026-01-02T05:00:00Z",
    ]);
    for part in
        ["starts a new conversation", "2026-01-02 06:00:00 CET", "Idle after", "2026-01-02T03:00:00.000Z"]
    {
        assert!(ran.good().out.contains(part), "{part:?}: {ran:?}");
    }
}

#[test]
fn explain_schedule_lists_runs_over_a_change_of_the_clock() {
    let berlin = ["explain", "schedule", "--timezone", "Europe/Berlin", "--after", "2026-03-28T12:00:00Z"];
    let with = |more: &[&str]| run(&[&berlin[..], more].concat());
    let runs = |more: &[&str]| with(&[more, &["--json"]].concat()).json()["runs"].clone();
    assert_eq!(
        runs(&["--cron", "30 2 * * *", "--count", "3"]),
        serde_json::json!([
            "2026-03-29T01:00:00.000Z",
            "2026-03-30T00:30:00.000Z",
            "2026-03-31T00:30:00.000Z"
        ])
    );
    assert_eq!(runs(&["--every", "36h", "--count", "1"]), serde_json::json!(["2026-03-30T00:00:00.000Z"]));
    assert_eq!(runs(&["--at", "2026-03-29T02:30"]), serde_json::json!(["2026-03-29T01:00:00.000Z"]));
    assert_eq!(runs(&["--at", "2026-03-28T02:30"]), serde_json::json!([]));
    let text = |more: &[&str]| with(more).good().out.clone();
    assert_eq!(
        text(&["--cron", "CRON_TZ=America/New_York 0 9 * * *", "--count", "1"]).trim(),
        "2026-03-28 09:00:00 EDT (2026-03-28T13:00:00.000Z)"
    );
    let over = text(&["--at", "2026-03-28T02:30"]);
    assert!(over.starts_with("It does not run after 2026-03-28 13:00:00 CET"), "{over}");
    with(&["--cron", "0 25 * * *"]).failed(2, &["0 25 * * *", "minute hour day month weekday"]);
    with(&["--every", "1h", "--at", "2026-03-28T02:30"]).failed(2, &["cannot be used with"]);
    with(&[]).failed(2, &["--cron", "--every", "--at"]);
}

#[test]
fn explain_reset_refuses_what_cannot_be_and_says_what_can() {
    let last = ["--last-activity", "2026-01-01T00:00:00Z"];
    let with = |more: &[&str]| run(&[&["explain", "reset"], &last[..], more].concat());
    with(&["--timezone", "Berlin"]).failed(2, &["Europe/Berlin"]);
    with(&["--mode", "weekly"]).failed(2, &["none, idle, daily or both"]);
    with(&["--hour", "24"]).failed(2, &["0 (midnight) to 23"]);
    with(&["--now", "tomorrow"]).failed(2, &["RFC 3339", "2026-11-21T09:30:00Z"]);
    run(&["explain", "reset"]).failed(2, &["--last-activity"]);
}

#[test]
fn format_writes_what_telegram_would_get() {
    let home = NewHome::new();
    let ran = fed(&home.path(), &["format", "--channel", "telegram", "--json"], "**a** & b");
    let parts = ran.json();
    let [part] = parts["parts"].as_array().unwrap().as_slice() else { panic!("{parts}") };
    let text = part["text"].as_str().unwrap();
    assert_eq!(text, "<b>a</b> &amp; b");
    assert_eq!(*part, json!({"text": text, "length": text.encode_utf16().count(), "unit": "utf16"}));
    assert_eq!(
        fed(&home.path(), &["format", "--channel", "telegram", "--json"], "").json(),
        json!({"parts": []})
    );
    let web = fed(&home.path(), &["format", "--channel", "web", "--json"], "**a**").json();
    assert_eq!(web["parts"][0]["text"], "**a**");
    fed(&home.path(), &["format", "--channel", "fax"], "x")
        .failed(2, &["there is no channel fax", "telegram"]);
}

#[test]
fn format_splits_where_the_platform_must() {
    let home = NewHome::new();
    let parts =
        fed(&home.path(), &["format", "--channel", "telegram", "--json"], &"word ".repeat(2000)).json();
    let parts = parts["parts"].as_array().unwrap();
    assert!(parts.len() > 1, "10,000 characters in one part");
    assert!(parts.iter().all(|part| part["length"].as_u64().unwrap() <= 4000), "{parts:?}");
}

#[test]
fn a_key_is_taken_apart_and_put_together() {
    let parse = |key: &str| run(&["key", "parse", key, "--json"]).json();
    assert_eq!(
        parse("agent:main:telegram@work:topic:-1001:7"),
        json!({"agent": "main", "channel": "telegram", "account": "work", "scope": "topic", "id": "-1001", "thread": "7"})
    );
    assert_eq!(
        parse("agent:main:web:dm:a%3Ab"),
        json!({"agent": "main", "channel": "web", "account": "default", "scope": "dm", "id": "a:b", "thread": null})
    );
    assert_eq!(parse("agent:main:telegram:member:1::2")["person"], json!("2"));
    let build =
        |more: &[&str]| run(&[&["key", "build", "--agent", "main", "--channel", "telegram"], more].concat());
    assert_eq!(build(&["--scope", "group", "--id", "-1001"]).good().out, "agent:main:telegram:group:-1001\n");
    assert_eq!(
        build(&["--account", "work", "--scope", "topic", "--id", "1", "--thread", "a:b"]).good().out,
        "agent:main:telegram@work:topic:1:a%3Ab\n"
    );
    build(&["--scope", "topic", "--id", "1"]).failed(2, &["thread"]);
    run(&["key", "parse", "main:1"]).failed(2, &["agent:main:telegram:dm:123456789"]);
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    run(&[]).failed(2, &["Usage"]);
    run(&["statsu"]).failed(2, &["'status'"]);
    assert!(run(&["--help"]).good().out.contains("Exit codes"));
    assert!(run(&["gateway", "--help"]).good().out.contains("--port"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).good().out.contains("frontdesk"));
    }
}

#[test]
fn called_as_pi_gw_it_uses_that_name() {
    let home = NewHome::new();
    let link = home.write("token-is-not-here", "").with_file_name("pi-gw");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_frontdesk"), &link).unwrap();
    let ran = finish(std::process::Command::new(&link).arg("--help").env_clear(), "");
    assert!(ran.good().out.contains("Usage: pi-gw"), "{ran:?}");
    let ran = finish(std::process::Command::new(&link).args(["key", "parse", "x"]).env_clear(), "");
    ran.failed(2, &["pi-gw: "]);
}

#[test]
fn an_offline_tool_touches_no_home() {
    let home = NewHome::new();
    home.run(&["key", "parse", "agent:main:web:dm:main"]).good();
    home.run(&["config", "show"]).good();
    home.run(&["config", "check"]).good();
    assert!(!home.path().exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let home = NewHome::new();
    let program = env!("CARGO_BIN_EXE_frontdesk");
    for arguments in ["config schema", "--help", "--version", "pairing approve --help"] {
        // The reader is gone before anything is written.
        let script = format!("{{ sleep 0.2; {program} {arguments}; }} | true; exit ${{PIPESTATUS[0]}}");
        let mut bash = std::process::Command::new("bash");
        let ran = finish(bash.args(["-c", &script]).env("FRONTDESK_HOME", home.path()), "");
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{arguments}: {ran:?}");
    }
    let full = format!("{program} --help > /dev/full");
    let mut bash = std::process::Command::new("bash");
    finish(bash.args(["-c", &full]), "").failed(1, &["cannot write to standard output"]);
    assert_eq!(finish(command(&home.path()).arg("--version"), "").good().err, "");
}

#[test]
fn contradictory_arguments_exit_with_2_without_a_request() {
    for (arguments, expected) in [
        (["sessions", "--after", "garbage"].as_slice(), "not a session key"),
        (&["sessions", "list", "--limit", "0"], "1..=200"),
        (&["sessions", "--limit", "201"], "1..=200"),
        (&["sessions", "messages", "agent:main:web:dm:main", "--before", "x"], "--before"),
        (&["sessions", "show", "nonsense"], "not a session key"),
        (&["outbox", "--state", "nope"], "queued"),
        (&["outbox", "list", "--before", "x"], "o42"),
        (&["outbox", "retry", "x"], "o42"),
        (&["audit", "--before", "x"], "write the number that the list shows, for example 42"),
        (&["dead-letters", "--before", "x"], "write the number that the list shows"),
        (&["dead-letters", "show", "x"], "write the number that the list shows"),
        (&["dead-letters", "drop", "x"], "write the number that the list shows"),
        (&["sessions", "messages", "agent:main:web:dm:main", "--epoch", "x"], "a conversation is a number"),
        (&["outbox", "--limit", "0"], "1..=200"),
        (&["chat", " "], "the text is empty"),
        (&["send", "--to", "web:main", "--message", ""], "the text is empty"),
        (&["send", "--to", "nonsense", "--message", "x"], "--to"),
        (&["send", "--to", "web:main"], "--message"),
        (&["send", "--to", "web:main", "--media", "x", "--url", "http://127.0.0.1:1"], "--url"),
        (&["pairing"], "Usage"),
        (&["pairing", "approve"], "CODE"),
        (&["pairing", "approve", "a", "b", "c"], "unexpected"),
        (&["pairing", "approve", "ABCD2345", "--account", "work"], "telegram ABCD2345"),
        (&["access", "allow", "telegram"], "<USER>"),
        (&["access", "allow", "telegram", "1", "--admin", "--group", "-5"], "--group"),
        (&["access", "revoke", "telegram@a", "1", "--account", "b"], "two accounts"),
        (&["audit", "--limit", "0"], "1..=200"),
    ] {
        run(arguments).failed(2, &[expected]);
    }
}

#[test]
fn the_help_names_arguments_as_they_are_typed() {
    for verb in ["approve", "deny"] {
        let help = run(&["pairing", verb, "--help"]);
        let usage = format!("frontdesk pairing {verb} [OPTIONS] [CHANNEL] <CODE>");
        for part in [usage.as_str(), "  [CHANNEL]  ", "  <CODE>     "] {
            assert!(help.good().out.contains(part), "{part:?}: {help:?}");
        }
    }
    for arguments in [
        ["access", "allow"].as_slice(),
        &["pairing", "approve"],
        &["format"],
        &["send"],
        &["gateway", "stop"],
    ] {
        let help = run(&[arguments, &["--help"]].concat());
        assert!(!help.good().out.to_lowercase().contains("platform"), "{help:?}");
    }
    assert!(!run(&["dead-letters", "--help"]).good().out.to_lowercase().contains("delete"));
}
