//! Open files. The system allows a process so many at once, and everything is one: connections, the database, pipes
//! to agents, connections to platforms, files on their way. So connections get what the rest leaves, and a crowd of
//! them can take nothing from the gateway's own work.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Kept for the database, the log, platforms and files on their way.
const OWN: u64 = 192;

/// Kept for each turn that may run: an agent's pipes, what it takes to start it, and a file or two.
const TURN: u64 = 8;

/// What is kept is never more than one in so many of all: with few descriptors everything has to make do.
const SHARE: u64 = 2;

/// Raises the process's limit as far as the configuration needs and the system allows. Programs that the gateway
/// starts inherit it, so it is not raised further than that. Returns the limit, if there is one.
pub fn raise(config: &Config) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let wanted = config.gateway.limits.max_connections as u64 + kept(config);
    let wanted = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    if wanted <= current {
        return Some(current);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => Some(wanted),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays at {current}");
            Some(current)
        }
    }
}

/// How many connections may be open so that the rest has what it needs; says so if they are fewer than configured.
pub(crate) fn connections(config: &Config) -> usize {
    let wanted = config.gateway.limits.max_connections;
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let left = usize::try_from(left(limit, config)).unwrap_or(usize::MAX);
    if left < wanted {
        tracing::info!(
            "the system allows {limit} open files: at most {left} connections are taken instead of \
             gateway.limits.max_connections = {wanted}"
        );
    }
    wanted.min(left)
}

fn left(limit: u64, config: &Config) -> u64 {
    limit - kept(config).min(limit / SHARE)
}

fn kept(config: &Config) -> u64 {
    OWN + TURN * config.runtime.turns.max as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_itself_needs_is_kept_from_connections() {
        let config = Config::default();
        assert_eq!(kept(&config), 192 + 8 * 64);
        assert_eq!(left(1024, &config), 512, "half of it at most");
        assert_eq!(left(4096, &config), 4096 - 704);
        assert_eq!(left(64, &config), 32);
    }
}
