//! A small agent that speaks JSON-RPC 2.0 with its program, built on `frontdesk_agents::process` alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_agents::Host;
use frontdesk_agents::process::{
    Ending, IdlePool, IdleSettings, LineError, Lines, Process, ProcessHost, ProgramConfig, Reusable,
    SessionEpoch, Start, json_line,
};
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::Failover;
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Mono, Prompt, Turn};
use frontdesk_core::prompt;
use futures_util::FutureExt;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const MAX_LINE: usize = 1 << 20;
/// How long a program may take to say that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a cancelled turn may take to end.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
pub const ENDING: Ending =
    Ending { after_eof: Duration::from_secs(2), after_sigterm: Duration::from_secs(3) };

/// A line from the program: a request, a notification or a response.
#[derive(Deserialize)]
struct Message {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    result: Value,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    message: String,
}

/// A program that is ready for a prompt.
pub struct RpcProcess {
    process: Process,
    lines: Lines,
    last_id: u64,
    session: Option<String>,
}

impl RpcProcess {
    async fn start(host: &ProcessHost, turn: Option<&Turn>) -> Result<Self, AgentError> {
        let args = turn.map(|turn| vec!["--session".into(), turn.session.to_string().into()]);
        let start = Start { turn, args: args.unwrap_or_default(), env: Vec::new(), ..Start::default() };
        let process = host.start(start, host.stop.child_token()).await?;
        let mut program = Self { process, lines: Lines::new(MAX_LINE), last_id: 0, session: None };
        let clock = host.clock();
        let deadline = clock.sleep_until(clock.mono() + READY_TIMEOUT);
        let ready = tokio::select! {
            ready = program.call("initialize", json!({"protocolVersion": 1})) => Some(ready),
            () = deadline => None,
        };
        match ready {
            Some(ready) => ready.map(|_| program),
            None => {
                program.retire();
                Err(AgentError::Died("it did not get ready in time".into()))
            }
        }
    }

    fn send(&self, message: &Value) -> Result<(), AgentError> {
        let sent = self.process.input.as_ref().map(|input| input.send(json_line::write(message)));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(AgentError::Died("it does not read its stdin".into())),
        }
    }

    fn request(&mut self, method: &str, params: Value) -> Result<u64, AgentError> {
        self.last_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}))?;
        Ok(self.last_id)
    }

    /// Sends a request and waits for its result.
    async fn call(&mut self, method: &str, params: Value) -> Result<Value, AgentError> {
        let id = self.request(method, params)?;
        loop {
            let message = self.message().await?;
            if message.method.is_none() && message.id == Some(id.into()) {
                return match message.error {
                    Some(error) => Err(AgentError::Failed(error.message.into())),
                    None => Ok(message.result),
                };
            }
        }
    }

    /// Loads the session of this name, or opens a new one. Returns the name of a new one.
    async fn open_session(&mut self, known: Option<&str>) -> Result<Option<String>, AgentError> {
        if let Some(name) = known {
            let loaded = self.call("session/load", json!({"sessionId": name, "mcpServers": []})).await;
            match loaded {
                Ok(_) => {
                    self.session = Some(name.to_owned());
                    return Ok(None);
                }
                // The program does not know it any more.
                Err(AgentError::Failed(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let made = self.call("session/new", json!({"mcpServers": []})).await?;
        self.session = made["sessionId"].as_str().map(str::to_owned);
        Ok(self.session.clone())
    }

    /// The next notification or response. Requests are answered here: this client offers nothing. Dropping the future
    /// loses nothing.
    async fn message(&mut self) -> Result<Message, AgentError> {
        loop {
            let line = match self.lines.next(&mut self.process.output).await {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.process.kill();
                    return Err(AgentError::Died(self.process.failure().await));
                }
                // What matters is short, so such a line is a report that can be missed.
                Err(LineError::TooLong { .. }) => continue,
                Err(error) => return Err(AgentError::Died(error.to_string().into())),
            };
            let message: Option<Message> = json_line::read(&line).map_err(|why| {
                AgentError::Died(format!("line {} of its output is {why}", self.lines.count()).into())
            })?;
            match message {
                Some(Message { id: Some(id), method: Some(_), .. }) => self.send(
                    &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "unknown"}}),
                )?,
                Some(message) => return Ok(message),
                None => {}
            }
        }
    }
}

#[async_trait]
impl Reusable for RpcProcess {
    async fn idle(&mut self) -> String {
        loop {
            if let Err(error) = self.message().await {
                return error.to_string();
            }
        }
    }

    fn reuse(&mut self) -> Result<(), String> {
        if self.process.has_gone() { Err("it has ended".into()) } else { Ok(()) }
    }

    fn retire(self) {
        self.process.retire();
    }
}

type Pool = Arc<IdlePool<RpcProcess>>;

pub struct RpcAgent {
    host: Arc<ProcessHost>,
    pool: Pool,
    running: Mutex<HashMap<TurnId, CancellationToken>>,
}

impl RpcAgent {
    pub fn new(program: ProgramConfig, idle: IdleSettings, host: &Host) -> Self {
        let host = Arc::new(ProcessHost::new("test", program, ENDING, host));
        let starter = host.clone();
        let start_ahead = move || {
            let host = starter.clone();
            async move { RpcProcess::start(&host, None).await }.boxed()
        };
        let pool = Arc::new(IdlePool::new(host.clone(), idle, start_ahead));
        Self { host, pool, running: Mutex::default() }
    }
}

#[async_trait]
impl Agent for RpcAgent {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        let cancelled = CancellationToken::new();
        self.running.lock().expect("no panic").insert(turn.id, cancelled.clone());
        let (host, pool) = (self.host.clone(), self.pool.clone());
        async move {
            match RpcTurn::begin(host, pool, cancelled, turn).await {
                Ok(turn) => stream::unfold(turn, |mut turn| async {
                    let delta = turn.next().await?;
                    Some((delta, turn))
                })
                .boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        }
        .flatten_stream()
        .boxed()
    }

    async fn steer(&self, _turn: TurnId, _prompt: &Prompt) -> Result<bool, AgentError> {
        Ok(false)
    }

    async fn abort(&self, turn: TurnId) {
        if let Some(cancelled) = self.running.lock().expect("no panic").remove(&turn) {
            cancelled.cancel();
        }
    }

    async fn compact(&self, _turn: Turn, _instructions: Option<String>) -> Result<Compacted, AgentError> {
        Err(AgentError::Failed("it does not compact".into()))
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.pool.forget(&(session.clone(), epoch));
    }

    async fn stop(&self) {
        self.host.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.host.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        None
    }
}

struct RpcTurn {
    host: Arc<ProcessHost>,
    pool: Pool,
    session_epoch: SessionEpoch,
    cancelled: CancellationToken,
    /// `None` when the turn is over. Dropping it before kills the program.
    program: Option<RpcProcess>,
    prompt: u64,
    /// The new name of the conversation, which is reported first.
    named: Option<Delta>,
    /// The deadline of a cancelled turn.
    end_by: Option<Mono>,
}

impl RpcTurn {
    async fn begin(
        host: Arc<ProcessHost>,
        pool: Pool,
        cancelled: CancellationToken,
        turn: Turn,
    ) -> Result<Self, AgentError> {
        let session_epoch = (turn.session.clone(), turn.epoch);
        let mut program = match pool.take(&session_epoch, true).await {
            Some(program) => {
                program.process.stderr.begin(&turn);
                program
            }
            None => RpcProcess::start(&host, Some(&turn)).await?,
        };
        let mut named = None;
        if program.session.is_none() {
            named = program.open_session(turn.agent_ref.as_deref()).await?.map(Delta::Session);
        }
        let text = json!([{"type": "text", "text": prompt::text(&turn)}]);
        let prompt =
            program.request("session/prompt", json!({"sessionId": program.session, "prompt": text}))?;
        let program = Some(program);
        Ok(Self { host, pool, session_epoch, cancelled, program, prompt, named, end_by: None })
    }

    async fn next(&mut self) -> Option<Result<Delta, AgentError>> {
        if let Some(named) = self.named.take() {
            return Some(Ok(named));
        }
        loop {
            let clock = self.host.clock();
            let program = self.program.as_mut()?;
            let overdue = async {
                match self.end_by {
                    Some(due) => clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let message = tokio::select! {
                biased;
                () = self.cancelled.cancelled(), if self.end_by.is_none() => {
                    self.end_by = Some(clock.mono() + CANCEL_TIMEOUT);
                    let params = json!({"sessionId": program.session});
                    let cancel = json!({"jsonrpc": "2.0", "method": "session/cancel", "params": params});
                    program.send(&cancel).ok()?;
                    continue;
                }
                () = overdue => {
                    self.program.take()?.retire();
                    return None;
                }
                message = program.message() => message,
            };
            let delta = match message {
                Ok(message) => self.handle(message),
                Err(error) => {
                    self.program = None;
                    Some(Err(error))
                }
            };
            if self.end_by.is_none() || self.program.is_none() {
                return delta.filter(|_| self.end_by.is_none());
            }
        }
    }

    fn handle(&mut self, message: Message) -> Option<Result<Delta, AgentError>> {
        if message.method.is_none() && message.id == Some(self.prompt.into()) {
            self.pool.put(self.session_epoch.clone(), self.program.take()?);
            return Some(match message.error {
                Some(error) => Err(AgentError::Failed(error.message.into())),
                None => Ok(Delta::Done { text: None, end: AnswerEnd::Whole }),
            });
        }
        let update = &message.params["update"];
        let text =
            update["content"]["text"].as_str().filter(|_| update["sessionUpdate"] == "agent_message_chunk");
        Some(Ok(text.map_or(Delta::Progress, |text| Delta::Text(text.to_owned()))))
    }
}
