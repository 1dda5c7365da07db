//! `/gateway`: what admins can do from their phone. Each request is answered in a few lines, and leaves a line in the
//! audit in the transaction of its effect.

mod account;
mod people;
mod show;

use frontdesk_core::access::{Action, Context, Decision, Who};
use frontdesk_core::command::Gateway;
use frontdesk_core::command::gateway::USAGES;
use frontdesk_core::key::Scope as KeyScope;
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, Author, CommandEffect, CommandFacts, InboundRow};

use super::Plan;
use crate::desk::Lifecycle;
use crate::house::House;

pub(super) async fn plan(
    house: &House,
    row: &InboundRow,
    request: Option<Gateway>,
) -> Result<Plan, StoreError> {
    let Some(request) = request else { return Ok(usage(house, row)) };
    if !may_administer(house, row) {
        return Ok(refused(row, &request));
    }
    let noted = |text: String| note(row, &request, "done", text);
    Ok(match &request {
        Gateway::Status => noted(show::status(house).await?),
        Gateway::Sessions => noted(show::sessions(house).await?),
        Gateway::Tasks => noted("There are no background tasks yet: this version runs none.".to_owned()),
        Gateway::Config => noted(show::config(house, row)),
        Gateway::Pair { code } => people::code(row, &request, code, true),
        Gateway::Deny { code } => people::code(row, &request, code, false),
        Gateway::Allow { platform, user, here } => people::allow(house, row, &request, platform, user, *here),
        Gateway::Revoke { platform, user } => people::revoke(house, row, &request, platform, user),
        Gateway::AllowHere => people::serve(house, row, &request, true),
        Gateway::DenyHere => people::serve(house, row, &request, false),
        Gateway::Mute { minutes } => people::mute(house, row, Some(*minutes)),
        Gateway::Unmute => people::mute(house, row, None),
        Gateway::Start { what } => account::switch(house, row, &request, what.as_deref(), false),
        Gateway::Stop { what } => account::switch(house, row, &request, what.as_deref(), true),
        Gateway::Restart => noted("Restarting. Nothing that was accepted is lost.".to_owned()),
    })
}

/// What the whole process is to do, once the command's end is stored.
pub(super) fn lifecycle(request: &Gateway) -> Option<Lifecycle> {
    match request {
        Gateway::Restart => Some(Lifecycle::Restart),
        Gateway::Stop { what: None } => Some(Lifecycle::Stop),
        _ => None,
    }
}

/// Whether the command's sender may administer: asked when it is carried out, not when it came.
pub(crate) fn may_administer(house: &House, row: &InboundRow) -> bool {
    let context = match row.session.scope() {
        KeyScope::Dm => Context::Dm,
        _ => Context::Group(row.session.id()),
    };
    let who = Who { principal: &row.principal, speaker: row.speaker, roles: &row.roles };
    house.authorize(who, context, Action::Administer) == Decision::Allow
}

fn usage(house: &House, row: &InboundRow) -> Plan {
    if !may_administer(house, row) {
        return Plan::say("Only admins may look after the gateway.");
    }
    let lines: Vec<String> = USAGES.iter().map(|usage| format!("- `/gateway {usage}`")).collect();
    Plan::say(lines.join("\n"))
}

fn refused(row: &InboundRow, request: &Gateway) -> Plan {
    note(row, request, "refused:not_admin", "Only admins may look after the gateway.".to_owned())
}

/// A reply whose only effect is the audit's line.
fn note(row: &InboundRow, request: &Gateway, outcome: &str, text: String) -> Plan {
    let change = AccessChange::Note {
        action: format!("gateway {}", request.name()),
        subject: row.address.to_string(),
        outcome: outcome.to_owned(),
    };
    changing(row, change, move |_| text)
}

/// A change of who may speak, and its reply.
fn changing(
    row: &InboundRow,
    change: AccessChange,
    reply: impl FnOnce(&CommandFacts) -> String + Send + 'static,
) -> Plan {
    let author = Author { name: row.principal.to_string(), via: "chat" };
    Plan { effect: CommandEffect::Access { change: Box::new(change), author }, reply: Box::new(reply) }
}
