//! What the response to a request means for its part.

use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{PostKind, Receipt, SendError};
use frontdesk_core::retry::Backoff;
use frontdesk_store::StoreError;
use frontdesk_store::row::{OutboxAct, OutboxRow, SendResult};

use super::{Claimed, PAUSE};
use crate::activity::Activity;
use crate::adapters::Connection;
use crate::config::Ambiguous;
use crate::shared::Shared;

/// What a send has led to, and the address to which its chat's rows have gone meanwhile.
pub(super) async fn judged(
    shared: &Shared,
    connection: &Connection,
    claimed: &Claimed,
    sent: Result<Receipt, SendError>,
) -> (SendResult, Option<Address>) {
    let moved = match &sent {
        Err(SendError::Moved { to }) => moved(shared, &claimed.row.address, to).await,
        _ => Ok(None),
    };
    let result = match &moved {
        Ok(to) => classify(shared, connection, claimed, sent, to.is_some()),
        // The platform will report the new id again.
        Err(error) => {
            SendResult::Later { pause: shared.time.pause(PAUSE), error: error.to_string(), counts: false }
        }
    };
    let elsewhere = match &result {
        SendResult::ThreadGone { chat, .. } => Some(chat.clone()),
        _ => moved.ok().flatten(),
    };
    (result, elsewhere)
}

/// Moves a chat's rows to its new id. Returns the address's new form; `None` if nothing changes or the id is unusable.
async fn moved(shared: &Shared, address: &Address, to: &str) -> Result<Option<Address>, StoreError> {
    let at = |chat, thread| Address::at(address.account(), chat, thread).ok();
    let (Some(from), Some(chat), Some(new)) =
        (at(address.chat(), None), at(to, None), at(to, address.thread()))
    else {
        return Ok(None);
    };
    if from == chat {
        return Ok(None);
    }
    let moved = shared.chat_moved(&from, &chat).await;
    shared.health.note(moved.as_ref().err());
    moved.map(|()| Some(new))
}

/// Classifies the result of a send. `moved` says that the chat's rows were moved to its new id.
fn classify(
    shared: &Shared,
    connection: &Connection,
    Claimed { row, others }: &Claimed,
    sent: Result<Receipt, SendError>,
    moved: bool,
) -> SendResult {
    let error = match sent {
        Ok(receipt) if !others.is_empty() => return album_sent(receipt, others.len()),
        Ok(receipt) => {
            let edited = row.edit().map(str::to_owned);
            return SendResult::Sent { platform_message: receipt.message.or(edited) };
        }
        Err(error) => error,
    };
    let backoff = Backoff::default().delay(row.failures + 1, crate::random::fraction());
    let later = |span: Duration, counts: bool| SendResult::Later {
        pause: shared.time.pause(span),
        error: error.to_string(),
        counts,
    };
    match &error {
        SendError::Later { after, .. } => later(after.unwrap_or(backoff), after.is_none()),
        // The account is paused; the part is sent as soon as that ends.
        SendError::Offline(_) | SendError::Credentials(_) => later(Duration::ZERO, false),
        SendError::Unknown(_) => {
            // A change of a message that is made twice has the same effect as one.
            let now = shared.time.now();
            // The later of both clocks: in doubt the platform has forgotten the key.
            let age = (now.wall.max(now.steady) - row.created).to_std();
            let window = connection.adapter().profile().idempotent;
            let known = window.is_some_and(|window| age.is_ok_and(|age| age < window));
            let harmless = known || row.act != OutboxAct::Post;
            match shared.settings().config.delivery.on_ambiguous {
                Ambiguous::Hold if !harmless => SendResult::Unknown { error: error.to_string() },
                Ambiguous::Hold | Ambiguous::Resend => later(backoff, true),
            }
        }
        SendError::Gone(_) => SendResult::Gone { error: error.to_string() },
        SendError::Moved { .. } if moved => later(Duration::ZERO, false),
        _ => refused(row, !others.is_empty(), &error),
    }
}

/// The ids of an album's files. If the album is one message, all of them have its id.
fn album_sent(receipt: Receipt, others: usize) -> SendResult {
    let Receipt { message, others: ids } = receipt;
    let mut ids = ids.into_iter();
    let rest = (0..others).map(|_| ids.next().or_else(|| message.clone())).collect::<Vec<_>>();
    SendResult::AlbumSent { platform_messages: std::iter::once(message).chain(rest).collect() }
}

/// Classifies the refusal of one part or of an album.
fn refused(row: &OutboxRow, is_album: bool, error: &SendError) -> SendResult {
    let chat = Address::at(row.address.account(), row.address.chat(), None);
    let error_text = error.to_string();
    match (error, chat) {
        // Some platforms delete nothing, or nothing that is old, and not every reaction is allowed everywhere.
        _ if !row.act.brings_text() => SendResult::Unmarked { error: error_text },
        (SendError::ThreadGone(_), Ok(chat)) if row.address.thread().is_some() => {
            SendResult::ThreadGone { chat, error: error_text }
        }
        // Alone, each file is refused or accepted for itself.
        _ if is_album => SendResult::Apart { error: error_text },
        (SendError::Markup(_), _) if row.post.part.body != row.post.part.plain => {
            SendResult::Plain { error: error_text }
        }
        // The message to edit was deleted or is in a chat that has moved: its text is sent as a new message. An edit that an
        // agent asked for is no message: its chat has what it should replace.
        _ if row.act == OutboxAct::Edit && row.post.kind != PostKind::Send => {
            SendResult::Anew { error: error_text }
        }
        // If only the caption or only the file is refused, the other one is still sent.
        _ if row.media.is_some() && !row.post.part.body.is_empty() => {
            SendResult::Uncaptioned { error: error_text }
        }
        // Also a chat that has moved to its own id or to an unusable one.
        _ => SendResult::Dead { error: error_text },
    }
}

/// Counts and logs what became of a part. The platform's words may quote the message: only `cause` may be logged, and the
/// whole error is in the row, for `frontdesk outbox`. A part that is tried again is logged when others of its account were not
/// tried again for the same cause lately.
pub(super) fn note(shared: &Shared, row: &OutboxRow, outcome: &SendResult, cause: Option<&str>) {
    let (account, channel) = (row.address.account(), row.address.channel());
    let (name, error) = match outcome {
        SendResult::Sent { .. } | SendResult::AlbumSent { .. } => ("sent", None),
        SendResult::Apart { error } => ("apart", Some(error)),
        SendResult::Later { error, .. } => ("later", Some(error)),
        SendResult::Plain { error } => ("plain", Some(error)),
        SendResult::Anew { error } => ("anew", Some(error)),
        SendResult::Unknown { error } => ("unknown", Some(error)),
        SendResult::Dead { error } => ("dead", Some(error)),
        SendResult::Gone { error } => ("gone", Some(error)),
        SendResult::ThreadGone { error, .. } => ("thread_gone", Some(error)),
        SendResult::Uncaptioned { error } => ("uncaptioned", Some(error)),
        SendResult::Unmarked { error } => ("unmarked", Some(error)),
    };
    metrics::counter!("frontdesk_sends_total", "channel" => channel.to_owned(), "outcome" => name)
        .increment(1);
    let sent = Activity::Sent {
        part: row.post.out,
        account: account.clone(),
        outcome: name,
        cause: error.and(cause).map(str::to_owned),
    };
    shared.work.activity.note(shared.time.wall(), sent);
    let (Some(error), Some(cause)) = (error, cause) else { return };
    let part = row.post.out;
    tracing::debug!(%part, error, "the platform's error");
    let is_tried_again = matches!(outcome, SendResult::Later { .. });
    if !is_tried_again {
        tracing::warn!(%part, channel, %account, outcome = name, cause, "a part was not delivered");
        return;
    }
    let kind = (account.clone(), cause.to_owned());
    if let Some(others_since) = shared.work.postponed.due(kind, shared.time.mono()) {
        tracing::warn!(%part, channel, %account, cause, others_since, "a part was not delivered and is tried again");
    }
}

/// Why a part was not delivered, for the log. `None` for what is logged once for the whole account.
pub(super) fn loggable(sent: &Result<Receipt, SendError>) -> Option<String> {
    let cause = match sent {
        Err(SendError::Offline(_) | SendError::Credentials(_)) => return None,
        Err(SendError::Moved { .. }) => "the chat has moved",
        sent => sent.as_ref().err().and_then(SendError::cause).map_or("", Cause::for_log),
    };
    Some(cause.to_owned())
}
