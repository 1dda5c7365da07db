//! How the gateway stands, in a few lines.

use frontdesk_core::access::DmPolicy;
use frontdesk_core::count::{self, counted};
use frontdesk_store::StoreError;
use frontdesk_store::row::InboundRow;

use crate::shared::Shared;

/// Sessions that are listed.
const SESSIONS: u32 = 10;

pub(super) async fn status(shared: &Shared) -> Result<String, StoreError> {
    let totals = shared.store.totals().await?;
    let asking = shared.store.pairing_requests(shared.now().steady).await?.len();
    let mut lines = vec![format!(
        "Running since {}. Sessions: {}. Waiting: {}. Turns: {}. To send: {}. Dead: {}.",
        shared.started.format("%Y-%m-%d %H:%M UTC"),
        totals.sessions,
        // This command is one of them until it is answered.
        totals.waiting.saturating_sub(1),
        totals.running,
        totals.outbox,
        totals.dead_parts
    )];
    for account in shared.adapters.list() {
        let state = match (&account.stopped, account.ready, &account.error) {
            (Some(_), ..) => "disconnected by an admin".to_owned(),
            (None, true, _) => "connected".to_owned(),
            (None, false, _) if account.refused => "token refused".to_owned(),
            (None, false, Some(error)) => format!("not connected: {error}"),
            (None, false, None) => "not connected".to_owned(),
        };
        lines.push(format!("- `{}@{}` {state}", account.channel, account.account));
    }
    for (name, entry) in &shared.agents {
        if let Some(problem) = entry.agent.problem() {
            lines.push(format!("- agent `{name}` cannot answer: {problem}"));
        }
    }
    match totals.dead_letters {
        0 => {}
        1 => lines.push("1 event could not be read: `frontdesk dead-letters` shows it.".to_owned()),
        n => lines.push(format!("{n} events could not be read: `frontdesk dead-letters` shows them.")),
    }
    match asking {
        0 => {}
        1 => lines.push("1 person asks to be let in.".to_owned()),
        n => lines.push(format!("{n} people ask to be let in.")),
    }
    if let Some(fault) = shared.storage.fault() {
        lines.push(format!("The database does not take writes: {fault}"));
    }
    Ok(lines.join("\n"))
}

pub(super) async fn sessions(shared: &Shared) -> Result<String, StoreError> {
    let total = shared.store.totals().await?.sessions;
    let rows = shared.store.sessions(None, None, SESSIONS).await?;
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let doing = match (row.running, row.waiting) {
                (None, 0) => String::new(),
                (None, waiting) => format!(", {waiting} wait"),
                (Some(_), 0) => ", answering".to_owned(),
                (Some(_), waiting) => format!(", answering, {waiting} wait"),
            };
            format!("- `{}` ({}){doing}", row.key, row.epoch)
        })
        .collect();
    let more = match total > u64::from(SESSIONS) {
        true => format!("\n\n{total} in all; `frontdesk sessions` lists them."),
        false => String::new(),
    };
    if lines.is_empty() {
        Ok("There are no sessions yet.".to_owned())
    } else {
        Ok(format!("{}{more}", lines.join("\n")))
    }
}

/// What the operator wrote about this account. Nothing in it is secret.
pub(super) fn config(shared: &Shared, row: &InboundRow) -> String {
    let place = (row.session.channel().to_owned(), row.session.account().to_owned());
    let Some(rules) = shared.access.rules(&place) else {
        return "Nothing is configured for this account.".to_owned();
    };
    let policy = match rules.dm_policy {
        DmPolicy::Pairing => "strangers get a code (pairing)",
        DmPolicy::Allowlist => "only those on the list (allowlist)",
        DmPolicy::Open => "everyone (open)",
        DmPolicy::Disabled => "nobody (disabled)",
    };
    let agent = shared.agent_of(&place.0, &place.1, row.session.id());
    format!(
        "`{}@{}`, answered by `{agent}` here.\nPrivate chats: {policy}.\nAllowed by the file: {}, {}, {}.\n`frontdesk config show` has all of it.",
        place.0,
        place.1,
        count::of(rules.allow.len() as u64, "person", "people"),
        counted(rules.admins.len() as u64, "admin"),
        counted(rules.groups.len() as u64, "group")
    )
}
