//! Why a gateway does not start.

use std::path::PathBuf;

use frontdesk_agents::BuildError;
use frontdesk_core::address::AddressError;
use frontdesk_store::lock::LockError;
use thiserror::Error;

use crate::config::Problems;
use crate::home::HomeError;
use crate::token::TokenError;

/// Why a gateway does not start. Each says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] Problems),
    /// The home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Another process has the home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The token cannot be read or made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The door cannot be opened.
    #[error("cannot listen on {host}:{port}: {source}{}", advice(source))]
    Listen {
        /// `gateway.host`.
        host: String,
        /// `gateway.port`.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// Programs of an earlier life could not be looked for.
    #[error("cannot look for programs that an earlier frontdesk left running: {0}")]
    Leftovers(std::io::Error),
    /// An agent cannot be built.
    #[error(transparent)]
    Agent(#[from] BuildError),
    /// What an earlier process left behind for its agents cannot be removed.
    #[error(
        "cannot clear the folder `facts` in {path}, where running agents read about their turns: {source}"
    )]
    Facts {
        /// The home.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A name that makes no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The machine gave no random bits.
    #[error("no random bits for this start: {0}")]
    Random(String),
    /// The gateway itself.
    #[error(transparent)]
    Runtime(#[from] frontdesk_runtime::StartError),
    /// The database, once it was open.
    #[error(transparent)]
    Store(#[from] frontdesk_store::StoreError),
    /// The log's file.
    #[error("the log's file {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            ". Another program has this port: stop it, or change [gateway] port (or --port; 0 takes any free one)"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            ". This machine does not have that address: change [gateway] host (or --host)"
        }
        std::io::ErrorKind::PermissionDenied => {
            ". Ports below 1024 need a right of their own: change [gateway] port (or --port)"
        }
        _ => ". See [gateway] host and port",
    }
}
