//! The server: a socket, what belongs to it, and what everybody shares.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::serve;
use crate::world::World;

/// Something to do that outlives the request that asked for it.
pub(crate) type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What connections, deliveries and handles share.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// The server's time.
    pub clock: Arc<Clock>,
    /// Rings at every change.
    pub changed: Notify,
    errands: mpsc::UnboundedSender<Errand>,
    /// Posts to webhooks.
    pub http: reqwest::Client,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Shared {
    /// Looks at the state.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and tells those who wait for it.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.world());
        self.changed.notify_waiters();
        result
    }

    /// Does something beside the request.
    pub fn errand(&self, errand: impl Future<Output = ()> + Send + 'static) {
        // Nobody takes errands any more once the server stops.
        self.errands.send(Box::pin(errand)).ok();
    }
}

/// A socket with everything that is done for it; dropping it stops all of that.
pub(crate) struct Server {
    pub shared: Arc<Shared>,
    tasks: JoinSet<()>,
    line: tokio::sync::Mutex<JoinSet<()>>,
}

impl Server {
    pub async fn start(address: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let clock = Arc::new(Clock::default());
        let (errands, taken) = mpsc::unbounded_channel();
        let timeout = std::time::Duration::from_secs(60);
        let http = reqwest::Client::builder().no_proxy().timeout(timeout).build().unwrap_or_default();
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(clock.clone(), seed)),
            clock,
            changed: Notify::new(),
            errands,
            http,
            address: listener.local_addr()?,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(run_errands(taken));
        let mut line = JoinSet::new();
        line.spawn(accept(listener, shared.clone()));
        Ok(Self { shared, tasks, line: tokio::sync::Mutex::new(line) })
    }

    /// Closes the socket and every connection.
    pub async fn cut(&self) {
        self.line.lock().await.shutdown().await;
    }

    /// Listens again where it did before.
    pub async fn restore(&self) -> std::io::Result<()> {
        let mut line = self.line.lock().await;
        if line.is_empty() {
            let listener = TcpListener::bind(self.shared.address).await?;
            line.spawn(accept(listener, self.shared.clone()));
        }
        Ok(())
    }

    /// Serves until everything has ended, which is never.
    pub async fn run(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn run_errands(mut taken: mpsc::UnboundedReceiver<Errand>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            Some(errand) = taken.recv() => { running.spawn(errand); }
            Some(_) = running.join_next() => {}
            else => return,
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                stream.set_nodelay(true).ok();
                connections.spawn(serve::connection(stream, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
