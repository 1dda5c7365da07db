//! The proxy for agents with a real client (curl) and a name server that changes its mind.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono, Stop};
use frontdesk_http::proxy::{Access, Grant, Proxy};
use frontdesk_http::{Guard, Lookup, Ssrf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A clock that the test advances.
struct ManualClock(watch::Sender<Duration>);

#[async_trait]
impl Clock for ManualClock {
    fn wall(&self) -> DateTime<Utc> {
        DateTime::default()
    }
    fn mono(&self) -> Mono {
        Mono(*self.0.borrow())
    }
    fn elapsed(&self) -> Duration {
        *self.0.borrow()
    }
    async fn sleep_until(&self, deadline: Mono) {
        let mut now = self.0.subscribe();
        now.wait_for(|now| *now >= deadline.0).await.expect("the clock lives as long as its sleepers");
    }
}

/// A server that answers every request with what it got, or with a redirect.
struct Origin {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    async fn start(tasks: &mut JoinSet<()>, ip: [u8; 4], port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::from(ip), port)).await.expect("it works");
        let (address, requests) =
            (listener.local_addr().expect("it works"), Arc::new(Mutex::new(Vec::new())));
        let seen = requests.clone();
        tasks.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("it works");
                answer(stream, &seen).await;
            }
        });
        Self { address, requests }
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().expect("it works"))
    }
}

async fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !complete(&request) {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&piece[..read]);
    }
    let request = String::from_utf8(request).expect("it works");
    let port = stream.local_addr().expect("it works").port();
    let answer = match request.starts_with("GET /away ") {
        true => format!(
            "HTTP/1.1 302 Found\r\nlocation: http://inner.test:{port}/secret\r\ncontent-length: 0\r\n\r\n"
        ),
        false => {
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close, x-hop\r\nx-hop: 1\r\n\r\nhello".into()
        }
    };
    seen.lock().expect("it works").push(request);
    stream.write_all(answer.as_bytes()).await.expect("it works");
}

/// Whether the head and the body of a request have arrived.
fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

struct Running {
    access: Access,
    grant: Grant,
    clock: Arc<ManualClock>,
    tasks: JoinSet<()>,
    stop: Stop,
}

impl Running {
    async fn start(config: Ssrf, lookup: Lookup) -> Self {
        let clock = Arc::new(ManualClock(watch::Sender::new(Duration::ZERO)));
        let guard = Guard::new(&config).expect("it works").with_lookup(lookup);
        let proxy = Proxy::bind(guard, "127.0.0.1:1".parse().expect("it works"), clock.clone())
            .await
            .expect("it works");
        let (access, mut tasks, stop) = (proxy.access(), JoinSet::new(), Stop::new());
        tasks.spawn(proxy.run(stop.clone()));
        let grant = access.grant("main").expect("it works");
        Self { access, grant, clock, tasks, stop }
    }

    fn url(&self) -> String {
        self.grant.variables().into_iter().find(|(name, _)| *name == "HTTP_PROXY").expect("it works").1
    }

    /// The status and the body that curl gets through the proxy.
    async fn curl(&self, arguments: &[&str]) -> String {
        curl(&self.grant.variables(), arguments).await
    }
}

async fn curl(env: &[(&str, String)], arguments: &[&str]) -> String {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", "-w", "|%{http_connect}|%{response_code}"]).args(arguments);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("it works"))
        .envs(env.iter().map(|(n, v)| (n, v)));
    let output = command.output().await.expect("these tests need curl");
    String::from_utf8(output.stdout).expect("it works")
}

/// Names of the test, all on this machine.
fn names(names: &[(&'static str, [u8; 4])]) -> Lookup {
    let names: BTreeMap<_, _> = names.iter().copied().collect();
    Arc::new(move |name, port| {
        let found = names.get(name.as_str()).map(|ip| vec![SocketAddr::from((*ip, port))]);
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    })
}

const HERE: [u8; 4] = [127, 0, 0, 1];

fn allowing(hosts: &[&str]) -> Ssrf {
    Ssrf { allowed_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), ..Ssrf::default() }
}

#[tokio::test]
async fn requests_and_tunnels_reach_what_is_permitted() {
    let lookup = names(&[("outer.test", HERE), ("inner.test", HERE)]);
    let mut proxy = Running::start(allowing(&["outer.test"]), lookup).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let url = format!("http://outer.test:{}/x?y=1", origin.address.port());
    assert_eq!(proxy.curl(&[&url]).await, "hello|000|200");
    let request = origin.seen().remove(0);
    assert!(request.starts_with("GET /x?y=1 HTTP/1.1\r\n"), "{request}");
    assert!(!request.to_lowercase().contains("proxy"), "the token stays here: {request}");
    assert!(request.contains(&format!("host: outer.test:{}\r\n", origin.address.port())), "{request}");
    assert_eq!(proxy.curl(&["-d", "some text", &url]).await, "hello|000|200");
    assert!(origin.seen().remove(0).ends_with("\r\n\r\nsome text"));
    assert_eq!(proxy.curl(&["--proxytunnel", &url]).await, "hello|200|200");
    assert!(origin.seen().remove(0).starts_with("GET /x?y=1 "));
    let headers = proxy.curl(&["-i", &url]).await;
    assert!(!headers.contains("x-hop"), "{headers}");
}

#[tokio::test]
async fn what_is_not_public_is_refused_also_after_a_redirect() {
    let lookup = names(&[("outer.test", HERE), ("inner.test", HERE)]);
    let mut proxy = Running::start(allowing(&["outer.test"]), lookup).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let port = origin.address.port();
    for host in ["inner.test", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let url = format!("http://{host}:{port}/");
        let plain = proxy.curl(&[&url]).await;
        assert!(plain.starts_with("refused: ") && plain.ends_with("|403"), "{host}: {plain}");
        assert_eq!(proxy.curl(&["--proxytunnel", &url]).await, "|403|000", "{host}");
    }
    assert!(proxy.curl(&["http://169.254.169.254/latest/meta-data/"]).await.ends_with("|403"));
    assert!(proxy.curl(&["http://nowhere.test/"]).await.ends_with("|502"));
    assert_eq!(origin.seen(), [""; 0]);
    let redirected = proxy.curl(&["-L", &format!("http://outer.test:{port}/away")]).await;
    assert!(redirected.ends_with("|403"), "{redirected}");
    assert_eq!(origin.seen().len(), 1, "the redirect was read and not followed");
}

#[tokio::test]
async fn a_name_that_changes_between_check_and_use_reaches_nothing_else() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    // 127.0.0.2 stands for a public address, 127.0.0.1 for a private one.
    let lookup: Lookup = Arc::new(move |_, port| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let address = SocketAddr::from((if first { [127, 0, 0, 2] } else { HERE }, port));
        Box::pin(async move { Ok(vec![address]) })
    });
    let mut proxy = Running::start(allowing(&["127.0.0.2"]), lookup).await;
    let inner = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let outer = Origin::start(&mut proxy.tasks, [127, 0, 0, 2], inner.address.port()).await;
    let url = format!("http://rebind.test:{}/", inner.address.port());
    assert_eq!(proxy.curl(&["--proxytunnel", &url]).await, "hello|200|200");
    assert_eq!((asked.load(Ordering::SeqCst), outer.seen().len()), (1, 1), "resolved once and pinned");
    asked.store(0, Ordering::SeqCst);
    assert_eq!(proxy.curl(&[&url]).await, "hello|000|200");
    assert_eq!((asked.load(Ordering::SeqCst), outer.seen().len()), (1, 1), "plain HTTP as well");
    assert_eq!(inner.seen(), [""; 0]);
}

#[tokio::test]
async fn only_a_program_with_a_token_uses_it_and_only_until_it_ends() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let url = format!("http://outer.test:{}/", origin.address.port());
    let real = proxy.url();
    let (_, address) = real.split_once('@').expect("it works");
    for wrong in [format!("http://{address}"), format!("http://agent:guess@{address}")] {
        let asked = curl(&[("http_proxy", wrong.clone())], &[&url]).await;
        assert!(asked.ends_with("|407"), "{asked}");
        assert_eq!(curl(&[("http_proxy", wrong)], &["--proxytunnel", &url]).await, "|407|000");
    }
    assert_eq!(origin.seen(), [""; 0]);

    let other = proxy.access.grant("other").expect("it works");
    let mut tunnel = tunnel(&other, &origin).await;
    drop(other);
    closes(&mut tunnel).await;
    assert_eq!(proxy.curl(&[&url]).await, "hello|000|200", "the others go on");
}

/// Waits until the proxy closes this.
async fn closes(stream: &mut TcpStream) {
    let mut byte = [0; 1];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut byte));
    assert_eq!(read.await.expect("it is closed").unwrap_or(0), 0);
}

/// An open tunnel to the server.
async fn tunnel(grant: &Grant, origin: &Origin) -> TcpStream {
    let (stream, answer) = asked(grant, &format!("CONNECT outer.test:{}", origin.address.port())).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    stream
}

/// A connection to the proxy, and the beginning of its answer to a request with a token.
async fn asked(grant: &Grant, request: &str) -> (TcpStream, String) {
    let url = grant.variables().into_iter().find(|(name, _)| *name == "HTTPS_PROXY").expect("it works").1;
    let (_, address) = url.split_once('@').expect("it works");
    let mut stream = TcpStream::connect(address).await.expect("it works");
    let answer = ask(&mut stream, grant, request).await;
    (stream, answer)
}

/// The beginning of the answer to a request with the token of a grant.
async fn ask(stream: &mut TcpStream, grant: &Grant, request: &str) -> String {
    use base64::Engine;

    let url = grant.variables().into_iter().find(|(name, _)| *name == "HTTPS_PROXY").expect("it works").1;
    let (user, _) = url.strip_prefix("http://").expect("it works").split_once('@').expect("it works");
    let user = base64::engine::general_purpose::STANDARD.encode(user);
    let request =
        format!("{request} HTTP/1.1\r\nhost: outer.test\r\nproxy-authorization: Basic {user}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it works");
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).await.expect("it works");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn one_program_cannot_take_the_connections_of_the_others() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let mut tunnels = Vec::new();
    for _ in 0..64 {
        tunnels.push(tunnel(&proxy.grant, &origin).await);
    }
    let request = format!("CONNECT outer.test:{}", origin.address.port());
    let (mut refused, answer) = asked(&proxy.grant, &request).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer:?}");
    assert!(
        answer.ends_with("this program has too many connections to the proxy: close some\n"),
        "{answer:?}"
    );
    closes(&mut refused).await;
    let other = proxy.access.grant("other").expect("it works");
    tunnel(&other, &origin).await;
    // The place of a connection that was closed is free again, once the proxy has seen its end.
    drop(tunnels.remove(0));
    let freed = async { while !asked(&proxy.grant, &request).await.1.starts_with("HTTP/1.1 200 ") {} };
    tokio::time::timeout(Duration::from_secs(20), freed).await.expect("the place is free again");
}

#[tokio::test]
async fn connections_without_a_token_do_not_keep_programs_away() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let url = proxy.url();
    let (_, address) = url.split_once('@').expect("it works");
    let mut known = tunnel(&proxy.grant, &origin).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(address).await.expect("it works"));
    }
    // Nobody waits for their ten seconds: the clock stands still.
    let new = tokio::time::timeout(Duration::from_secs(20), tunnel(&proxy.grant, &origin));
    drop(new.await.expect("it is served"));
    closes(&mut silent[0]).await;
    let request = format!("GET / HTTP/1.1\r\nhost: outer.test:{}\r\n\r\n", origin.address.port());
    known.write_all(request.as_bytes()).await.expect("it works");
    let mut answer = [0; 15];
    known.read_exact(&mut answer).await.expect("a tunnel that is open goes on");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_connection_stays_with_the_program_that_opened_it() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let other = proxy.access.grant("other").expect("it works");
    let request = format!("GET http://outer.test:{}/", origin.address.port());
    let (mut stream, first) = asked(&proxy.grant, &request).await;
    assert!(first.starts_with("HTTP/1.1 200 "), "{first:?}");
    let second = ask(&mut stream, &other, &request).await;
    assert!(second.starts_with("HTTP/1.1 407 "), "{second:?}");
}

#[tokio::test]
async fn a_user_before_the_host_and_a_bad_port_are_refused() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let port = origin.address.port();
    for (request, why) in [
        ("GET http://outer.test:99999/", "the port must be 1 to 65535\n"),
        ("GET http://outer.test:0/", "the port must be 1 to 65535\n"),
        ("CONNECT outer.test:65536", "the port must be 1 to 65535\n"),
        ("CONNECT outer.test", "CONNECT needs HOST:PORT\n"),
    ] {
        let (_stream, answer) = asked(&proxy.grant, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with(why), "{request}: {answer:?}");
    }
    for request in [
        format!("GET http://good.example@outer.test:{port}/"),
        format!("CONNECT good.example@outer.test:{port}"),
    ] {
        let (_stream, answer) = asked(&proxy.grant, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer:?}");
    }
    assert_eq!(origin.seen(), [""; 0]);
}

#[tokio::test]
async fn connections_that_stay_unknown_or_silent_are_closed_and_all_are_at_the_end() {
    let mut proxy = Running::start(allowing(&["outer.test"]), names(&[("outer.test", HERE)])).await;
    let origin = Origin::start(&mut proxy.tasks, HERE, 0).await;
    let url = proxy.url();
    let (_, address) = url.split_once('@').expect("it works");
    let mut unknown = TcpStream::connect(address).await.expect("it works");
    let mut silent = tunnel(&proxy.grant, &origin).await;
    // Earlier than a silent one, and the tunnel was accepted after it.
    pass(&proxy, &mut unknown, (11, 50)).await;
    pass(&proxy, &mut silent, (601, 200)).await;
    let mut open = tunnel(&proxy.grant, &origin).await;
    proxy.stop.cancel();
    closes(&mut open).await;
}

/// Lets so many seconds pass, several times, until the connection is closed. It may not have been looked at when the first
/// seconds pass.
async fn pass(proxy: &Running, stream: &mut TcpStream, (seconds, times): (u64, u32)) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let mut byte = [0; 1];
    let closed = stream.read(&mut byte);
    tokio::pin!(closed);
    for _ in 0..times {
        tokio::select! {
            read = &mut closed => {
                assert_eq!(read.unwrap_or(0), 0);
                return;
            }
            _ = tick.tick() => proxy.clock.0.send_modify(|now| *now += Duration::from_secs(seconds)),
        }
    }
    panic!("it was not closed");
}
