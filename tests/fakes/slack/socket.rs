//! Socket Mode: tickets, sockets, what passes over them, and their end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::Request;
use axum::response::IntoResponse;
use frontdesk_fakes::{Cut, Response, Shared, response};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::answer::{Answer, Done, Refusal};
use crate::world::{App, Frame, SocketMode, World};

/// The most sockets of one app.
const MOST: usize = 10;
/// How long a socket lives, in seconds; a short time if the app asks for it.
const LIFETIME_S: (i64, i64) = (18_060, 360);
const WARNING_MS: i64 = 10_000;
/// How long a dead socket is taken for a good one.
const NOTICED_MS: i64 = 30_000;

/// The scope of an app's token with which it may open sockets.
const SCOPE: &str = "connections:write";

/// `apps.connections.open`.
pub fn ticket(world: &mut World, token: &str) -> Answer {
    let Some((id, _)) = world.apps.iter().find(|(_, app)| app.token == token) else {
        let is_bot = world.installs.iter().any(|install| install.token == token);
        return Err(Refusal::new(if is_bot { "not_allowed_token_type" } else { "invalid_auth" }));
    };
    let (id, ticket) = (id.clone(), world.secret());
    let url = world.url.replacen("http", "ws", 1);
    let mut answer = json!({"url": format!("{url}/link/?ticket={ticket}&app_id={id}")});
    if let Some(app) = world.apps.get_mut(&id) {
        if !app.scopes.contains(SCOPE) {
            let provided: Vec<&str> = app.scopes.iter().map(String::as_str).collect();
            return Err(Refusal::missing_scope(SCOPE, &provided.join(",")));
        }
        if app.request_url.is_some() || app.socket_mode == SocketMode::Off {
            return Err(Refusal::new("socket_mode_not_enabled"));
        }
        app.tickets.insert(ticket.clone());
        if app.socket_mode == SocketMode::Doubtful {
            answer["response_metadata"] = json!({"messages": ["[WARN] Socket Mode is not turned on."]});
        }
    }
    Done::with(answer)
}

/// Opens a socket for a ticket that was not used yet.
pub async fn open(shared: &Arc<Shared<World>>, request: Request<Incoming>) -> Result<Response, Cut> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let app = query.get("app_id").cloned().unwrap_or_default();
    let good = shared.change(|world| {
        let known = world.apps.get_mut(&app);
        known.is_some_and(|known| query.get("ticket").is_some_and(|ticket| known.tickets.remove(ticket)))
    });
    if !good {
        return Ok(response(403, "text/plain", "this ticket is not good"));
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(|_| Cut)?;
    let shared = shared.clone();
    let seconds = if query.contains_key("debug_reconnects") { LIFETIME_S.1 } else { LIFETIME_S.0 };
    Ok(upgrade.on_upgrade(move |socket| run(shared, app, socket, seconds)).into_response())
}

async fn run(shared: Arc<Shared<World>>, app: String, mut socket: WebSocket, seconds: i64) {
    let is_mute = |app: &App| app.socket_mode == SocketMode::Mute;
    if shared.state().apps.get(&app).is_some_and(is_mute) {
        return end(socket).await;
    }
    let (tell, frames) = unbounded_channel();
    let entered = shared.change(|world| {
        let number = world.common.random.number();
        let sockets = world.apps.get_mut(&app).map(|app| &mut app.sockets)?;
        let free = sockets.len() < MOST;
        if free {
            sockets.insert(number, tell);
        }
        Some((number, sockets.len(), free))
    });
    let Some((number, open, free)) = entered else { return };
    let hello = json!({
        "type": "hello", "num_connections": open, "connection_info": {"app_id": app},
        "debug_info": {"host": "applink-1", "build_number": 1, "approximate_connection_time": seconds},
    });
    if free && socket.send(Message::text(hello.to_string())).await.is_ok() {
        let ends = shared.clock.now_ms() + seconds * 1000;
        pass(&shared, &app, &mut socket, frames, ends, number).await;
    } else if !free {
        disconnect(&mut socket, "too_many_websockets").await;
    }
    forget(&shared, &app, number);
    end(socket).await;
}

/// Closes a socket.
async fn end(mut socket: WebSocket) {
    // The client may have gone, or never answer.
    socket.send(Message::Close(None)).await.ok();
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    tokio::time::timeout(Duration::from_secs(2), answered).await.ok();
}

fn forget(shared: &Shared<World>, app: &str, number: u64) {
    shared.change(|world| {
        let Some(app) = world.apps.get_mut(app) else { return };
        app.sockets.remove(&number);
        app.read.remove(&number);
    });
}

/// Passes frames both ways until the socket ends.
async fn pass(
    shared: &Arc<Shared<World>>,
    app: &str,
    socket: &mut WebSocket,
    mut frames: UnboundedReceiver<Frame>,
    mut ends: i64,
    number: u64,
) {
    let mut cuts = shared.cuts();
    let mut pings = tokio::time::interval(Duration::from_secs(5));
    let mut warned = false;
    loop {
        let next = if warned { ends } else { ends - WARNING_MS };
        let sent = tokio::select! {
            _ = cuts.changed() => return,
            frame = frames.recv() => match frame {
                Some(Frame::Text(text)) => socket.send(Message::text(text)).await,
                Some(Frame::Ends(at)) => { ends = at; Ok(()) }
                Some(Frame::End(reason)) => return disconnect(socket, &reason).await,
                Some(Frame::Dead) => {
                    tokio::select! {
                        _ = cuts.changed() => return,
                        () = shared.clock.until(shared.clock.now_ms() + NOTICED_MS) => forget(shared, app, number),
                    }
                    return cuts.changed().await.unwrap_or_default();
                }
                None => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => { heard(shared, &text); Ok(()) }
                // Reading on answers a close.
                Some(Err(_)) | None => return,
                // The first ping follows the hello.
                Some(Ok(Message::Pong(_))) => {
                    shared.change(|world| world.apps.get_mut(app).map(|app| app.read.insert(number)));
                    Ok(())
                }
                Some(Ok(_)) => Ok(()),
            },
            _ = pings.tick() => socket.send(Message::Ping("Ping from applink-1".into())).await,
            () = shared.clock.until(next) => {
                if warned {
                    return disconnect(socket, "refresh_requested").await;
                }
                warned = true;
                socket.send(Message::text(goodbye("warning"))).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn goodbye(reason: &str) -> String {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}).to_string()
}

async fn disconnect(socket: &mut WebSocket, reason: &str) {
    // The client may have gone.
    socket.send(Message::text(goodbye(reason))).await.ok();
}

/// A client acknowledges an envelope; anything else means nothing.
fn heard(shared: &Shared<World>, text: &str) {
    let frame: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(id) = frame["envelope_id"].as_str() {
        shared.change(|world| world.acknowledge(id, frame["payload"].clone()));
    }
}
