//! The tools that agents call. An agent acts in the conversation whose turn runs, and nowhere else; what only an admin may
//! see it sees in a private chat with one.

mod catalog;
mod change;
mod choices;
mod cron;
mod gateway;
mod own_chat;
mod tasks;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::delta::{ToolApproval, ToolCall, ToolDecision};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::tool::{ClientCall, ClientTools, Tool, ToolEndpoint, ToolError, Tools};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::GatewayError;
use crate::running_turns::{RunningTurn, ToolEvent};
use crate::shared::Shared;

use catalog::Kind;
use catalog::list;
pub use catalog::tool_names;

/// Maximum size of a call's parameters, as JSON in bytes.
const PARAMS: usize = 64 * 1024;

/// The tools of the turns of one session.
pub(crate) struct SessionTools {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: SessionKey,
}

impl fmt::Debug for SessionTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionTools({})", self.session)
    }
}

#[async_trait]
impl Tools for SessionTools {
    fn list(&self) -> Vec<Tool> {
        list()
    }

    async fn call(&self, name: &str, params: Value) -> Result<String, ToolError> {
        call(&self.shared, &self.session, name, params).await
    }

    fn of_client(&self) -> ClientTools {
        self.shared.work.client_tools.of(&self.session)
    }

    fn hand_over(&self, calls: Vec<ClientCall>) {
        self.shared.work.client_tools.call(&self.session, calls);
    }

    fn endpoint(&self) -> Option<ToolEndpoint> {
        self.shared.process.tool_endpoints.as_ref().map(|endpoint| endpoint(&self.session))
    }
}

/// The tools of the turn that runs in a session; all tools if none runs, because they work only during one.
pub(crate) fn of_session(shared: &Shared, session: &SessionKey) -> Vec<Tool> {
    let turn = shared.work.running.of(session);
    let has = |tool: &Tool| turn.as_ref().is_none_or(|turn| turn.has_tool(tool.name));
    list().into_iter().filter(has).collect()
}

/// Calls a tool for the turn that runs in a session. Its hooks are asked and, if the tool acts, the turn is marked as one
/// that does, before anything happens.
pub(crate) async fn call(
    shared: &Arc<Shared>,
    session: &SessionKey,
    name: &str,
    params: Value,
) -> Result<String, ToolError> {
    let failed = |why: &str| Err(ToolError(why.to_owned()));
    let Some(tool) = catalog::find(name) else {
        let known: Vec<_> = list().into_iter().map(|tool| tool.name).collect();
        return failed(&format!("there is no tool of this name; there are {}", known.join(", ")));
    };
    if params.to_string().len() > PARAMS {
        return failed(&format!("the parameters are larger than {PARAMS} bytes"));
    }
    let Some(turn) = shared.work.running.of(session) else {
        return failed("no answer is under way in this conversation, and tools work only during one");
    };
    if !turn.has_tool(name) {
        return failed("the role of this chat does not have this tool");
    }
    let acts = tool.acts(&params);
    let Some(number) = turn.next_call(acts) else {
        return failed("this answer has made too many tool calls");
    };
    let (approval, decision) = ToolApproval::channel();
    let id = format!("gateway-{number}");
    let start = ToolCall { id: id.clone(), name: name.to_owned(), params, approval };
    turn.report(ToolEvent::Start { call: start, acts });
    let params = match decision.await {
        Ok(ToolDecision::Allow(params)) => params,
        Ok(ToolDecision::Deny(reason)) => return Err(ToolError(reason)),
        Err(_) => return failed("the answer has ended"),
    };
    if tool.acts(&params) && !acts {
        return failed("a hook has made a call that only reads into one that acts");
    }
    let caller = Caller { shared, session, turn: &turn };
    let called = caller.call(tool.kind, &id, params).await.map_err(error);
    let result = match &called {
        Ok(text) => text.clone(),
        Err(error) => error.to_string(),
    };
    turn.report(ToolEvent::End { id, name: name.to_owned(), result });
    called
}

/// Who calls a tool.
struct Caller<'c> {
    shared: &'c Arc<Shared>,
    session: &'c SessionKey,
    turn: &'c RunningTurn,
}

impl Caller<'_> {
    async fn call(&self, tool: Kind, id: &str, params: Value) -> Result<String, GatewayError> {
        match tool {
            Kind::SendMessage => self.send_message(id, read(params)?).await,
            Kind::SendMedia => self.send_media(id, read(params)?).await,
            Kind::Message => self.change_message(id, read(params)?).await,
            Kind::SessionStatus => self.session_status().await,
            Kind::Status => self.gateway_status().await,
            Kind::Sessions => self.gateway_sessions().await,
            Kind::Pairing => self.gateway_pairing(read(params)?).await,
            Kind::Gateway => self.gateway(read(params)?).await,
            Kind::Tasks => self.background_tasks(id, read(params)?).await,
            Kind::Cron => self.cron(id, read(params)?).await,
        }
    }

    /// Whether everyone whose messages the turn answers is an admin, in private. Asked at every call: a revocation holds
    /// at once.
    fn is_for_admin(&self) -> bool {
        let settings = self.shared.settings();
        let is_admin = |who| {
            self.shared.authorize(&settings, Requester::of(who), Context::Dm, Action::Administer)
                == Decision::Allow
        };
        self.turn.chat.scope() == Scope::Dm
            && !self.turn.people.is_empty()
            && self.turn.people.iter().all(is_admin)
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, GatewayError> {
    let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
    serde_json::from_value(params)
        .map_err(|error| GatewayError::Invalid(format!("the parameters are wrong: {error}")))
}

/// The error as a model reads it.
fn error(error: GatewayError) -> ToolError {
    match error {
        // The database's own words may contain paths.
        GatewayError::Store(error) => {
            tracing::warn!(%error, "a tool of an agent failed");
            ToolError("the gateway's database failed; its log says why".to_owned())
        }
        error => ToolError(error.to_string()),
    }
}
