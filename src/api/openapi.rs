//! The OpenAPI description of the HTTP interface, made from the table of endpoints.
//!
//! The attribute `#[utoipa::path(...)]` of a handler says what is particular about it: its query, its bodies and the errors
//! that have a meaning of their own. What follows from the table of endpoints or from the path is added here: security,
//! parameters of the path, and the errors that all endpoints of a kind share. The bodies describe themselves by
//! `JsonSchema`, like the configuration.

mod frames;
mod parameters;
mod responses;
mod schemas;

pub use frames::frames;
use serde_json::{Map, Value, json};

use crate::dispatch::{Access, Description, Endpoint, Idempotency};
use crate::route::{DESCRIPTIONS, ENDPOINTS};
use crate::token::Scope;

/// Paths that exist under a second name.
const ALIASES: [(&str, &str); 2] = [("/api/background", "/api/tasks"), ("/api/allowlist", "/api/access")];

const ABOUT: &str = "The HTTP interface of Frontdesk, a gateway between chats and AI agents. Every request except those of the page, \
    of probes and of this description shows a token: `Authorization: Bearer TOKEN`. The overview with examples is \
    docs/api.md in the repository; the frames of the WebSocket have a schema of their own.";

/// Describes the HTTP interface in the words of OpenAPI 3.1. The copy in the repository, `schema/openapi.json`, is what the
/// server serves.
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for (endpoint, describe) in ENDPOINTS.iter().zip(DESCRIPTIONS) {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[method.as_str()] = operation(endpoint, describe());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "http://127.0.0.1:3847", "description": "A gateway with the default configuration"}],
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "responses": responses::all(),
            "parameters": parameters::shared(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token with the scope that the operation names (docs/tokens.md)",
                },
                "agent": {"type": "http", "scheme": "bearer", "description": "The token that an agent gets with its session"},
            },
        },
    })
}

fn operation(endpoint: &Endpoint, described: Description) -> Value {
    let Description { tag, handler, path, operation } = described;
    let mut shown = serde_json::to_value(operation).unwrap_or_default();
    let alias = ALIASES.iter().find(|(alias, _)| endpoint.path.starts_with(alias));
    let method = endpoint.method.as_str().to_ascii_lowercase();
    let several = if handler == "receive" && tag == "webhook" { format!("_{method}") } else { String::new() };
    let other = if alias.is_some() { "_alias" } else { "" };
    shown["operationId"] = format!("{tag}_{handler}{several}{other}").into();
    shown["tags"] = json!([tag]);
    say(&mut shown, alias.map(|_| path));
    let scopes = scopes(endpoint.access);
    shown["security"] = scopes.clone();
    if let Some(needs) = needs(endpoint.access) {
        let said = shown["description"].as_str().unwrap_or_default().to_owned();
        shown["description"] = format!("{said}\n\n{needs}").trim().into();
    }
    parameters::complete(&mut shown, endpoint);
    body(&mut shown, endpoint);
    responses::complete(&mut shown, endpoint);
    shown
}

/// The first sentence of the handler's comment as the summary, the whole of it as the description.
fn say(shown: &mut Value, other: Option<String>) {
    let text = |name: &str| shown[name].as_str().unwrap_or_default().replace('\n', " ");
    let whole = format!("{} {}", text("summary"), text("description")).trim().to_owned();
    let summary =
        whole.split_inclusive(". ").next().unwrap_or(&whole).trim().trim_end_matches('.').to_owned();
    let whole = match other {
        Some(path) => format!("{whole} The same as `{path}`."),
        None => whole,
    };
    shown["summary"] = summary.into();
    shown["description"] = whole.into();
}

/// The kinds of credentials that open an endpoint, and the scopes that they need.
fn scopes(access: Access) -> Value {
    match access {
        Access::Public | Access::Ticket | Access::Webhook | Access::Event => json!([]),
        Access::Probe | Access::WebSocket => json!([{}, {"token": []}]),
        Access::Tools => json!([{"agent": []}]),
        Access::Token(scope, _) => json!([{"token": [scope.name()]}]),
        Access::Upload => json!([{"token": [Scope::Admin.name()]}]),
    }
}

/// Who may call an endpoint, in words.
fn needs(access: Access) -> Option<&'static str> {
    use frontdesk_core::access::Action;
    Some(match access {
        Access::Public | Access::Probe | Access::WebSocket => return None,
        Access::Token(Scope::Read, Action::Write) => {
            "Scope: `read` or `admin`; `chat` or `app` for what is its holder's own."
        }
        Access::Token(Scope::Read, _) => "Scope: `read` or `admin`.",
        Access::Token(_, Action::Write) | Access::Upload => {
            "Scope: `admin`; `chat` or `app` for what is its holder's own."
        }
        Access::Token(..) => "Scope: `admin`.",
        Access::Ticket => "The ticket of a login link stands in place of a token.",
        Access::Webhook => "The request shows the platform's secret or signature.",
        Access::Event => "The request shows the secret or the signature of `[hooks]` in the configuration.",
        Access::Tools => "The token is that of an agent's session.",
    })
}

/// Every POST has a body in JSON, also if there is nothing to say. An optional body is one without fields.
fn body(shown: &mut Value, endpoint: &Endpoint) {
    if endpoint.idempotency == Idempotency::ReplayBare {
        shown["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NoFields"}}},
        });
    }
    let Some(content) = shown.pointer_mut("/requestBody/content") else { return };
    for (kind, media) in content.as_object_mut().into_iter().flatten() {
        if kind == "application/octet-stream" {
            *media = json!({});
        }
        let either = media["schema"]["oneOf"].as_array();
        let some = either.and_then(|either| either.iter().find(|one| one.get("$ref").is_some())).cloned();
        if let Some(some) = some {
            media["schema"] = some;
        }
    }
    shown["requestBody"]["required"] = true.into();
}

/// Whether an operation may be asked for a second time by its `Idempotency-Key`.
fn has_key(endpoint: &Endpoint) -> bool {
    let stored = ["/api/chat", "/api/cron/jobs", "/api/files", "/v1/chat/completions"];
    endpoint.idempotency != Idempotency::NoReplay
        || (endpoint.method == axum::http::Method::POST && stored.contains(&endpoint.path))
}

#[cfg(test)]
mod tests;
