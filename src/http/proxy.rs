//! A forward proxy on this machine for programs that act for strangers: it reaches only what a [`Guard`] permits.
//!
//! A program gets the proxy's URL with a token of its own ([`Access::grant`]). Without a valid token nothing is
//! forwarded, so no other program of this machine can use it. When the grant is dropped its connections are closed.

mod connection;
mod forward;
mod grants;
mod unknown;
mod watched;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::port::{Clock, Stop};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Guard;
use grants::Grants;
pub use grants::{Access, Grant};
use unknown::UnknownConnections;

/// Maximum number of connections of programs with a token at once; further ones wait. One program may have a part of them
/// ([`grants::MAX_CONNECTIONS`]).
const MAX_CONNECTIONS: usize = 256;
/// Pause before a connection is accepted again after an error, such as a shortage of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// A proxy that listens and does not run yet.
pub struct Proxy {
    listener: TcpListener,
    shared: Arc<Shared>,
    access: Access,
}

/// What all connections share.
struct Shared {
    grants: Arc<Grants>,
    unknown: Arc<UnknownConnections>,
    /// A permit for each connection with a token that may still be served.
    free: Arc<Semaphore>,
    guard: Guard,
    clock: Arc<dyn Clock>,
}

impl Proxy {
    /// Listens on a free port of the loopback address. `own` is an address of the gateway itself, which programs reach
    /// without the proxy and through it.
    pub async fn bind(guard: Guard, own: SocketAddr, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let grants = Arc::new(Grants::default());
        let access = Access::new(listener.local_addr()?, own, grants.clone());
        let guard = guard.and(own);
        let (unknown, free) = (Arc::default(), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
        let shared = Arc::new(Shared { grants, unknown, free, guard, clock });
        Ok(Self { listener, shared, access })
    }

    /// Gives programs access.
    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// Serves until it is stopped, and closes all connections then.
    pub async fn run(self, stop: Stop) {
        let mut connections = JoinSet::new();
        loop {
            while let Some(ended) = connections.try_join_next() {
                report(ended);
            }
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(self.shared.clone(), stream));
                }
                Err(error) => {
                    tracing::debug!(%error, "the proxy cannot accept a connection");
                    let clock = &self.shared.clock;
                    clock.sleep_until(clock.mono() + ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::warn!(%error, "a connection of the proxy has failed");
    }
}
