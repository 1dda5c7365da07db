//! The start of a gateway, and what it prints and logs.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, command, fed, finish};
use crate::terminal::terminal;

#[test]
fn the_home_folder_stands_before_or_after_the_command() {
    let (home, other) = (NewHome::new(), NewHome::new());
    let daemon = Daemon::start(&home.path());
    let path = home.path().to_str().unwrap().to_owned();
    assert!(other.run(&["--home", &path, "status"]).good().out.contains("web"));
    other.run(&["status"]).failed(69, &["no gateway is running"]);
    let empty = other.path().to_str().unwrap().to_owned();
    home.run(&["--home", &path, "status", "--home", &empty]).failed(69, &["no gateway is running"]);
    daemon.stop().good();
}

#[test]
fn the_start_says_what_is_on_what_is_off_and_why() {
    let home = NewHome::new();
    let out = Daemon::start(&home.path()).stop().good().out.clone();
    for line in [
        "On      web\n",
        "Off     telegram, discord, slack: to connect one, run `frontdesk onboard`\n",
        "Agents  main (the built-in test agent)\n",
    ] {
        assert!(out.contains(line), "{line:?}: {out}");
    }
    home.write(
        "frontdesk.toml",
        "default_agent = \"b\"\n[agents.a]\nkind = \"command\"\ncommand = [\"cat\"]\n[agents.b]\nkind = \"echo\"\n\
         [channels.telegram]\ntoken = \"123456:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\nenabled = false\n\
         [channels.telegram.accounts.work]\ntoken = \"${NOT_SET:-}\"\n",
    );
    let out = Daemon::start(&home.path()).stop().good().out.clone();
    for line in [
        "Off     telegram: `enabled = false` in [channels.telegram]\n",
        "Off     telegram@work: channels.telegram.accounts.work.token is empty",
        "Off     discord, slack: to connect one",
        "Agents  b (the built-in test agent), a (a program)\n",
    ] {
        assert!(out.contains(line), "{line:?}: {out}");
    }
}

#[test]
fn a_message_can_be_piped_in() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    assert_eq!(fed(&home.path(), &["chat"], "two\nlines\n").good().out, "two\nlines\n");
    assert_eq!(fed(&home.path(), &["chat", "-"], "a dash").good().out, "a dash\n");
    fed(&home.path(), &["chat"], " \n").failed(2, &["standard input is empty"]);
    daemon.stop().good();
}

#[test]
fn without_any_configuration_it_runs_and_answers() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    assert_eq!(home.run(&["chat", "hello there"]).good().out, "hello there\n");
    let status = home.run(&["status", "--json"]).state();
    assert_eq!((&status["status"], &status["totals"]["sessions"]), (&json!("ok"), &json!(1)));
    assert!(home.run(&["status"]).good().out.contains("web"));
    daemon.stop().good();
}

#[test]
fn the_login_link_is_neither_printed_into_a_file_nor_logged() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let token = std::fs::read_to_string(home.path().join("token")).unwrap().trim().to_owned();
    let link = home.run(&["link"]).good().out.trim().to_owned();
    assert!(link.starts_with("http://127.0.0.1:") && link.contains("/#ticket="), "{link}");
    assert!(!link.contains(&token), "a link has no token");
    let behind_a_proxy = home.run(&["link", "--url", "https://frontdesk.example.org"]).good().out.clone();
    assert!(behind_a_proxy.starts_with("https://frontdesk.example.org/#ticket="), "{behind_a_proxy}");
    home.run(&["link", "--expires", "2d"]).failed(2, &["at most 24h"]);
    let (url, ticket) = link.split_once("/#ticket=").unwrap();
    let redeem = || {
        let mut curl = Command::new("curl");
        curl.args(["-s", &format!("{url}/api/login"), "-H", "content-type: application/json"]);
        let answer = finish(curl.args(["-d", &json!({"ticket": ticket}).to_string()]), "").good().out.clone();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    assert_eq!(redeem()["person"], json!("main"));
    assert_eq!(redeem()["error"]["code"], json!("ticket_used"));
    assert!(home.run(&["tokens"]).good().out.contains("browser-"));
    home.run(&["chat", "a secret text"]).good();
    let first = daemon.stop();
    assert!(
        first.out.contains("frontdesk link") && !first.out.contains(&token),
        "a file may keep it: {first:?}"
    );
    assert!(!first.err.contains(ticket), "{first:?}");
    assert!(!first.err.contains(&token) && !first.err.contains("a secret text"), "{first:?}");
    let second = Daemon::start(&home.path()).stop();
    assert!(!second.out.contains(&token) && !second.err.contains(&token), "{second:?}");
}

#[test]
fn at_a_terminal_the_first_start_alone_prints_the_login_link() {
    let home = NewHome::new();
    for is_first in [true, false] {
        let (screen, terminal) = terminal();
        let mut run = command(&home.path());
        let run =
            run.args(["run", "--port", "0"]).stdin(Stdio::null()).stdout(terminal).stderr(Stdio::null());
        let mut run = run.spawn().unwrap();
        let mut greeting = String::new();
        let mut screen = BufReader::new(screen);
        while !greeting.contains("frontdesk link") || (is_first && !greeting.contains("frontdesk chat")) {
            assert!(screen.read_line(&mut greeting).unwrap() > 0, "{greeting}");
        }
        assert_eq!(greeting.contains("/#ticket="), is_first, "{greeting}");
        kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
        assert!(run.wait().unwrap().success());
    }
}

#[test]
fn the_login_link_leads_to_the_public_url() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[gateway]\npublic_url = \"https://frontdesk.example.org\"\n");
    let daemon = Daemon::start(&home.path());
    let link = home.run(&["link"]).good().out.clone();
    assert!(link.starts_with("https://frontdesk.example.org/#ticket="), "{link}");
    assert_eq!(home.run(&["chat", "hello"]).good().out, "hello\n", "commands still use where it listens");
    assert!(daemon.stop().out.contains("ready at https://frontdesk.example.org ("), "as it was greeted");
}

#[test]
fn a_verbose_json_log_holds_no_text_and_no_token_either() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[log]\nformat = \"json\"\nlevel = \"trace\"\n");
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "open sesame"]).good();
    let token = std::fs::read_to_string(home.path().join("token")).unwrap().trim().to_owned();
    let log = daemon.stop().err;
    assert!(!log.contains(&token) && !log.contains("open sesame"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.iter().any(|line| line["message"].as_str().is_some_and(|m| m.starts_with("ready in "))),
        "{log}"
    );
}

#[test]
fn a_second_start_names_the_first() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let pid = daemon.pid().to_string();
    home.run(&["run", "--port", "0"])
        .failed(1, &["another gateway runs in this home folder", &pid, "--home"]);
    home.run(&["chat", "still there?"]).good();
}

#[test]
fn a_port_in_use_names_the_key_to_change_and_leaves_nothing_behind() {
    let home = NewHome::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    home.run(&["run", "--port", &port]).failed(1, &[&port, "[gateway] port"]);
    assert!(!home.path().join("frontdesk.db").exists());
    Daemon::start(&home.path()).stop().good();
}

#[test]
fn the_environment_is_read_where_the_file_says_so() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[gateway]\nport = \"${FD_PORT:-3847}\"\n");
    let daemon = Daemon::start_with(command(&home.path()).arg("run").env("FD_PORT", "0"));
    home.run(&["chat", "hello"]).good();
    daemon.stop().good();
}

#[test]
fn a_log_file_is_for_us_alone_and_standard_error_stays_empty() {
    use std::os::unix::fs::MetadataExt;
    let home = NewHome::new();
    home.write("frontdesk.toml", "[log]\nfile = \"frontdesk.log\"\n");
    let ran = Daemon::start(&home.path()).stop();
    assert_eq!(ran.good().err, "");
    let file = home.path().join("frontdesk.log");
    assert!(std::fs::read_to_string(&file).unwrap().contains("ready in "));
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_start_says_which_secret_it_waits_for_and_does_not_wait_for_ever() {
    let home = NewHome::new();
    home.write("frontdesk.toml", "[channels.telegram]\ntoken = { command = [\"sleep\", \"1000\"] }\n");
    for arguments in [["run", "--port", "0"].as_slice(), &["config", "check"]] {
        home.run(arguments).failed(
            78,
            &[
                "waiting for the command sleep of channels.telegram.token, for at most 10 s",
                "channels.telegram.token: the secret's command sleep had not ended after 10 s",
            ],
        );
    }
}

#[test]
fn a_fifo_is_neither_a_configuration_nor_a_secret_nor_a_token_nor_a_log() {
    let home = NewHome::new();
    home.write("empty", "");
    let fifo = |name: &str| {
        let (path, mode) = (home.path().join(name), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        path.display().to_string()
    };
    let fifo = fifo("fifo");
    let ordinary = "it is not an ordinary file";
    home.run(&["config", "check", "--config", &fifo]).failed(78, &["cannot be read", ordinary]);
    home.run(&["run", "--config", &fifo]).failed(78, &["cannot be read", ordinary]);
    home.write("frontdesk.toml", "[channels.telegram]\ntoken = { file = \"fifo\" }\n");
    home.run(&["config", "check"]).failed(78, &["2:1: channels.telegram.token", ordinary]);
    home.write("frontdesk.toml", "[log]\nfile = \"fifo\"\n");
    home.run(&["run", "--port", "0"]).failed(1, &["cannot open the log file", "FIFO"]);
    home.run(&["link", "--url", "http://127.0.0.1:1", "--token-file", &fifo]).failed(1, &[ordinary]);
}
