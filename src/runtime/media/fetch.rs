//! Files that came with messages: fetched after the acknowledgement and before the agent sees the message.

use std::collections::HashMap;
use std::fs::File as DiskFile;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, FetchError, File};
use frontdesk_store::StoreError;
use frontdesk_store::row::{InboundRow, MediaRow};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::io::AsyncWriteExt;

use super::partial::Partial;
use super::{IN, Media, kind};
use crate::access::whole;
use crate::house::House;

/// So many files are fetched at a time, per turn.
const AT_ONCE: usize = 4;
/// How long to wait before each further attempt, when the platform says "not now".
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Where a file lies and how large it is, or one sentence that says why it is not there.
type Got = Result<(String, u64), String>;

/// Why an attempt failed.
enum Failure {
    /// Another one may succeed.
    Later(String),
    Refused(String),
    TooLarge,
    Disk(std::io::Error),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Later(detail) => Failure::Later(detail),
            FetchError::Refused(detail) => Failure::Refused(detail),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Disk(error)
    }
}

/// Files of a quoted message are counted from here, so that they have places of their own beside a message's files.
const QUOTED: u32 = 1000;

/// The files of one message.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fetched {
    /// Those that came with it.
    pub(crate) own: Vec<File>,
    /// Those of the message that it replies to.
    pub(crate) quoted: Vec<File>,
}

/// What came with these messages and with those that they reply to, message by message, in the order of their
/// attachments. What an earlier attempt has fetched, and what was kept when the quoted message came itself, is not
/// fetched again. A file that cannot be had says so in its place; only a database that cannot be read is an error.
pub(crate) async fn fetch(
    house: &House,
    rows: &[&InboundRow],
) -> Result<HashMap<MessageId, Fetched>, StoreError> {
    let ids: Vec<MessageId> =
        rows.iter().filter(|row| files(row).next().is_some()).map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let known = house.store.media(&ids).await?;
    let mut got: HashMap<(MessageId, u32), Got> =
        known.into_iter().map(|row| ((row.message, row.n), row.got)).collect();
    let mut missing = Vec::new();
    for row in rows {
        let mut kept = kept(house, row).await?;
        for (n, file) in files(row) {
            if let Some(place) = kept.remove(&n) {
                got.insert((row.id, n), Ok(place));
            } else if !got.contains_key(&(row.id, n)) {
                missing.push(missed(house, row, n, file).boxed());
            }
        }
    }
    let fetched: Vec<MediaRow> = stream::iter(missing).buffer_unordered(AT_ONCE).collect().await;
    got.extend(fetched.into_iter().map(|row| ((row.message, row.n), row.got)));
    let all = rows.iter().map(|row| {
        let mut all = Fetched::default();
        for (n, file) in files(row) {
            let got = got.get(&(row.id, n)).cloned().unwrap_or_else(|| Err("It was not fetched.".to_owned()));
            let list = if n < QUOTED { &mut all.own } else { &mut all.quoted };
            list.push(house.media.told(file, got));
        }
        (row.id, all)
    });
    Ok(all.collect())
}

/// The files of a message and of the one that it replies to, with their places.
fn files(row: &InboundRow) -> impl Iterator<Item = (u32, &Attachment)> {
    let quoted = row.quote.iter().flat_map(|quote| &quote.attachments);
    (0..QUOTED).zip(&row.attachments).chain((QUOTED..).zip(quoted))
}

/// Files of the quoted message that are here since it came itself.
async fn kept(house: &House, row: &InboundRow) -> Result<HashMap<u32, (String, u64)>, StoreError> {
    let quote = row.quote.as_ref().filter(|quote| !quote.attachments.is_empty());
    let Some(message) = quote.and_then(|quote| quote.message.as_deref()) else { return Ok(HashMap::new()) };
    let Some(chat) = whole(&row.address) else { return Ok(HashMap::new()) };
    let rows = house.store.files_of(&chat, message).await?.into_iter().filter(|row| row.n < QUOTED);
    let there = rows.filter_map(|row| Some((QUOTED + row.n, row.got.ok()?)));
    Ok(there.filter(|(_, (file, _))| house.media.path(file).exists()).collect())
}

async fn missed(house: &House, row: &InboundRow, n: u32, file: &Attachment) -> MediaRow {
    let row = MediaRow { message: row.id, n, got: one(house, row, file).await };
    note(house, &row).await;
    row
}

/// Remembers what came of a file. Should that not be possible the file is there all the same; the next attempt
/// would fetch it once more, and the sweep takes the one that nobody names.
async fn note(house: &House, row: &MediaRow) {
    let noted = house.store.fetched(vec![row.clone()], house.clock.wall()).await;
    house.note_storage(noted.as_ref().err());
    if let Err(error) = noted {
        tracing::warn!(message = %row.message, %error, "what came of a file was not stored");
    }
}

/// One file, with all the patience that there is for it.
async fn one(house: &House, row: &InboundRow, file: &Attachment) -> Got {
    let limits = &house.media.limits;
    let too_large = || format!("It has more than {} bytes, and is not fetched.", limits.max_bytes);
    let Some(connection) = house.adapters.at(&row.address) else {
        return Err("The account that it came to is not configured any more.".to_owned());
    };
    if file.size.is_some_and(|size| size > limits.max_bytes) {
        return Err(too_large());
    }
    let deadline = house.clock.mono() + Duration::from_secs(limits.fetch_seconds);
    let attempts = AssertUnwindSafe(attempts(house, connection.adapter.as_ref(), file)).catch_unwind();
    let ended = tokio::select! {
        biased;
        ended = attempts => ended,
        () = house.clock.sleep_until(deadline) => {
            return Err(failed(row, "time", "", "It did not arrive in time."));
        }
    };
    Err(match ended {
        Ok(Ok(got)) => return Ok(got),
        Ok(Err(Failure::TooLarge)) => too_large(),
        Ok(Err(Failure::Later(why))) => {
            failed(row, "later", &why, "The platform did not hand it out; it may later.")
        }
        Ok(Err(Failure::Refused(why))) => failed(row, "refused", &why, "The platform does not hand it out."),
        Ok(Err(Failure::Disk(error))) => {
            tracing::error!(message = %row.id, %error, "a file could not be kept");
            "It could not be kept here.".to_owned()
        }
        Err(_) => failed(row, "panic", "the adapter panicked", "It could not be fetched."),
    })
}

/// Says to the log why a file is not there; the sentence is for the agent.
fn failed(row: &InboundRow, failure: &'static str, detail: &str, sentence: &str) -> String {
    let (message, channel) = (row.id, row.address.channel());
    tracing::warn!(%message, channel, failure, "a file was not fetched");
    // A platform's own words may quote where the file is.
    tracing::debug!(%message, detail, "why a file was not fetched");
    sentence.to_owned()
}

async fn attempts(house: &House, adapter: &dyn Adapter, file: &Attachment) -> Result<(String, u64), Failure> {
    let mut pauses = PAUSES.iter();
    loop {
        match attempt(&house.media, adapter, file).await {
            Err(Failure::Later(why)) => match pauses.next() {
                Some(pause) => house.clock.sleep_until(house.clock.mono() + *pause).await,
                None => return Err(Failure::Later(why)),
            },
            ended => return ended,
        }
    }
}

async fn attempt(media: &Media, adapter: &dyn Adapter, file: &Attachment) -> Result<(String, u64), Failure> {
    let mut bytes = adapter.fetch(file).await?;
    let (partial, disk) = Partial::create(&media.path(IN))?;
    let mut disk = tokio::fs::File::from_std(disk);
    let mut size: u64 = 0;
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > media.limits.max_bytes {
            return Err(Failure::TooLarge);
        }
        disk.write_all(&piece).await?;
    }
    disk.flush().await?;
    let disk: DiskFile = disk.into_std().await;
    let extension = kind::extension_for(file);
    let name = tokio::task::spawn_blocking(move || partial.finish(&disk, &extension)).await;
    let name = name.map_err(std::io::Error::other)??;
    Ok((format!("{IN}/{name}"), size))
}

impl Media {
    /// A file as the agent is told of it.
    fn told(&self, file: &Attachment, got: Got) -> File {
        let Attachment { kind, name, mime, size, .. } = file.clone();
        match got {
            Ok((place, size)) => {
                let path = self.path(&place);
                let got = match path.exists() {
                    true => Ok(path),
                    false => Err("It is not kept any more.".to_owned()),
                };
                File { kind, name, mime, size: Some(size), got }
            }
            Err(why) => File { kind, name, mime, size, got: Err(why) },
        }
    }
}
