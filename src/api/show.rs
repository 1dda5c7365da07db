//! Rows as JSON: the API's own words for what the database holds.

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_runtime::{Account, Status};
use frontdesk_store::row::{EpochRow, HistoryRow, OutRow, SessionRow, Totals};
use serde_json::{Value, json};

use crate::frame::usage;

/// A time as RFC 3339 with milliseconds, UTC.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn account(account: &Account) -> Value {
    json!({
        "channel": account.channel,
        "account": account.account,
        "ready": account.ready,
        "since": time(account.since),
        "last_heard": account.last_heard.map(time),
        "error": account.error,
    })
}

pub(crate) fn status(status: &Status) -> Value {
    let agents = status.agents.iter().map(|(name, running)| json!({"name": name, "running": running}));
    json!({
        "status": if status.health.degraded.is_empty() { "ok" } else { "degraded" },
        "reasons": status.health.degraded,
        "version": env!("CARGO_PKG_VERSION"),
        "started": time(status.started),
        "boot": status.boot,
        "accounts": status.accounts.iter().map(account).collect::<Vec<_>>(),
        "agents": agents.collect::<Vec<_>>(),
        "totals": totals(&status.totals),
    })
}

fn totals(totals: &Totals) -> Value {
    json!({
        "sessions": totals.sessions,
        "waiting": totals.waiting,
        "running": totals.running,
        "outbox": totals.outbox,
        "dead_parts": totals.dead_parts,
        "oldest_waiting": totals.oldest_waiting.map(time),
        "oldest_part": totals.oldest_part.map(time),
    })
}

pub(crate) fn session(row: &SessionRow) -> Value {
    json!({
        "key": row.key.as_str(),
        "agent": row.key.agent(),
        "channel": row.key.channel(),
        "account": row.key.account(),
        "scope": row.key.scope().name(),
        "id": row.key.id(),
        "thread": row.key.thread(),
        "address": row.address.as_str(),
        "epoch": row.epoch,
        "last_epoch": row.last_epoch,
        "last_user_at": time(row.last_user_at),
        "seq": row.seq,
        "created": time(row.created),
        "waiting": row.waiting,
        "running": row.running.map(|turn| turn.to_string()),
    })
}

pub(crate) fn epoch(row: &EpochRow) -> Value {
    json!({
        "epoch": row.n,
        "started": time(row.started),
        "ended": row.ended.map(time),
        "reason": row.reason,
        "messages": row.messages,
        "first_text": row.first_text,
    })
}

pub(crate) fn history(row: &HistoryRow) -> Value {
    let message = &row.message;
    json!({
        "message": message.id.to_string(),
        "session": message.session.as_str(),
        "epoch": message.epoch,
        "principal": message.principal.as_str(),
        "sender": message.sender,
        "received": time(message.received),
        "disposition": message.disposition,
        "state": message.state,
        "reason": message.reason,
        "text": message.text,
        "attachments": message.attachments.iter().map(|file| json!({
            "name": file.name, "mime": file.mime, "size": file.size,
        })).collect::<Vec<_>>(),
        "answer": row.answer,
        "turn": message.turn.map(|turn| turn.to_string()),
        "turn_state": row.turn_state,
        "error": row.error,
        "usage": row.usage.as_ref().map(usage),
    })
}

pub(crate) fn part(row: &OutRow) -> Value {
    let post = &row.post;
    json!({
        "id": post.out.to_string(),
        "to": row.address.as_str(),
        "session": post.about.session.as_ref().map(|key| key.as_str()),
        "message": post.about.messages.last().map(ToString::to_string),
        "kind": post.kind.name(),
        "seq": post.seq,
        "text": post.part.plain,
        "state": row.state,
        "attempts": row.attempts,
        "next_at": time(row.next_at),
        "platform_message": row.platform_message,
        "error": row.error,
        "created": time(row.created),
    })
}
