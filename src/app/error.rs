//! Errors of the start.

use std::path::PathBuf;

use frontdesk_agents::BuildError;
use frontdesk_core::address::AddressError;
use frontdesk_store::lock::LockError;
use thiserror::Error;

use crate::config::Problems;
use crate::home::HomeError;
use crate::token::TokenError;

/// Why a gateway does not start. Each message says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] Problems),
    /// The home folder cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Another process uses the home folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The token cannot be read or made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The HTTP server cannot listen.
    #[error("cannot listen on {host}:{port}: {source}{}", advice(source))]
    Listen {
        /// `gateway.host`.
        host: String,
        /// `gateway.port`.
        port: u16,
        /// The cause.
        source: std::io::Error,
    },
    /// Agent programs of an earlier process cannot be looked for.
    #[error("cannot look for programs that an earlier gateway left running: {0}")]
    Leftovers(std::io::Error),
    /// The proxy for agents (`security.ssrf`) cannot listen.
    #[error("the proxy for agents cannot be started: {0}")]
    Proxy(std::io::Error),
    /// An agent cannot be built.
    #[error(transparent)]
    Agent(#[from] BuildError),
    /// The folder of agents' facts of an earlier process cannot be cleared.
    #[error(
        "cannot clear the folder `facts` in {path}, where running agents read about their turns: {source}"
    )]
    Facts {
        /// The home folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A name that cannot be part of an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
    /// The runtime does not start.
    #[error(transparent)]
    Runtime(#[from] frontdesk_runtime::StartError),
    /// The database failed after it was opened.
    #[error(transparent)]
    Store(#[from] frontdesk_store::StoreError),
    /// The log file cannot be opened.
    #[error("cannot open the log file {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            ". Another program uses this port: stop it, or change [gateway] port (or --port; 0 chooses a free one)"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            ". This machine does not have that address: change [gateway] host (or --host)"
        }
        std::io::ErrorKind::PermissionDenied => {
            ". Ports below 1024 need special permission: change [gateway] port (or --port)"
        }
        _ => ". See [gateway] host and port",
    }
}
