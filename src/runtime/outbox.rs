//! Sends stored parts to platforms: one at a time per address, until delivered or given up.

mod request;
mod result;
mod sent;
mod unseen;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::key::Scope;
use frontdesk_core::port::Stop;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Fenced, NextPart, OutboxRow, OutboxState, SendResult};
use tokio::sync::mpsc;

use crate::adapters::{Connection, Login};
use crate::lanes::NextRun;
use crate::shared::Shared;

/// Pause of an address after a database error.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum time for passing a row on to connected readers.
const SHOW: Duration = Duration::from_secs(1);

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
                () = shared.adapters.show(&row.address, request::with_code(&shared, &row)) => {}
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
    let attempted = attempt(&shared, &connection, &address).await;
    shared.work.part_ended.notify_waiters();
    match attempted {
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

/// What is sent in one request: a part, or the first file of an album with its others.
struct Claimed {
    row: OutboxRow,
    others: Vec<OutboxRow>,
}

impl Claimed {
    fn all(&self) -> impl Iterator<Item = &OutboxRow> {
        std::iter::once(&self.row).chain(&self.others)
    }
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
    let claimed =
        match shared.store.claim_part_in(address, shared.quiet(address), shared.time.now().steady).await? {
            NextPart::Send { part, others } => Claimed { row: *part, others },
            NextPart::Unseen(row) => return unseen::show(shared, &row).await,
            NextPart::Wait(at) => return Ok(NextRun::At(shared.time.deadline(at))),
            NextPart::Nothing => return Ok(NextRun::Sleep),
        };
    let sent = request::request(shared, connection, &claimed).await;
    let cause = result::loggable(&sent);
    let (result, elsewhere) = result::judged(shared, connection, &claimed, sent).await;
    let is_sent = matches!(result, SendResult::Sent { .. } | SendResult::AlbumSent { .. });
    for part in claimed.all() {
        result::note(shared, part, &result, cause.as_deref());
        // Platforms count each file of an album as a message.
        if is_sent && goes_to_group(part) && part.act.brings_text() {
            connection.sent_to_group(address);
            connection.note_delay(address, false);
        }
    }
    let more = stored(shared, &claimed.row, &result).await?;
    sent::tell(shared, &claimed, &result);
    if matches!(result, SendResult::Dead { .. } | SendResult::Gone { .. }) {
        // A question that cannot be shown ends.
        shared.work.asks.note_change();
    }
    if let Some(to) = elsewhere {
        // The chat's other parts were woken when it moved; this one was being sent then.
        shared.work.outbox.wake(&to);
        return Ok(NextRun::Sleep);
    }
    let pace = connection.adapter().profile().pacing.per_chat;
    Ok(match (more, pace) {
        // The announcer wakes the lane for parts that come later.
        (Fenced::Done(false), None) => NextRun::Sleep,
        (_, Some(pace)) if is_sent => NextRun::NotBefore(shared.time.mono() + pace),
        _ => NextRun::Again,
    })
}

/// Stores what became of a part. Returns whether its address has another one.
async fn stored(shared: &Shared, row: &OutboxRow, result: &SendResult) -> Result<Fenced<bool>, StoreError> {
    let (id, now) = (row.post.out, shared.time.wall());
    loop {
        let ended = shared.store.part_ended(row.claim(), result.clone(), now).await;
        shared.health.note(ended.as_ref().err());
        match ended {
            // The part was sent: forgetting that would send it twice.
            Err(StoreError::Unavailable(_)) if !shared.process.drain.is_cancelled() => {
                shared.time.sleep(PAUSE).await;
            }
            Err(StoreError::Invalid(error)) => {
                tracing::error!(part = %id, error, "the result of a send could not be stored; the part is given up");
                return shared.store.mark_part_dead(row.claim(), error, shared.time.wall()).await;
            }
            ended => return ended,
        }
    }
}

/// Whether the part goes to a group.
fn goes_to_group(row: &OutboxRow) -> bool {
    row.post.about.session.as_ref().is_some_and(|session| session.scope() != Scope::Dm)
}
