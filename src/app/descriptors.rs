//! The limit of open files. Everything counts: connections, the database, pipes to agents, connections to platforms,
//! files being sent. Connections get what the rest leaves, so that many connections take nothing from the gateway's
//! own work.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Reserved for the database, the log, platforms and files being sent.
const OWN: u64 = 192;

/// Reserved for each turn that may run: an agent's pipes, what it takes to start it, and a few files.
const TURN: u64 = 8;

/// At most one in so many descriptors is reserved, so that connections get some even if there are few.
const SHARE: u64 = 2;

/// Raises the process's limit as far as the configuration needs and the system allows. It is not raised further, because
/// programs that the gateway starts inherit it. Returns the limit, if there is one.
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
            tracing::warn!(%error, "cannot raise the limit of open files; it stays at {current}");
            Some(current)
        }
    }
}

/// Keeps the programs that this process starts from inheriting what it has inherited itself, such as a file that the shell
/// had open which started it.
pub fn keep_from_programs() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// The number of connections that may be open at once. It is logged if it is lower than configured.
pub(crate) fn connections(config: &Config) -> usize {
    let wanted = config.gateway.limits.max_connections;
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let left = usize::try_from(left(limit, config)).unwrap_or(usize::MAX);
    if left < wanted {
        tracing::info!(
            "the system allows {limit} open files, so at most {left} connections are accepted instead of \
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
    fn descriptors_that_the_gateway_needs_are_reserved() {
        let config = Config::default();
        assert_eq!(kept(&config), 192 + 8 * 64);
        assert_eq!(left(1024, &config), 512, "half of it at most");
        assert_eq!(left(4096, &config), 4096 - 704);
        assert_eq!(left(64, &config), 32);
    }
}
