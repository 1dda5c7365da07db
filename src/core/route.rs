//! Which agent and which session a message belongs to.

use crate::key::{KeyError, Scope, SessionKey};
use crate::message::{Place, Source};

/// The session of a place: one per chat, and one per topic or thread within it.
pub fn session(agent: &str, source: &Source, place: &Place) -> Result<SessionKey, KeyError> {
    let scope = match place {
        Place::Dm { .. } => Scope::Dm,
        Place::Group { .. } => Scope::Group,
        Place::Channel { .. } => Scope::Channel,
        Place::Topic { .. } => Scope::Topic,
        Place::Thread { .. } => Scope::Thread,
    };
    SessionKey::build(agent, source.channel, Some(&source.account), scope, place.chat(), place.thread(), None)
}
