//! `/gateway`: what admins can do from their phone. Each request is answered in a few lines, and leaves an entry in
//! the audit in the transaction of its effect.

mod account;
mod budget;
mod people;
mod show;

use frontdesk_core::access::Action;
use frontdesk_core::command::Gateway;
use frontdesk_core::command::gateway::{Misuse, usages};
use frontdesk_core::key::Scope;
use frontdesk_core::visible::quoted;
use frontdesk_store::StoreError;
use frontdesk_store::row::{AccessChange, AccessDone, Author, CommandEffect, CommandFacts, InboundRow};

use super::button::confirmed_by_button;
use super::{Plan, TYPED, background};
use crate::process::{EMBEDDED, Lifecycle};
use crate::shared::Shared;

/// The reply to a sender who is not an admin.
const NOT_ADMIN: &str = "Only admins may manage the gateway.";

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    request: Option<Gateway>,
) -> Result<Plan, StoreError> {
    let may = shared.still_may(&shared.settings(), row, Action::Administer);
    let Some(request) = request else { return Ok(if may { usage(row) } else { Plan::say(NOT_ADMIN) }) };
    if !may {
        return Ok(note(row, &request, "refused:not_admin", NOT_ADMIN.to_owned()));
    }
    let noted = |text: String| note(row, &request, "done", text);
    Ok(match &request {
        Gateway::Status => noted(show::status(shared).await?),
        Gateway::Sessions => noted(show::sessions(shared).await?),
        Gateway::Tasks => noted(background::of_everybody(shared).await?),
        Gateway::Config => noted(show::config(shared, row)),
        Gateway::Pair { code } => people::code(shared, row, &request, code, true),
        Gateway::Deny { code } => people::code(shared, row, &request, code, false),
        Gateway::Allow { channel, user, here } => people::allow(shared, row, &request, channel, user, *here),
        Gateway::Revoke { channel, user, confirm } => {
            people::revoke(shared, row, &request, channel, user, *confirm)
        }
        Gateway::Block { channel, user } => people::block(shared, row, &request, channel, user),
        Gateway::Unblock { channel, user } => people::unblock(shared, row, &request, channel, user),
        Gateway::AllowHere => people::serve(shared, row, &request, true),
        Gateway::DenyHere => people::serve(shared, row, &request, false),
        Gateway::Mute { minutes } => people::mute(shared, row, &request, *minutes),
        Gateway::Unmute => people::unmute(row, &request),
        Gateway::Budget(wanted) => budget::plan(shared, row, &request, wanted.as_ref()).await?,
        Gateway::Start { what: Some(what) } => account::start(shared, row, &request, what),
        Gateway::Stop { what: Some(what), confirm } => account::stop(shared, row, &request, what, *confirm),
        Gateway::Start { what: None } => noted("The gateway is running.".to_owned()),
        Gateway::Stop { what: None, .. } | Gateway::Reload | Gateway::Restart
            if !shared.process.obeys_admins =>
        {
            note(row, &request, "refused:embedded", EMBEDDED.to_owned())
        }
        Gateway::Stop { what: None, confirm } => stop(shared, row, &request, *confirm),
        Gateway::Restart if shared.process.is_of_earlier_boot(row.id) => {
            noted("The gateway has been started again since you asked.".to_owned())
        }
        Gateway::Reload => Plan {
            lifecycle: Some(Lifecycle::Reload),
            ..noted(
                "The configuration is being read again. If it cannot be used, /gateway status says why."
                    .to_owned(),
            )
        },
        Gateway::Restart => Plan {
            lifecycle: Some(Lifecycle::Restart),
            ..noted("Restarting. No accepted message is lost.".to_owned())
        },
    })
}

/// Stops the whole gateway.
fn stop(shared: &Shared, row: &InboundRow, request: &Gateway, confirm: bool) -> Plan {
    if !confirm {
        let text = "This stops the whole gateway. It can only be started again on the machine it runs on, not from a chat. \
                    To stop it, send `/gateway stop confirm`.";
        let told = note(row, request, "refused:not_confirmed", text.to_owned());
        let button = ("Stop the gateway", "/gateway stop confirm".to_owned());
        return confirmed_by_button(shared, row, told, text, button);
    }
    // The gateway that was to end has ended.
    if shared.process.is_of_earlier_boot(row.id) {
        let text = "The gateway has been started again since you asked, so it is not stopped. Send /gateway stop if it is \
                    still to be stopped.";
        return note(row, request, "refused:started_again", text.to_owned());
    }
    let text = "Stopping. Accepted messages are kept and answered after the next start.".to_owned();
    Plan { lifecycle: Some(Lifecycle::Stop), ..note(row, request, "done", text) }
}

/// The reply to words after `/gateway` that are no request.
pub(super) fn misuse(shared: &Shared, row: &InboundRow, words: &str) -> Plan {
    if !shared.still_may(&shared.settings(), row, Action::Administer) {
        return Plan::say(NOT_ADMIN);
    }
    let (problem, usage) = match Misuse::of(words, is_in_group(row)) {
        Misuse::Unknown { name, nearest } => {
            let name = quoted(name, TYPED);
            return Plan::say(match nearest {
                Some(nearest) => format!(
                    "There is no request {name}. Did you mean `/gateway {nearest}`? /gateway lists all of them."
                ),
                None => format!("There is no request {name}. {}", list(row)),
            });
        }
        Misuse::Missing { argument, usage } => (format!("{argument} is missing."), usage),
        Misuse::Wrong { word: Some(word), usage } => {
            (format!("I do not understand {} here.", quoted(word, TYPED)), usage)
        }
        Misuse::Wrong { word: None, usage } => ("A code is one word.".to_owned(), usage),
    };
    Plan::say(format!("{problem} Please write it like this: `/gateway {usage}`"))
}

fn usage(row: &InboundRow) -> Plan {
    Plan::say(list(row))
}

/// The requests that can be sent from this chat.
fn list(row: &InboundRow) -> String {
    let lines: Vec<String> =
        usages(is_in_group(row)).map(|usage| format!("- `{}`: {}", usage.words, usage.help)).collect();
    format!("Send /gateway and one of these:\n\n{}", lines.join("\n"))
}

fn is_in_group(row: &InboundRow) -> bool {
    row.session.scope() != Scope::Dm
}

/// A reply whose only effect is the entry in the audit.
fn note(row: &InboundRow, request: &Gateway, outcome: &str, text: String) -> Plan {
    let change = AccessChange::Note {
        action: request.action().to_owned(),
        subject: subject(request).unwrap_or_else(|| row.address.to_string()),
        outcome: outcome.to_owned(),
    };
    changing(row, change, move |_| text.clone())
}

/// Whom or what a request is about. `None` for the chat in which it was sent, and for words that are no id: nobody has chosen
/// to have them in the audit.
fn subject(request: &Gateway) -> Option<String> {
    let is_id = |word: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_@./:".contains(&byte);
        (1..=64).contains(&word.len()) && word.bytes().all(plain)
    };
    let subject = match request {
        Gateway::Allow { channel, user, .. }
        | Gateway::Revoke { channel, user, .. }
        | Gateway::Block { channel, user }
        | Gateway::Unblock { channel, user } => format!("{channel}:{user}"),
        Gateway::Start { what: Some(what) } | Gateway::Stop { what: Some(what), .. } => what.clone(),
        _ => return None,
    };
    is_id(&subject).then_some(subject)
}

/// A change of who may write, and its reply.
fn changing(
    row: &InboundRow,
    change: AccessChange,
    reply: impl Fn(&CommandFacts) -> String + Send + 'static,
) -> Plan {
    let author = Author { name: row.from.id.to_string(), via: "chat" };
    Plan::new(CommandEffect::Access { change: Box::new(change), author }, reply)
}

/// The result of a change of who may write.
fn access(facts: &CommandFacts) -> Option<&AccessDone> {
    match facts {
        CommandFacts::Access(done) => Some(done),
        _ => None,
    }
}
