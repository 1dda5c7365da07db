//! `/link`: two private chats of one person share one conversation.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::command::LinkRequest;
use frontdesk_core::key::Scope;
use frontdesk_core::link::{LinkError, code_shown, joined};
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_core::span;
use frontdesk_store::row::{CommandEffect, CommandFacts, InboundRow, LinkDone, LinkStep};

use super::Plan;
use crate::shared::Shared;

const ONLY_PRIVATE: &str =
    "Only private chats can share a conversation. Send /link in a private chat with me.";

pub(super) fn plan(shared: &Shared, row: &InboundRow, request: LinkRequest) -> Plan {
    if row.own_session().scope() != Scope::Dm {
        return Plan::say(ONLY_PRIVATE);
    }
    let settings = shared.settings();
    if settings.joined.is_joined(row.own_session()) {
        return Plan::say("The configuration decides with which chats this one shares its conversation.");
    }
    let step = match request {
        LinkRequest::Show => {
            let mut bits = [0; 16];
            if getrandom::fill(&mut bits).is_err() {
                return Plan::say("No code can be made now. Try again later.");
            }
            let salt = Salt(bits);
            LinkStep::Show { salt, hash: Code::derive(&settings.pairing_secret, salt).hash(salt) }
        }
        LinkRequest::Enter(code) => LinkStep::Enter(code),
        LinkRequest::Confirm(request) => LinkStep::Confirm(request),
        LinkRequest::Refuse(request) => LinkStep::Refuse(request),
        LinkRequest::Off => LinkStep::Off,
    };
    let now = shared.time.now().steady;
    Plan::new(CommandEffect::Link(step), move |facts| match facts {
        CommandFacts::Link(done) => reply(done, now),
        _ => String::new(),
    })
}

fn reply(done: &LinkDone, now: DateTime<Utc>) -> String {
    match done {
        LinkDone::Shown(_) => code_shown(),
        // The question is the reply.
        LinkDone::Asked => String::new(),
        LinkDone::Agreed => "Thank you. The other chat has to agree as well.".to_owned(),
        LinkDone::Joined { other } => joined(other),
        LinkDone::Refused => "The two chats stay apart.".to_owned(),
        LinkDone::Parted { chats: 1 } => {
            "The two chats are separate again. Each has its own conversation from the next message on."
                .to_owned()
        }
        LinkDone::Parted { chats } => {
            format!("{} other chats no longer share the conversation of this one.", chats)
        }
        LinkDone::Failed(error @ LinkError::NotJoined) => {
            format!("{error} To share it with another private chat, send `/link` here.")
        }
        LinkDone::Failed(error) => error.to_string(),
        LinkDone::NoSuchCode { left: 0 } => {
            "No chat shows this code. After too many wrong codes you have to wait for an hour.".to_owned()
        }
        LinkDone::NoSuchCode { .. } => {
            "No chat shows this code: a code can be entered once, within ten minutes. Send `/link` \
                                        in the other chat for a new one."
                .to_owned()
        }
        LinkDone::Locked { until } => format!(
            "You have tried too many wrong codes. Try again in {}.",
            span::length((*until - now).max(Duration::zero()))
        ),
    }
}
