//! `/gateway status`, `sessions` and `config`: the state of the gateway in a few lines.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use frontdesk_core::access::DmPolicy;
use frontdesk_core::budget::Measure;
use frontdesk_core::count::{self, counted};
use frontdesk_core::key::Scope;
use frontdesk_core::span;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::StoreError;
use frontdesk_store::row::{InboundRow, SessionRow, SpentRow, Totals};

use crate::adapters::Account;
use crate::shared::Shared;

/// How many sessions are listed.
const SESSIONS: u32 = 10;

pub(super) async fn status(shared: &Shared) -> Result<String, StoreError> {
    let totals = shared.store.totals().await?;
    let accounts = shared.adapters.list();
    let fault = shared.health.fault();
    let settings = shared.settings();
    let agents: Vec<(&String, String)> =
        settings.agents.iter().filter_map(|(name, entry)| Some((name, entry.agent.problem()?))).collect();
    let mut lines = vec![
        headline(&accounts, fault.is_some(), !agents.is_empty()),
        format!(
            "Started {}, {} so far.",
            span::relative(shared.process.started, shared.time.wall()),
            counted(totals.sessions, "session")
        ),
        work(&totals),
        today(&shared.spent_today(&settings).await?),
    ];
    lines.extend(background(shared).await?);
    lines.extend(accounts.iter().filter_map(account_problem));
    lines.extend(
        agents
            .into_iter()
            .map(|(name, problem)| format!("Agent `{name}` cannot answer: {}", quoted_label(&problem))),
    );
    lines.extend(fault.map(|fault| format!("The database does not take writes: {}", quoted_label(&fault))));
    lines.extend(shared.last_check.found());
    if totals.dead_parts > 0 {
        let parts = counted(totals.dead_parts, "message");
        lines.push(format!("{parts} could not be delivered. On the machine, `frontdesk outbox` lists them."));
    }
    if totals.dead_letters > 0 {
        let events = counted(totals.dead_letters, "event");
        lines.push(format!(
            "{events} could not be read. On the machine, `frontdesk dead-letters` lists them."
        ));
    }
    match shared.store.pairing_requests(shared.time.now().steady).await?.len() as u64 {
        0 => {}
        1 => lines.push("1 person asks for access: `/gateway pair CODE` allows them.".to_owned()),
        n => lines.push(format!("{n} people ask for access: `/gateway pair CODE` allows one of them.")),
    }
    Ok(lines.join("\n"))
}

/// The first line: whether everything works, and how many platforms are connected. A platform that an admin has
/// stopped does not count.
fn headline(accounts: &[Account], storage_fails: bool, agent_fails: bool) -> String {
    let wanted: Vec<&Account> = accounts.iter().filter(|account| account.stopped.is_none()).collect();
    let channels = |ready: bool| {
        let of = wanted.iter().filter(|account| account.ready || !ready).map(|account| account.id.channel());
        of.collect::<BTreeSet<_>>().len() as u64
    };
    let (connected, all) = (channels(true), channels(false));
    if storage_fails || agent_fails || wanted.iter().any(|account| account.refused) {
        format!("🔴 Gateway needs attention ({connected} of {} connected)", counted(all, "platform"))
    } else if wanted.iter().any(|account| !account.ready) {
        format!("🟡 waiting ({connected} of {} connected)", counted(all, "platform"))
    } else {
        format!("🟢 Gateway ({})", counted(connected, "platform"))
    }
}

/// What is being worked on.
fn work(totals: &Totals) -> String {
    // The command that asks waits as well, until it is answered.
    let waiting = totals.waiting.saturating_sub(1);
    let busy = [
        (totals.running, counted(totals.running, "answer") + " in progress"),
        (waiting, counted(waiting, "message") + " waiting"),
        (totals.outbox, counted(totals.outbox, "message") + " to send"),
    ];
    let busy: Vec<String> = busy.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
    if busy.is_empty() {
        "Nothing is running or waiting.".to_owned()
    } else {
        format!("{}.", busy.join(", "))
    }
}

/// Background tasks and scheduled jobs, if there are any.
async fn background(shared: &Shared) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    let tasks = shared.store.open_tasks().await?;
    if tasks > 0 {
        lines.push(format!("{} not ended.", counted(tasks, "background task")));
    }
    let (jobs, next) = shared.store.job_totals().await?;
    if jobs > 0 {
        let next = next.map_or_else(
            || "no run is due".to_owned(),
            |next| format!("the next run {}", span::relative(next, shared.time.wall())),
        );
        lines.push(format!("{}, {next}.", counted(jobs, "scheduled job")));
    }
    Ok(lines)
}

/// What all agents together have used today.
fn today(agents: &[SpentRow]) -> String {
    let sum = |of: Measure| agents.iter().map(|agent| agent.spent.of(of)).fold(0, u64::saturating_add);
    let used = Measure::ALL.into_iter().map(|of| (of, sum(of)));
    let used: Vec<String> =
        used.filter(|(of, n)| *n > 0 || *of == Measure::Turns).map(|(of, n)| of.amount(n)).collect();
    format!("Today: {}.", used.join(", "))
}

/// What is wrong with an account; `None` while it works.
fn account_problem(account: &Account) -> Option<String> {
    let name = &account.id;
    if account.stopped.is_some() {
        return Some(format!("`{name}` was stopped by an admin. `/gateway start {name}` starts it again."));
    }
    if account.ready {
        return None;
    }
    Some(match (account.refused, &account.error) {
        (true, _) => {
            format!(
                "`{name}`: the platform refuses the token. Correct it in the configuration, then run `frontdesk config reload` on the machine."
            )
        }
        (false, Some(error)) => format!("`{name}` is not connected: {}", quoted_label(error)),
        (false, None) => format!("`{name}` is connecting."),
    })
}

pub(super) async fn sessions(shared: &Shared) -> Result<String, StoreError> {
    let total = shared.store.totals().await?.sessions;
    let rows = shared.store.sessions(None, None, SESSIONS).await?;
    if rows.is_empty() {
        return Ok("There are no sessions yet.".to_owned());
    }
    let now = shared.time.wall();
    let lines: Vec<String> = rows.iter().map(|row| format!("- {}", session(row, now))).collect();
    let more = match total > u64::from(SESSIONS) {
        true => format!("\n\n{total} in all. On the machine, `frontdesk sessions` lists them."),
        false => String::new(),
    };
    Ok(format!("{}{more}", lines.join("\n")))
}

/// One session: where it is, and what happens in it.
fn session(row: &SessionRow, now: DateTime<Utc>) -> String {
    let chat = match row.key.scope() {
        Scope::Dm => "private chat",
        Scope::Group => "group",
        Scope::Channel => "channel",
        Scope::Topic => "topic",
        Scope::Thread => "thread",
        other => other.name(),
    };
    let doing = match (row.running.is_some(), row.waiting) {
        (false, 0) => String::new(),
        (false, waiting) => format!(", {} waiting", counted(waiting, "message")),
        (true, 0) => ", answering".to_owned(),
        (true, waiting) => format!(", answering, {} waiting", counted(waiting, "message")),
    };
    let account = row.key.account();
    let last = row.last_user_at.map_or_else(|| "no message yet".to_owned(), |last| span::relative(last, now));
    format!("{account}, {chat} {}, {last}{doing}", quoted_label(row.key.id()))
}

/// The settings of the account on which the command came. Shows no secret.
pub(super) fn config(shared: &Shared, row: &InboundRow) -> String {
    let account = row.own_session().account();
    let settings = shared.settings();
    let Some(rules) = settings.access.of(account) else {
        return "The configuration says nothing about this account.".to_owned();
    };
    let policy = match rules.dm_policy {
        DmPolicy::Pairing => "unknown people get a code (pairing)",
        DmPolicy::Allowlist => "only people on the list (allowlist)",
        DmPolicy::Open => "everyone (open)",
        DmPolicy::Disabled => "nobody (disabled)",
    };
    let agent = shared.route_of(&settings, &row.session, Some(&row.from.id)).agent;
    format!(
        "`{account}` is answered by the agent `{agent}` here.\nPrivate chats: {policy}.\nThe configuration file allows {}, {} and {}.\nOn the machine, `frontdesk config show` shows everything.",
        count::of(rules.allow.len() as u64, "person", "people"),
        counted(rules.admins.len() as u64, "admin"),
        counted(rules.groups.len() as u64, "group")
    )
}

#[cfg(test)]
mod tests {
    use frontdesk_core::account::AccountId;

    use super::*;

    fn account(channel: &str, ready: bool) -> Account {
        Account {
            id: AccountId::default_of(channel),
            ready,
            since: DateTime::UNIX_EPOCH,
            last_heard: None,
            stopped: None,
            error: None,
            refused: false,
        }
    }

    #[test]
    fn the_first_line_says_how_the_gateway_is() {
        let (web, telegram) = (account("web", true), account("telegram", true));
        let work = Account { id: AccountId::new("telegram", Some("work")).unwrap(), ..telegram.clone() };
        let line = |accounts: &[Account]| headline(accounts, false, false);
        assert_eq!(line(std::slice::from_ref(&web)), "🟢 Gateway (1 platform)");
        assert_eq!(line(&[web.clone(), telegram.clone(), work.clone()]), "🟢 Gateway (2 platforms)");
        let connecting = account("telegram", false);
        assert_eq!(line(&[web.clone(), connecting.clone()]), "🟡 waiting (1 of 2 platforms connected)");
        let stopped = Account { stopped: Some("telegram:1".to_owned()), ..connecting.clone() };
        assert_eq!(line(&[web.clone(), stopped]), "🟢 Gateway (1 platform)");
        let refused = Account { refused: true, ..connecting };
        let red = "🔴 Gateway needs attention (1 of 2 platforms connected)";
        assert_eq!(line(&[web.clone(), refused]), red);
        assert!(headline(std::slice::from_ref(&web), true, false).starts_with("🔴"), "no writes");
        assert!(headline(&[web], false, true).starts_with("🔴"), "an agent that cannot answer");
    }

    #[test]
    fn one_message_is_one_message() {
        let totals = Totals { running: 1, waiting: 2, outbox: 3, ..Totals::default() };
        assert_eq!(work(&totals), "1 answer in progress, 1 message waiting, 3 messages to send.");
        assert_eq!(work(&Totals { waiting: 1, ..Totals::default() }), "Nothing is running or waiting.");
    }
}
