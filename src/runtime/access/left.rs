//! Where somebody may still speak when something was taken from them, and how that is said.

use std::collections::BTreeSet;

use frontdesk_core::access::{self, Action, Context, Decision, DmPolicy, Who};
use frontdesk_core::address::Principal;
use frontdesk_store::row::{ChatRow, Revoked, Scope};

use super::Access;

/// A place where somebody may speak who was shut out elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Where.
    scope: Scope,
    /// Whether everybody may speak there; else the configuration or another grant names them.
    to_all: bool,
}

impl Access {
    /// Where somebody may speak when this is taken from them, everything without a scope; and why.
    pub(crate) fn left(&self, principal: &Principal, taken: Option<&Scope>) -> Vec<Left> {
        let Some(rules) = self.rules.get(principal.account()) else { return Vec::new() };
        let known = self.known();
        let here = |row: &&ChatRow| row.chat.account() == principal.account();
        let served = known.chats.values().filter(here).map(|row| row.chat.chat().to_owned());
        let granted = known.grants.get(principal).into_iter().flatten();
        let granted = granted.filter_map(|grant| match &grant.scope {
            Scope::Group(group) => Some(group.clone()),
            Scope::Dm | Scope::Admin => None,
        });
        let groups: BTreeSet<String> = rules.groups.keys().cloned().chain(served).chain(granted).collect();
        let groups = groups.into_iter().map(Scope::Group);
        let keeps = |scope: &Scope| taken.is_some_and(|taken| taken != scope);
        std::iter::once(Scope::Dm)
            .chain(groups)
            .filter_map(|scope| {
                let context = match &scope {
                    Scope::Group(group) => Context::Group(group),
                    Scope::Dm | Scope::Admin => Context::Dm,
                };
                let grants = known.grants_of(principal, context, keeps);
                let to_all = match &scope {
                    Scope::Group(group) => rules.groups.get(group).map_or(grants.here, |named| !named.closed),
                    Scope::Dm | Scope::Admin => rules.dm_policy == DmPolicy::Open,
                };
                let who = Who::person(principal);
                let may = access::decide(rules, grants, who, context, Action::Speak) == Decision::Allow;
                may.then_some(Left { scope, to_all })
            })
            .collect()
    }
}

impl Left {
    fn said(&self) -> String {
        let place = match &self.scope {
            Scope::Group(group) => format!("in group `{group}`"),
            Scope::Dm | Scope::Admin => "in private".to_owned(),
        };
        let why =
            if self.to_all { "is open to everyone" } else { "another grant or the configuration allows" };
        format!("{place}, which {why}")
    }
}

/// What a revocation has done, in a few sentences: the same in a chat, on the command line and in the API.
pub(crate) fn said(who: &Principal, ended: &Revoked, left: &[Left]) -> String {
    let places: Vec<String> = left.iter().map(Left::said).collect();
    let places = places.join("; ");
    let mut text = match (ended.grants, left.is_empty()) {
        (0, true) => format!("`{who}` had been granted nothing there."),
        (0, false) => format!("`{who}` had been granted nothing there, and may still speak: {places}."),
        (_, true) => format!("`{who}` may not speak to me any more."),
        (_, false) => {
            format!("What `{who}` was granted there is taken back, but they may still speak: {places}.")
        }
    };
    match ended.running.len() + ended.waiting.len() {
        0 => {}
        1 => text.push_str(" 1 open message ended with it."),
        n => text.push_str(&format!(" {n} open messages ended with it.")),
    }
    match ended.dropped {
        0 => {}
        1 => text.push_str(" 1 message that was on its way to them was dropped."),
        n => text.push_str(&format!(" {n} messages that were on their way to them were dropped.")),
    }
    text
}
