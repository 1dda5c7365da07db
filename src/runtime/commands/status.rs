//! `/status`: what is happening in this conversation.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::count::counted;
use frontdesk_core::delta::Usage;
use frontdesk_core::failover::{Candidate, CandidateState, Failover};
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::span;
use frontdesk_core::visible::quoted;
use frontdesk_store::StoreError;
use frontdesk_store::row::InboundRow;

use super::{Plan, answer};
use crate::shared::Shared;

/// How much of a model's name is shown.
const MODEL: usize = 60;

pub(super) async fn plan(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let Some(session) = shared.store.session(&row.session).await? else {
        return Ok(Plan::say("There is no conversation here yet. Just write something."));
    };
    let (settings, now) = (shared.settings(), shared.time.wall());
    let begun = shared.store.epochs(&row.session, Some(session.epoch + 1), 1).await?;
    let since = begun.first().map_or(session.created, |epoch| epoch.started);
    let asks = shared.store.open_asks_in_chat(&row.session).await?;
    let running = session.running.is_some() || shared.work.running.is_any_in_chat(&row.session);
    let asked = asks.iter().any(|ask| ask.turn.is_some());
    let mut lines = vec![
        activity(running, asked, session.waiting),
        format!("This is conversation {}, started {}.", session.epoch, span::relative(since, now)),
        end(&shared.reset_policy(&settings, &row.session), session.last_user_at, now),
    ];
    if let Some(usage) = shared.store.last_usage(&row.session, session.epoch).await? {
        lines.extend(used(&usage));
    }
    let agent = settings.agents.get(row.session.agent());
    if let Some(failover) =
        agent.and_then(|entry| entry.agent.failover(Some((&row.session, &session.options))))
    {
        lines.extend(models(&failover));
    }
    lines.extend(asks.iter().map(|ask| answer::line(ask, shared.time.now().steady)));
    if settings.config.limits.daily > 0 {
        let used = shared.store.quota_used(&row.from.id, settings.quota_day(now)).await?;
        lines.push(format!(
            "You have sent {used} of {} today.",
            counted(settings.config.limits.daily.into(), "message")
        ));
    }
    Ok(Plan::say(lines.join("\n")))
}

/// Which of several models or agents answer, and why others do not.
fn models(failover: &Failover) -> Vec<String> {
    let name = |candidate: &Candidate| quoted(&candidate.name, MODEL);
    let mut lines = Vec::new();
    for candidate in &failover.candidates {
        let name = name(candidate);
        match &candidate.state {
            CandidateState::Working => {}
            CandidateState::Paused { why, left } if left.is_zero() => {
                lines.push(format!("{name} has failed ({why}). The next message may try it again."));
            }
            CandidateState::Paused { why, left } => {
                let left = TimeDelta::from_std(*left).unwrap_or(TimeDelta::MAX);
                lines
                    .push(format!("{name} has failed ({why}) and is tried again in {}.", span::length(left)));
            }
            CandidateState::Probing { why } => {
                lines.push(format!("{name} has failed ({why}) and is being tried again."));
            }
        }
    }
    if let Some(answering) = failover.answering() {
        let others = failover.candidates.len() - 1;
        let role = match failover.answering {
            0 => format!("with {} behind it", counted(others as u64, "fallback")),
            _ => format!("in place of {}", failover.candidates.first().map_or_else(String::new, name)),
        };
        lines.push(format!("{} answers here, {role}.", name(answering)));
    }
    lines
}

/// What the last answer cost, as far as the agent reports it.
fn used(usage: &Usage) -> Vec<String> {
    let mut lines = Vec::new();
    let tokens = [(usage.input, "read"), (usage.output, "wrote")];
    let tokens: Vec<String> = tokens
        .iter()
        .filter_map(|(count, did)| count.map(|count| format!("{did} {}", counted(count, "token"))))
        .collect();
    let model = usage.model.as_ref().map(|model| format!(" ({})", quoted(model, MODEL))).unwrap_or_default();
    if !tokens.is_empty() {
        lines.push(format!("The last answer{model} {}{}.", tokens.join(" and "), cost(usage.cost_micro)));
    }
    match (usage.context_used, usage.context_window) {
        (Some(used), Some(window @ 1..)) => lines.push(format!(
            "The agent's context is {} % full ({used} of {window} tokens).",
            used.saturating_mul(100) / window
        )),
        (Some(used), _) => lines.push(format!("The agent's context has {}.", counted(used, "token"))),
        _ => {}
    }
    lines
}

/// The cost in whole units of its currency, which only the agent knows.
fn cost(micro: Option<u64>) -> String {
    micro.map(|micro| format!(" for {}.{:06}", micro / 1_000_000, micro % 1_000_000)).unwrap_or_default()
}

/// What the agent does; with `asked` it may have a question open.
fn activity(running: bool, asked: bool, waiting: u64) -> String {
    let does = if asked { "The agent waits for an answer." } else { "The agent is answering." };
    match (running, waiting) {
        (true, 0) => does.to_owned(),
        (true, waiting) => format!("{does} {} in the queue.", counted(waiting, "message")),
        (false, 0) => "Nothing is running or waiting.".to_owned(),
        (false, waiting) => format!("{} in the queue.", counted(waiting, "message")),
    }
}

/// When the conversation ends by itself.
fn end(policy: &ResetPolicy, last_user_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let Some(last_user_at) = last_user_at else {
        return "It has no message for the agent yet. The time until it ends by itself begins with the first one."
            .to_owned();
    };
    let left = |at: DateTime<Utc>| span::length((at - now).max(TimeDelta::zero()));
    let after_silence =
        |at| format!("If you write nothing for {}, your next message starts a new one.", left(at));
    match (policy.next_boundary(now), policy.idle_deadline(last_user_at)) {
        (None, None) => "It goes on until you send /new.".to_owned(),
        (None, Some(idle)) => after_silence(idle),
        (Some(daily), Some(idle)) if idle < daily => after_silence(idle),
        (Some(daily), _) => format!("It ends in {}; your next message then starts a new one.", left(daily)),
    }
}
