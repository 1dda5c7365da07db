//! `/sessions`: the earlier conversations of this chat.

use chrono::{DateTime, Utc};
use frontdesk_core::count::counted;
use frontdesk_core::span;
use frontdesk_core::visible::quoted;
use frontdesk_store::StoreError;
use frontdesk_store::row::{EpochRow, InboundRow};

use super::Plan;
use crate::shared::Shared;

/// Conversations on one page: as many as a phone shows without scrolling.
const PAGE: u32 = 8;
/// How much of a conversation's first message is shown.
const OPENING: usize = 60;

pub(super) async fn plan(shared: &Shared, row: &InboundRow, page: u32) -> Result<Plan, StoreError> {
    let Some(session) = shared.store.session(&row.session).await? else {
        return Ok(Plan::say("There is no conversation here yet. Just write something."));
    };
    let skipped = u64::from(page.saturating_sub(1)) * u64::from(PAGE);
    let Some(before) = (session.last_epoch + 1).checked_sub(skipped).filter(|before| *before > 1) else {
        return Ok(Plan::say("This page is empty. Send /sessions for the first page."));
    };
    let epochs = shared.store.epochs(&row.session, Some(before), PAGE).await?;
    let now = shared.time.wall();
    let lines: Vec<String> = epochs.iter().map(|epoch| line(epoch, session.epoch, now)).collect();
    let oldest = epochs.last().map_or(1, |epoch| epoch.n);
    let more = match oldest > 1 {
        true => format!("\n\nSend /sessions {} for earlier ones.", page.max(1) + 1),
        false => String::new(),
    };
    Ok(Plan::say(format!(
        "{}\n\nSend /resume and a number to return to that conversation.{more}",
        lines.join("\n")
    )))
}

fn line(epoch: &EpochRow, current: u64, now: DateTime<Utc>) -> String {
    let here = if epoch.n == current { " (this one)" } else { "" };
    let opening = quoted(epoch.first_text.as_deref().unwrap_or_default(), OPENING);
    let started = span::relative(epoch.started, now);
    format!("- {}{here}, {started}, {}: {opening}", epoch.n, counted(epoch.messages, "message"))
}
