//! How texts from outside are shown: on the terminal, as JSON, in the log and in the chat.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::program::{Daemon, NewHome, command};
use crate::terminal::terminal;

/// Control characters, bidirectional marks and invisible characters.
const DECEPTIVE: &str =
    "x\u{1b}[2J\u{7f}\u{9b}31m\u{85}\u{61c}\u{200f}\u{202e}\u{2066}\u{2028}\u{feff}\u{e0041}y";

#[track_caller]
fn is_harmless(out: &str) {
    let odd = |c: char| frontdesk_core::visible::is_deceptive(c) && c != '\n' && c != '\t';
    assert!(!out.contains(odd), "{out:?}");
}

/// A home folder with an agent that runs this script for each turn.
fn home_with(script: &str) -> NewHome {
    let home = NewHome::new();
    home.write("agent.sh", script);
    home.write(
        "frontdesk.toml",
        "[agents.main]\nkind = \"command\"\ncwd = \".\"\ncommand = [\"sh\", \"agent.sh\"]\n",
    );
    home
}

#[test]
fn no_command_prints_a_character_that_steers_a_terminal_or_turns_a_line() {
    let home = NewHome::new();
    let _daemon = Daemon::start(&home.path());
    let chat = home.run(&["chat", "--json", DECEPTIVE]);
    is_harmless(&chat.good().out);
    let key = "agent:main:web:dm:main";
    for command in [
        &["sessions", "messages", key][..],
        &["sessions", "show", key],
        &["sessions", "list"],
        &["outbox", "list"],
        &["audit"],
        &["access"],
        &["status"],
    ] {
        is_harmless(&home.run(command).good().out);
        let ran = home.run(&[command, &["--json"]].concat());
        is_harmless(&ran.good().out);
        ran.json();
    }
    let messages = home.run(&["sessions", "messages", key, "--json"]);
    assert_eq!(messages.json()["messages"][0]["text"], DECEPTIVE, "JSON escapes and says the same");
    assert!(messages.out.contains("\\u009b") && messages.out.contains("\\u202e"), "{}", messages.out);
}

#[test]
fn an_agent_that_writes_for_a_terminal_is_read_as_on_one() {
    let home = home_with(
        "printf '\\033[31mRED\\033[0m plain\\n\\033[3'; sleep 0.1; printf '2mGREEN\\033[0m\\n'\n\
         printf '\\033]8;;https://e.com\\033\\\\link\\033]8;;\\033\\\\\\n\\033]0;title\\007t\\n'\n\
         for n in 0 20 40 60 80 100; do printf '\\rDownloading %s%%' $n; sleep 0.02; done; echo; echo done\n",
    );
    let _daemon = Daemon::start(&home.path());
    let answer = "RED plain\nGREEN\nlink (https://e.com)\nt\nDownloading 100%\ndone\n";
    assert_eq!(home.run(&["chat", "go"]).good().out.trim_end(), answer.trim_end());
    let frames = home.run(&["chat", "go", "--json"]).good().out.clone();
    for raw in ["\\u001b", "[31m", "[0m", "]8;", "title", "\\r", "Downloading 20%"] {
        assert!(!frames.contains(raw), "{raw}: {frames}");
    }
    let messages = home.run(&["sessions", "messages", "agent:main:web:dm:main", "--json"]).json();
    assert_eq!(messages["messages"][0]["answer"], answer);
}

#[test]
fn stderr_of_an_agent_cannot_forge_a_line_of_the_log() {
    let home = home_with("printf 'a\\r\\033[2J2026-11-28T00:00:00Z  WARN forged\\n' >&2; printf 'ok'\n");
    home.write(
        "frontdesk.toml",
        "[log]\nlevel = \"debug\"\n[agents.main]\nkind = \"command\"\ncwd = \".\"\ncommand = [\"sh\", \"agent.sh\"]\n",
    );
    let mut daemon = Daemon::start(&home.path());
    home.run(&["chat", "go"]).good();
    let line = daemon.logs("forged");
    assert!(line.contains("stderr: "), "{line:?}");
    is_harmless(&line);
    is_harmless(&daemon.stop().err);
}

#[test]
fn tables_fit_a_terminal_that_does_not_say_its_width() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let chat = "a-chat-with-a-name-that-is-rather-long-for-one-column";
    home.run(&["chat", "--chat", chat, "hello"]).good();
    home.run(&["access", "allow", "web", "somebody-with-a-long-name-as-well"]).good();
    for list in ["sessions", "audit", "access", "status"] {
        let (mut screen, terminal) = terminal();
        let shown = std::thread::spawn(move || {
            let mut shown = Vec::new();
            // The end of a terminal is an error on Linux.
            screen.read_to_end(&mut shown).ok();
            String::from_utf8(shown).unwrap()
        });
        let mut run = command(&home.path());
        let ran = run.arg(list).env("NO_COLOR", "1").stdin(Stdio::null()).stdout(terminal).status().unwrap();
        drop(run);
        assert!(ran.success(), "{list}");
        let shown = shown.join().unwrap();
        assert!(shown.contains("just now") || shown.contains("ago"), "{shown}");
        for line in shown.lines() {
            assert!(line.trim_end().chars().count() <= 80, "{list}: {line:?}");
            assert!(!line.contains("UTC)"), "{list}: {line:?}");
        }
    }
    daemon.stop().good();
}

#[test]
fn what_cannot_be_undone_is_asked_about_at_a_terminal() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    home.run(&["chat", "remember this"]).good();
    let key = "agent:main:web:dm:main";
    for (typed, code, left) in [("\n", 1, true), ("no\n", 1, true), ("y\n", 0, false)] {
        let (mut keyboard, terminal) = terminal();
        let mut run = command(&home.path());
        run.args(["sessions", "delete", key]).stdin(terminal.try_clone().unwrap());
        let mut ran = run.stdout(terminal).stderr(Stdio::null()).spawn().unwrap();
        let mut shown = Vec::new();
        while !shown.ends_with(b"[y/N] ") {
            let mut byte = [0];
            keyboard.read_exact(&mut byte).unwrap();
            shown.extend(byte);
        }
        keyboard.write_all(typed.as_bytes()).unwrap();
        assert_eq!(ran.wait().unwrap().code(), Some(code), "{typed:?}");
        let messages = home.run(&["sessions", "messages", key]);
        assert_eq!(messages.out.contains("remember this"), left, "{typed:?}: {messages:?}");
    }
    daemon.stop().good();
}
