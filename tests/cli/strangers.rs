//! What the log contains about requests without a token.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::program::{Daemon, NewHome};

/// Sends a request and returns its status.
fn asked(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split("\r\n").next().unwrap().to_owned()
}

#[test]
fn a_flood_of_refused_requests_is_a_few_lines_without_a_secret() {
    let home = NewHome::new();
    // One more guess a minute and not one in six seconds, so that a slow machine sees the same answers.
    home.write("frontdesk.toml", "[gateway.limits.auth_failures]\nburst = 10\nper_minute = 1\n");
    let daemon = Daemon::start(&home.path());
    let (url, token) = home.reached();
    let address = url.strip_prefix("http://").unwrap();
    let end = "Connection: close\r\n\r\n";
    for n in 0..300 {
        let long = "x".repeat(12_000);
        let request = |line: &str, header: &str| {
            let host = if header.starts_with("Host") { "" } else { "Host: localhost\r\n" };
            asked(address, &format!("{line} HTTP/1.1\r\n{host}{header}\r\n{end}"))
        };
        let refused = [
            request("POST /api/chat", &format!("Origin: https://evil-{n}.example/\u{202e}{long}")),
            request("GET /api/status", &format!("Host: evil-{n}.{long}")),
            request("GET /api/status", &format!("Authorization: Bearer GUESS-{n}{long}")),
            request(&format!("GET /ws?token={token}"), "Accept: */*"),
            request(&format!("GET /{long}?x={token}"), "User-Agent: x"),
        ];
        let codes: Vec<&str> = refused.iter().map(|line| &line[9..12]).collect();
        let guess = if n < 10 { "401" } else { "429" };
        assert_eq!(codes, ["403", "421", guess, "400", "400"]);
    }
    let log = daemon.stop().good().err.clone();
    assert!(log.len() < 8 * 1024, "{} bytes: {log}", log.len());
    let lines = log.lines().filter(|line| line.contains("was refused")).count();
    assert!((5..=11).contains(&lines), "{lines} lines: {log}");
    assert!(log.contains("296 times: a page of a foreign origin was refused"), "how many there were: {log}");
    for secret in
        [&token, "GUESS", "\u{202e}", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]
    {
        assert!(!log.contains(secret), "{secret:?} is in the log: {log}");
    }
}
