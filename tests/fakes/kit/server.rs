//! The server of a fake platform: its socket, its background tasks and its state, as a test and as requests see it.

use std::fmt::Debug;
use std::future::Future;
use std::hash::Hash;
use std::net::SocketAddr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock::{Clock, pause};
use crate::control;
use crate::fault::{Fault, Faults};
use crate::journal::{Call, Journal, JournalWriter};
use crate::random::Random;
use crate::serve::{Cut, Response};

/// A platform that a server can play.
pub trait Platform: Send + Sized + 'static {
    /// What names a chat, a bot, a message.
    type Id: Clone + Debug + Default + Eq + Hash + FromStr + Serialize + DeserializeOwned + Send + Sync;

    /// The part of the state that the kit uses.
    fn common(&mut self) -> &mut Common<Self::Id>;

    /// Answers a request that is not for the control port.
    fn answer(
        shared: &Arc<Shared<Self>>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Cut>> + Send;

    /// An error in the platform's own format, for a fault.
    fn refusal(status: u16, words: &str, retry_after: Option<u32>) -> Response;

    /// Called after each request that was carried out, outside of the lock.
    fn after(shared: &Arc<Shared<Self>>, bot: &Self::Id, method: &str);

    /// Turns off the platform's own limits, when the faults are cleared.
    fn lift_limits(&mut self);

    /// An action of a person or an operator, from the control port. The error says why it is impossible.
    fn act(&mut self, action: &str, body: Value) -> Result<Value, String>;

    /// What a chat shows now, for the control port.
    fn shown(&mut self, bot: Option<Self::Id>, chat: Self::Id) -> Value;
}

/// The part of a platform's state that the kit uses.
#[derive(Debug)]
pub struct Common<Id> {
    /// The platform's clock.
    pub clock: Arc<Clock>,
    /// What happened.
    pub journal: JournalWriter<Id>,
    /// What goes wrong.
    pub faults: Faults<Id>,
    /// Random numbers.
    pub random: Random,
}

impl<Id: Clone + Eq + Hash> Common<Id> {
    /// An empty journal, no faults, and random numbers that start at `seed`.
    pub fn new(clock: Arc<Clock>, seed: u64) -> Self {
        let (journal, faults) = (JournalWriter::default(), Faults::default());
        Self { clock, journal, faults, random: Random::new(seed) }
    }
}

type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What connections, background tasks and handles share.
pub struct Shared<P> {
    state: Mutex<P>,
    /// The platform's clock.
    pub clock: Arc<Clock>,
    /// Notified at every change.
    pub changed: Notify,
    /// Where the server listens.
    pub address: SocketAddr,
    cuts: watch::Sender<u64>,
    background: mpsc::UnboundedSender<Background>,
}

impl<P> Shared<P> {
    /// Looks at the state.
    pub fn state(&self) -> MutexGuard<'_, P> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and notifies those who wait for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut P) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_waiters();
        result
    }

    /// Returns what changes when the network is cut or the server stops. The task of a connection that was upgraded to
    /// a socket must end then.
    pub fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Runs a task that outlives the request that asked for it.
    pub fn background(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Nobody takes tasks any more once the server stops.
        self.background.send(Box::pin(task)).ok();
    }
}

/// What was waited for did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not happen in time")]
pub struct TimedOut;

/// A running server. It stops when it is dropped.
pub struct Fake<P: Platform> {
    shared: Arc<Shared<P>>,
    _background: JoinSet<()>,
    connections: tokio::sync::Mutex<JoinSet<()>>,
}

impl<P: Platform> Fake<P> {
    /// Starts on this address; port 0 takes a free one.
    pub async fn start(
        address: SocketAddr,
        clock: Clock,
        platform: impl FnOnce(Arc<Clock>) -> P,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let clock = Arc::new(clock);
        let (background, tasks) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            state: Mutex::new(platform(clock.clone())),
            clock,
            changed: Notify::new(),
            address: listener.local_addr()?,
            cuts: watch::Sender::new(0),
            background,
        });
        let mut runner = JoinSet::new();
        runner.spawn(run_background(tasks));
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, shared.clone()));
        Ok(Self { shared, _background: runner, connections: tokio::sync::Mutex::new(connections) })
    }

    /// What handles of people and chats keep.
    pub fn shared(&self) -> &Arc<Shared<P>> {
        &self.shared
    }

    /// The root of the API, as in `http://127.0.0.1:8081`.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.shared.address.port()
    }

    /// What has happened until now.
    pub fn journal(&self) -> Arc<Journal<P::Id>> {
        self.shared.state().common().journal.snapshot()
    }

    /// Waits until `is_so`. The server stands still while it looks at the journal, so it must not ask the server; the
    /// same goes for [`Fake::wait_for_some`].
    pub async fn wait_for(
        &self,
        mut is_so: impl FnMut(&Journal<P::Id>) -> bool,
        timeout: Duration,
    ) -> Result<(), TimedOut> {
        self.wait_for_some(|journal| is_so(journal).then_some(()), timeout).await
    }

    /// Waits until `find` finds something in the journal.
    pub async fn wait_for_some<T>(
        &self,
        mut find: impl FnMut(&Journal<P::Id>) -> Option<T>,
        timeout: Duration,
    ) -> Result<T, TimedOut> {
        let late = pause(timeout);
        tokio::pin!(late);
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = find(&self.shared.state().common().journal) {
                return Ok(found);
            }
            tokio::select! {
                () = changed => {}
                () = &mut late => return Err(TimedOut),
            }
        }
    }

    /// Waits until there are `count` posts in a chat, and returns all of them.
    pub async fn wait_for_posts(
        &self,
        chat: impl Into<P::Id>,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<Arc<Call<P::Id>>>, TimedOut> {
        let chat = chat.into();
        let enough = |journal: &Journal<P::Id>| {
            Some(journal.posts_in(chat.clone())).filter(|posts| posts.len() >= count)
        };
        self.wait_for_some(enough, timeout).await
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault<P::Id>) {
        self.shared.change(|platform| platform.common().faults.add(fault));
    }

    /// Clears the faults and the platform's own limits.
    pub fn clear_faults(&self) {
        self.shared.change(clear_faults);
    }

    /// Moves the platform's clock forward.
    pub fn advance(&self, time: Duration) {
        self.shared.clock.advance(time);
        self.shared.changed.notify_waiters();
    }

    /// Closes the port and every connection.
    pub async fn cut(&self) {
        self.connections.lock().await.shutdown().await;
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Listens again on the same port after [`Fake::cut`].
    pub async fn restore(&self) -> std::io::Result<()> {
        let mut connections = self.connections.lock().await;
        if connections.is_empty() {
            let listener = TcpListener::bind(self.shared.address).await?;
            connections.spawn(accept(listener, self.shared.clone()));
        }
        Ok(())
    }
}

impl<P: Platform> Drop for Fake<P> {
    fn drop(&mut self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }
}

pub(crate) fn clear_faults<P: Platform>(platform: &mut P) {
    platform.common().faults.clear();
    platform.lift_limits();
}

async fn run_background(mut tasks: mpsc::UnboundedReceiver<Background>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            Some(task) = tasks.recv() => { running.spawn(task); }
            Some(_) = running.join_next() => {}
            else => return,
        }
    }
}

async fn accept<P: Platform>(listener: TcpListener, shared: Arc<Shared<P>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                stream.set_nodelay(true).ok();
                connections.spawn(connection(stream, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection<P: Platform>(stream: TcpStream, shared: Arc<Shared<P>>) {
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let shared = shared.clone();
        async move {
            match request.uri().path().strip_prefix("/control/").map(str::to_owned) {
                Some(name) => Ok(control::answer(&shared, &name, request).await),
                None => P::answer(&shared, request).await,
            }
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that broke has no meaning for the server.
    connection.with_upgrades().await.ok();
}
