//! `frontdesk config reload` and SIGHUP on a running gateway.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::lifecycle::{asking, prints_answer};
use crate::program::{Daemon, NewHome, until};
use crate::telegram::Telegram;

/// The reasons in the status. It takes its time, because the API answers only so many requests of one token a minute.
fn reasons(home: &NewHome) -> Vec<String> {
    std::thread::sleep(std::time::Duration::from_millis(200));
    let status = home.run(&["status", "--json"]).state();
    status["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_says_what_would_change_and_changes_nothing() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    home.write(
        "frontdesk.toml",
        "default_agent = \"second\"\n[agents.second]\nkind = \"command\"\ncommand = [\"echo\", \"from the second\"]\n\
         [gateway.limits]\nws_buffer = 300000\n[limits.user]\nper_minute = 7\n",
    );
    let plan = home.run(&["config", "reload", "--plan"]);
    for line in [
        "agent main would be removed.",
        "agent second would be added.",
        "Would change from the next message on: default_agent, limits.user.per_minute.",
        "Needs a restart of the gateway: gateway.limits.ws_buffer.",
    ] {
        assert!(plan.good().out.contains(line), "{line}: {plan:?}");
    }
    assert_eq!(home.run(&["chat", "hello"]).good().out, "hello\n", "the first agent still answers");

    let done = home.run(&["config", "reload", "--json"]).json();
    assert_eq!((&done["plan"], &done["restart"]), (&json!(false), &json!(["gateway.limits.ws_buffer"])));
    assert_eq!(done["accounts"], json!([{"account": "web", "change": "kept"}]));
    assert!(home.run(&["chat", "hello"]).good().out.contains("from the second"));
    let again = home.run(&["config", "reload", "--plan"]);
    assert_eq!(again.good().out, "Needs a restart of the gateway: gateway.limits.ws_buffer.\n");
    let audit: Value = home.run(&["audit", "--json"]).json();
    let reloads: Vec<&Value> =
        audit["audit"].as_array().unwrap().iter().filter(|row| row["action"] == "reload").collect();
    assert_eq!((reloads.len(), &reloads[0]["outcome"]), (1, &json!("done")));
}

#[test]
fn a_plan_names_the_chats_that_get_another_agent_and_the_conversation_before_can_be_found_later() {
    let home = NewHome::new();
    let agents = "default_agent = \"main\"\n[agents.main]\nkind = \"echo\"\n[agents.second]\nkind = \"command\"\n\
                  command = [\"echo\", \"from the second\"]\n";
    home.write("frontdesk.toml", agents);
    let _daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["chat", "hello"]).good().out, "hello\n");
    let roles = "[roles.guided]\nagent = \"second\"\n[channels.web.chats.main]\nrole = \"guided\"\n";
    home.write("frontdesk.toml", &format!("{agents}{roles}"));
    let plan = home.run(&["config", "reload", "--plan"]);
    let line = "web chat main would be answered anew from the next message on: agent second instead of main, role guided \
                instead of none.";
    assert!(plan.good().out.contains(line), "{plan:?}");
    let done = home.run(&["config", "reload", "--json"]).json();
    let route = json!({"place": "web chat main", "agent_before": "main", "agent": "second", "role_before": null,
                       "role": "guided"});
    assert_eq!(done["routes"], json!([route]));
    assert!(home.run(&["chat", "hello"]).good().out.contains("from the second"));
    let sessions = home.run(&["sessions", "--json"]).json().to_string();
    for key in ["agent:main:web:dm:main", "agent:second:web:dm:main"] {
        assert!(sessions.contains(key), "{sessions}");
    }
}

#[test]
fn a_wrong_file_is_refused_with_its_place_until_a_right_one_is_read() {
    let home = NewHome::new();
    let mut daemon = Daemon::start(&home.path());
    assert_eq!(reasons(&home), Vec::<String>::new());
    let file = home.write("frontdesk.toml", "[gateway]\nprot = 1\n");
    let place = format!("{}:2:1: gateway.prot: unknown key `prot`; did you mean `port`?", file.display());
    home.run(&["config", "reload", "--plan"]).failed(78, &[&place]);
    assert_eq!(reasons(&home), Vec::<String>::new(), "a plan is only a question");
    home.run(&["config", "reload"]).failed(78, &[&place]);
    assert_eq!(home.run(&["chat", "hello"]).good().out, "hello\n");
    let degraded = reasons(&home);
    assert!(degraded.contains(&place) && degraded[0].contains("previous configuration"), "{degraded:?}");
    home.write("frontdesk.toml", "[log]\nlevel = \"debug\"\n");
    daemon.signal(Signal::HUP);
    assert!(daemon.logs("the configuration is reloaded; changed: log.level").contains("SIGHUP"));
    until("the status is good again", || reasons(&home).is_empty());
    let audit = home.run(&["audit", "--json"]).json();
    let by: Vec<&Value> = audit["audit"].as_array().unwrap().iter().map(|row| &row["by"]).collect();
    assert_eq!((by[0], &audit["audit"][0]["via"]), (&json!("SIGHUP"), &json!("signal")));
    home.run(&["chat", "at level debug"]).good();
    daemon.logs("accepted");
    daemon.stop().good();
}

#[test]
fn a_watched_file_is_taken_over_when_it_or_a_link_to_it_is_replaced() {
    let home = NewHome::new();
    // As Kubernetes does it: the file is a link through a link, and the one in the middle is replaced.
    let version = |name: &str, text: &str| {
        let folder = home.write(&format!("{name}.toml"), text).with_file_name(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::rename(folder.with_extension("toml"), folder.join("frontdesk.toml")).unwrap();
        let new = home.path().join("new");
        std::os::unix::fs::symlink(name, &new).unwrap();
        std::fs::rename(new, home.path().join("current")).unwrap();
    };
    version("one", "[reload]\nwatch = true\n");
    std::os::unix::fs::symlink("current/frontdesk.toml", home.path().join("frontdesk.toml")).unwrap();
    let mut daemon = Daemon::start(&home.path());
    version("two", "[reload]\nwatch = true\n[queue]\nmax_text = 5\n");
    daemon.logs("the configuration is reloaded; changed: queue.max_text");
    assert!(home.run(&["chat", "longer than five"]).code != Some(0), "the new limit holds");
    // An editor puts another file into the place of the link.
    let edited = home.write("edited", "[reload]\nwatch = true\n[queue]\nmax_txt = 5\n");
    std::fs::rename(edited, home.path().join("frontdesk.toml")).unwrap();
    daemon.logs("did you mean `max_text`?");
    home.write("frontdesk.toml", "");
    daemon.logs("the configuration file is empty");
    home.write("frontdesk.toml", "[queue]\nmax_text = 9\n");
    daemon.logs("changed: queue.max_text, reload.watch");
    let audit = home.run(&["audit", "--json"]).json();
    assert_eq!((&audit["audit"][0]["by"], &audit["audit"][0]["via"]), (&json!("watch"), &json!("file")));
    daemon.stop().good();
}

#[test]
fn people_of_an_account_change_without_a_new_connection_and_a_setting_needs_one() {
    let telegram = Telegram::start();
    let home = NewHome::new();
    let mut daemon = telegram.gateway(&home, "dm_policy = \"allowlist\"\nallow = [7]");
    let (anna, ben) = (telegram.user(7, "Anna"), telegram.user(8, "Ben"));
    anna.tells("hello");
    anna.sees("hello");
    home.write("frontdesk.toml", &telegram.config("dm_policy = \"allowlist\"\nallow = [8]"));
    let done = home.run(&["config", "reload", "--json"]).json();
    assert_eq!(done["changes"], json!(["telegram: who may write"]));
    let change = |done: &Value| done["accounts"].as_array().unwrap()[0].clone();
    assert_eq!(change(&done), json!({"account": "telegram", "change": "kept"}));
    ben.tells("me too");
    ben.sees("me too");
    anna.tells("and now?");
    ben.tells("again");
    ben.sees("again");
    assert_eq!(anna.texts(), ["hello", "hello", "and now?"], "nobody answers her");

    home.write("frontdesk.toml", &telegram.config("dm_policy = \"open\"\nstreaming = \"off\""));
    let done = home.run(&["config", "reload", "--json"]).json();
    assert_eq!(change(&done), json!({"account": "telegram", "change": "restarted"}));
    daemon.logs("a reload has changed an account");
    anna.tells("welcome back");
    anna.sees("welcome back");

    std::fs::remove_file(home.path().join("frontdesk.toml")).unwrap();
    home.run(&["config", "reload"]).failed(78, &["the configuration file is gone", "restart the gateway"]);
    home.write("frontdesk.toml", "[log]\nlevel = \"info\"\n");
    let done = home.run(&["config", "reload", "--json"]).json();
    assert_eq!(change(&done), json!({"account": "telegram", "change": "removed"}));
    anna.tells("nobody there");
    home.run(&["send", "--to", "telegram:7", "--message", "too late"]).failed(1, &["telegram"]);
    home.write("frontdesk.toml", &telegram.config("dm_policy = \"open\""));
    home.run(&["config", "reload"]).good();
    anna.sees("nobody there");
    daemon.stop().good();
}

/// The latest reload in the audit.
fn latest(home: &NewHome) -> Value {
    let audit = home.run(&["audit", "--json"]).json();
    audit["audit"].as_array().unwrap().iter().find(|row| row["action"] == "reload").unwrap().clone()
}

#[test]
fn a_reload_that_took_effect_and_could_not_end_everything_says_so_everywhere() {
    let telegram = Telegram::start();
    let home = NewHome::new();
    let mut daemon = telegram.gateway(&home, "dm_policy = \"allowlist\"\nallow = [7]");
    let (anna, ben) = (telegram.user(7, "Anna"), telegram.user(8, "Ben"));
    anna.tells("!wait 300000 late");
    until("a turn runs", || home.run(&["status", "--json"]).state()["totals"]["running"] == json!(1));
    let database = rusqlite::Connection::open(home.path().join("frontdesk.db")).unwrap();
    let broken = "CREATE TRIGGER broken BEFORE UPDATE OF state ON turn WHEN NEW.state = 'cancelled'
                  BEGIN SELECT RAISE(ABORT, 'this cannot be written'); END";
    database.execute_batch(broken).unwrap();
    home.write("frontdesk.toml", &telegram.config("dm_policy = \"allowlist\"\nallow = [8]"));
    let done = home.run(&["config", "reload"]);
    done.failed(1, &["the configuration is in use, but what people have open who lost access was not ended"]);
    assert!(done.out.contains("telegram: who may write"), "{done:?}");
    ben.tells("it is in use");
    ben.sees("it is in use");
    assert_eq!(latest(&home)["outcome"], json!("done:unfinished"));
    assert!(
        reasons(&home)[0].contains("the configuration is in use, but what people"),
        "{:?}",
        reasons(&home)
    );
    daemon.logs("the configuration is in use, but what people");
    database.execute_batch("DROP TRIGGER broken").unwrap();
    home.run(&["config", "reload"]).good();
    assert_eq!((reasons(&home), latest(&home)["outcome"].clone()), (Vec::new(), json!("done")));
}

#[test]
fn a_reload_while_the_gateway_stops_is_refused_as_that() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[turns]\ndrain_seconds = 20\n");
    let mut daemon = Daemon::start(&home.path());
    let asked = asking(&home, "!slow 1500 one two three four");
    daemon.signal(Signal::TERM);
    daemon.logs("SIGTERM");
    home.run(&["config", "reload"]).failed(69, &["shutting down"]);
    daemon.end().good();
    prints_answer(asked, "one two three four\n");
    let _daemon = Daemon::start(&home.path());
    assert_eq!(latest(&home)["outcome"], json!("refused:stopping"));
}

#[test]
fn the_token_of_another_bot_is_announced_and_logged_once() {
    let telegram = Telegram::start();
    let home = NewHome::new();
    let mut daemon = telegram.gateway(&home, "dm_policy = \"open\"");
    let anna = telegram.user(7, "Anna");
    anna.tells("hello");
    anna.sees("hello");
    let other = "222333:WORK-token";
    telegram.does(async { telegram.api.bot(other, 222_333, "frontdesk_other_bot") });
    let config = telegram.config("dm_policy = \"open\"").replace(frontdesk_botapi::TOKEN, other);
    home.write("frontdesk.toml", &config);
    let said = "telegram belongs to a different bot now: it cannot edit or reply to earlier messages.";
    assert!(home.run(&["config", "reload", "--plan"]).good().out.contains(said));
    let done = home.run(&["config", "reload"]);
    assert!(done.good().out.contains(said), "{done:?}");
    daemon.logs("the account belongs to a different bot now");
    daemon.stop().good();
    let log = Daemon::start(&home.path()).stop().err;
    assert!(!log.contains("belongs to a different bot"), "once is enough: {log}");
}

/// A configuration with a disabled account whose token a script prints.
fn printed_by(script: &str) -> String {
    let script = Value::from(script);
    format!("[channels.telegram]\nenabled = false\ntoken = {{ command = [\"sh\", \"-c\", {script}] }}\n")
}

/// Whether the process whose number stands in this file of the home folder runs.
fn runs(home: &NewHome, file: &str) -> bool {
    let pid = std::fs::read_to_string(home.path().join(file)).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// Cannot be ended but by SIGKILL, and asks the gateway to stop.
const STUBBORN: &str = "trap '' TERM HUP INT; sleep 77 & echo $! > pid; kill -TERM $PPID; wait";

#[test]
fn a_hangup_while_the_gateway_starts_is_a_reload_after_it() {
    let home = NewHome::new();
    home.write(
        "frontdesk.toml",
        &printed_by("[ -e hup ] || { touch hup; kill -HUP $PPID; sleep 0.2; }; echo 1:a"),
    );
    let mut daemon = Daemon::start(&home.path());
    daemon.logs("SIGHUP: the configuration is read again");
    daemon.logs("nothing has changed");
    daemon.stop().good();
}

#[test]
fn a_stop_ends_the_programs_that_print_secrets() {
    let home = NewHome::new();
    home.write("frontdesk.toml", &printed_by(STUBBORN));
    let stopped = home.run(&["run", "--port", "0"]);
    assert!(stopped.good().err.contains("SIGTERM: stopped while the configuration was read"), "{stopped:?}");
    assert!(!stopped.err.contains("waiting for the command"), "it is not waited out: {stopped:?}");
    until("the program of the start is gone", || !runs(&home, "pid"));

    home.write("frontdesk.toml", "[log]\nlevel = \"info\"\n");
    let mut daemon = Daemon::start(&home.path());
    std::fs::remove_file(home.path().join("pid")).unwrap();
    home.write("frontdesk.toml", &printed_by(STUBBORN));
    daemon.signal(Signal::HUP);
    daemon.logs("SIGTERM: stopping");
    daemon.end().good();
    until("the program of the reload is gone", || !runs(&home, "pid"));
}

#[test]
fn a_watched_file_that_is_right_again_ends_the_error() {
    let home = NewHome::new();
    let right = "[reload]\nwatch = true\n";
    home.write("frontdesk.toml", right);
    let mut daemon = Daemon::start(&home.path());
    home.write("frontdesk.toml", &format!("{right}[queue]\nmax_text = 5\n"));
    daemon.logs("changed: queue.max_text");
    home.write("frontdesk.toml", "[[");
    home.run(&["config", "reload"]).failed(78, &["frontdesk.toml:1"]);
    home.write("frontdesk.toml", &format!("{right}[queue]\nmax_text = 5\n"));
    until("another caller's error is gone", || reasons(&home).is_empty());

    std::fs::remove_file(home.path().join("frontdesk.toml")).unwrap();
    until("a missing file is reported", || reasons(&home).iter().any(|reason| reason.contains("is gone")));
    home.write("frontdesk.toml", &format!("{right}#{}", "x".repeat(5 << 20)));
    daemon.logs("larger than 4 MiB");
    let secret = "token = { command = [\"cat\", \"secret\"] }";
    home.write("frontdesk.toml", &format!("{right}[channels.telegram]\nenabled = false\n{secret}\n"));
    until("a secret that cannot be had is reported", || {
        reasons(&home).iter().any(|reason| reason.contains("the secret's command"))
    });
    home.write("secret", "1:a");
    until("the file is tried again", || reasons(&home).is_empty());
    daemon.stop().good();
}

#[test]
fn an_agent_whose_program_is_missing_is_noted_by_the_check_the_plan_and_the_reload() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    home.write("frontdesk.toml", "[agents.main]\nkind = \"command\"\ncommand = [\"no-such-program\"]\n");
    for command in [&["config", "check"][..], &["config", "reload", "--plan"], &["config", "reload"]] {
        let done = home.run(command);
        assert!(done.good().err.contains("note: agent main cannot answer: "), "{command:?}: {done:?}");
    }
    daemon.stop().good();
}
