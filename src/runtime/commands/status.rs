//! `/status`: what is happening in this conversation.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::count::counted;
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::span;
use frontdesk_store::StoreError;
use frontdesk_store::row::{InboundRow, SessionRow};

use super::Plan;
use crate::shared::Shared;

pub(super) async fn plan(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let Some(session) = shared.store.session(&row.session).await? else {
        return Ok(Plan::say("There is no conversation here yet. Just write something."));
    };
    let (settings, now) = (shared.settings(), shared.time.wall());
    let begun = shared.store.epochs(&row.session, Some(session.epoch + 1), 1).await?;
    let since = begun.first().map_or(session.created, |epoch| epoch.started);
    let mut lines = vec![
        activity(&session),
        format!("This is conversation {}, started {}.", session.epoch, span::relative(since, now)),
        end(&shared.reset_policy(&settings, &row.session), session.last_user_at, now),
    ];
    if settings.config.limits.daily > 0 {
        let used = shared.store.quota_used(&row.from.id, settings.quota_day(now)).await?;
        lines.push(format!(
            "You have sent {used} of {} today.",
            counted(settings.config.limits.daily.into(), "message")
        ));
    }
    Ok(Plan::say(lines.join("\n")))
}

fn activity(session: &SessionRow) -> String {
    match (session.running.is_some(), session.waiting) {
        (true, 0) => "The agent is answering.".to_owned(),
        (true, waiting) => format!("The agent is answering. {} in the queue.", counted(waiting, "message")),
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
