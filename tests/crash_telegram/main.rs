//! The crash test over Telegram: the real binary polls a Bot API server in this process, is killed hundreds of times
//! in the middle of its work, and afterwards what people, the server and the agent saw is compared with the database.
//!
//! `CRASH_SEED` repeats a schedule (not the machine's own timing), `CRASH_KILLS` says how often it kills (300),
//! `CRASH_CYCLE` after how many kills it comes to rest and looks (50), `CRASH_KEEP` keeps the home. In the end the
//! oracles themselves are tried: faults are put into a copy of what was seen, and each must be found (`proof.rs`).
#![allow(clippy::print_stdout, reason = "what a test found out is printed")]

#[path = "../crash/agent.rs"]
mod agent;
mod book;
mod cast;
#[path = "../crash/clock.rs"]
mod clock;
#[path = "../crash/daemon.rs"]
mod daemon;
mod database;
#[path = "../crash/dice.rs"]
mod dice;
mod driver;
mod evidence;
mod moment;
mod oracle;
mod people;
mod proof;
mod report;
#[path = "../crash/script.rs"]
mod script;
#[path = "../crash/sqlite.rs"]
mod sqlite;
mod story;
mod strangers;
mod weather;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let role = std::env::args().nth(1);
    let is_agent = role.as_deref() == Some("--agent");
    match if is_agent { agent::lasting() } else { driver::run() } {
        Ok(code) => code,
        Err(error) => {
            // An agent that lost its daemon has nobody to tell, and its stderr is the daemon's log.
            if !is_agent {
                println!("crash: {error:#}\ncrash: 0 passed, 1 failed");
            }
            ExitCode::FAILURE
        }
    }
}
