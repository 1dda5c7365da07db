//! Granting and revoking access from the command line.

use std::path::Path;

use frontdesk_botapi::BOT;
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome};
use crate::telegram::{Telegram, with_token};

fn audit(home: &NewHome) -> Vec<String> {
    let lines = home.run(&["audit", "--json"]).json();
    let entry = |line: &Value| {
        let of = |name: &str| line[name].as_str().unwrap().to_owned();
        ["by", "via", "action", "subject", "outcome"].map(of).join(" ")
    };
    lines["audit"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn an_unknown_sender_is_approved_with_the_code() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let daemon = telegram.gateway(&home, "");
    let anna = telegram.user(4242, "An\u{202e}na\u{1b}[2J");
    assert!(home.run(&["pairing", "list"]).good().out.contains("Nobody asks for access"));
    anna.tells("let me in");
    let code = anna.code();
    let list = home.run(&["pairing", "list"]);
    for part in ["telegram", "4242", "An\\u{202e}na\\u{1b}[2J", "minutes"] {
        assert!(list.good().out.contains(part), "{part:?}: {list:?}");
    }
    let json = home.run(&["pairing", "list", "--json"]);
    assert_eq!(json.json()["requests"][0]["principal"], json!("telegram:4242"));
    assert!(!list.out.contains(&code) && !json.out.contains(&code));
    let approve = ["pairing", "approve", "telegram", &code.to_lowercase(), "--account", "default"];
    assert!(home.run(&approve).good().out.contains("telegram:4242 (An\\u{202e}na"), "{list:?}");
    home.run(&approve).failed(1, &["no open request has this code", "5 more wrong codes"]);
    anna.tells("now answer me");
    anna.sees("now answer me");
    let people = home.run(&["access"]).good().out.clone();
    assert!(people.contains("4242") && people.contains("pairing") && people.contains("cli"), "{people}");
    assert_eq!(
        audit(&home),
        [
            "cli cli approve telegram refused:spent_code".to_owned(),
            "cli cli approve telegram:4242 dm done".to_owned(),
        ]
    );
    assert!(home.run(&["audit", "--limit", "1"]).good().out.contains("refused:spent_code"));
    let ran = daemon.stop();
    assert!(!ran.good().err.contains(&code), "{ran:?}");
    assert!(!ran.err.contains("let me in"));
}

#[test]
fn a_code_needs_no_platform_and_can_be_refused() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, "");
    let (anna, bert) = (telegram.user(11, "Anna"), telegram.user(12, "Bert"));
    anna.tells("hello");
    bert.tells("hello");
    assert!(
        home.run(&["pairing", "deny", &bert.code()]).good().out.contains("telegram:12 (Bert) was refused")
    );
    let approved = home.run(&["pairing", "approve", &anna.code(), "--json"]).json();
    assert_eq!(approved["approved"]["user"], json!("11"));
    home.run(&["pairing", "approve", "fax", "ABCD2345"])
        .failed(1, &["there is no channel fax; the channels are telegram, web"]);
    home.run(&["pairing", "approve", "ABC"]).failed(1, &["eight letters and digits"]);
}

#[test]
fn the_first_admin_is_made_on_the_machine() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    home.run(&["access", "allow", "telegram", "77", "--admin"])
        .failed(69, &["no gateway is running", "frontdesk run"]);
    let _daemon = telegram.gateway(&home, "");
    let hint = "frontdesk access allow CHANNEL USER --admin";
    assert!(home.run(&["access"]).good().out.contains(hint));
    let allow = ["access", "allow", "telegram", "77", "--admin"];
    assert_eq!(home.run(&allow).good().out, "telegram:77 is an admin now.\n");
    assert_eq!(home.run(&allow).good().out, "telegram:77 is an admin already.\n");
    assert!(!home.run(&["access"]).good().out.contains(hint));
    let (admin, anna) = (telegram.user(77, "Root"), telegram.user(4242, "Anna"));
    anna.tells("let me in");
    let code = anna.code();
    admin.tells(&format!("/gateway pair {code}"));
    anna.sees("You may write to me now");
    anna.tells("here I am");
    anna.sees("here I am");
    let by: Vec<Value> = home.run(&["access", "--json"]).json()["access"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["platform"] == "telegram")
        .map(|entry| json!([entry["user"], entry["scope"], entry["source"], entry["by"]]))
        .collect();
    assert_eq!(by, [json!(["4242", "dm", "pairing", "telegram:77"]), json!(["77", "admin", "cli", "cli"])]);
}

#[test]
fn access_is_granted_by_id_and_revoked() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, "allow = [9]\n");
    let anna = telegram.user(4242, "Anna");
    assert_eq!(
        home.run(&["access", "allow", "telegram", "4242"]).good().out,
        "telegram:4242 may write in private now.\n"
    );
    anna.tells("one");
    anna.sees("one");
    let group = ["access", "allow", "telegram", "4242", "--group", "-1005"];
    assert!(home.run(&group).good().out.contains("may write in group -1005 now"));
    let back = home.run(&["access", "revoke", "telegram", "4242", "--group", "-1005"]);
    assert!(
        back.good()
            .out
            .contains("of telegram:4242 in group -1005 is revoked, but they may still write: in private"),
        "{back:?}"
    );
    let back = home.run(&["access", "revoke", "telegram", "4242"]);
    assert!(back.good().out.starts_with("telegram:4242 may not write to me any more."), "{back:?}");
    assert!(
        home.run(&["access", "revoke", "telegram", "4242"])
            .good()
            .out
            .contains("telegram:4242 had no permission.")
    );
    anna.tells("two");
    assert!(anna.code().len() == 8, "a stranger again");
    for (user, expected) in [
        ("@anna", "not an id"),
        ("-100123", "group's id"),
        ("1087968824", "belongs to the platform"),
        ("0", "not an id"),
    ] {
        home.run(&["access", "allow", "telegram", user]).failed(1, &[expected]);
        home.run(&["access", "revoke", "telegram", user]).failed(1, &[expected]);
    }
    home.run(&["access", "allow", "telegram", "5", "--account", "wrok"])
        .failed(1, &["the channels are telegram"]);
    home.run(&["access", "allow", "telegram", "5", "--group", "@x"]).failed(1, &["@x: ", "group's id"]);
    home.run(&["access", "revoke", "telegram", "9"]).failed(1, &["configuration"]);
}

#[test]
fn access_belongs_to_one_account() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    telegram.api.bot("777:the-other-bot", 777, "other_bot");
    let more = "[channels.telegram.accounts.work]\ntoken = \"777:the-other-bot\"\n";
    let _daemon = telegram.gateway(&home, more);
    home.run(&["access", "allow", "telegram@work", "4242"]).good();
    home.run(&["access", "allow", "telegram", "4243", "--account", "work"]).good();
    let anna = telegram.user(4242, "Anna");
    anna.tells("let me in");
    let code = anna.code();
    home.run(&["pairing", "approve", "telegram", &code, "--account", "work"])
        .failed(1, &["through another account"]);
    home.run(&["pairing", "approve", "telegram", &code]).good();
    let status = home.run(&["status"]).good().out.clone();
    assert!(status.contains("telegram@work"), "{status}");
}

#[test]
fn a_file_is_sent_under_its_own_name_and_leaves_nothing_behind() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, "allow = [4242]\n");
    let anna = telegram.user(4242, "Anna");
    anna.tells("hello");
    anna.sees("hello");
    let file = home.write("the report.txt", "all is well");
    let send = |file: &Path, more: &[&str]| {
        let to = ["send", "--to", "telegram:4242", "--media", file.to_str().unwrap()];
        home.run(&[&to[..], more].concat())
    };
    assert!(send(&file, &["--message", "as **promised**"]).good().out.contains("Queued for telegram:4242"));
    anna.sees("as promised");
    let sent = telegram.file(4242);
    assert_eq!((sent.from, sent.kind.as_deref()), (BOT, Some("document")));
    assert_eq!(sent.message["document"]["file_name"], json!("the report.txt"));
    send(&file, &[]).good();
    let left: Vec<_> = std::fs::read_dir(home.path().join("media"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "in" && name != "out")
        .collect();
    assert_eq!(left, Vec::<String>::new());
    send(Path::new("/no/such/file"), &[]).failed(1, &["/no/such/file"]);
    send(&home.path(), &[]).failed(2, &["not an ordinary file"]);
    send(&home.write("empty", ""), &[]).failed(1, &["it is empty"]);
}

#[test]
fn a_token_in_the_environment_is_all_that_a_bot_needs() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    // Only the address of the test's Telegram is configured.
    home.write("frontdesk.toml", &format!("[channels.telegram]\napi_url = \"{}\"\n", telegram.api.url()));
    let _daemon = Daemon::start_with(&mut with_token(&home.path(), frontdesk_botapi::TOKEN));
    let anna = telegram.user(4242, "Anna");
    anna.tells("hello");
    assert_eq!(anna.code().len(), 8);
    home.run(&["config", "show"]).good();
}

#[test]
fn a_wrong_section_stops_the_start_and_says_why() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[channels.telegram]\nenabled = true\nallow = [\"@anna\"]\n");
    for arguments in [["config", "check"].as_slice(), &["run", "--port", "0"]] {
        home.run(arguments).failed(
            78,
            &[
                ":1:11: channels.telegram.token",
                "TELEGRAM_BOT_TOKEN",
                ":3:10: channels.telegram.allow[0]",
                "/whoami",
            ],
        );
    }
}

#[test]
fn somebody_is_blocked_and_listed_until_the_block_ends() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let _daemon = telegram.gateway(&home, "allow = [9]\n");
    let anna = telegram.user(4242, "Anna");
    home.run(&["access", "allow", "telegram", "4242"]).good();
    anna.tells("one");
    anna.sees("one");
    let block = home.run(&["access", "block", "telegram", "4242"]);
    assert!(block.good().out.starts_with("telegram:4242 is blocked: I ignore them everywhere"), "{block:?}");
    let list = home.run(&["access"]);
    assert!(list.good().out.contains("BLOCKED"), "{list:?}");
    let listed = home.run(&["access", "--json"]).json()["blocked"][0].clone();
    assert_eq!((&listed["user"], &listed["by"]), (&json!("4242"), &json!("cli")));
    home.run(&["access", "allow", "telegram", "4242"])
        .failed(1, &["telegram:4242 is blocked", "frontdesk access unblock telegram 4242"]);
    anna.tells("two");
    // Updates are judged in their order.
    let ben = telegram.user(9, "Ben");
    ben.tells("and I?");
    ben.sees("and I?");
    home.run(&["access", "unblock", "telegram", "4242"]).good();
    anna.tells("three");
    anna.sees("three");
    // Her own messages stand in the chat as well.
    assert_eq!(anna.texts(), ["one", "one", "two", "three", "three"]);
    assert!(!home.run(&["access"]).good().out.contains("BLOCKED"));
}

#[test]
fn the_list_shows_all_that_the_configuration_allows() {
    let (telegram, home) = (Telegram::start(), NewHome::new());
    let keys = "dm_policy = \"open\"\nbots = [99]\n[channels.telegram.groups.\"-1005\"]\nmoderators = [77]\n\
                [channels.telegram.groups.\"-1006\"]\nallow = [78]\n";
    let _daemon = telegram.gateway(&home, keys);
    let shown = home.run(&["access"]).good().out.clone();
    let listed = shown.split("The configuration also allows:").nth(1).unwrap();
    let lines: Vec<String> =
        listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "",
        "ACCOUNT WHO MAY WHERE",
        "telegram everybody write dm",
        "telegram everybody write group:-1005",
        "telegram 77 moderate group:-1005",
        "telegram bot 99 write wherever a person may",
    ];
    assert_eq!(lines[..6], expected, "{shown}");
    assert!(shown.contains("78") && shown.contains("group:-1006"), "{shown}");
    let json = home.run(&["access", "--json"]).json();
    let all = json["configured"].as_array().unwrap().iter();
    let configured: Vec<&Value> = all.filter(|entry| entry["platform"] == "telegram").collect();
    assert_eq!(configured.len(), 4);
    assert_eq!(
        *configured[2],
        json!({"platform": "telegram", "account": "default", "who": "person", "id": "77", "may": "moderate",
               "scope": "group:-1005"})
    );
}
