//! A gateway with an HTTP server in a temporary folder.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_api::{
    Api, Closed, Config, Hooks, Rate, Scope, Token, Tokens, ToolTokens, WebHub, Webhooks, hash_token,
};
use frontdesk_core::access::{ChannelAccess, DmPolicy};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::id::BootId;
use frontdesk_core::port::{Adapter, Clock, Mono, Stop, Webhook, WebhookFault, WebhookPost, WebhookSender};
use frontdesk_runtime::{AgentEntry, Running, Setup};
use frontdesk_store::row;
use frontdesk_web::WebAdapter;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, connect_async};

use crate::agent::NotingAgent;
use crate::client::{Client, Reply, Socket, answer, within};
use crate::platform::{self, DemoPlatform};

/// The tokens of every test server.
pub const ADMIN: &str = "admin-token";
pub const READER: &str = "reader-token";

/// The session of the default chat.
pub const MAIN: &str = "agent:main:web:dm:main";

/// Every start is a boot of its own.
static BOOTS: AtomicU64 = AtomicU64::new(1);

/// A gateway with an HTTP server.
pub struct TestServer {
    pub address: SocketAddr,
    pub tokens: Tokens,
    pub handle: frontdesk_runtime::GatewayHandle,
    pub http: reqwest::Client,
    hub: Arc<WebHub>,
    runtime: Running,
    serving: JoinHandle<std::io::Result<()>>,
    stop: Stop,
    home: Arc<TempDir>,
    hooks: Hooks,
    /// Two accounts of a test platform, `default` and `work`. Unknown senders get a pairing code there.
    pub platforms: [Arc<DemoPlatform>; 2],
    pub agent: Arc<NotingAgent>,
}

impl TestServer {
    /// A server without rate limits.
    pub async fn open() -> TestServer {
        TestServer::with(|_, _| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config, &mut frontdesk_runtime::Config)) -> TestServer {
        let home = Arc::new(tempfile::tempdir().unwrap());
        TestServer::at(home, Webhooks::new(), Hooks::default(), change).await
    }

    /// A server with a webhook for the test platform's default account.
    pub async fn with_webhook(
        webhook: Arc<dyn Webhook>,
        change: impl FnOnce(&mut Config, &mut frontdesk_runtime::Config),
    ) -> TestServer {
        let webhooks = Webhooks::from([(AccountId::default_of(platform::CHANNEL), webhook)]);
        TestServer::at(Arc::new(tempfile::tempdir().unwrap()), webhooks, Hooks::default(), change).await
    }

    /// A server that accepts these events.
    pub async fn with_hooks(hooks: Value) -> TestServer {
        let hooks = serde_json::from_value(hooks).unwrap();
        TestServer::at(Arc::new(tempfile::tempdir().unwrap()), Webhooks::new(), hooks, |_, _| {}).await
    }

    async fn at(
        home: Arc<TempDir>,
        webhooks: Webhooks,
        hooks: Hooks,
        change: impl FnOnce(&mut Config, &mut frontdesk_runtime::Config),
    ) -> TestServer {
        let mut config = Config::default();
        config.limits.per_ip = Rate::default();
        config.limits.per_token = Rate::default();
        let mut runtime = frontdesk_runtime::Config::default();
        runtime.limits.user = frontdesk_runtime::config::Rate::default();
        runtime.limits.chat = frontdesk_runtime::config::Rate::default();
        runtime.queue.per_session = 1000;
        runtime.turns.drain_seconds = 1;
        change(&mut config, &mut runtime);
        let hub = WebHub::new(&config.limits);
        let platforms = ["default", "work"].map(DemoPlatform::new);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let agent = NotingAgent::new(clock.clone());
        let setup = setup(home.path(), runtime, hub.clone(), &platforms, clock, agent.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tools = ToolTokens::new().unwrap();
        let setup = Setup { tool_endpoints: Some(tools.endpoints(address)), ..setup };
        let running = Running::start(setup).await.unwrap();
        let token = |id: &str, clear, scope| Token { id: id.into(), hash: hash_token(clear), scope };
        let tokens =
            Tokens::new(vec![token("admin", ADMIN, Scope::Admin), token("reader", READER, Scope::Read)])
                .unwrap();
        let metrics = Arc::new(|| "frontdesk_up 1\n".to_owned());
        let api = Api::new(config, hub.clone(), running.handle().clone(), tokens.clone(), metrics).unwrap();
        let api = api
            .with_hooks(&hooks)
            .unwrap()
            .with_webhooks(webhooks)
            .with_tools(tools)
            .with_reload(Arc::new(crate::reload::WrongFile));
        let stop = Stop::new();
        TestServer {
            address,
            tokens,
            handle: running.handle().clone(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            hub,
            runtime: running,
            serving: serve(api, listener, stop.clone()),
            stop,
            home,
            hooks,
            platforms,
            agent,
        }
    }

    /// The database, also for what no endpoint may do.
    pub fn store(&self) -> &frontdesk_store::Store {
        self.runtime.store()
    }

    /// The media folder.
    pub fn media(&self) -> std::path::PathBuf {
        self.home.path().join("media")
    }

    /// Stops the server and starts it again in the same folder.
    pub async fn restarted(self) -> TestServer {
        let (home, hooks) = (self.home.clone(), self.hooks.clone());
        self.close().await;
        TestServer::at(home, Webhooks::new(), hooks, |_, _| {}).await
    }

    /// Stops in the order of the program: no more prompts, then the end of the turns, then the HTTP server.
    pub async fn close(self) {
        self.hub.close(Closed::Stopping);
        self.runtime.stop().await;
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }

    /// Accepts no more prompts, as if the web channel were disabled.
    pub fn shut(&self, why: Closed) {
        self.hub.close(why);
    }

    /// A client that outlives this value, for a test that stops the gateway meanwhile.
    pub fn client(&self) -> Client {
        Client { address: self.address, http: self.http.clone() }
    }

    /// Stops the HTTP server alone.
    pub fn stop_server(&self) {
        self.stop.cancel();
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Reply {
        answer(self.request(Method::GET, path).bearer_auth(ADMIN)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        answer(self.request(Method::POST, path).bearer_auth(ADMIN).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        answer(self.request(Method::DELETE, path).bearer_auth(ADMIN)).await
    }

    /// A POST with an idempotency key.
    pub async fn post_as(&self, key: &str, path: &str, body: Value) -> Reply {
        let request = self.request(Method::POST, path).bearer_auth(ADMIN).header("idempotency-key", key);
        answer(request.json(&body)).await
    }

    /// A WebSocket with an admin's token that has received `ready`.
    pub async fn socket(&self) -> Socket {
        self.socket_of(ADMIN).await
    }

    pub async fn socket_of(&self, token: &str) -> Socket {
        let mut socket = self.connect(&[("authorization", &format!("Bearer {token}"))]).await.unwrap();
        assert_eq!(socket.receive().await, json!({"type": "ready", "protocol": 1}));
        socket
    }

    /// Tries to open a WebSocket with these headers.
    pub async fn connect(&self, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = format!("ws://{}/ws", self.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let (stream, response) = within(connect_async(request)).await?;
        let protocol = response.headers().get("sec-websocket-protocol");
        Ok(Socket { stream, protocol: protocol.map(|value| value.to_str().unwrap().to_owned()) })
    }

    /// A WebSocket with a token, of a client with a small receive buffer.
    pub async fn socket_with_small_buffer(&self) -> Socket {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(self.address).await.unwrap());
        let mut request = format!("ws://{}/ws", self.address).into_client_request().unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {ADMIN}")).unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (stream, _) = within(tokio_tungstenite::client_async(request, stream)).await.unwrap();
        let mut socket = Socket { stream, protocol: None };
        socket.receive_type("ready").await;
        socket
    }

    /// The status with which a WebSocket is refused, or 101.
    pub async fn refused(&self, headers: &[(&'static str, &str)]) -> u16 {
        match self.connect(headers).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
            Ok(_) => 101,
        }
    }

    /// Sends raw bytes and returns the response.
    pub async fn raw(&self, request: &[u8]) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        // A server that closes while the test still writes may reset the connection; what arrived before counts.
        while let Ok(n @ 1..) = within(stream.read(&mut buffer)).await {
            all.extend_from_slice(&buffer[..n]);
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// A grant rule like the program's: user ids are numbers here.
fn only_numbers(principal: &Principal, _scope: &row::Scope) -> Result<(), String> {
    let number = principal.id().bytes().all(|byte| byte.is_ascii_digit());
    if number || principal.platform() == "web" { Ok(()) } else { Err("this is not an id".to_owned()) }
}

fn setup(
    home: &Path,
    config: frontdesk_runtime::Config,
    hub: Arc<WebHub>,
    platforms: &[Arc<DemoPlatform>],
    clock: Arc<dyn Clock>,
    agent: Arc<NotingAgent>,
) -> Setup {
    let echo = AgentEntry { agent, max_turns: None };
    let admins = BTreeSet::from(["admin".to_owned(), "reader".to_owned()]);
    let access = ChannelAccess { dm_policy: DmPolicy::Open, admins, ..ChannelAccess::default() };
    let mut rules = BTreeMap::from([(AccountId::default_of("web"), access)]);
    let mut adapters: Vec<Arc<dyn Adapter>> = vec![Arc::new(WebAdapter::new(hub))];
    for demo in platforms {
        rules.insert(demo.account().clone(), configured());
        adapters.push(demo.clone());
    }
    Setup {
        config,
        database: home.join("frontdesk.db"),
        boot: BootId::from_bits(BOOTS.fetch_add(1, Ordering::Relaxed)),
        timezone: chrono_tz::UTC,
        clock,
        agents: BTreeMap::from([("main".to_owned(), echo)]),
        default_agent: "main".to_owned(),
        transcriber: None,
        adapters,
        channels: Vec::new(),
        media: home.join("media"),
        secret: [7; 32],
        routing: BTreeMap::new(),
        access: rules,
        problems: Vec::new(),
        grant_rule: Arc::new(only_numbers),
        shown: serde_json::Value::Null,
        hooks: Vec::new(),
        operator: Principal::new("web", None, "admin").unwrap(),
        instructions: Vec::new(),
        webhooks: Arc::new(NoWeb),
        obeys_admins: true,
        tool_endpoints: None,
    }
}

/// Posts nothing.
struct NoWeb;

#[async_trait]
impl WebhookSender for NoWeb {
    async fn post(&self, _: &str, _: WebhookPost) -> Result<(), WebhookFault> {
        Err(WebhookFault::Refused("there is no web in this test".to_owned()))
    }
}

/// The configured access of the test platform: user 5 may write in private.
fn configured() -> ChannelAccess {
    ChannelAccess { allow: BTreeSet::from(["5".to_owned()]), ..ChannelAccess::default() }
}

#[expect(clippy::disallowed_methods, reason = "the test waits for the task")]
fn serve(api: Api, listener: tokio::net::TcpListener, stop: Stop) -> JoinHandle<std::io::Result<()>> {
    tokio::spawn(api.serve(listener, stop))
}

/// The system's clock.
struct SystemClock(Instant);

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn start() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }

    fn mono(&self) -> Mono {
        Mono(self.0.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    async fn sleep_until(&self, deadline: Mono) {
        tokio::time::sleep(deadline.0.saturating_sub(self.0.elapsed())).await;
    }
}
