//! Rows as JSON, with the field names of the API.

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::delta::Usage;
use frontdesk_core::failover::{CandidateState, Failover};
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::visible;
use frontdesk_runtime::{
    AccessEntry, AccessView, Account, AllowedAction, AllowedGroup, ConfiguredAccess, SessionStatus, Status,
};
use frontdesk_store::row::{
    AuditRow, ChatRow, DeadLetterRow, EpochRow, HistoryRow, OutboxRow, OutboxState, PairingRow, Scope,
    SessionRow, SpentRow, Totals, TurnState, UsageTotal, WaitingMessage,
};
use serde_json::{Map, Value, json};

use crate::attachment;

/// A time as RFC 3339 in UTC, with milliseconds.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Maximum characters of a name.
const NAME: usize = 120;

/// A name that a person chose, shortened, with control, bidirectional and invisible characters escaped, so that it
/// cannot change how the text around it reads. It does not identify the person; the id beside it does.
pub(crate) fn escaped(name: &str) -> String {
    let odd = |c: char| visible::is_deceptive(c) || visible::hides(c);
    let mut shown = String::new();
    for (n, c) in name.chars().enumerate() {
        match c {
            _ if n == NAME => {
                shown.push('…');
                break;
            }
            '\\' => shown.push_str("\\\\"),
            odd_one if odd(odd_one) => shown.extend(odd_one.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    shown
}

fn person(principal: &Principal) -> Map<String, Value> {
    let fields = [
        ("principal", principal.as_str()),
        ("platform", principal.platform()),
        ("account", principal.account().name()),
        ("user", principal.id()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn with(mut object: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        object.extend(more);
    }
    Value::Object(object)
}

/// A pairing request, without its code.
pub(crate) fn pairing(row: &PairingRow) -> Value {
    let more = json!({
        "id": row.id,
        "shown": row.sender.as_deref().map(escaped),
        "address": row.address.as_str(),
        "asked": time(row.created),
        "expires": time(row.expires),
    });
    with(person(&row.principal), more)
}

pub(crate) fn access(view: &AccessView) -> Value {
    json!({
        "access": view.entries.iter().map(entry).collect::<Vec<_>>(),
        "configured": view.configured.iter().map(configured).collect::<Vec<_>>(),
        "blocked": view.blocked.iter().map(|row| with(person(&row.principal), json!({
            "source": row.source, "by": row.by, "created": time(row.created),
        }))).collect::<Vec<_>>(),
        "chats": view.chats.iter().map(chat).collect::<Vec<_>>(),
        "stopped": view.stopped.iter().map(|row| json!({
            "channel": row.account.channel(), "account": row.account.name(), "by": row.by, "at": time(row.at),
        })).collect::<Vec<_>>(),
    })
}

fn entry(entry: &AccessEntry) -> Value {
    let more = json!({
        "scope": entry.scope.name(),
        "source": entry.source,
        "by": entry.by,
        "shown": entry.shown.as_deref().map(escaped),
        "created": entry.created.map(time),
    });
    with(person(&entry.principal), more)
}

fn configured(allowed: &ConfiguredAccess) -> Value {
    let (who, id) = match &allowed.who {
        AllowedGroup::Everybody => ("everybody", None),
        AllowedGroup::Role(role) => ("role", Some(role)),
        AllowedGroup::Person(id) => ("person", Some(id)),
        AllowedGroup::Bot(id) => ("bot", Some(id)),
    };
    json!({
        "platform": allowed.account.channel(),
        "account": allowed.account.name(),
        "who": who,
        "id": id,
        "may": match allowed.may {
            AllowedAction::Write => "write",
            AllowedAction::Moderate => "moderate",
        },
        "scope": allowed.scope.as_ref().map(Scope::name),
    })
}

fn chat(row: &ChatRow) -> Value {
    json!({
        "chat": row.chat.as_str(),
        "allowed": row.allowed,
        "muted_until": row.muted_until.map(time),
        "by": row.by,
        "updated": time(row.updated),
    })
}

pub(crate) fn audit(row: &AuditRow) -> Value {
    json!({
        "id": row.id,
        "at": time(row.at),
        "by": row.by,
        "via": row.via,
        "action": row.action,
        "subject": escaped(&row.subject),
        "outcome": row.outcome,
    })
}

pub(crate) fn account(account: &Account) -> Value {
    json!({
        "channel": account.id.channel(),
        "account": account.id.name(),
        "ready": account.ready,
        "state": match &account.stopped {
            Some(by) => format!("stopped by {}", escaped(by)),
            None if account.ready => "ready".to_owned(),
            None if account.refused => "token refused".to_owned(),
            None => "not ready".to_owned(),
        },
        "since": time(account.since),
        "last_heard": account.last_heard.map(time),
        "error": account.error,
    })
}

/// An account for callers without a token: only whether it is ready.
pub(crate) fn account_in_public(account: &Account) -> Value {
    json!({"channel": account.id.channel(), "account": account.id.name(), "ready": account.ready})
}

pub(crate) fn status(status: &Status) -> Value {
    let agents = status.agents.iter().map(|agent| {
        json!({
            "name": agent.name,
            "running": agent.running,
            "problem": agent.problem,
            "failover": agent.failover.as_ref().map(failover),
        })
    });
    let problems = status.problems();
    json!({
        "status": if problems.is_empty() { "ok" } else { "degraded" },
        "reasons": problems,
        "version": env!("CARGO_PKG_VERSION"),
        "started": time(status.started),
        "boot": status.boot,
        "accounts": status.accounts.iter().map(account).collect::<Vec<_>>(),
        "agents": agents.collect::<Vec<_>>(),
        "totals": totals(&status.totals),
        "tasks": status.tasks,
        "jobs": status.jobs,
        "next_run": status.next_run.map(time),
        "today": status.today.iter().map(spent).collect::<Vec<_>>(),
    })
}

/// The models or agents that may answer, in their order, and the one that does.
pub(crate) fn failover(failover: &Failover) -> Value {
    let candidates = failover.candidates.iter().map(|candidate| {
        let (why, left) = match &candidate.state {
            CandidateState::Working => (None, None),
            CandidateState::Paused { why, left } => (Some(why), Some(left.as_secs())),
            CandidateState::Probing { why } => (Some(why), None),
        };
        json!({
            "name": candidate.name,
            "place": candidate.place,
            "state": candidate.state.name(),
            "reason": why,
            "retry_in_seconds": left,
            "pauses": candidate.pauses,
        })
    });
    json!({
        "answering": failover.answering().map(|candidate| &candidate.name),
        "candidates": candidates.collect::<Vec<_>>(),
    })
}

fn totals(totals: &Totals) -> Value {
    json!({
        "sessions": totals.sessions,
        "waiting": totals.waiting,
        "running": totals.running,
        "asks": totals.asks,
        "outbox": totals.outbox,
        "dead_parts": totals.dead_parts,
        "dead_letters": totals.dead_letters,
        "dead_letters_deleted": totals.dead_letters_deleted,
        "oldest_waiting": totals.oldest_waiting.map(time),
        "oldest_part": totals.oldest_part.map(time),
    })
}

/// Turns, tokens and cost of one agent on one day, as JSON.
fn spent(row: &SpentRow) -> Value {
    json!({
        "agent": row.subject,
        "turns": row.spent.turns,
        "input_tokens": row.spent.input,
        "output_tokens": row.spent.output,
        "cost_micro": row.spent.cost_micro,
    })
}

/// A dead letter without its content.
pub(crate) fn dead_letter(row: &DeadLetterRow) -> Value {
    json!({
        "id": row.id,
        "source": row.source,
        "event": row.event_id,
        "session": row.session.as_ref().map(|key| key.as_str()),
        "kind": row.kind,
        "reason": escaped(&row.reason),
        "size": row.size,
        "received": time(row.received),
    })
}

pub(crate) fn session(row: &SessionRow) -> Value {
    json!({
        "key": row.key.as_str(),
        "agent": row.key.agent(),
        "channel": row.key.channel(),
        "account": row.key.account().name(),
        "scope": row.key.scope().name(),
        "id": row.key.id(),
        "thread": row.key.thread(),
        "address": row.address.as_str(),
        "epoch": row.epoch,
        "last_epoch": row.last_epoch,
        "last_user_at": row.last_user_at.map(time),
        "seq": row.seq,
        "created": time(row.created),
        "title": row.title,
        "archived": row.archived.map(time),
        "waiting": row.waiting,
        "running": row.running.map(|turn| turn.to_string()),
    })
}

/// A session with what its agent has reported of the current conversation.
pub(crate) fn session_status(status: &SessionStatus) -> Value {
    let SessionStatus { session: row, model, thinking, usage: used, .. } = status;
    let mut shown = session(row);
    shown["model"] = model.value.as_deref().into();
    shown["thinking"] = thinking.value.as_deref().into();
    shown["options"] = json!({"model": row.options.model, "thinking": row.options.thinking});
    shown["usage"] = used.last.as_ref().map(usage).into();
    shown["usage_total"] = usage_total(&used.total);
    shown["queue"] = json!({
        "mode": status.queue_mode.name(),
        "chosen": row.queue_mode.map(QueueMode::name),
    });
    shown["failover"] = status.failover.as_ref().map(failover).into();
    shown
}

fn usage_total(total: &UsageTotal) -> Value {
    json!({
        "answers": total.answers,
        "input": total.input,
        "output": total.output,
        "cache_read": total.cache_read,
        "cache_write": total.cache_write,
        "cost_micro": total.cost_micro,
    })
}

pub(crate) fn epoch(row: &EpochRow) -> Value {
    json!({
        "epoch": row.n,
        "started": time(row.started),
        "ended": row.ended.map(time),
        "reason": row.reason.to_string(),
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
        "principal": message.from.id.as_str(),
        "sender": message.from.name,
        "received": time(message.received),
        "disposition": message.disposition.name(),
        "state": message.state.name(),
        "reason": message.reason.map(|reason| reason.to_string()),
        "text": message.text,
        "attachments": (0..).zip(&message.attachments).map(|(n, file)| {
            let mut file = attachment::shown(file);
            file["transcript"] = row.transcripts.get(&n).cloned().into();
            file
        }).collect::<Vec<_>>(),
        "answer": row.answer,
        "answer_end": row.turn_state.filter(|state| *state == TurnState::Done).map(|_| row.end.name()),
        "turn": message.turn.map(|turn| turn.to_string()),
        "turn_state": row.turn_state.map(TurnState::name),
        "error": row.error.map(|error| error.to_string()),
        "usage": row.usage.as_ref().map(usage),
    })
}

/// A message that waits, as JSON.
pub(crate) fn waiting(waiting: &WaitingMessage) -> Value {
    let message = &waiting.message;
    json!({
        "message": message.id.to_string(),
        "principal": message.from.id.as_str(),
        "sender": message.from.name,
        "received": time(message.received),
        "text": message.text,
        "attachments": message.attachments.len(),
    })
}

/// The usage of a turn, as JSON.
pub(crate) fn usage(usage: &Usage) -> Value {
    let mut all = usage_numbers(usage);
    all["model"] = usage.model.as_deref().into();
    all
}

/// The usage of a turn without the model's name.
pub(crate) fn usage_numbers(usage: &Usage) -> Value {
    json!({
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "cost_micro": usage.cost_micro,
        "context_used": usage.context_used,
        "context_window": usage.context_window,
    })
}

pub(crate) fn part(row: &OutboxRow) -> Value {
    let post = &row.post;
    json!({
        "id": post.out.to_string(),
        "to": row.address.as_str(),
        "session": post.about.session.as_ref().map(|key| key.as_str()),
        "message": post.about.messages.last().map(ToString::to_string),
        "kind": post.kind.name(),
        "act": row.act.name(),
        "seq": post.seq,
        "text": post.part.plain,
        "state": row.state.name(),
        "attempts": row.attempts,
        "next_at": time(row.next_at),
        "platform_message": row.platform_message,
        "error": row.error,
        "created": time(row.created),
        "held_until": (row.state == OutboxState::Queued).then_some(row.held_until).flatten().map(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_change_how_the_line_around_it_reads() {
        assert_eq!(escaped("Anna Müller 🦊"), "Anna Müller 🦊");
        assert_eq!(escaped("a\u{202e}b\u{200b}c\u{1b}[2J\n"), "a\\u{202e}b\\u{200b}c\\u{1b}[2J\\u{a}");
        assert_eq!(escaped("\\u{202e}"), "\\\\u{202e}", "nobody writes what looks escaped");
        assert_eq!(escaped(&"x".repeat(500)).chars().count(), NAME + 1);
    }
}
