//! The control plane: what a test does with handles, another process does with JSON.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::acts::{Impossible, NewChat, Say};
use crate::chat::Standing;
use crate::fault::Fault;
use crate::flood::Limits;
use crate::person::Person;
use crate::server::Shared;
use crate::world::World;

type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

/// All of it: `POST /control/<act>` with what the act needs, `GET /control/journal` and `GET /control/chat`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/control/journal", get(journal))
        .route("/control/chat", get(chat))
        .route("/control/{act}", post(act))
        .with_state(shared)
}

/// What an act is about; each takes what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct About {
    bot: Option<i64>,
    chat: i64,
    message_id: i64,
    user: i64,
    text: String,
    parse_mode: Option<String>,
    emoji: Vec<String>,
    button: String,
    id: i64,
    name: String,
    username: Option<String>,
    token: String,
    is_bot: bool,
    on: bool,
    to: i64,
    by: Option<i64>,
    standing: String,
    update_id: i64,
    fields: String,
    seconds: u64,
}

async fn act(
    State(shared): State<Arc<Shared>>,
    axum::extract::Path(name): axum::extract::Path<String>,
    body: axum::body::Bytes,
) -> Reply {
    let body = if body.is_empty() { json!({}) } else { parse(serde_json::from_slice(&body))? };
    if name == "advance" {
        let about: About = parse(serde_json::from_value(body))?;
        shared.clock.advance(Duration::from_secs(about.seconds));
        return Ok(Json(json!({"now": shared.clock.now_ms()})));
    }
    let done = shared.change(|world| carry_out(world, &name, body));
    done.map(Json).map_err(|reason| refuse(&reason))
}

fn carry_out(world: &mut World, name: &str, body: Value) -> Result<Value, Impossible> {
    fn of<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, Impossible> {
        serde_json::from_value(body).map_err(|error| error.to_string())
    }
    match name {
        "say" => return Ok(json!(world.say(&of::<Say>(body)?)?)),
        "new_chat" => return world.add_chat(&of::<NewChat>(body)?).map(|()| json!(true)),
        "fault" => {
            world.faults.add(of::<Fault>(body)?);
            return Ok(json!(true));
        }
        "flood" => {
            // Without limits of one's own they are the real ones.
            let empty = body.as_object().is_none_or(serde_json::Map::is_empty);
            world.flood.set(if empty { Limits::real() } else { of(body)? });
            return Ok(json!(true));
        }
        _ => {}
    }
    let about: About = of(body)?;
    let bot = about.bot.unwrap_or(world.first_bot);
    let by = about.by.unwrap_or(about.user);
    Ok(match name {
        "bot" => {
            world.add_bot(
                &about.token,
                about.id,
                &about.name,
                about.username.as_deref().unwrap_or(&about.name),
            );
            json!(true)
        }
        "user" => {
            let person = Person {
                username: about.username,
                is_bot: about.is_bot,
                ..Person::new(about.id, &about.name)
            };
            world.people.insert(about.id, person);
            json!(true)
        }
        "edit" => {
            let mode = about.parse_mode.as_deref();
            json!(world.edit(bot, about.chat, about.message_id, &about.text, mode)?)
        }
        "delete" => {
            world.withdraw(bot, about.chat, about.message_id)?;
            json!(true)
        }
        "react" => json!(world.react(bot, about.chat, about.message_id, about.user, &about.emoji)?),
        "press" => {
            let (sent, query) = world.press(bot, about.chat, about.message_id, about.user, &about.button)?;
            json!({"update_id": sent.update_id, "message_id": sent.message_id, "query_id": query})
        }
        "pressed" => {
            let press = world.presses.get(&about.text).ok_or("no such query")?;
            json!({"chat": press.chat, "answer": press.answer})
        }
        "block" => {
            world.private(bot, about.user);
            json!(world.stand(bot, about.user, bot, Standing::Kicked))
        }
        "unblock" => json!(world.stand(bot, about.user, bot, Standing::Member)),
        "deactivate" => {
            world.people.get_mut(&about.user).ok_or("no such user")?.deactivated = true;
            json!(true)
        }
        "join" => json!(world.join(bot, about.chat, about.user, by)?),
        "part" => json!(world.part(bot, about.chat, about.user, by)?),
        "stand" => json!(world.stand(bot, about.chat, about.user, standing(&about.standing)?)),
        "topic" => json!({"message_thread_id": world.open_topic(bot, about.chat, about.user, &about.name)}),
        "migrate" => json!(world.migrate(about.chat, about.to)?),
        "privacy" => {
            world.bots.get_mut(&bot).ok_or("no such bot")?.privacy = about.on;
            json!(true)
        }
        "paced" => {
            world.paced = about.on;
            json!(true)
        }
        "calm" => {
            world.faults.clear();
            world.flood.set(Limits::default());
            json!(true)
        }
        "again" => {
            let known = world.bots.get_mut(&bot).ok_or("no such bot")?;
            known.bell.notify_waiters();
            json!(known.queue.repeat(about.update_id))
        }
        "garbage" => {
            let now = world.now_ms();
            json!({"update_id": world.tell_raw(bot, &about.fields, 0, now)})
        }
        other => return Err(format!("{other} is no act")),
    })
}

fn standing(name: &str) -> Result<Standing, Impossible> {
    let all =
        [Standing::Creator, Standing::Administrator, Standing::Member, Standing::Left, Standing::Kicked];
    all.into_iter().find(|standing| standing.name() == name).ok_or_else(|| format!("{name} is no standing"))
}

/// Calls and deliveries, from `since` on; only those in `chat`, if it is given.
async fn journal(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<HashMap<String, i64>>,
) -> Json<Value> {
    let world = shared.world();
    let since = asked.get("since").and_then(|since| usize::try_from(*since).ok()).unwrap_or_default();
    let calls = match asked.get("chat") {
        Some(chat) => world.journal.calls_in(*chat),
        None => world.journal.calls_since(since).to_vec(),
    };
    let calls: Vec<_> = calls.iter().map(|call| json!(**call)).collect();
    Json(json!({
        "calls": calls,
        "deliveries": world.journal.deliveries(),
        "unconfirmed": world.journal.unconfirmed(),
        "polls": world.journal.polls(),
    }))
}

/// What a chat shows now.
async fn chat(State(shared): State<Arc<Shared>>, Query(asked): Query<HashMap<String, i64>>) -> Json<Value> {
    let world = shared.world();
    let bot = asked.get("bot").copied().unwrap_or(world.first_bot);
    Json(json!(world.shows(bot, asked.get("chat").copied().unwrap_or_default())))
}

fn parse<T>(parsed: serde_json::Result<T>) -> Result<T, (StatusCode, Json<Value>)> {
    parsed.map_err(|error| refuse(&error.to_string()))
}

fn refuse(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({"error": reason})))
}
