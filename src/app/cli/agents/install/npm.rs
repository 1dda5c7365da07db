//! npm: how it is run, and what its errors mean.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use frontdesk::clock::SystemClock;
use frontdesk_core::port::Clock;
use tokio::process::Command;

use super::{Done, Failure};

/// How often the progress is shown.
const TICK: Duration = Duration::from_secs(1);
/// How many lines of npm's error are shown.
const LINES: usize = 4;

pub struct Npm {
    program: PathBuf,
    clock: SystemClock,
}

impl Npm {
    pub fn new(program: PathBuf) -> Self {
        Self { program, clock: SystemClock::new() }
    }

    /// Runs npm in a folder. `what` is what it installs there. On a terminal the time that has passed is shown.
    pub async fn run(&self, folder: &Path, arguments: &[&str], what: &str) -> Done {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .args(["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let failed = |error: std::io::Error| Failure::new(format!("npm cannot be started: {error}"));
        let child = command.spawn().map_err(failed)?;
        let mut ended = std::pin::pin!(child.wait_with_output());
        let begun = self.clock.mono();
        let progress = Progress::new(what);
        let output = loop {
            tokio::select! {
                output = &mut ended => break output.map_err(failed)?,
                () = self.clock.sleep_until(self.clock.mono() + TICK) => {
                    progress.show(self.clock.mono().0.saturating_sub(begun.0));
                }
            }
        };
        drop(progress);
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(explained(what, &String::from_utf8_lossy(&output.stderr))))
    }
}

/// A line on the terminal that is written anew, and removed at the end.
struct Progress<'a> {
    what: &'a str,
    is_shown: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str) -> Self {
        Self { what, is_shown: std::io::stderr().is_terminal() }
    }

    fn show(&self, passed: Duration) {
        if self.is_shown {
            // It is no part of the output.
            drop(write!(std::io::stderr(), "\r  {} ... {} s", self.what, passed.as_secs()));
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.is_shown {
            drop(write!(std::io::stderr(), "\r\u{1b}[K"));
        }
    }
}

/// What an error of npm means and what to do about it, with npm's own words.
fn explained(what: &str, stderr: &str) -> String {
    let words = words(stderr);
    let code = words.iter().find_map(|line| line.strip_prefix("code ")).unwrap_or_default().trim();
    let meaning = match code {
        "ENOTFOUND" | "EAI_AGAIN" | "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ENETUNREACH"
        | "EHOSTUNREACH" | "ERR_SOCKET_TIMEOUT" | "FETCH_ERROR" => {
            ": its registry cannot be reached. Check the network, and `npm config get registry`; then run this again"
        }
        "E401" | "E403" => {
            ": its registry refuses you. Log in with `npm login`, or correct npm's configuration"
        }
        "E404" | "ETARGET" => ": its registry does not have this version. Check `npm config get registry`",
        "EINTEGRITY" => {
            ": its registry sent something else than this version of Frontdesk knows, so nothing was installed"
        }
        "ENOSPC" => ": the disk is full",
        _ => "",
    };
    let said: Vec<String> = words.iter().take(LINES).map(|line| without_credentials(line)).collect();
    let said = if said.is_empty() { "nothing".to_owned() } else { said.join("; ") };
    format!("npm could not install {what}{meaning}.\nnpm says: {said}")
}

/// The lines of npm's error.
fn words(stderr: &str) -> Vec<&str> {
    let lines = stderr.lines().filter_map(|line| {
        let words = line.strip_prefix("npm error ").or_else(|| line.strip_prefix("npm ERR! "))?.trim();
        let is_useful = !words.is_empty() && !words.starts_with("A complete log of this run");
        is_useful.then_some(words)
    });
    lines.collect()
}

/// A line without the user and the password of a URL.
fn without_credentials(line: &str) -> String {
    let hidden = |word: &str| match word.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            match host.rsplit_once('@') {
                Some((user, _)) => format!("{scheme}://***{}", &rest[user.len()..]),
                None => word.to_owned(),
            }
        }
        None => word.to_owned(),
    };
    line.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_npm_says_what_to_do() {
        for (stderr, wanted) in [
            (
                "npm error code ECONNREFUSED\nnpm error errno ECONNREFUSED\nnpm error FetchError: request to \
                 http://me:s3cret@127.0.0.1:1/x failed\nnpm error A complete log of this run can be found in: /x\n",
                "registry cannot be reached",
            ),
            ("npm ERR! code E404\nnpm ERR! 404 Not Found - GET https://h/x\n", "does not have this version"),
            ("npm error code EINTEGRITY\nnpm error sha512-... integrity checksum failed\n", "something else"),
            ("npm error code EWHATEVER\n", "npm could not install pi 1.6.0.\nnpm says: code EWHATEVER"),
            ("Segmentation fault\n", "npm says: nothing"),
        ] {
            let told = explained("pi 1.6.0", stderr);
            assert!(told.contains(wanted), "{told}");
            assert!(!told.contains("s3cret") && !told.contains("complete log"), "{told}");
        }
        assert_eq!(without_credentials("at https://u:p@h/x, and a@b"), "at https://***@h/x, and a@b");
    }
}
