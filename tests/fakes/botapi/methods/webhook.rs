//! Webhooks set, deleted and looked at; `crate::webhook` posts to them.

use frontdesk_fakes::Params;
use serde_json::json;

use crate::answer::{Answer, Done, Refusal};
use crate::bot::Webhook;
use crate::world::World;

/// The ports that a webhook can have.
const PORTS: [u16; 4] = [443, 80, 88, 8443];

pub fn set(world: &mut World, bot: i64, params: &Params) -> Answer {
    let url = params.text("url").unwrap_or_default();
    if url.is_empty() {
        return delete(world, bot, params);
    }
    check_url(&url)?;
    let secret = params.text("secret_token").filter(|secret| !secret.is_empty());
    if secret.as_ref().is_some_and(|secret| secret.len() > 256) {
        return Err(Refusal::bad("secret token is too long"));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !secret.as_ref().is_none_or(|secret| secret.bytes().all(is_allowed)) {
        return Err(Refusal::bad("secret token contains unallowed characters"));
    }
    let max = params.int("max_connections").unwrap_or(40).clamp(1, 100);
    let webhook = Webhook { url, secret, max_connections: usize::try_from(max).unwrap_or(40) };
    let allowed = params.json("allowed_updates")?;
    if params.flag("drop_pending_updates") {
        drop_pending(world, bot);
    }
    let bot = world.bots.get_mut(&bot).ok_or_else(Refusal::unauthorized)?;
    bot.allow(allowed);
    if bot.webhook.as_ref() == Some(&webhook) {
        return Ok(Done::described("Webhook is already set"));
    }
    bot.webhook = Some(webhook);
    bot.webhook_number += 1;
    bot.failure = None;
    // A poll that waits is over.
    bot.poll += 1;
    bot.changed.notify_waiters();
    Ok(Done::described("Webhook was set"))
}

pub fn delete(world: &mut World, bot: i64, params: &Params) -> Answer {
    if params.flag("drop_pending_updates") {
        drop_pending(world, bot);
    }
    let bot = world.bots.get_mut(&bot).ok_or_else(Refusal::unauthorized)?;
    bot.webhook_number += 1;
    bot.changed.notify_waiters();
    match bot.webhook.take() {
        Some(_) => Ok(Done::described("Webhook was deleted")),
        None => Ok(Done::described("Webhook is already deleted")),
    }
}

pub fn info(world: &mut World, bot: i64, _: &Params) -> Answer {
    let bot = world.bots.get(&bot).ok_or_else(Refusal::unauthorized)?;
    let mut info = json!({
        "url": bot.webhook.as_ref().map(|webhook| webhook.url.as_str()).unwrap_or_default(),
        "has_custom_certificate": false,
        "pending_update_count": bot.queue.waiting(),
    });
    if let Some(webhook) = &bot.webhook {
        info["max_connections"] = json!(webhook.max_connections);
        info["ip_address"] = json!("127.0.0.1");
    }
    if let (Some((date, reason)), Some(_)) = (&bot.failure, &bot.webhook) {
        info["last_error_date"] = json!(date);
        info["last_error_message"] = json!(reason);
    }
    if let Some(allowed) = &bot.allowed {
        info["allowed_updates"] = json!(allowed);
    }
    Ok(Done::with(&info))
}

/// Everything that waits counts as confirmed.
pub fn drop_pending(world: &mut World, bot: i64) {
    let now = world.now_ms();
    let dropped = world.bots.get_mut(&bot).map(|bot| bot.queue.clear()).unwrap_or_default();
    world.common.journal.confirmed(&bot, &dropped, now);
}

/// The real server takes an address with HTTPS; this one also takes plain HTTP on this machine.
fn check_url(url: &str) -> Result<(), Refusal> {
    let parsed = reqwest::Url::parse(url).map_err(|_| Refusal::bad("invalid webhook URL specified"))?;
    let host = parsed.host_str().unwrap_or_default();
    let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if parsed.scheme() != "https" && !(is_here && parsed.scheme() == "http") {
        return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    if !is_here && !parsed.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return Err(Refusal::bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"));
    }
    Ok(())
}
