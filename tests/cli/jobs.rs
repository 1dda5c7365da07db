//! Scheduled jobs on the command line.

use serde_json::json;

use crate::program::{Daemon, NewHome, until};

#[test]
fn a_job_is_made_looked_at_run_paused_and_removed() {
    let home = NewHome::new();
    home.run(&["cron"]).failed(69, &["no gateway is running"]);
    let daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["cron"]).good().out, "There are no scheduled jobs.\n");
    let add = [
        "cron",
        "add",
        "one **two**",
        "--id",
        "report",
        "--cron",
        "0 9 * * 1-5",
        "--timezone",
        "Europe/Berlin",
        "--silent",
        "--key",
        "k",
    ];
    for _ in 0..2 {
        let made = home.run(&add).good().out.clone();
        assert!(made.starts_with("report is scheduled; its first run is in "), "{made}");
    }
    let table = home.run(&["cron", "list"]).good().out.clone();
    assert!(
        ["report", "active", "0 9 * * 1-5 (Europe/Berlin)", "silent"].iter().all(|cell| table.contains(cell)),
        "{table}"
    );
    let started = home.run(&["cron", "run", "report"]).good().out.clone();
    assert!(started.starts_with("report runs now (r1)."), "{started}");
    until("it has run", || {
        home.run(&["cron", "runs", "report", "--json"]).json()["runs"][0]["state"] == "succeeded"
    });
    let shown = home.run(&["cron", "show", "report"]).good().out.clone();
    let next = shown.split("Next runs\n").nth(1).unwrap_or_default();
    assert_eq!(next.lines().take_while(|line| line.starts_with("  ")).count(), 5, "{shown}");
    assert!(shown.contains("one **two**") && shown.contains("r1  succeeded"), "{shown}");
    let whole = home.run(&["cron", "result", "report"]).good().out.clone();
    assert_eq!(whole, home.run(&["cron", "result", "report", "r1"]).good().out);
    assert!(whole.contains("one **two**"), "{whole}");
    home.run(&["cron", "result", "report", "r9"]).failed(1, &["report has no run r9"]);
    let changed = home
        .run(&["cron", "edit", "report", "--timezone", "Asia/Tokyo", "--retries", "2"])
        .good()
        .out
        .clone();
    assert!(changed.starts_with("report is changed; its next run is in "), "{changed}");
    let job = home.run(&["cron", "show", "report", "--json"]).json();
    assert_eq!(job["schedule"], json!({"kind": "cron", "expr": "0 9 * * 1-5", "timezone": "Asia/Tokyo"}));
    assert_eq!((&job["retries"], &job["delivery"]["mode"]), (&json!(2), &json!("silent")));
    home.run(&["cron", "edit", "report", "--every", "2h"]).good();
    assert_eq!(home.run(&["cron", "show", "report", "--json"]).json()["schedule"]["expr"], "2h");
    home.run(&["cron", "edit", "report"]).failed(2, &["nothing is to be changed"]);
    home.run(&["cron", "edit", "report", "--every", "2h", "--at", "2030-01-01"])
        .failed(2, &["cannot be used with"]);
    assert_eq!(home.run(&["cron", "pause", "report"]).good().out, "report is paused.\n");
    assert_eq!(
        home.run(&["cron", "--state", "paused", "--json"]).json()["jobs"][0]["reason"],
        json!("asked")
    );
    assert!(home.run(&["cron", "resume", "report"]).good().out.starts_with("report runs again"));
    home.run(&["cron", "remove", "report"]).failed(2, &["with its runs for good; add --yes to do it"]);
    assert_eq!(home.run(&["cron", "remove", "report", "--yes"]).good().out, "report is removed.\n");
    home.run(&["cron", "show", "report"]).failed(1, &["there is no scheduled job report"]);
    home.run(&["cron", "add", "x", "--every", "1h"]).failed(2, &["--to"]);
    home.run(&["cron", "add", "x", "--silent"]).failed(2, &["--cron"]);
    home.run(&["cron", "add", "x", "--silent", "--every", "often"]).failed(1, &["schedule.expr"]);
    home.run(&["cron", "show", "a b"]).failed(2, &["not the id of a job"]);
    daemon.stop().good();
}

#[test]
fn a_result_that_the_list_of_runs_shortens_is_printed_whole() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let task = "long ".repeat(2000);
    let add = ["cron", "add", task.as_str(), "--id", "long", "--every", "1h", "--silent"];
    home.run(&add).good();
    home.run(&["cron", "run", "long"]).good();
    let last = || home.run(&["cron", "runs", "long", "--json"]).json()["runs"][0].clone();
    until("it has run", || last()["state"] == "succeeded");
    let listed = last()["text"].as_str().map_or(0, str::len);
    assert!((1..5000).contains(&listed), "{listed} bytes");
    for whole in [home.run(&["cron", "result", "long"]), home.run(&["cron", "result", "long", "r1"])] {
        let length = whole.good().out.len();
        assert!(length > 9000, "{length} bytes");
    }
    daemon.stop().good();
}

#[test]
fn a_job_of_the_file_runs_and_is_changed_there() {
    let home = NewHome::new();
    let config = |every: &str| {
        format!(
            "[[jobs]]\nid = \"tick\"\ntask = \"tick\"\ndelivery = {{ mode = \"announce\", to = \"web:main\" }}\n\
             schedule = {{ kind = \"every\", expr = \"{every}\" }}\n"
        )
    };
    home.write("frontdesk.toml", &config("1s"));
    let daemon = Daemon::start(&home.path());
    until("it runs twice", || {
        let runs = home.run(&["cron", "runs", "tick", "--json"]).json()["runs"].clone();
        runs.as_array().is_some_and(|runs| runs.iter().filter(|run| run["state"] == "succeeded").count() >= 2)
    });
    home.run(&["cron", "remove", "tick", "--yes"]).failed(1, &["job of the configuration file"]);
    home.write("frontdesk.toml", &config("1h"));
    home.run(&["config", "reload"]).good();
    let job = home.run(&["cron", "show", "tick", "--json"]).json();
    assert_eq!((&job["schedule"]["expr"], &job["source"]), (&json!("1h"), &json!("config")));
    home.write("frontdesk.toml", "[[jobs]]\nid = \"tick\"\ntask = \"tick\"\ndelivery = \"silent\"\n");
    home.run(&["config", "check"]).failed(78, &["frontdesk.toml", "schedule"]);
    daemon.stop().good();
}
