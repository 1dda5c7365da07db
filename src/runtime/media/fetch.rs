//! Files that came with messages: fetched after the acknowledgement and before the agent sees the message.

use std::collections::HashMap;
use std::fs::{File as DiskFile, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, FetchError, File};
use frontdesk_core::retry::is_shortage;
use frontdesk_store::StoreError;
use frontdesk_store::row::{InboundRow, MediaRow};
use futures_util::{FutureExt, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::budget::{self, NoSpace};
use super::partial::Partial;
use super::{IN, Media, SHORTAGE_PAUSE, kind};
use crate::access::whole;
use crate::shared::Shared;

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
    Late,
    NoSpace(NoSpace),
    Disk(std::io::Error),
}

/// A file that has arrived.
struct Arrived {
    /// Where it lies.
    name: String,
    size: u64,
    /// SHA-256.
    hash: Vec<u8>,
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
    shared: &Shared,
    rows: &[&InboundRow],
) -> Result<HashMap<MessageId, Fetched>, StoreError> {
    let ids: Vec<MessageId> =
        rows.iter().filter(|row| files(row).next().is_some()).map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let known = shared.store.media(&ids).await?;
    let mut got: HashMap<(MessageId, u32), Got> =
        known.into_iter().map(|row| ((row.message, row.n), row.got)).collect();
    let mut missing = Vec::new();
    for row in rows {
        let mut kept = kept(shared, row).await?;
        for (n, file) in files(row) {
            if let Some(place) = kept.remove(&n) {
                got.insert((row.id, n), Ok(place));
            } else if !got.contains_key(&(row.id, n)) {
                missing.push(missed(shared, row, n, file).boxed());
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
            list.push(shared.media.told(file, got));
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
async fn kept(shared: &Shared, row: &InboundRow) -> Result<HashMap<u32, (String, u64)>, StoreError> {
    let quote = row.quote.as_ref().filter(|quote| !quote.attachments.is_empty());
    let Some(message) = quote.and_then(|quote| quote.message.as_deref()) else { return Ok(HashMap::new()) };
    let Some(chat) = whole(&row.address) else { return Ok(HashMap::new()) };
    let rows = shared.store.files_of(&chat, message).await?.into_iter().filter(|row| row.n < QUOTED);
    let there = rows.filter_map(|row| Some((QUOTED + row.n, row.got.ok()?)));
    Ok(there.filter(|(_, (file, _))| shared.media.path(file).exists()).collect())
}

async fn missed(shared: &Shared, row: &InboundRow, n: u32, file: &Attachment) -> MediaRow {
    let row = MediaRow { message: row.id, n, got: one(shared, row, n, file).await };
    if row.got.is_err() {
        note(shared, shared.store.fetched(vec![row.clone()], shared.clock.wall()).await, &row);
    }
    row
}

/// Whether what came of a file is remembered. Should that not be possible the file is there all the same; the next
/// attempt would fetch it once more, and the sweep takes the one that nobody names.
fn note<T>(shared: &Shared, noted: Result<T, StoreError>, row: &MediaRow) -> Option<T> {
    shared.note_storage(noted.as_ref().err());
    noted
        .inspect_err(|error| {
            tracing::warn!(message = %row.message, %error, "what came of a file was not stored");
        })
        .ok()
}

/// One file, with all the patience that there is for it.
async fn one(shared: &Shared, row: &InboundRow, n: u32, file: &Attachment) -> Got {
    let limits = &shared.media.limits;
    let too_large = || format!("It has more than {} bytes, and is not fetched.", limits.max_bytes);
    let Some(connection) = shared.adapters.at(&row.address) else {
        return Err("The account that it came to is not configured any more.".to_owned());
    };
    if file.size.is_some_and(|size| size > limits.max_bytes) {
        return Err(too_large());
    }
    let unique = file.unique.as_ref();
    let unique = unique.map(|id| format!("{}/{id}", row.address.account()));
    let known = known(shared, row, n, unique.as_deref()).await;
    if let Some(known) = known {
        return Ok(known);
    }
    let most = file.size.unwrap_or(limits.max_bytes);
    let _under_way = shared.media.budget.under_way(most).await;
    let deadline = shared.clock.mono() + Duration::from_secs(limits.fetch_seconds);
    let (adapter, reserved) = (connection.adapter.as_ref(), AtomicBool::new(false));
    let day = shared.day(shared.clock.wall());
    let fetching = Fetching { shared, adapter, row, n, file, unique, most, day, reserved };
    let ended = tokio::select! {
        biased;
        ended = AssertUnwindSafe(fetching.run()).catch_unwind() => ended,
        () = shared.clock.sleep_until(deadline) => Ok(Err(Failure::Late)),
    };
    fetching.settle(0).await;
    Err(match ended {
        Ok(Ok(got)) => return Ok(got),
        Ok(Err(Failure::TooLarge)) => too_large(),
        Ok(Err(Failure::Late)) => failed(row, "time", "", "It did not arrive in time."),
        Ok(Err(Failure::NoSpace(why))) => refused(row, &why),
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

/// Says to the log why there is no room for a file; the sentence is for the agent.
fn refused(row: &InboundRow, why: &NoSpace) -> String {
    let (name, sentence) = match why {
        NoSpace::Today => {
            ("today", "Its sender has sent as much today as one person may: it is not fetched.")
        }
        NoSpace::Full => ("full", "As many files are kept as may be: it is not fetched."),
    };
    failed(row, name, "", sentence)
}

/// A file that came before, if it is still as it came. The platform's own id says that it is the same.
async fn known(shared: &Shared, row: &InboundRow, n: u32, unique: Option<&str>) -> Option<(String, u64)> {
    let named = shared.store.file_known(row.id, n, unique?, shared.clock.wall()).await;
    let (file, size) = named.ok().flatten()?;
    if shared.media.is_whole(&file, size) {
        return Some((file, size));
    }
    if let Err(error) = shared.store.file_lost(&file).await {
        tracing::warn!(message = %row.id, %error, "that a file is lost was not stored");
    }
    None
}

/// One file on its way.
struct Fetching<'a> {
    shared: &'a Shared,
    adapter: &'a dyn Adapter,
    row: &'a InboundRow,
    n: u32,
    file: &'a Attachment,
    unique: Option<String>,
    /// How many bytes it may have.
    most: u64,
    /// The day on which they are counted, also when the file arrives after midnight.
    day: i64,
    /// Whether they are counted.
    reserved: AtomicBool,
}

/// A fetch that nobody waits for any more, because its turn was stopped, ends without another step.
impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        if *self.reserved.get_mut() {
            self.shared.media.budget.abandon(self.row.id, self.day, self.most);
        }
    }
}

impl Fetching<'_> {
    async fn run(&self) -> Result<(String, u64), Failure> {
        let _alone = match &self.unique {
            Some(unique) => Some(self.shared.media.budget.alone_with(unique).await),
            None => None,
        };
        if let Some(known) = known(self.shared, self.row, self.n, self.unique.as_deref()).await {
            return Ok(known);
        }
        let reserved = budget::reserve(self.shared, self.row.id, self.day, self.most).await;
        reserved.map_err(|error| Failure::Later(error.to_string()))?.map_err(Failure::NoSpace)?;
        self.reserved.store(true, Ordering::Relaxed);
        let fetched = attempts(self.shared, self.adapter, self.file).await?;
        self.settle(fetched.size).await;
        Ok(self.keep(fetched).await)
    }

    /// Of what was counted so much was needed; the rest is given back, once.
    async fn settle(&self, used: u64) {
        if self.reserved.swap(false, Ordering::Relaxed) {
            budget::settle(self.shared, self.row.id, self.day, self.most, used).await;
        }
    }

    /// Remembers where it lies. The same content that came before takes its place.
    async fn keep(&self, arrived: Arrived) -> (String, u64) {
        let Arrived { name, size, hash } = arrived;
        let (shared, fresh) = (self.shared, (name, size));
        let row = MediaRow { message: self.row.id, n: self.n, got: Ok(fresh.clone()) };
        loop {
            let (unique, now) = (self.unique.clone(), shared.clock.wall());
            let kept = shared.store.file_kept(row.clone(), unique, hash.clone(), now).await;
            let Some(Some((file, size))) = note(shared, kept, &row) else { return fresh };
            if shared.media.is_whole(&file, size) {
                shared.media.delete(&fresh.0).await;
                return (file, size);
            }
            if note(shared, shared.store.file_lost(&file).await, &row).is_none() {
                return fresh;
            }
        }
    }
}

/// Says to the log why a file is not there; the sentence is for the agent.
fn failed(row: &InboundRow, failure: &'static str, detail: &str, sentence: &str) -> String {
    let (message, channel) = (row.id, row.address.channel());
    tracing::warn!(%message, channel, failure, "a file was not fetched");
    // A platform's own words may quote where the file is.
    tracing::debug!(%message, detail, "why a file was not fetched");
    sentence.to_owned()
}

/// Tries again a few times while the platform says "not now", and until the caller's deadline while this machine has too
/// little of something.
async fn attempts(shared: &Shared, adapter: &dyn Adapter, file: &Attachment) -> Result<Arrived, Failure> {
    let mut pauses = PAUSES.iter();
    loop {
        let failure = match attempt(&shared.media, adapter, file).await {
            Ok(arrived) => return Ok(arrived),
            Err(failure) => failure,
        };
        let pause = match &failure {
            Failure::Later(_) => pauses.next().copied(),
            Failure::Disk(error) if is_shortage(error) => {
                tracing::warn!(%error, "a file cannot be kept at the moment; it is tried again");
                Some(SHORTAGE_PAUSE)
            }
            _ => None,
        };
        let Some(pause) = pause else { return Err(failure) };
        shared.clock.sleep_until(shared.clock.mono() + pause).await;
    }
}

async fn attempt(media: &Media, adapter: &dyn Adapter, file: &Attachment) -> Result<Arrived, Failure> {
    let mut bytes = adapter.fetch(file).await?;
    let (partial, disk) = Partial::create(&media.path(IN))?;
    let mut disk = tokio::fs::File::from_std(disk);
    let (mut size, mut hash) = (0_u64, Sha256::new());
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > media.limits.max_bytes {
            return Err(Failure::TooLarge);
        }
        hash.update(&piece);
        disk.write_all(&piece).await?;
    }
    disk.flush().await?;
    let disk: DiskFile = disk.into_std().await;
    disk.set_permissions(Permissions::from_mode(0o400))?;
    let extension = kind::extension_for(file);
    let name = tokio::task::spawn_blocking(move || partial.finish(&disk, &extension)).await;
    let name = name.map_err(std::io::Error::other)??;
    Ok(Arrived { name: format!("{IN}/{name}"), size, hash: hash.finalize().to_vec() })
}

impl Media {
    /// Whether a file lies where it should and has all its bytes.
    fn is_whole(&self, file: &str, size: u64) -> bool {
        std::fs::symlink_metadata(self.path(file)).is_ok_and(|facts| facts.is_file() && facts.len() == size)
    }

    /// Deletes a file that nobody names.
    async fn delete(&self, file: &str) {
        let path = self.path(file);
        match tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a file is left for the next sweep"),
            Err(error) => tracing::debug!(%error, "a file is left for the next sweep"),
        }
    }

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
