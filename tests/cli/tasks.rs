//! Background tasks on the command line.

use serde_json::json;

use crate::program::{Daemon, NewHome, until};

/// A task whose agent waits for ten minutes.
const LONG: &str = "!wait 600000 late";

#[test]
fn a_task_is_handed_over_waited_for_and_looked_at() {
    let home = NewHome::new();
    home.run(&["tasks"]).failed(69, &["no gateway is running"]);
    let daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["tasks"]).good().out, "There are no background tasks.\n");
    home.run(&["tasks", "watch"]).failed(1, &["no background task is open"]);
    let waited = home.run(&["tasks", "submit", "one **two**", "--title", "Numbers", "--wait"]);
    assert_eq!(waited.good().out, "one **two**\n");
    let table = home.run(&["tasks", "list"]).good().out.clone();
    assert!(["b1", "succeeded", "Numbers", "web:main"].iter().all(|cell| table.contains(cell)), "{table}");
    let shown = home.run(&["tasks", "show", "1"]).good().out.clone();
    assert!(shown.contains("Title       Numbers") && shown.ends_with("one **two**\n"), "{shown}");
    let task = home.run(&["tasks", "show", "b1", "--json"]).json();
    assert_eq!((&task["source"], &task["result"]["text"]), (&json!("cli"), &json!("one **two**")));
    let logs = home.run(&["tasks", "logs", "b1"]).good().out.clone();
    assert!(logs.contains("[answered]") && logs.contains("  ->\n  one **two**"), "{logs}");

    let failed = home.run(&["tasks", "submit", "!fail", "--wait"]);
    failed.failed(1, &["b2 is failed: The agent could not do it."]);
    assert_eq!(failed.out, "");
    let listed = home.run(&["tasks", "--state", "failed", "--json"]).json();
    assert_eq!((listed["tasks"].as_array().unwrap().len(), &listed["tasks"][0]["id"]), (1, &json!("b2")));
    home.run(&["tasks", "show", "x1"]).failed(2, &["a background task"]);
    home.run(&["tasks", "show", "9"]).failed(1, &["there is no background task b9"]);
    home.run(&["tasks", "--state", "done"]).failed(2, &["timed_out"]);
    daemon.stop().good();
}

#[test]
fn a_task_is_followed_cancelled_and_run_again() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let keyed = ["tasks", "submit", LONG, "--key", "k", "--time-limit", "900", "--to", "web:main"];
    for _ in 0..2 {
        let stored = home.run(&keyed).good().out.clone();
        assert_eq!(stored, "b1 is handed over. To follow it: frontdesk tasks watch b1\n");
    }
    until("it runs", || home.run(&["tasks", "show", "b1", "--json"]).json()["state"] == "running");
    std::thread::scope(|threads| {
        let watch = threads.spawn(|| home.run(&["tasks", "watch", "b1"]));
        home.run(&["tasks", "retry", "b1"]).failed(1, &["has not ended yet"]);
        assert_eq!(home.run(&["tasks", "cancel", "1"]).good().out, "b1 is cancelled.\n");
        watch.join().unwrap().failed(1, &["b1 is cancelled: It was cancelled."]);
    });
    assert_eq!(home.run(&["tasks", "retry", "b1"]).good().out, "b1 runs again as b2.\n");
    assert_eq!(home.run(&["tasks", "cancel", "b2", "--json"]).json()["retry_of"], json!("b1"));
    daemon.stop().good();
}
