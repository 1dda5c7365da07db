//! The crash test: the real binary is killed hundreds of times while clients of every channel talk to it, and while background
//! tasks, scheduled jobs, heartbeats and events of other programs run. Afterwards everything that the clients, the platforms, the
//! agents and a web server saw is compared with the database.
//!
//! `CRASH_SEED` repeats a schedule (not the timing of the machine), `CRASH_KILLS` is the number of kills (300),
//! `CRASH_CYCLE` the number of kills between two checks (50), and `CRASH_KEEP` keeps the gateway's home. `CRASH_RELOADS`
//! reloads random valid and wrong configurations so many times instead of killing the gateway, while 50 chats talk
//! (`run/reload.rs`). `CRASH_CHANNEL` (`web`, `telegram`, `discord`, `slack`) tests one channel alone. `CRASH_AGENT` puts another agent behind most chats (`agent/model.rs`): `openai`, or `pi`, the real one in
//! the folder that `FRONTDESK_INTEROP` names. At the end the oracle itself is tested: `oracle/proof.rs` falsifies a copy
//! of the observations in one place after the other, and each falsification must be found. The checks carry the numbers of
//! the guarantees (O1 to O9).
#![allow(clippy::print_stdout, reason = "the test prints its result")]

mod agent;
mod channel;
mod clock;
mod config;
mod daemon;
mod database;
mod harness;
mod history;
mod journal;
mod observed;
mod oracle;
mod random;
mod report;
mod run;
mod script;

use std::process::ExitCode;

fn main() -> ExitCode {
    let role = std::env::args().nth(1);
    let ended = match role.as_deref() {
        Some(agent::PERSISTENT) => agent::persistent::run(),
        Some(agent::PER_TURN) => agent::per_turn::run(),
        _ => run::run(),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // An agent whose gateway was killed fails here, and its stderr is the gateway's log.
            if !matches!(role.as_deref(), Some(agent::PERSISTENT | agent::PER_TURN)) {
                println!("crash: {error:#}\ncrash: 0 passed, 1 failed");
            }
            ExitCode::FAILURE
        }
    }
}
