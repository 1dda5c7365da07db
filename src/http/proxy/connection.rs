//! One connection to the proxy: requests that are forwarded, or one that becomes a tunnel.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Shared;
use super::forward::{self, Body, empty, text};
use super::grants::Granted;
use super::unknown::UnknownPlace;
use super::watched::{Progress, Watched};
use crate::Refusal;

/// Until when a connection must have shown a token.
const UNKNOWN: Duration = Duration::from_secs(10);
/// How long a connection may stay without any byte on it.
const IDLE: Duration = Duration::from_secs(600);
/// How long connecting to a host may take.
const CONNECT: Duration = Duration::from_secs(15);
/// Maximum size of a request's head in bytes.
const HEAD: usize = 64 * 1024;

/// A connection in both directions, of which one half is still to be taken over from the HTTP connection.
struct Tunnel {
    client: OnUpgrade,
    host: TcpStream,
}

/// The state of one connection.
struct Connection {
    shared: Arc<Shared>,
    /// Set by the first request with a valid token.
    owner: watch::Sender<Option<Arc<Owner>>>,
    /// The place of a connection that has not shown a token yet.
    unknown: Mutex<Option<UnknownPlace>>,
    tunnel: Mutex<Option<Tunnel>>,
}

/// The program to which a connection belongs, and the place that the connection takes among those of the program.
struct Owner {
    granted: Granted,
    _place: OwnedSemaphorePermit,
    /// Its place among all connections, once there was one.
    served: OnceLock<OwnedSemaphorePermit>,
}

/// Why a request is not even looked at.
enum NotAdmitted {
    /// It has no valid token, or that of another program than the requests before it.
    Unknown,
    /// Its program has too many connections.
    TooMany,
}

pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let progress = Progress::new(shared.clock.clone());
    let place = shared.unknown.enter();
    let displaced = place.displaced();
    let connection = Arc::new(Connection {
        shared,
        owner: watch::Sender::new(None),
        unknown: Mutex::new(Some(place)),
        tunnel: Mutex::default(),
    });
    let work = connection.work(Watched { stream, progress: progress.clone() });
    let mut owner = connection.owner.subscribe();
    let ended = async {
        let known = owner.wait_for(Option::is_some).await.ok().and_then(|owner| owner.clone());
        if let Some(owner) = known {
            owner.granted.ended.cancelled().await;
        }
    };
    let unknown = async {
        tokio::select! {
            () = progress.clock_after(UNKNOWN) => {}
            () = displaced.cancelled() => {}
        }
        // One that is known by now is not closed.
        if connection.owner.borrow().is_some() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = work => {}
        () = ended => {}
        () = unknown => {}
        () = progress.idle(IDLE) => {}
    }
}

impl Connection {
    async fn work(self: &Arc<Self>, stream: Watched) {
        let service = service_fn(|request| {
            let connection = self.clone();
            async move { Ok::<_, Infallible>(connection.answer(request).await) }
        });
        let served = http1::Builder::new().max_buf_size(HEAD).serve_connection(TokioIo::new(stream), service);
        if let Err(error) = served.with_upgrades().await {
            tracing::debug!(%error, "a connection to the proxy has ended");
        }
        let tunnel = self.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tunnel) = tunnel
            && let Err(error) = tunnel.run().await
        {
            tracing::debug!(%error, "a tunnel of the proxy has ended");
        }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<Body> {
        let header = request.headers_mut().remove(PROXY_AUTHORIZATION);
        let (outcome, response) = match self.admit(header.as_ref()).await {
            Err(NotAdmitted::Unknown) => ("unauthorized", unauthorized()),
            Err(NotAdmitted::TooMany) => ("too_many", too_many()),
            Ok(granted) if request.method() == Method::CONNECT => self.connect(request, &granted).await,
            Ok(granted) => self.forward(request, &granted).await,
        };
        count(outcome);
        response
    }

    /// Who asks. The connection belongs to the program that has asked first on it, and waits with its first request until
    /// there is a place for it.
    async fn admit(&self, header: Option<&HeaderValue>) -> Result<Granted, NotAdmitted> {
        let granted = self.shared.grants.find(header.map(HeaderValue::as_bytes));
        let granted = granted.ok_or(NotAdmitted::Unknown)?;
        if let Some(owner) = &*self.owner.borrow() {
            return match owner.granted.is_same(&granted) {
                true => Ok(granted),
                false => Err(NotAdmitted::Unknown),
            };
        }
        let place = granted.connection().ok_or(NotAdmitted::TooMany)?;
        let owner = Arc::new(Owner { granted: granted.clone(), _place: place, served: OnceLock::new() });
        self.owner.send_replace(Some(owner.clone()));
        drop(self.unknown.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Ok(permit) = self.shared.free.clone().acquire_owned().await {
            // This is the first request, so nothing is there yet.
            drop(owner.served.set(permit));
        }
        Ok(granted)
    }

    /// Opens a tunnel.
    async fn connect(&self, request: Request<Incoming>, granted: &Granted) -> (&'static str, Response<Body>) {
        let (host, port) = match target(request.uri(), None) {
            Ok(target) => target,
            Err(why) => return malformed(why),
        };
        let addresses = match self.shared.guard.addresses(&host, port).await {
            Ok(addresses) => addresses,
            Err(refusal) => return refused(&refusal, &host, granted),
        };
        match self.open(&addresses).await {
            Ok(stream) => {
                let tunnel = Tunnel { client: hyper::upgrade::on(request), host: stream };
                *self.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
                ("tunnelled", empty())
            }
            Err(error) => unreachable(granted, &error),
        }
    }

    /// Connects to the first of these addresses that accepts.
    async fn open(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        let clock = &self.shared.clock;
        tokio::select! {
            stream = TcpStream::connect(addresses) => stream,
            () = clock.sleep_until(clock.mono() + CONNECT) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Passes on a request in plain HTTP.
    async fn forward(&self, request: Request<Incoming>, granted: &Granted) -> (&'static str, Response<Body>) {
        let target = match request.uri().scheme_str() {
            Some("http") => target(request.uri(), Some(80)),
            _ => Err("this is a proxy: ask for a whole http:// URL, or use CONNECT\n"),
        };
        let (host, port) = match target {
            Ok(target) => target,
            Err(why) => return malformed(why),
        };
        let addresses = match self.shared.guard.addresses(&host, port).await {
            Ok(addresses) => addresses,
            Err(refusal) => return refused(&refusal, &host, granted),
        };
        let stream = match self.open(&addresses).await {
            Ok(stream) => stream,
            Err(error) => return unreachable(granted, &error),
        };
        match forward::send(stream, request).await {
            Ok(response) => ("forwarded", response),
            Err(error) => unreachable(granted, &error),
        }
    }
}

impl Tunnel {
    async fn run(mut self) -> io::Result<()> {
        let mut client = TokioIo::new(self.client.await.map_err(io::Error::other)?);
        tokio::io::copy_bidirectional(&mut client, &mut self.host).await.map(drop)
    }
}

/// The host and the port of a request, or what is wrong with them.
fn target(uri: &Uri, default: Option<u16>) -> Result<(String, u16), &'static str> {
    let authority = uri.authority().ok_or("the request names no host\n")?;
    let (host, whole) = (authority.host(), authority.as_str());
    // A user before the host is a trick to make one host look like another.
    if whole.contains('@') || host.is_empty() {
        return Err("the target must be a host without a user, such as example.com:443\n");
    }
    let port = match whole.strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
        None | Some("") => default.ok_or("CONNECT needs HOST:PORT\n")?,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("the port must be 1 to 65535\n")?,
    };
    Ok((host.to_owned(), port))
}

fn malformed(why: &'static str) -> (&'static str, Response<Body>) {
    ("malformed", text(StatusCode::BAD_REQUEST, why))
}

/// The host is chosen by the agent, or by whoever talked it into this, so it is not for the normal log.
fn refused(refusal: &Refusal, host: &str, granted: &Granted) -> (&'static str, Response<Body>) {
    match refusal {
        Refusal::Private => {
            tracing::info!(agent = %granted.agent, "a request of an agent to an address that is not public was refused");
            tracing::debug!(agent = %granted.agent, host, "refused");
            let problem = "refused: this host has no public address; the operator can allow it with security.ssrf.allowed_hosts\n";
            ("refused", text(StatusCode::FORBIDDEN, problem))
        }
        Refusal::Unknown(error) => {
            tracing::debug!(agent = %granted.agent, host, %error, "unknown host");
            ("failed", text(StatusCode::BAD_GATEWAY, "the host's name cannot be resolved\n"))
        }
    }
}

fn unreachable(
    granted: &Granted,
    error: &(dyn std::error::Error + 'static),
) -> (&'static str, Response<Body>) {
    tracing::debug!(agent = %granted.agent, error, "the proxy cannot reach a host");
    ("failed", text(StatusCode::BAD_GATEWAY, "the host cannot be reached\n"))
}

/// The connection is closed after this.
fn too_many() -> Response<Body> {
    let problem = "this program has too many connections to the proxy: close some\n";
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, problem);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn unauthorized() -> Response<Body> {
    let problem = "this proxy is for the agents of Frontdesk\n";
    let mut response = text(StatusCode::PROXY_AUTHENTICATION_REQUIRED, problem);
    let scheme = HeaderValue::from_static("Basic realm=\"frontdesk\"");
    response.headers_mut().insert(PROXY_AUTHENTICATE, scheme);
    response
}

fn count(outcome: &'static str) {
    metrics::counter!("frontdesk_proxy_requests_total", "outcome" => outcome).increment(1);
}
