//! Sends stored parts to platforms: one at a time per address, until delivered or given up.

mod sent;
mod unseen;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{AlbumFile, Bucket, Delivery, MediaFile, Post, Receipt, SendError};
use frontdesk_core::key::Scope;
use frontdesk_core::pairing::{Code, MASK};
use frontdesk_core::port::Stop;
use frontdesk_core::retry::Backoff;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Fenced, NextPart, OutboxAct, OutboxRow, OutboxState, OutgoingFile, SendResult};
use tokio::sync::mpsc;

use crate::adapters::{Connection, Login};
use crate::config::Ambiguous;
use crate::lanes::NextRun;
use crate::media::MediaError;
use crate::shared::Shared;

/// Pause of an address after a database error.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum time for passing a row on to connected readers.
const SHOW: Duration = Duration::from_secs(1);
/// A request without a response after this time counts as "unknown whether it arrived".
const REQUEST: Duration = Duration::from_secs(60);
/// A request with a file and without a response after this time counts as "unknown whether it arrived".
const UPLOAD: Duration = Duration::from_secs(300);

/// Announces committed rows in the order of commit: rows that count as sent go to connected readers, for queued rows
/// the lane is woken.
pub(crate) async fn announce(shared: Arc<Shared>, mut rows: mpsc::UnboundedReceiver<OutboxRow>, stop: Stop) {
    loop {
        let row = tokio::select! {
            biased;
            row = rows.recv() => row,
            () = stop.cancelled() => None,
        };
        let Some(row) = row else { return };
        if row.state == OutboxState::Sent {
            sent::tell_one(&shared, &row, None);
        }
        if row.post.seq.is_some() || row.state == OutboxState::Sent {
            let deadline = shared.time.mono() + SHOW;
            tokio::select! {
                biased;
                () = shared.adapters.show(&row.address, row.post) => {}
                // Readers fetch the row by its number; other rows must not wait for a slow adapter.
                () = shared.time.sleep_until(deadline) => {}
            }
        } else if row.state == OutboxState::Queued {
            shared.work.outbox.wake(&row.address);
        }
    }
}

/// Sends the oldest part of an address: the work of a lane.
pub(crate) async fn send_next(shared: Arc<Shared>, address: Address) -> NextRun {
    let Some(connection) = shared.adapters.at(&address) else {
        // The account is not configured any more. Its parts wait until they are too old.
        return NextRun::Sleep;
    };
    if connection.login() == Login::Another || shared.process.drain.is_cancelled() {
        return NextRun::Sleep;
    }
    if let Some(pause) = notice_delay(&shared, &connection, &address).await {
        return NextRun::NotBefore(shared.time.mono() + pause);
    }
    match attempt(&shared, &connection, &address).await {
        Ok(next) => next,
        Err(StoreError::Invalid(detail)) => {
            tracing::error!(
                channel = address.channel(),
                detail,
                "a part cannot be read; its chat waits for the next one"
            );
            NextRun::Sleep
        }
        Err(error) => {
            shared.health.note(Some(&error));
            NextRun::NotBefore(shared.time.mono() + PAUSE)
        }
    }
}

/// How long a notice or a command's reply is delayed, because answers wait in other topics of a group whose send rate is
/// nearly used up. A part that was delayed for long enough competes like any other, so that a group that is always busy
/// gets its notices too.
async fn notice_delay(shared: &Shared, connection: &Connection, address: &Address) -> Option<Duration> {
    let period = connection.adapter().profile().pacing.per_group?;
    // Decided without a read where possible: while this part waits for a read, an answer of another topic is sent first.
    if connection.is_calm(address) || connection.was_delayed_enough(address) {
        return None;
    }
    let answers = shared.store.answers_wait_elsewhere(address, shared.time.now().steady).await;
    // If that cannot be read, the part is sent.
    let delayed = answers.unwrap_or(false);
    connection.note_delay(address, delayed);
    delayed.then_some(period)
}

async fn attempt(
    shared: &Arc<Shared>,
    connection: &Connection,
    address: &Address,
) -> Result<NextRun, StoreError> {
    let _alone = connection.alone_in(address).await;
    // Only with the lock held: the holder before may have been asked to pause.
    let _under_way = match connection.begin(address) {
        Ok(under_way) => under_way,
        Err(until) => return Ok(NextRun::At(until)),
    };
    let (row, others) = match shared.store.claim_part(address, shared.time.now().steady).await? {
        NextPart::Send { part, others } => (*part, others),
        NextPart::Unseen(row) => return unseen::show(shared, &row).await,
        NextPart::Wait(at) => return Ok(NextRun::At(shared.time.deadline(at))),
        NextPart::Nothing => return Ok(NextRun::Sleep),
    };
    let sent = request(shared, connection, address, &row, &others).await;
    let moved = match &sent {
        Err(SendError::Moved { to }) => moved(shared, address, to).await,
        _ => Ok(None),
    };
    let outcome = match &moved {
        Ok(to) => classify(shared, connection, &row, others.len(), sent, to.is_some()),
        // The platform will report the new id again.
        Err(error) => {
            SendResult::Later { pause: shared.time.pause(PAUSE), error: error.to_string(), counts: false }
        }
    };
    let elsewhere = match &outcome {
        SendResult::ThreadGone { chat, .. } => Some(chat.clone()),
        _ => moved.ok().flatten(),
    };
    let is_sent = matches!(outcome, SendResult::Sent { .. } | SendResult::AlbumSent { .. });
    for part in std::iter::once(&row).chain(&others) {
        note(address, part, &outcome);
        // Platforms count each file of an album as a message.
        if is_sent && goes_to_group(part) && part.act.brings_text() {
            connection.sent_to_group(address);
            connection.note_delay(address, false);
        }
    }
    let (id, now) = (row.post.out, shared.time.wall());
    let more = loop {
        let ended = shared.store.part_ended(row.claim(), outcome.clone(), now).await;
        shared.health.note(ended.as_ref().err());
        match ended {
            // The part was sent: forgetting that would send it twice.
            Err(StoreError::Unavailable(_)) if !shared.process.drain.is_cancelled() => {
                shared.time.sleep(PAUSE).await;
            }
            Err(StoreError::Invalid(error)) => {
                tracing::error!(part = %id, error, "the result of a send could not be stored; the part is given up");
                break shared.store.mark_part_dead(row.claim(), error, shared.time.wall()).await?;
            }
            Err(error) => return Err(error),
            Ok(ended) => break ended,
        }
    };
    sent::tell(shared, &row, &others, &outcome);
    if matches!(outcome, SendResult::Dead { .. } | SendResult::Gone { .. }) {
        // A question that cannot be shown ends.
        shared.work.asks.note_change();
    }
    if let Some(to) = elsewhere {
        // The chat's other parts were woken when it moved; this one was being sent then.
        shared.work.outbox.wake(&to);
        return Ok(NextRun::Sleep);
    }
    // The announcer wakes the lane for parts that come later.
    if matches!(more, Fenced::Done(false)) && connection.adapter().profile().pacing.per_chat.is_none() {
        return Ok(NextRun::Sleep);
    }
    Ok(match (is_sent, connection.adapter().profile().pacing.per_chat) {
        (true, Some(pace)) => NextRun::NotBefore(shared.time.mono() + pace),
        _ => NextRun::Again,
    })
}

/// Whether the part goes to a group.
fn goes_to_group(row: &OutboxRow) -> bool {
    row.post.about.session.as_ref().is_some_and(|session| session.scope() != Scope::Dm)
}

async fn request(
    shared: &Shared,
    connection: &Connection,
    address: &Address,
    row: &OutboxRow,
    others: &[OutboxRow],
) -> Result<Receipt, SendError> {
    let post = with_code(shared, row);
    // A row that changes a message is claimed only with its target.
    let target = || row.target.clone().unwrap_or_default();
    let delivery = match (row.act, &row.media) {
        (OutboxAct::Delete, _) => Delivery::Delete { target: target() },
        (OutboxAct::React, _) => {
            let emoji = Some(post.part.plain).filter(|emoji| !emoji.is_empty());
            Delivery::React { target: target(), emoji }
        }
        (OutboxAct::Pin, _) => Delivery::Pin { target: target() },
        (OutboxAct::Edit, _) => Delivery::Edit { target: target(), post },
        (OutboxAct::Post, Some(media)) if others.is_empty() => {
            Delivery::Media { file: opened(shared, media).await?, post }
        }
        (OutboxAct::Post, Some(_)) => Delivery::Album(album(shared, row, others).await?),
        (OutboxAct::Post, None) => Delivery::Post(post),
    };
    let deadline = shared.time.mono() + if row.media.is_some() { UPLOAD } else { REQUEST };
    tokio::select! {
        sent = connection.deliver(address, delivery) => sent,
        () = shared.time.sleep_until(deadline) => Err(SendError::Unknown("no answer in time".to_owned())),
    }
}

async fn opened(shared: &Shared, media: &OutgoingFile) -> Result<MediaFile, SendError> {
    shared.media.opened(media).await.map_err(|error| match error {
        // A disk error may be temporary.
        MediaError::Disk(_) => {
            let detail = format!("its file cannot be read: {error}");
            SendError::Later { after: None, scope: Bucket::Chat, detail }
        }
        error => SendError::Refused(format!("its file cannot be sent: {error}")),
    })
}

/// The files of an album. If one of them cannot be opened, the album is refused, and the others are sent without it.
async fn album(
    shared: &Shared,
    first: &OutboxRow,
    others: &[OutboxRow],
) -> Result<Vec<AlbumFile>, SendError> {
    let mut files = Vec::with_capacity(others.len() + 1);
    for row in std::iter::once(first).chain(others) {
        if let Some(media) = &row.media {
            files.push(AlbumFile { file: opened(shared, media).await?, post: row.post.clone() });
        }
    }
    Ok(files)
}

/// The post as it is sent. A pairing code is inserted here and nowhere else, so that it is in no row and no log.
fn with_code(shared: &Shared, row: &OutboxRow) -> Post {
    let mut post = row.post.clone();
    if let Some(salt) = row.salt {
        let code = Code::derive(&shared.settings().pairing_secret, salt);
        post.part.body = post.part.body.replace(MASK, code.reveal());
        post.part.plain = post.part.plain.replace(MASK, code.reveal());
    }
    post
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

/// Classifies the result of a send. `others` is the number of further files that were sent with this part as an album;
/// `moved` says that the chat's rows were moved to its new id.
fn classify(
    shared: &Shared,
    connection: &Connection,
    row: &OutboxRow,
    others: usize,
    sent: Result<Receipt, SendError>,
    moved: bool,
) -> SendResult {
    let error = match sent {
        Ok(receipt) if others > 0 => return album_sent(receipt, others),
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
        SendError::Offline | SendError::Credentials(_) => later(Duration::ZERO, false),
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
        _ => refused(row, others > 0, &error),
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
        // The message to edit was deleted or is in a chat that has moved: its text is sent as a new message.
        _ if row.act == OutboxAct::Edit => SendResult::Anew { error: error_text },
        // If only the caption or only the file is refused, the other one is still sent.
        _ if row.media.is_some() && !row.post.part.body.is_empty() => {
            SendResult::Uncaptioned { error: error_text }
        }
        // Also a chat that has moved to its own id or to an unusable one.
        _ => SendResult::Dead { error: error_text },
    }
}

fn note(address: &Address, row: &OutboxRow, outcome: &SendResult) {
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
    metrics::counter!("frontdesk_sends_total", "channel" => address.channel().to_owned(), "outcome" => name)
        .increment(1);
    match error {
        // Logged once for the whole account.
        Some(_) if matches!(outcome, SendResult::Later { counts: false, .. }) => {}
        Some(error) => {
            let (part, channel) = (row.post.out, address.channel());
            tracing::warn!(%part, channel, outcome = name, error, "a part was not delivered");
        }
        None => {}
    }
}
