//! `frontdesk doctor --probe`: the look from the outside, and what systemd is told.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::program::{Daemon, NewHome, command};

#[test]
fn a_probe_is_silent_about_a_gateway_that_lives_and_asks_its_agent_if_told_to() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let ran = home.run(&["doctor", "--probe"]);
    assert_eq!((ran.good().out.as_str(), ran.err.as_str()), ("", ""));
    home.run(&["doctor", "--probe", "--canary", "30"]).good();
    let shown = home.run(&["doctor", "--probe", "--json"]).json();
    assert_eq!(shown, serde_json::json!({"healthy": true, "faults": []}));
    home.write("last-check", "{\"at\": \"2026-01-01T00:00:00Z\"}");
    home.run(&["doctor", "--probe"])
        .failed(1, &["the gateway has last checked itself", "at 2026-01-01 00:00:00 UTC"]);
    home.write("last-check", "half of a li");
    home.run(&["doctor", "--probe"]).failed(1, &["has no time"]);
    home.run(&["doctor", "--canary"]).failed(2, &["--probe"]);
    home.run(&["doctor", "--url", "http://127.0.0.1:1"]).failed(2, &["--probe"]);
    daemon.stop().good();
}

#[test]
fn a_dead_gateway_is_told_once_and_its_return_once() {
    let home = NewHome::new();
    let daemon = Daemon::start(&home.path());
    let told = home.path().join("told");
    let alarm = format!("cat >> {0}; echo \" [$FRONTDESK_PROBE]\" >> {0}", told.display());
    let probe = ["doctor", "--probe", "--alarm-command", &alarm];
    home.run(&probe).good();
    daemon.signal(Signal::KILL);
    daemon.end();
    for _ in 0..2 {
        home.run(&probe).failed(1, &["no gateway is running in"]);
    }
    let texts = std::fs::read_to_string(&told).unwrap();
    assert!(texts.starts_with("⚠️ Frontdesk fails:\n- no gateway is running in"), "{texts}");
    assert_eq!(texts.matches("[failing]").count(), 1, "{texts}");
    let daemon = Daemon::start(&home.path());
    home.run(&probe).good();
    home.run(&probe).good();
    let texts = std::fs::read_to_string(&told).unwrap();
    assert_eq!(texts.matches("✅ Frontdesk is well again.").count(), 1, "{texts}");
    daemon.stop().good();
    home.run(&["doctor", "--probe", "--alarm-command", "exit 3"])
        .failed(1, &["the alarm command failed", "3"]);
    // What was not told is told by the next run.
    home.run(&probe).failed(1, &["no gateway is running"]);
    assert_eq!(std::fs::read_to_string(&told).unwrap().matches("[failing]").count(), 2);
}

#[test]
fn an_alarm_goes_to_a_web_server_and_its_address_to_no_log() {
    let home = NewHome::new();
    drop(Daemon::start(&home.path()));
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path", server.local_addr().unwrap());
    let request = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains("failing") {
            let mut some = [0; 1024];
            let n = stream.read(&mut some).unwrap();
            assert!(n > 0, "{read:?}");
            read.extend_from_slice(&some[..n]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        String::from_utf8(read).unwrap()
    });
    let probe = ["doctor", "--probe", "--alarm-url", &url];
    home.run(&probe).failed(1, &["no gateway is running"]);
    let request = request.join().unwrap();
    assert!(
        request.starts_with("POST /secret-path ") && request.contains("\"state\":\"failing\""),
        "{request}"
    );
    std::fs::remove_file(home.path().join("probe.json")).unwrap();
    let unreached = home.run(&probe);
    unreached.failed(1, &["the alarm URL was not reached"]);
    assert!(!unreached.err.contains("secret-path"), "{unreached:?}");
}

#[test]
fn systemd_is_told_that_the_gateway_is_ready_lives_and_stops() {
    let home = NewHome::new();
    let socket = home.path().join("notify");
    std::fs::create_dir_all(home.path()).unwrap();
    let told = listening(&socket);
    let mut run = command(&home.path());
    run.args(["run", "--port", "0"]).env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    let daemon = Daemon::start_with(&mut run);
    let mut states: Vec<String> = (0..3).map(|_| next(&told)).collect();
    states.sort();
    assert_eq!(states, ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    daemon.stop().good();
    while next(&told) != "STOPPING=1" {}
}

fn listening(socket: &Path) -> UnixDatagram {
    let told = UnixDatagram::bind(socket).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    told
}

fn next(told: &UnixDatagram) -> String {
    let mut text = [0; 256];
    let n = told.recv(&mut text).unwrap();
    String::from_utf8(text[..n].to_vec()).unwrap().trim().to_owned()
}
