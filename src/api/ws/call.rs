//! Method calls over the WebSocket: the same operations as over HTTP.

use frontdesk_core::access::Action;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoint::{config, session};
use crate::error::ApiError;
use crate::server::ServerState;
use crate::token::{Caller, Scope};

/// A method and the scope that it needs.
struct Method {
    name: &'static str,
    scope: Scope,
    run: for<'a> fn(&'a ServerState, &'a Caller, Value) -> BoxFuture<'a, Result<Value, ApiError>>,
}

/// Every method. A method that is not listed here does not exist.
static METHODS: &[Method] = &[
    Method {
        name: "session.list",
        scope: Scope::Read,
        run: |server, caller, params| Box::pin(list(server, caller, params)),
    },
    Method {
        name: "session.get",
        scope: Scope::Read,
        run: |server, caller, params| Box::pin(get(server, caller, params)),
    },
    Method {
        name: "session.kill",
        scope: Scope::Admin,
        run: |server, caller, params| Box::pin(kill(server, caller, params)),
    },
    Method {
        name: "session.reset",
        scope: Scope::Admin,
        run: |server, caller, params| Box::pin(reset(server, caller, params)),
    },
    Method {
        name: "config.reload",
        scope: Scope::Admin,
        run: |server, caller, params| Box::pin(reload(server, caller, params)),
    },
];

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// Carries out a call.
pub(crate) async fn call(
    server: &ServerState,
    caller: &Caller,
    method: &str,
    params: Value,
) -> Result<Value, ApiError> {
    let Some(method) = METHODS.iter().find(|known| known.name == method) else {
        let names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
        let mut error =
            ApiError::not_found(format!("there is no method {method:?}; there are {}", names.join(", ")));
        error.code = "unknown_method".into();
        return Err(error);
    };
    server.authorize(caller, method.scope, Action::Administer)?;
    (method.run)(server, caller, params).await
}

async fn list(server: &ServerState, _: &Caller, params: Value) -> Result<Value, ApiError> {
    let which = if params.is_null() { session::SessionsQuery::default() } else { parse(params)? };
    session::sessions(server, which).await
}

async fn get(server: &ServerState, _: &Caller, params: Value) -> Result<Value, ApiError> {
    let Key { key } = parse(params)?;
    session::session(server, &session::key(&key)?).await
}

async fn kill(server: &ServerState, caller: &Caller, params: Value) -> Result<Value, ApiError> {
    let Key { key } = parse(params)?;
    session::cancel(server, &session::key(&key)?, &caller.author()).await
}

async fn reset(server: &ServerState, caller: &Caller, params: Value) -> Result<Value, ApiError> {
    let Key { key } = parse(params)?;
    session::reset_session(server, &session::key(&key)?, &caller.author()).await
}

async fn reload(server: &ServerState, caller: &Caller, params: Value) -> Result<Value, ApiError> {
    let wanted = if params.is_null() { config::ReloadRequest::default() } else { parse(params)? };
    config::take_over(server, &wanted, caller.author()).await
}

fn parse<T: DeserializeOwned>(params: Value) -> Result<T, ApiError> {
    if params.is_array() {
        return Err(ApiError::bad_request("params: it is a list and must be an object"));
    }
    serde_json::from_value(params).map_err(|error| ApiError::bad_request(format!("params: {error}")))
}
