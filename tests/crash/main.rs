//! The crash test: the real binary is killed hundreds of times in the middle of its work, and afterwards what
//! everybody outside saw is compared with the database. The oracles are numbered as in the guarantees.
//!
//! `CRASH_SEED` repeats a schedule (not the machine's own timing), `CRASH_KILLS` says how often it kills (300),
//! `CRASH_CYCLE` after how many kills it comes to rest and looks (50), `CRASH_KEEP` keeps the home.
#![allow(clippy::print_stdout, reason = "what a test found out is printed")]

mod agent;
mod clock;
mod config;
mod daemon;
mod database;
mod dice;
mod driver;
mod http;
mod journal;
mod oracle;
mod plain;
mod platform;
mod report;
mod script;
mod sqlite;
mod story;
mod world;
mod ws;

use std::process::ExitCode;

fn main() -> ExitCode {
    let role = std::env::args().nth(1);
    let ended = match role.as_deref() {
        Some("--agent") => agent::lasting(),
        Some("--plain-agent") => plain::once(),
        _ => driver::run(),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // An agent that lost its daemon has nobody to tell, and its stderr is the daemon's log.
            if !role.is_some_and(|role| role.ends_with("agent")) {
                println!("crash: {error:#}\ncrash: 0 passed, 1 failed");
            }
            ExitCode::FAILURE
        }
    }
}
