//! A forward proxy on this machine for programs that act for strangers: it reaches only what a [`Guard`] permits.
//!
//! A program gets the proxy's URL with a token of its own ([`Access::grant`]). Without a valid token nothing is
//! forwarded, so no other program of this machine can use it. When the grant is dropped its connections are closed.

mod connection;
mod forward;
mod grants;
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

/// Maximum number of connections to the proxy at once; further ones wait. One program may have a part of them
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
        Ok(Self { listener, shared: Arc::new(Shared { grants, guard, clock }), access })
    }

    /// Gives programs access.
    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// Serves until it is stopped, and closes all connections then.
    pub async fn run(self, stop: Stop) {
        let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while let Some(ended) = connections.try_join_next() {
                report(ended);
            }
            let accepted = async {
                let permit = free.clone().acquire_owned().await.map_err(io::Error::other)?;
                Ok::<_, io::Error>((self.listener.accept().await?.0, permit))
            };
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let shared = self.shared.clone();
                    connections.spawn(async move {
                        connection::serve(shared, stream).await;
                        drop(permit);
                    });
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
