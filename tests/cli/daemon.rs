//! The commands that talk to a running gateway with nothing configured.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, finish};
use crate::telegram::Telegram;

#[test]
fn without_a_daemon_every_client_is_69_and_says_how_to_start_one() {
    let home = NewHome::new();
    for arguments in [
        ["status"].as_slice(),
        &["sessions"],
        &["outbox", "list"],
        &["dead-letters"],
        &["dead-letters", "drop", "--all"],
        &["chat", "hello"],
        &["send", "--to", "web:main", "--message", "x"],
        &["pairing", "list"],
        &["pairing", "approve", "telegram", "ABCD2345"],
        &["access", "list"],
        &["access", "allow", "telegram", "123", "--admin"],
        &["audit"],
    ] {
        home.run(arguments).failed(69, &["no gateway is running", "frontdesk run"]);
    }
    // A gateway that was killed leaves its lock file, which does not mean that it runs.
    drop(Daemon::start(&home.path()));
    home.run(&["status"]).failed(69, &["no gateway is running"]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    home.run(&["status", "--url", &format!("http://{nobody}")]).failed(69, &["no gateway answers at"]);
}

#[test]
fn a_wrong_token_is_an_error_and_not_an_absence() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let wrong = home.write("other-token", &"x".repeat(43));
    home.run(&["status", "--token-file", wrong.to_str().unwrap()]).failed(1, &["does not know this token"]);
}

#[test]
fn sessions_are_listed_looked_into_reset_and_deleted() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "one two"]).good();
    home.run(&["chat", "--chat", "work", "three"]).good();
    let key = "agent:main:web:dm:work";
    let list = home.run(&["sessions", "--json"]).json();
    let keys: Vec<&Value> = list["sessions"].as_array().unwrap().iter().map(|s| &s["key"]).collect();
    assert_eq!(keys, [&json!("agent:main:web:dm:main"), &json!(key)]);
    let messages = home.run(&["sessions", "messages", key, "--json"]).json();
    assert_eq!(messages["messages"][0]["answer"], json!("three"));
    assert!(home.run(&["sessions", "messages", key]).good().out.contains("three"));
    assert!(home.run(&["sessions", "reset", key]).good().out.contains("Conversation 2 has begun"));
    assert_eq!(home.run(&["sessions", "show", key, "--json"]).json()["epoch"], json!(2));
    assert!(home.run(&["sessions", "show", key]).good().out.contains("CONVERSATION"));
    assert!(
        home.run(&["sessions", "stop", key])
            .good()
            .out
            .contains("Cancelled 0 running turns and dropped 0 waiting messages")
    );
    home.run(&["sessions", "delete", key]).failed(2, &["--yes"]);
    home.run(&["sessions", "delete", key, "--yes"]).good();
    let left = home.run(&["sessions", "messages", key, "--json"]).out;
    assert!(!left.contains("three"), "{left}");
    home.run(&["sessions", "show", "nonsense"]).failed(2, &["not a session key"]);
}

#[test]
fn a_text_is_sent_once_per_key() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let send =
        || home.run(&["send", "--to", "web:main", "--message", "the build is green", "--key", "build-7"]);
    send().good();
    send().good();
    assert!(home.run(&["dead-letters"]).good().out.contains("every event could be read"));
    home.run(&["dead-letters", "show", "7"]).failed(1, &["no dead letter 7"]);
    let parts = home.run(&["outbox", "list", "--json"]).json();
    assert_eq!(parts["parts"].as_array().unwrap().len(), 1, "{parts}");
    assert_eq!(parts["parts"][0]["text"], json!("the build is green"));
    assert!(home.run(&["outbox"]).good().out.contains("the build is green"));
    home.run(&["send", "--to", "fax:1", "--message", "x"]).failed(1, &["fax"]);
    home.run(&["send", "--to", "nonsense", "--message", "x"]).failed(2, &["--to"]);
    home.run(&["outbox", "retry", "7"]).failed(2, &["o42"]);
    home.run(&["outbox", "retry", "o999"]).failed(1, &["o999"]);
}

#[test]
fn an_accepted_message_survives_a_kill() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "remember me"]).good();
    drop(daemon);
    let _daemon = Daemon::start(&home.path());
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
    assert_eq!(messages["messages"][0]["text"], json!("remember me"));
}

#[test]
fn a_failing_agent_is_an_error_of_the_chat_command() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[agents.main]\nkind = \"command\"\ncommand = [\"false\"]\n");
    let _daemon = Daemon::start(&home.path());
    let ran = home.run(&["chat", "hello"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn the_command_line_prints_once_why_an_agent_failed() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", \"printf 'no key\\\\rWARN is set' >&2; exit 3\"]\n",
    );
    let daemon = Daemon::start(&home.path());
    let ran = home.run(&["chat", "hello"]);
    let sentence = "The agent crashed each time it was tried. Send /retry to try again.";
    ran.failed(1, &[sentence, "(exit code 3: WARN is set)"]);
    assert_eq!(ran.out, "", "the failure is printed once, on standard error");
    assert_eq!(ran.err.matches("/retry").count(), 1, "{ran:?}");
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).good().out.clone();
    assert!(!messages.contains("WARN is set"), "nothing of it is kept: {messages}");
    let log = daemon.stop().err;
    assert!(
        log.contains("exit code 3") && !log.contains("WARN is set"),
        "it may quote what it was asked: {log}"
    );
}

#[test]
fn an_agent_whose_program_is_missing_is_named_at_the_start_and_in_the_status() {
    let home = NewHome::new();
    home.write("not-a-program", "");
    home.write(
        "frontdesk.toml",
        "default_agent = \"good\"\n[agents.good]\nkind = \"command\"\ncommand = [\"cat\"]\n\
         [agents.lost]\nkind = \"command\"\ncommand = [\"no-such-program\"]\n\
         [agents.locked]\nkind = \"command\"\nmode = \"lasting\"\ncommand = [\"/etc/passwd\"]\n\
         [agents.homeless]\nkind = \"command\"\ncwd = \"nowhere\"\ncommand = [\"cat\"]\n",
    );
    let daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["chat", "still served"]).good().out.trim(), "still served");
    let lost = "agent lost cannot answer: the program no-such-program is in none of the folders of PATH: install \
                it, or correct `command` in [agents.lost]";
    let status = home.run(&["status", "--json"]).state();
    let reasons: Vec<&str> =
        status["reasons"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert_eq!((&status["status"], reasons.len()), (&json!("degraded"), 3), "{status}");
    assert!(reasons[0].contains("homeless") && reasons[0].contains("nowhere"), "{reasons:?}");
    assert!(reasons[1].contains("agent locked") && reasons[1].contains("is not executable"), "{reasons:?}");
    assert_eq!(reasons[2], lost);
    assert!(home.run(&["status"]).failed(1, &[]).out.contains("no-such-program"));
    let output = home.run(&["chat", "/gateway status"]).good().out.clone();
    assert!(output.contains("lost") && output.contains("no-such-program"), "{output}");
    let log = daemon.stop().err;
    for named in [lost, "agent locked cannot answer", "agent homeless cannot answer"] {
        assert!(log.contains(named), "{log}");
    }
}

#[test]
fn metrics_are_counted_and_served() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).good();
    let (url, token) = home.reached();
    let mut curl = std::process::Command::new("curl");
    curl.args(["-sf", &format!("{url}/metrics"), "-H", &format!("Authorization: Bearer {token}")]);
    let metrics = finish(&mut curl, "");
    assert!(metrics.good().out.contains("frontdesk_http_responses_total"), "{metrics:?}");
    assert!(!metrics.out.contains(&token));
}

#[test]
fn a_message_to_a_disabled_channel_is_refused_at_once() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[channels.web]\nenabled = false\n");
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).failed(1, &["the web channel is turned off: set channels.web.enabled"]);
}

#[test]
fn a_text_may_begin_with_a_hyphen() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["chat", "-5 degrees"]).good().out, "-5 degrees\n");
    assert_eq!(home.run(&["chat", "--chat", "work", "- one"]).good().out, "- one\n");
    assert!(home.run(&["chat", "--json", "hello"]).good().out.contains("\"fullText\":\"hello\""));
}

#[test]
fn a_refused_token_and_an_empty_one_are_reported() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    home.write(
        "frontdesk.toml",
        &format!(
            "[channels.telegram]\napi_url = \"{}\"\ntoken = \"4711:AAnobody-knows-this-bot-0123456789abcde\"\n\
             [channels.telegram.accounts.work]\ntoken = \"\"\n",
            telegram.api.url()
        ),
    );
    let mut daemon = Daemon::start(&home.path());
    daemon.logs("channels.telegram.accounts.work.token is empty");
    daemon.logs("credentials refused");
    let status = home.run(&["status", "--json"]).state();
    let account = |channel: &str| {
        let accounts = status["accounts"].as_array().unwrap();
        accounts.iter().find(|account| account["channel"] == channel).unwrap().clone()
    };
    assert_eq!(account("telegram")["state"], "token refused", "{status}");
    assert_eq!((&account("web")["state"], &status["status"]), (&json!("ready"), &json!("degraded")));
    assert!(status["reasons"][0].as_str().unwrap().starts_with("telegram: token refused"), "{status}");
    let empty = status["reasons"][1].as_str().unwrap();
    assert!(empty.starts_with("channels.telegram.accounts.work.token is empty"), "{status}");
    let output = home.run(&["status"]).failed(1, &[]).out.clone();
    assert!(output.contains("degraded") && output.contains("token refused"), "{output}");
    let output = home.run(&["chat", "/gateway status"]).good().out.clone();
    assert!(output.contains("refuses the token"), "{output}");
    // Both spellings of the address are accepted.
    for to in ["telegram:default:5", "telegram:5"] {
        let sent = home.run(&["send", "--to", to, "--message", "x", "--json"]).json();
        assert_eq!(sent["parts"][0]["to"], "telegram:5", "{sent}");
    }
}

#[test]
fn an_empty_list_says_what_it_was_asked_for() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).good();
    for (arguments, says) in [
        (["sessions", "--channel", "telegram"].as_slice(), "There are no sessions on the channel telegram."),
        (&["sessions", "--channel", "web@work"], "There are no sessions on the channel web@work."),
        (&["sessions", "--channel", "web@default"], "agent:main:web:dm:main"),
        (&["sessions", "--after", "agent:main:web:dm:main"], "no sessions after agent:main:web:dm:main."),
        (&["sessions", "messages", "agent:main:web:dm:main", "--epoch", "9"], "in conversation 9."),
        (&["sessions", "messages", "agent:main:web:dm:main", "--before", "m1"], "no messages before m1."),
        (&["outbox", "--state", "dead"], "There are no outgoing messages in the state dead."),
        (&["outbox", "--before", "o1"], "There are no older entries than o1."),
        (&["audit"], "Nothing has been changed yet."),
        (&["audit", "--before", "1"], "There are no older entries than 1."),
        (&["dead-letters", "--before", "1"], "There are no older entries than 1."),
    ] {
        let ran = home.run(arguments);
        assert!(ran.good().out.contains(says), "{says:?}: {ran:?}");
    }
}

#[test]
fn a_change_that_is_not_possible_or_not_necessary_says_why() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let sent = home.run(&["send", "--to", "web:main", "--message", "hello"]);
    let id =
        sent.good().out.strip_prefix("Sent to web:main: ").unwrap().split(' ').next().unwrap().to_owned();
    for (verb, more, done) in [("retry", &[][..], "sent again"), ("drop", &["--yes"], "dropped")] {
        let why = format!("there is no message {id} that can be {done}: it is sent, and only one that is");
        home.run(&[&["outbox", verb, &id], more].concat()).failed(1, &[&why]);
        home.run(&[&["outbox", verb, "o999999"], more].concat())
            .failed(1, &["there is no message o999999\n"]);
    }
    home.run(&["send", "--to", "fax:1", "--message", "x"])
        .failed(1, &["there is no channel fax; the only one is web"]);
    assert_eq!(home.run(&["gateway", "start", "web"]).good().out, "web was started already.\n");
    home.run(&["gateway", "stop", "web"]).good();
    assert!(home.run(&["gateway", "stop", "web"]).good().out.contains("web was stopped already."));
}

#[test]
fn a_session_with_commands_alone_has_no_last_message() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.run(&["chat", "/status"]).good();
    let key = "agent:main:web:dm:main";
    let shown = home.run(&["sessions", "show", key]);
    assert!(shown.good().out.contains("Last message  none yet"), "{shown:?}");
    assert_eq!(home.run(&["sessions", "show", key, "--json"]).json()["last_user_at"], json!(null));
    home.run(&["chat", "hello"]).good();
    assert!(home.run(&["sessions", "show", key]).good().out.contains("Last message  just now"), "{shown:?}");
}
