//! Who the bot is, and how it connects.

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::id::Id;
use crate::permission;
use crate::requests::Request;
use crate::session::intent;
use crate::world::World;

pub fn gateway(world: &mut World, _: &Request) -> Answer {
    Ok(Done::with(json!({"url": format!("ws://{}", world.address)})))
}

pub fn bot_gateway(world: &mut World, request: &Request) -> Answer {
    let (now, url) = (world.now_ms(), format!("ws://{}", world.address));
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    let (remaining, reset_after) = bot.identifies_left(now);
    let start = json!({
        "total": bot.budget, "remaining": remaining, "reset_after": reset_after, "max_concurrency": 1,
    });
    Ok(Done::with(json!({"url": url, "shards": 1, "session_start_limit": start})))
}

pub fn me(world: &mut World, request: &Request) -> Answer {
    Ok(Done::with(world.user_json(request.bot)))
}

pub fn user(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    let user = world.users.get(&id).ok_or_else(|| Refusal::unknown(10013, "User"))?;
    Ok(Done::with(user.to_json()))
}

pub fn application(world: &mut World, request: &Request) -> Answer {
    let user = world.user_json(request.bot);
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    let (endpoint, code_grant) = (bot.endpoint.clone(), bot.code_grant);
    // The flags of applications in fewer than a hundred guilds.
    let flags = [(intent::MESSAGE_CONTENT, 19), (intent::GUILD_MEMBERS, 15), (intent::GUILD_PRESENCES, 13)];
    let flags =
        flags.iter().fold(0, |all, (granted, bit)| all | u64::from(bot.granted & granted != 0) << bit);
    Ok(Done::with(json!({
        "id": bot.id, "name": user["username"], "icon": null, "description": "", "bot_public": true,
        "bot_require_code_grant": code_grant, "verify_key": "0".repeat(64), "flags": flags, "bot": user, "owner": null,
        "team": null, "interactions_endpoint_url": endpoint, "approximate_guild_count": world.guilds.len(),
    })))
}

pub fn guilds(world: &mut World, request: &Request) -> Answer {
    let after = request.query.get("after").and_then(|after| after.parse::<u64>().ok());
    let most = request.number("limit").and_then(|most| usize::try_from(most).ok()).unwrap_or(200).min(200);
    let own = world.guilds.values().filter(|guild| guild.members.contains_key(&request.bot));
    let guilds: Vec<Value> = own
        .filter(|guild| after.is_none_or(|after| guild.id.0 > after))
        .take(most)
        .map(|guild| {
            let owner = guild.owner == request.bot;
            let permissions =
                permission::in_guild(guild, request.bot).min(i64::MAX.unsigned_abs()).to_string();
            json!({"id": guild.id, "name": guild.name, "owner": owner, "permissions": permissions})
        })
        .collect();
    Ok(Done::with(json!(guilds)))
}

pub fn create_dm(world: &mut World, request: &Request) -> Answer {
    let wanted = request.body.fields.get("recipient_id").and_then(Id::read);
    let person = wanted.ok_or_else(|| Refusal::required("recipient_id"))?;
    let user = world.users.get(&person).ok_or_else(|| Refusal::unknown(10013, "User"))?;
    if user.is_bot {
        return Err(Refusal::new(400, 50007, "Cannot send messages to this user"));
    }
    let id = world.direct(request.bot, person);
    Ok(Done::with(world.channel_json(world.channel(id)?)))
}
