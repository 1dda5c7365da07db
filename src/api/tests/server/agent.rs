//! The echo agent, which also notes where each of its turns finds the gateway's tools and which files came with it, and
//! calls tools of clients: `!call NAME ARGUMENTS`. `!ends END TEXT` is an answer that is not whole, and `!step PERCENT TEXT` reports
//! how far it is and goes on for ever.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_agents::echo::Echo;
use frontdesk_core::agent::{Capabilities, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, Compacted, Delta};
use frontdesk_core::failover::{Candidate, CandidateState, Failover};
use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::{Agent, Clock, File, Prompt, Turn};
use frontdesk_core::progress::Progress;
use frontdesk_core::tool::{ClientCall, ClientTools, ToolEndpoint};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

pub struct NotingAgent {
    echo: Echo,
    endpoints: Mutex<Vec<(SessionKey, ToolEndpoint)>>,
    /// The files of the latest turn.
    files: Mutex<Vec<File>>,
    /// The tools that the client of the latest turn offered.
    offered: Mutex<ClientTools>,
    takes_tools: AtomicBool,
    has_fallback: AtomicBool,
}

impl NotingAgent {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            echo: Echo::new(clock),
            endpoints: Mutex::default(),
            files: Mutex::default(),
            offered: Mutex::default(),
            takes_tools: AtomicBool::new(false),
            has_fallback: AtomicBool::new(false),
        })
    }

    /// It takes tools of clients from now on.
    pub fn take_tools(&self) {
        self.takes_tools.store(true, Ordering::Relaxed);
    }

    /// A program that calls no tools of clients stands in for it from now on.
    pub fn has_fallback(&self) {
        self.has_fallback.store(true, Ordering::Relaxed);
    }

    /// How many turns have begun.
    pub fn turns(&self) -> usize {
        self.endpoints.lock().unwrap().len()
    }

    /// The files of the latest turn.
    pub fn files(&self) -> Vec<File> {
        self.files.lock().unwrap().clone()
    }

    /// The tools that the client of the latest turn offered.
    pub fn offered(&self) -> ClientTools {
        self.offered.lock().unwrap().clone()
    }

    /// Where the latest turn of a session finds the tools, if it has begun.
    pub fn endpoint(&self, session: &str) -> Option<ToolEndpoint> {
        let endpoints = self.endpoints.lock().unwrap();
        endpoints.iter().rev().find(|(of, _)| of.as_str() == session).map(|(_, endpoint)| endpoint.clone())
    }
}

#[async_trait]
impl Agent for NotingAgent {
    fn capabilities(&self) -> Capabilities {
        Capabilities { client_tools: self.takes_tools.load(Ordering::Relaxed), ..self.echo.capabilities() }
    }

    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>> {
        self.endpoints.lock().unwrap().push((turn.session.clone(), turn.tools.endpoint().unwrap()));
        let files = turn.prompt.iter().flat_map(|prompt| prompt.files.clone());
        *self.files.lock().unwrap() = files.collect();
        *self.offered.lock().unwrap() = turn.tools.of_client();
        let text = frontdesk_core::prompt::text(&turn);
        if let Some((end, text)) = text.strip_prefix("!ends ").and_then(|rest| rest.split_once(' ')) {
            let end = AnswerEnd::named(end).unwrap();
            let pieces = text.split_inclusive(' ').map(|piece| Ok(Delta::Text(piece.to_owned())));
            let pieces: Vec<_> = pieces.chain([Ok(Delta::Done { text: None, end })]).collect();
            return stream::iter(pieces).boxed();
        }
        if let Some((percent, line)) = text.strip_prefix("!step ").and_then(|rest| rest.split_once(' ')) {
            let step = Progress { percent: percent.parse().ok(), line: Some(line.to_owned()) };
            return stream::iter([Ok(Delta::Step(step))]).chain(stream::pending()).boxed();
        }
        let Some((name, arguments)) = text.strip_prefix("!call ").and_then(|call| call.split_once(' '))
        else {
            return self.echo.turn(turn);
        };
        let call =
            |n: u8| ClientCall { id: format!("call_{n}"), name: name.into(), arguments: arguments.into() };
        turn.tools.hand_over(vec![call(1), call(2)]);
        stream::iter([Ok(Delta::Done { text: None, end: AnswerEnd::Whole })]).boxed()
    }

    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError> {
        self.echo.steer(turn, prompt).await
    }

    async fn abort(&self, turn: TurnId) {
        self.echo.abort(turn).await;
    }

    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError> {
        self.echo.compact(turn, instructions).await
    }

    async fn forget(&self, session: &SessionKey, epoch: u64) {
        self.echo.forget(session, epoch).await;
    }

    async fn stop(&self) {
        self.echo.stop().await;
    }

    fn problem(&self) -> Option<String> {
        self.echo.problem()
    }

    fn failover(&self, _of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover> {
        let candidate = |name: &str, client_tools| Candidate {
            name: name.into(),
            place: name.into(),
            client_tools,
            state: CandidateState::Working,
            pauses: 0,
        };
        let candidates = vec![candidate("gpt", true), candidate("helper", false)];
        self.has_fallback.load(Ordering::Relaxed).then_some(Failover { candidates, answering: 0 })
    }
}
