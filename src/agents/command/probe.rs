//! Starts a lasting program as for a turn, without a prompt, and looks whether it stays.

use std::time::Duration;

use frontdesk_core::visible;

use super::turn_host::TurnHost;
use super::{Config, Mode};
use crate::Host;
use crate::probe::{Probe, detail};
use crate::process::Start;

/// How long a program is watched. One that cannot work mostly ends at once.
const WATCHED: Duration = Duration::from_secs(2);

/// The program and its arguments.
pub(crate) fn describe(config: &Config) -> String {
    visible::escaped(&config.command.join(" "), 200)
}

/// Tries the agent out.
pub(crate) async fn probe(name: &str, config: &Config, host: &Host) -> Probe {
    let host = TurnHost::new(name, config, host);
    if let Some(problem) = host.processes.problem() {
        return Probe::failed(problem);
    }
    if config.mode == Mode::PerTurn {
        // Whatever it gets is a message to it.
        return Probe::seen("its program is there; it is started for each message, so it was not tried");
    }
    let clock = host.processes.clock().clone();
    let probe = match host.processes.start(Start::default(), host.processes.stop.child_token()).await {
        Ok(process) => {
            tokio::select! {
                why = process.failure() => {
                    Probe::failed(format!("its program ends before it gets a message: {why}"))
                }
                () = clock.sleep_until(clock.mono() + WATCHED) => {
                    process.retire();
                    Probe::seen("its program starts and waits for messages")
                }
            }
        }
        Err(error) => Probe::failed(format!("its program does not start: {}", detail(error))),
    };
    host.processes.close().await;
    probe
}
