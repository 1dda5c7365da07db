//! The request that sends a part.

use std::time::Duration;

use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{AlbumFile, Bucket, Delivery, MediaFile, Post, Receipt, SendError};
use frontdesk_core::pairing::{Code, MASK};
use frontdesk_store::row::{OutboxAct, OutboxRow, OutgoingFile};

use super::Claimed;
use crate::adapters::Connection;
use crate::media::MediaError;
use crate::shared::Shared;

/// A request without a response after this time counts as "unknown whether it arrived".
const REQUEST: Duration = Duration::from_secs(60);
/// A request with a file and without a response after this time counts as "unknown whether it arrived".
const UPLOAD: Duration = Duration::from_secs(300);

/// Sends a part, or an album's files together, and waits for the platform's response.
pub(super) async fn request(
    shared: &Shared,
    connection: &Connection,
    Claimed { row, others }: &Claimed,
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
            Delivery::Media { file: opened(shared, row, media).await?, post }
        }
        (OutboxAct::Post, Some(_)) => Delivery::Album(album(shared, row, others).await?),
        (OutboxAct::Post, None) => Delivery::Post(post),
    };
    let deadline = shared.time.mono() + if row.media.is_some() { UPLOAD } else { REQUEST };
    tokio::select! {
        sent = connection.deliver(&row.address, delivery) => sent,
        () = shared.time.sleep_until(deadline) => Err(SendError::Unknown("no answer in time".into())),
    }
}

async fn opened(shared: &Shared, row: &OutboxRow, media: &OutgoingFile) -> Result<MediaFile, SendError> {
    let file = shared.media.opened(media).await.map_err(|error| match error {
        // A disk error may be temporary.
        MediaError::Disk(_) => {
            let detail = Cause::quoting("its file cannot be read", error.to_string());
            SendError::Later { after: None, scope: Bucket::Chat, detail }
        }
        error => SendError::Refused(Cause::quoting("its file cannot be sent", error.to_string())),
    })?;
    // This attempt is counted already.
    Ok(MediaFile { tried: row.attempts > 1, ..file })
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
            files.push(AlbumFile { file: opened(shared, row, media).await?, post: row.post.clone() });
        }
    }
    Ok(files)
}

/// The post as it is sent. A code is inserted here and nowhere else, so that it is in no row and no log.
pub(super) fn with_code(shared: &Shared, row: &OutboxRow) -> Post {
    let mut post = row.post.clone();
    if let Some(salt) = row.salt {
        let code = Code::derive(&shared.settings().pairing_secret, salt);
        post.part.body = post.part.body.replace(MASK, code.reveal());
        post.part.plain = post.part.plain.replace(MASK, code.reveal());
    }
    post
}
