//! `/status`: what is happening in this conversation.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::count::counted;
use frontdesk_core::failover::{Candidate, CandidateState, Failover};
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::span;
use frontdesk_core::visible::{quoted, quoted_label};
use frontdesk_store::StoreError;
use frontdesk_store::row::{EpochUsage, InboundRow};

use super::{Plan, answer, background};
use crate::session_status::{OptionStatus, SessionStatus};
use crate::shared::Shared;

/// How much of a model's name is shown.
const MODEL: usize = 60;

pub(super) async fn plan(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let role = shared.role_of(&shared.settings(), &row.session, std::iter::once(row));
    let Some(status) = shared.session_status(&row.session, role.as_deref()).await? else {
        return Ok(Plan::say("There is no conversation here yet. Just write something."));
    };
    let (settings, now, session) = (shared.settings(), shared.time.wall(), &status.session);
    let asks = shared.store.open_asks_in_chat(&row.session).await?;
    let running = session.running.is_some() || shared.work.running.is_any_in_chat(&row.session);
    let asked = asks.iter().any(|ask| ask.turn.is_some());
    let mut lines = vec![
        activity(running, asked, session.waiting),
        format!("This is conversation {}, started {}.", session.epoch, span::relative(status.started, now)),
        end(&shared.reset_policy(&settings, &row.session), session.last_user_at, now),
        agent(&status),
    ];
    lines.extend(shares(shared, row));
    lines.extend(used(&status.usage));
    lines.extend(status.failover.iter().flat_map(models));
    let asks = asks.iter().filter(|ask| !ask.is_menu);
    lines.extend(asks.map(|ask| answer::line(ask, shared.time.now().steady)));
    lines.extend(background::open(shared, row).await?);
    if settings.config.limits.daily > 0 {
        let used = shared.store.quota_used(&row.from.id, settings.quota_day(now)).await?;
        lines.push(format!(
            "You have sent {used} of {} today.",
            counted(settings.config.limits.daily.into(), "message")
        ));
    }
    Ok(Plan::say(lines.join("\n")))
}

/// With which other private chats this one shares its conversation.
fn shares(shared: &Shared, row: &InboundRow) -> Option<String> {
    let own = row.own_session();
    let others: Vec<String> = match shared.access.link(own) {
        Some(link) => vec![quoted_label(link.other.as_str())],
        None => {
            let linked = shared.access.linked_to(own);
            linked.iter().map(|link| quoted_label(link.principal.as_str())).collect()
        }
    };
    (!others.is_empty()).then(|| {
        format!(
            "It is shared with the private chat of {}; to separate them, send `/link off`.",
            others.join(" and of ")
        )
    })
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

/// The agent, and the model and the level of thinking with which it answers next.
fn agent(status: &SessionStatus) -> String {
    let option = |what: &str, option: &OptionStatus| {
        let chosen = if option.chosen { " (chosen here)" } else { "" };
        let value = option.value.as_ref();
        value.map(|value| format!(", {what} {}{chosen}", quoted(value, MODEL))).unwrap_or_default()
    };
    let gone = |what: &str, option: &OptionStatus| {
        let gone = option.gone.as_ref();
        gone.map(|gone| {
            format!(" The {what} {} was chosen here and is not offered any more.", quoted(gone, MODEL))
        })
        .unwrap_or_default()
    };
    let held = option("model", &status.model) + &option("thinking", &status.thinking);
    let gone = gone("model", &status.model) + &gone("level of thinking", &status.thinking);
    format!("Agent: {}{held}.{gone}", status.session.key.agent())
}

/// What the last answer and all of them together cost, as far as the agent reports it, and how full its context is.
fn used(usage: &EpochUsage) -> Vec<String> {
    let EpochUsage { last, total } = usage;
    let Some(last) = last else { return Vec::new() };
    let mut lines = Vec::new();
    let model = last.model.as_ref().map(|model| format!(" ({})", quoted(model, MODEL))).unwrap_or_default();
    if let Some(tokens) = tokens(last.input, last.output) {
        lines.push(format!("The last answer{model} {tokens}{}.", cost(last.cost_micro)));
    }
    let is_more = (total.input, total.output) != (last.input, last.output);
    if let Some(tokens) = tokens(total.input, total.output).filter(|_| is_more) {
        lines.push(format!("The whole conversation {tokens}{}.", cost(total.cost_micro)));
    }
    match (last.context_used, last.context_window) {
        (Some(used), Some(window @ 1..)) => lines.push(format!(
            "The agent's context is {} % full ({used} of {window} tokens).",
            used.saturating_mul(100) / window
        )),
        (Some(used), _) => lines.push(format!("The agent's context has {}.", counted(used, "token"))),
        _ => {}
    }
    lines
}

fn tokens(input: Option<u64>, output: Option<u64>) -> Option<String> {
    let one = |count: Option<u64>, did| count.map(|count| format!("{did} {}", counted(count, "token")));
    let both = [one(input, "read"), one(output, "wrote")].into_iter().flatten().collect::<Vec<_>>();
    (!both.is_empty()).then(|| both.join(" and "))
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
