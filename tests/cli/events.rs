//! Events of other programs on the command line.

use serde_json::json;

use crate::program::{Daemon, NewHome, fed, until};

const CONFIG: &str = r#"
[hooks]
enabled = true
token = "the-token-of-wake"

[hooks.endpoints.issues]
signature = "github"
secret = "a secret of GitHub"
template = "Sum up: {{ issue.title }}"
when = { action = ["opened"] }

[hooks.endpoints.disk]
signature = "generic"
secret = "a secret of the disk"
mode = "message"
template = "The disk {{ name }} is full."

[hooks.endpoints.talk]
session = "agent:main:web:dm:main"
"#;

#[test]
fn an_event_is_signed_sent_and_becomes_what_the_endpoint_says() {
    let home = NewHome::new();
    home.write("frontdesk.toml", CONFIG);
    home.run(&["events", "push", "issues", "--data", "{}"]).failed(69, &["no gateway is running"]);
    let listed = home.run(&["events", "list"]).good().out.clone();
    for part in ["wake", "http://127.0.0.1:3847/hooks/issues", "X-Hub-Signature-256", "message to web:main"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    assert!(!listed.contains("a secret"), "{listed}");
    let shown = home.run(&["config", "show"]).good().out.clone();
    assert!(
        shown.contains("[hooks.endpoints.disk]")
            && !shown.contains("a secret")
            && !shown.contains("the-token")
    );

    let daemon = Daemon::start(&home.path());
    let event = json!({"action": "opened", "issue": {"title": "It is slow"}}).to_string();
    let push = ["events", "push", "issues", "--key", "e1", "--data", &event];
    assert_eq!(home.run(&push).good().out, "Accepted as background task b1.\n");
    assert_eq!(home.run(&push).good().out, "Accepted as background task b1.\n");
    until("the agent has answered", || {
        home.run(&["tasks", "show", "b1", "--json"]).json()["state"] == "succeeded"
    });
    let task = home.run(&["tasks", "show", "b1", "--json"]).json();
    assert_eq!((&task["source"], &task["title"]), (&json!("event"), &json!("event issues")));
    let ignored = home.run(&["events", "push", "issues", "--data", "{\"action\": \"closed\"}"]);
    assert!(ignored.good().out.contains("nothing was made of it"));
    let sent = home.run(&["events", "push", "disk", "--data", "{\"name\": \"sda\"}"]).good().out.clone();
    assert!(sent.starts_with("Accepted as o") && sent.contains("(sent)"), "{sent}");
    home.run(&["events", "push", "disk", "--data", "{}"]).failed(1, &["there is no `name` in it"]);
    home.run(&["events", "push", "disk", "--data", "{"]).failed(2, &["the event is not JSON"]);
    home.run(&["events", "push", "nothing", "--data", "{}"]).failed(2, &["there are: disk, issues, talk"]);
    let early = fed(&home.path(), &["events", "push", "talk"], "{}");
    early.failed(1, &["agent:main:web:dm:main"]);
    home.run(&["chat", "--chat", "main", "hello"]).good();
    let said =
        fed(&home.path(), &["events", "push", "talk"], "{\"text\": \"from a pipe\"}").good().out.clone();
    assert!(
        said.starts_with("Accepted as message m") && said.contains(" of agent:main:web:dm:main."),
        "{said}"
    );
    let woken = home.run(&["events", "push", "wake", "--data", "{\"text\": \"hello\"}"]);
    assert_eq!(woken.good().out, "Accepted as background task b2.\n");
    home.write("frontdesk.toml", &CONFIG.replace("a secret of the disk", "another secret of it"));
    home.run(&["events", "push", "disk", "--data", "{}"]).failed(1, &["until it is reloaded"]);
    let reloaded = home.run(&["config", "reload"]).good().out.clone();
    assert!(reloaded.contains("hooks"), "{reloaded}");
    home.run(&["events", "push", "disk", "--data", "{\"name\": \"sdb\"}"]).good();
    daemon.stop().good();
}

#[test]
fn a_wrong_template_is_found_by_the_check() {
    let home = NewHome::new();
    home.write("frontdesk.toml", &CONFIG.replace("{{ name }}", "{{ name | upper }}"));
    home.run(&["config", "check"]).failed(78, &["hooks.endpoints.disk.template", "no path"]);
    home.write("frontdesk.toml", &CONFIG.replace("mode = \"message\"", "agent = \"mian\""));
    home.run(&["config", "check"]).failed(78, &["hooks.endpoints.disk.agent", "did you mean `main`?"]);
}
