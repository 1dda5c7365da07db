//! Without free file descriptors connections wait, those without a token first.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::program::{Daemon, NewHome, command};

const AGENT: &str = "[agents.main]\nkind = \"command\"\ncommand = [\"cat\"]\n";

/// Where the gateway of a home listens.
fn address(home: &NewHome) -> String {
    home.reached().0.strip_prefix("http://").unwrap().to_owned()
}

#[test]
fn a_crowd_of_slow_heads_leaves_agents_their_descriptors() {
    let home = NewHome::new();
    home.write("frontdesk.toml", AGENT);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 256; exec \"$0\" run --port 0"]).arg(command(&home.path()).get_program());
    limited.env_clear().env("PATH", "/usr/bin:/bin").env("FRONTDESK_HOME", home.path());
    let daemon = Daemon::start_with(&mut limited);
    let address = address(&home);
    let mut crowd = Vec::new();
    for n in 0..600 {
        let mut stranger = TcpStream::connect(&address).unwrap();
        stranger.write_all(b"POST /api/chat HTTP/1.1\r\nHost: loc").unwrap();
        crowd.push(stranger);
        if n % 100 == 99 {
            let asked = home.run(&["chat", "hello"]);
            assert_eq!(asked.good().out, "hello\n", "the agent was not started");
        }
    }
    drop(crowd);
    let ran = daemon.stop();
    assert!(ran.good().err.contains("at most 128 connections"), "{ran:?}");
}

#[test]
fn a_listener_without_descriptors_waits_and_says_so_once() {
    let home = NewHome::new();
    let mut daemon = Daemon::start(&home.path());
    home.run(&["chat", "hello"]).good();
    let address = address(&home);
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    let maximum = getrlimit(Resource::Nofile).maximum;
    // The standard streams have the three lowest numbers, so that no other one can be given out.
    let none_free = Rlimit { current: Some(3), maximum };
    let before = prlimit(pid, Resource::Nofile, none_free).unwrap();
    // It is tried ten times a second meanwhile.
    let mut stranger = TcpStream::connect(&address).unwrap();
    stranger.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stranger.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let answered = stranger.read(&mut [0; 64]);
    assert!(answered.is_err(), "it was answered: {answered:?}");
    daemon.logs("no connection can be accepted");
    prlimit(pid, Resource::Nofile, Rlimit { current: before.current, maximum }).unwrap();
    assert_eq!(home.run(&["chat", "and again"]).good().out, "and again\n");
    let ran = daemon.stop();
    assert_eq!(ran.good().err.matches("no connection can be accepted").count(), 0, "{ran:?}");
    assert_eq!(ran.err.matches("connections are accepted again").count(), 1, "{ran:?}");
}
