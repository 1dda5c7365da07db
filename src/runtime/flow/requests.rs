//! Requests that show an answer in progress. Each holds the chat's lock.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, MessageRefs, Post, Receipt, SendError, Signal};
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::port::Stop;
use frontdesk_store::row::{Claim, Fenced};

use super::pieces::HookPiece;
use crate::adapters::Connection;
use crate::hooks::Pieces;
use crate::shared::Shared;

/// Pause before a retry if neither the platform nor the database names one.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// What one request needs.
pub(super) struct StreamRequest {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Arc<Connection>,
    pub(super) address: Address,
    pub(super) about: MessageRefs,
    pub(super) pieces: Pieces,
    pub(super) claim: Claim<TurnId>,
    pub(super) stop: Stop,
}

/// The result of a request.
pub(super) enum StreamStep {
    Typed,
    Shown,
    Posted(String),
    /// The request failed; one with another text may succeed.
    Missed,
    /// The answer is not shown any more while it grows; it is sent whole.
    Off,
    /// The message may have been posted. The post is made again with the same key, by which the platform knows it.
    Unknown,
    /// The request is made again after this pause.
    Later(Duration),
}

impl StreamRequest {
    /// Stores part 0 as streaming, posts it, and stores the platform's id of it. `every` is the pause between edits; an
    /// earlier post may be there (`is_unknown`).
    pub(super) async fn first_post(self, plain: String, every: Duration, is_unknown: bool) -> StreamStep {
        let Some(plain) = self.seen(plain).await else { return StreamStep::Missed };
        let Self { shared, connection, address, claim, stop, .. } = self;
        let turn = claim.id;
        // Held until the platform's id is stored, so that the end of the turn can edit this message.
        let _alone = connection.alone_in(&address).await;
        if stop.is_cancelled() {
            return StreamStep::Off;
        }
        if let Some(pause) = connection.paused_for(&address) {
            return StreamStep::Later(pause);
        }
        let row = match shared.store.stream(claim, plain, shared.time.wall()).await {
            Ok(Fenced::Done(Some(row))) => row,
            // An older part to this chat is still to be sent; an answer must not overtake it.
            Ok(Fenced::Done(None)) => return StreamStep::Later(every.max(PAUSE)),
            Ok(Fenced::Stale) => return StreamStep::Off,
            Err(error) => {
                tracing::warn!(%turn, %error, "an answer could not be streamed; it is sent whole");
                return StreamStep::Off;
            }
        };
        let out = row.post.out;
        let post = Post { more: true, ..row.post };
        let login = connection.adapter().login();
        let delivered = connection.deliver(&address, Delivery::Post(post)).await;
        let step = match delivered {
            // A reload has connected the account as another one, to whom the id says nothing.
            Ok(_) if connection.adapter().login() != login => {
                failed(&shared, turn, out, StreamStep::Off).await
            }
            Ok(Receipt { message: Some(message), .. }) => {
                if let Err(error) = shared.store.streamed(out, message.clone()).await {
                    tracing::warn!(%turn, %error, "the id of a streamed message was not stored");
                }
                StreamStep::Posted(message)
            }
            Ok(Receipt { message: None, .. }) => failed(&shared, turn, out, StreamStep::Off).await,
            // Until the row is gone, what ends the turn has the key of this post, so that the chat does not show its text twice.
            Err(SendError::Unknown(_)) if connection.adapter().profile().idempotent.is_some() => {
                StreamStep::Unknown
            }
            Err(SendError::Later { after, .. }) if is_unknown => StreamStep::Later(after.unwrap_or(PAUSE)),
            Err(SendError::Later { after, .. }) => {
                failed(&shared, turn, out, StreamStep::Later(after.unwrap_or(PAUSE))).await
            }
            Err(error) => {
                tracing::debug!(%turn, %error, "an answer in progress could not be posted");
                failed(&shared, turn, out, StreamStep::Off).await
            }
        };
        // Parts that were stored meanwhile have waited for this one.
        shared.work.outbox.wake(&address);
        step
    }

    /// Changes what the chat shows, unless the turn was cancelled or the platform wants a pause when the chat's lock is
    /// acquired.
    pub(super) async fn show(self, signal: Signal) -> StreamStep {
        let Some(signal) = self.seen_signal(signal).await else { return StreamStep::Missed };
        let Self { shared, connection, address, claim, stop, .. } = self;
        let turn = claim.id;
        let typing = signal == Signal::Typing;
        // A typing indicator changes no message, so it needs no lock.
        let _alone = match typing {
            true => None,
            false => Some(connection.alone_in(&address).await),
        };
        if stop.is_cancelled() {
            return StreamStep::Off;
        }
        if let Some(pause) = connection.paused_for(&address) {
            return StreamStep::Later(pause);
        }
        if let Signal::Grow { text, .. } = &signal {
            match shared.store.stream_shows(claim, text.clone()).await {
                Ok(Fenced::Done(())) => {}
                Ok(Fenced::Stale) => return StreamStep::Off,
                Err(error) => {
                    tracing::debug!(%turn, %error, "what an answer shows could not be stored");
                    return StreamStep::Later(PAUSE);
                }
            }
        }
        let draft = matches!(signal, Signal::Draft { .. });
        match connection.signal(&address, signal).await {
            Ok(()) if typing => StreamStep::Typed,
            Ok(()) => StreamStep::Shown,
            Err(SendError::Later { after, .. }) => StreamStep::Later(after.unwrap_or(PAUSE)),
            Err(error) => {
                tracing::debug!(%turn, %error, "an answer in progress could not be shown");
                after_failure(&error, typing, draft)
            }
        }
    }
}

impl StreamRequest {
    /// The text as hooks have changed it, as far as it fits into one message; `None` if they keep it back.
    async fn seen(&self, plain: String) -> Option<String> {
        let piece = HookPiece { hooks: self.pieces, about: &self.about, address: &self.address };
        let seen = piece.seen(&self.shared, plain.clone()).await?;
        if seen == plain {
            return Some(plain);
        }
        let parts = self.connection.adapter().profile().render(&seen);
        parts.into_iter().next().map(|part| part.plain)
    }

    async fn seen_signal(&self, signal: Signal) -> Option<Signal> {
        Some(match signal {
            Signal::Grow { target, text } => Signal::Grow { target, text: self.seen(text).await? },
            Signal::Draft { id, text } => Signal::Draft { id, text: self.seen(text).await? },
            signal => signal,
        })
    }
}

/// A failed typing indicator says nothing about the message. A message that cannot be edited, or a chat that accepts no
/// drafts, will not accept the next request either.
fn after_failure(error: &SendError, typing: bool, draft: bool) -> StreamStep {
    match error {
        _ if typing => StreamStep::Missed,
        SendError::Unknown(_) | SendError::Offline(_) | SendError::Later { .. } => StreamStep::Missed,
        SendError::Markup(_) | SendError::Credentials(_) if draft => StreamStep::Missed,
        SendError::Markup(_)
        | SendError::Credentials(_)
        | SendError::Refused(_)
        | SendError::Gone(_)
        | SendError::ThreadGone(_)
        | SendError::Moved { .. } => StreamStep::Off,
    }
}

/// Removes the row of a message that was not posted, so that nothing waits behind it.
async fn failed(shared: &Shared, turn: TurnId, out: OutId, step: StreamStep) -> StreamStep {
    if let Err(error) = shared.store.unstreamed(out).await {
        tracing::warn!(%turn, %error, "the row of a message that was not posted could not be removed; it stays until its turn ends");
    }
    step
}
