//! The requests that show an answer in progress, each with the chat's lock held.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{Act, Post, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::port::Stop;
use frontdesk_store::row::{Claim, Fenced};

use crate::adapters::Connection;
use crate::shared::Shared;

/// How long to wait where neither the platform nor the database says.
const PAUSE: Duration = Duration::from_secs(1);

/// What one request needs to know.
pub(super) struct Way {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Arc<Connection>,
    pub(super) address: Address,
    pub(super) claim: Claim<TurnId>,
    pub(super) stop: Stop,
}

/// What came of a request.
pub(super) enum Step {
    Typed,
    Shown,
    Posted(String),
    /// Failed, but one with another text may not.
    Missed,
    /// No more of this answer is shown while it grows; it comes whole.
    Off,
    /// To be made again, but not before.
    Later(Duration),
}

impl Way {
    /// Stores part 0 as streaming, posts it, and stores the platform's id of it. `every` is the pause between edits.
    pub(super) async fn first_post(self, plain: String, every: Duration) -> Step {
        let Self { shared, connection, address, claim, stop } = self;
        let turn = claim.id;
        // Held until the platform's id is stored: an end that comes meanwhile edits this message.
        let _alone = connection.alone_in(&address).await;
        if stop.is_cancelled() {
            return Step::Off;
        }
        if let Some(pause) = connection.paused_for(&address) {
            return Step::Later(pause);
        }
        let row = match shared.store.stream(claim, plain, shared.time.wall()).await {
            Ok(Fenced::Done(Some(row))) => row,
            // An older part to this chat is still to be sent; an answer must not overtake it.
            Ok(Fenced::Done(None)) => return Step::Later(every.max(PAUSE)),
            Ok(Fenced::Stale) => return Step::Off,
            Err(error) => {
                tracing::warn!(%turn, %error, "an answer could not be streamed; it will come whole");
                return Step::Off;
            }
        };
        let out = row.post.out;
        let post = Post { more: true, ..row.post };
        let step = match connection.send(&address, Act::Post(post)).await {
            Ok(Receipt { message: Some(message) }) => {
                if let Err(error) = shared.store.streamed(out, message.clone()).await {
                    tracing::warn!(%turn, %error, "the id of a streamed message was not stored");
                }
                Step::Posted(message)
            }
            Ok(Receipt { message: None }) => failed(&shared, turn, out, Step::Off).await,
            Err(SendError::Later { after, .. }) => {
                failed(&shared, turn, out, Step::Later(after.unwrap_or(PAUSE))).await
            }
            Err(error) => {
                tracing::debug!(%turn, %error, "an answer in progress could not be posted");
                failed(&shared, turn, out, Step::Off).await
            }
        };
        // What was put on its way meanwhile has waited for this.
        shared.work.outbox.wake(&address);
        step
    }

    /// Changes what the chat shows, unless the turn has ended by the time that nobody else does, or the platform wants
    /// a pause.
    pub(super) async fn show(self, act: Act) -> Step {
        let Self { shared, connection, address, claim, stop } = self;
        let turn = claim.id;
        let typing = act == Act::Typing;
        // A sign of typing changes no message, so it waits for nobody.
        let _alone = match typing {
            true => None,
            false => Some(connection.alone_in(&address).await),
        };
        if stop.is_cancelled() {
            return Step::Off;
        }
        if let Some(pause) = connection.paused_for(&address) {
            return Step::Later(pause);
        }
        if let Act::Edit { post, .. } = &act {
            match shared.store.stream_shows(claim, post.part.plain.clone()).await {
                Ok(Fenced::Done(())) => {}
                Ok(Fenced::Stale) => return Step::Off,
                Err(error) => {
                    tracing::debug!(%turn, %error, "what an answer shows could not be stored");
                    return Step::Later(PAUSE);
                }
            }
        }
        let draft = matches!(act, Act::Draft { .. });
        match connection.send(&address, act).await {
            Ok(_) if typing => Step::Typed,
            Ok(_) => Step::Shown,
            Err(SendError::Later { after, .. }) => Step::Later(after.unwrap_or(PAUSE)),
            Err(error) => {
                tracing::debug!(%turn, %error, "an answer in progress could not be shown");
                after_failure(&error, typing, draft)
            }
        }
    }
}

/// A sign of typing that fails says nothing about the message. A message that cannot be edited, or a chat that takes no
/// drafts, will not take the next one either.
fn after_failure(error: &SendError, typing: bool, draft: bool) -> Step {
    match error {
        _ if typing => Step::Missed,
        SendError::Unknown(_) | SendError::Offline | SendError::Later { .. } => Step::Missed,
        SendError::Markup(_) | SendError::Credentials(_) if draft => Step::Missed,
        SendError::Markup(_)
        | SendError::Credentials(_)
        | SendError::Refused(_)
        | SendError::Gone(_)
        | SendError::ThreadGone(_)
        | SendError::Moved { .. } => Step::Off,
    }
}

/// There is no message to stream into: the row that stood for it goes, so that nothing waits behind it.
async fn failed(shared: &Shared, turn: TurnId, out: OutId, step: Step) -> Step {
    if let Err(error) = shared.store.unstreamed(out).await {
        tracing::warn!(%turn, %error, "the row of a message that was not posted stays until its turn ends");
    }
    step
}
