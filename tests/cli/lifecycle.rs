//! Stops and restarts by admins and signals, and what a killed gateway leaves running.

use std::net::TcpListener;
use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::program::{Daemon, NewHome, command, finish, until};

fn url(home: &NewHome) -> String {
    home.reached().0
}

#[test]
fn an_admins_stop_is_an_orderly_end() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[turns]\ndrain_seconds = 20\n");
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "remember me"]).good();
    // It does not matter whether the answer still arrives before the gateway is gone.
    let mut chat = command(&home.path());
    let mut chat =
        chat.args(["chat", "/gateway stop confirm"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let ran = daemon.end();
    assert_eq!(ran.good().code, Some(0));
    assert!(ran.err.contains("at an admin's request") && ran.err.contains("stopped"), "{ran:?}");
    chat.kill().unwrap();
    chat.wait().unwrap();
    let _daemon = Daemon::start(&home.path());
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
    let texts: Vec<_> = messages["messages"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(texts, [&json!("/gateway stop confirm"), &json!("remember me")]);
}

#[test]
fn an_admins_restart_keeps_process_port_and_messages_and_reads_the_file_again() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[turns]\ndrain_seconds = 20\n");
    let mut daemon = Daemon::start(&home.path());
    let (pid, before) = (daemon.pid(), url(&home));
    home.write(
        "frontdesk.toml",
        "default_agent = \"second\"\n[agents.second]\nkind = \"command\"\ncommand = [\"echo\", \"from the second\"]\n",
    );
    home.run(&["chat", "--chat", "other", "before"]).good();
    let mut asked = command(&home.path());
    asked.args(["chat", "--chat", "slow", "!slow 300 one two three"]);
    let asked = asked.stdout(std::process::Stdio::piped()).spawn().unwrap();
    until("a turn runs", || home.run(&["status", "--json"]).state()["totals"]["running"] == json!(1));
    home.run(&["chat", "/gateway restart"]).good();
    daemon.logs("ready again");
    assert_eq!(url(&home), before);
    assert_eq!(daemon.pid(), pid);
    let output = asked.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("one two three"));
    assert!(home.run(&["chat", "--chat", "new", "hello"]).good().out.contains("from the second"));
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:other", "--json"]).json();
    assert_eq!(messages["messages"][0]["text"], json!("before"));
    daemon.stop().good();
}

#[test]
fn a_restart_with_a_wrong_file_keeps_the_previous_configuration() {
    let home = NewHome::new();
    let mut daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).good();
    // Not the configuration of the start, but the one that is in use.
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\ncommand = [\"echo\", \"from the program\"]\n",
    );
    home.run(&["config", "reload"]).good();
    home.write("frontdesk.toml", "[gateway]\nprot = 1\n");
    home.run(&["chat", "/gateway restart"]).good();
    daemon.logs("did you mean `port`?");
    daemon.logs("ready again");
    assert!(home.run(&["chat", "still there?"]).good().out.contains("from the program"));
    daemon.stop().good();
}

#[test]
fn a_new_port_in_the_file_is_taken() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[gateway]\nport = 0\n");
    let mut daemon = Daemon::start_with(command(&home.path()).arg("run"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.write("frontdesk.toml", &format!("[gateway]\nport = {port}\n"));
    home.run(&["chat", "/gateway restart"]).good();
    daemon.logs("ready again");
    assert_eq!(url(&home), format!("http://127.0.0.1:{port}"));
    daemon.stop().good();
}

#[test]
fn a_program_that_outlived_a_killed_gateway_is_gone_before_its_turn_runs_again() {
    let home = NewHome::new();
    // Each attempt records whether another one is running, and then does not end, even when its gateway is gone.
    let script = "trap '' PIPE TERM HUP INT; cat > /dev/null; \
                  for pid in $(cat pids 2> /dev/null); do grep -q '^State:.[RSD]' /proc/$pid/status 2> /dev/null && echo $pid >> alive; done; \
                  echo $$ >> pids; [ $FRONTDESK_ATTEMPT = 2 ] && exit 0; exec sleep 1000";
    home.write("agent.sh", script);
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\ncommand = [\"sh\", \"../../agent.sh\"]\n",
    );
    let folder = home.path().join("agents/main");
    let pids = || std::fs::read_to_string(folder.join("pids")).unwrap_or_default();
    let daemon = Daemon::start(&home.path());
    let mut chat = command(&home.path());
    let chat =
        chat.args(["chat", "hello"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut chat = chat.spawn().unwrap();
    until("the first attempt runs", || pids().lines().count() >= 1);
    let first: i32 = pids().trim().parse().unwrap();
    daemon.signal(rustix::process::Signal::KILL);
    daemon.end();
    let first = rustix::process::Pid::from_raw(first).unwrap();
    assert!(
        rustix::process::test_kill_process(first).is_ok(),
        "the program must outlive its gateway for this test"
    );
    let mut daemon = Daemon::start(&home.path());
    until("the second attempt runs", || pids().lines().count() >= 2);
    assert!(!folder.join("alive").exists(), "two attempts of one turn ran side by side");
    daemon.logs("ended the programs that an earlier gateway left running");
    chat.wait().unwrap();
    daemon.stop().good();
    assert_eq!(std::fs::read_dir(home.path().join("run")).unwrap().count(), 0);
}

#[test]
fn the_last_channel_is_started_again_from_the_machine() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    assert!(home.run(&["chat", "/gateway stop web"]).good().out.contains("/gateway stop web confirm"));
    home.run(&["chat", "still here"]).good();
    let stopped = home.run(&["gateway", "stop", "web"]);
    assert!(stopped.good().out.contains("web is stopped."), "{stopped:?}");
    assert!(stopped.out.contains("No admin can reach the gateway from a chat now"), "{stopped:?}");
    home.run(&["chat", "anybody?"]).failed(1, &["stopped", "frontdesk gateway start web"]);
    assert!(home.run(&["gateway", "status"]).good().out.contains("web"));
    assert!(home.run(&["gateway", "start", "web"]).good().out.contains("web is started."));
    assert_eq!(home.run(&["chat", "and now?"]).good().out, "and now?\n");
    home.run(&["gateway", "start", "fax"]).failed(1, &["fax", "web"]);
    let audit = home.run(&["audit"]).good().out.clone();
    assert!(audit.contains("cli") && audit.contains("stop") && audit.contains("start"), "{audit}");
    daemon.stop().good();
}

#[test]
fn the_requests_of_a_chat_can_be_made_on_the_machine() {
    let home = NewHome::new();
    let mut daemon = Daemon::start(&home.path());
    home.run(&["chat", "remember me"]).good();
    assert!(home.run(&["gateway", "sessions"]).good().out.contains("agent:main:web:dm:main"));
    assert!(home.run(&["gateway", "tasks"]).good().out.contains("There are no background tasks."));
    assert!(home.run(&["gateway", "config"]).good().out.contains("port = "));
    let allowed = home.run(&["gateway", "allow", "web", "guest"]);
    assert!(allowed.good().out.contains("web:guest may write in private now."), "{allowed:?}");
    assert!(home.run(&["gateway", "revoke", "web", "guest"]).good().out.contains("web:guest"));
    home.run(&["gateway", "pair", "ABCD2345"]).failed(1, &["code"]);
    home.run(&["gateway", "deny", "ABCD2345"]).failed(1, &["code"]);
    home.run(&["gateway", "start", "3847"]).failed(1, &["another gateway runs"]);
    assert!(home.run(&["gateway", "restart"]).good().out.contains("No accepted message is lost."));
    daemon.logs("ready again");
    assert_eq!(home.run(&["chat", "still there?"]).good().out, "still there?\n");
    assert!(home.run(&["gateway", "stop"]).good().out.contains("The gateway stops."));
    daemon.end().good();
    home.run(&["gateway", "stop"]).failed(69, &["no gateway is running"]);
}

#[test]
fn a_hangup_does_not_end_it() {
    let home = NewHome::new();
    let mut daemon = Daemon::start(&home.path());
    daemon.signal(Signal::HUP);
    daemon.logs("SIGHUP");
    home.run(&["chat", "still here?"]).good();
    daemon.stop().good();
}

#[test]
fn a_second_signal_ends_it_at_once_and_loses_nothing() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[turns]\ndrain_seconds = 600\n");
    let mut daemon = Daemon::start(&home.path());
    let (url, token) = home.reached();
    let mut post = std::process::Command::new("curl");
    post.args(["-sf", &format!("{url}/api/chat"), "-H", &format!("Authorization: Bearer {token}")]);
    post.args(["-H", "content-type: application/json", "-d", r#"{"text":"!wait 300000 late","wait":false}"#]);
    finish(&mut post, "").json();
    daemon.signal(Signal::TERM);
    daemon.logs("SIGTERM");
    daemon.signal(Signal::INT);
    daemon.end().failed(1, &["a second SIGINT", "kept"]);
    let _daemon = Daemon::start(&home.path());
    let status = home.run(&["status", "--json"]).state();
    let open = |name: &str| status["totals"][name].as_u64().unwrap();
    assert!(open("running") + open("waiting") > 0, "the turn was not taken up again: {status}");
}

/// Starts a `frontdesk chat` and waits until its turn is running.
pub fn asking(home: &NewHome, text: &str) -> Child {
    let mut chat = command(&home.path());
    chat.args(["chat", text]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = chat.spawn().unwrap();
    until("a turn runs", || home.run(&["status", "--json"]).state()["totals"]["running"] == json!(1));
    child
}

#[track_caller]
pub fn prints_answer(asked: Child, answer: &str) {
    let output = asked.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout.clone()).unwrap().ends_with(answer), "{output:?}");
}

#[test]
fn a_stop_waits_for_the_running_answer() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[turns]\ndrain_seconds = 20\n");
    let daemon = Daemon::start(&home.path());
    let asked = asking(&home, "!slow 500 one two three four");
    daemon.stop().good();
    prints_answer(asked, "one two three four\n");
}

#[test]
fn chat_waits_for_a_restart_and_prints_the_answer_after_it() {
    for signal in [Signal::TERM, Signal::KILL] {
        let home = NewHome::new();
        home.write("frontdesk.toml", "[turns]\ndrain_seconds = 0\n");
        let daemon = Daemon::start(&home.path());
        let asked = asking(&home, "!wait 1500 still answered");
        daemon.signal(signal);
        daemon.end();
        let daemon = Daemon::start(&home.path());
        prints_answer(asked, "still answered\n");
        let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
        assert_eq!(messages["messages"].as_array().unwrap().len(), 1, "it was asked once: {messages}");
        daemon.stop().good();
    }
}
