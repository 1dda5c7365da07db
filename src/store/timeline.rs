//! The timeline of a session: its messages, its stored frames and the beginnings of its conversations, merged by time.

use std::cmp::Ordering;
use std::vec::IntoIter;

use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::fault::Outcome;
use crate::message::history;
use crate::outbox::texts;
use crate::part::{out, out_columns};
use crate::row::{HistoryRow, Page, TimelineCursor, TimelineItem};
use crate::session::{EPOCHS, HISTORY, epoch, weight};
use crate::sql::{Sql, int};
use crate::{Result, StoreReader};

/// Frames before one of them, the newest first.
const FRAMES: &str = concat!(
    "SELECT ",
    out_columns!(),
    " FROM outbox o WHERE o.key = ?1 AND o.seq IS NOT NULL AND o.seq < ?2 ORDER BY o.seq DESC LIMIT ?3"
);

/// Whether a frame shows the answer of a turn.
const SHOWS_ANSWER: &str =
    "SELECT 1 FROM outbox WHERE turn_id = ?1 AND kind = 'answer' AND seq IS NOT NULL LIMIT 1";

impl StoreReader {
    /// What a session has shown before a place, the newest first: at most `limit` items, and at most `most` bytes of text
    /// but at least one item.
    pub async fn timeline(
        &self,
        key: &SessionKey,
        before: TimelineCursor,
        limit: u32,
        most: usize,
    ) -> Result<Page<TimelineItem>> {
        let key = key.clone();
        self.read(move |sql| {
            let key = key.as_str();
            let messages = params![key, before.message, limit];
            let messages = sql.within(HISTORY, messages, most, weight, history)?;
            let frames = sql.within(FRAMES, params![key, int(before.seq), limit], most, texts, out)?;
            let epochs = sql.all(EPOCHS, params![key, int(before.epoch), limit], epoch)?;
            let is_cut = messages.more;
            let messages =
                messages.rows.into_iter().map(|row| shown(sql, row)).collect::<Outcome<Vec<_>>>()?;
            let mut lists = [
                List::of(messages, is_cut),
                List::of(
                    frames.rows.into_iter().map(|row| TimelineItem::Frame(Box::new(row))).collect(),
                    frames.more,
                ),
                List::of(epochs.into_iter().map(TimelineItem::Epoch).collect(), false),
            ];
            let mut page = Page { rows: Vec::new(), bytes: 0, more: false };
            while let Some(item) = latest(&mut lists) {
                let weight = bytes(&item);
                if page.rows.len() == limit as usize || (!page.rows.is_empty() && page.bytes + weight > most)
                {
                    page.more = true;
                    break;
                }
                page.bytes += weight;
                page.rows.push(item);
                // What follows in this list was not read, and it may be later than everything in the others.
                if lists.iter().any(|list| list.next.is_none() && list.is_cut) {
                    page.more = true;
                    break;
                }
            }
            Ok(page)
        })
        .await
    }
}

/// A message as the timeline has it: without an answer that a frame shows.
fn shown(sql: &Sql<'_>, mut row: HistoryRow) -> Outcome<TimelineItem> {
    if let (Some(TurnId(turn)), Some(_)) = (row.message.turn, &row.answer)
        && sql.one(SHOWS_ANSWER, [turn], |_| Ok(()))?.is_some()
    {
        row.answer = None;
    }
    Ok(TimelineItem::Message(Box::new(row)))
}

/// A list with its newest item first.
struct List {
    next: Option<TimelineItem>,
    rest: IntoIter<TimelineItem>,
    /// Whether more of it was left out because of its size.
    is_cut: bool,
}

impl List {
    fn of(items: Vec<TimelineItem>, is_cut: bool) -> Self {
        let mut rest = items.into_iter();
        Self { next: rest.next(), rest, is_cut }
    }
}

/// Takes the latest item of all lists.
fn latest(lists: &mut [List]) -> Option<TimelineItem> {
    let order = |a: &TimelineItem, b: &TimelineItem| -> Ordering {
        a.at().cmp(&b.at()).then_with(|| a.rank().cmp(&b.rank()))
    };
    let heads = lists.iter_mut().filter(|list| list.next.is_some());
    let list = heads.max_by(|a, b| match (&a.next, &b.next) {
        (Some(a), Some(b)) => order(a, b),
        _ => Ordering::Equal,
    })?;
    let next = list.rest.next();
    std::mem::replace(&mut list.next, next)
}

fn bytes(item: &TimelineItem) -> usize {
    match item {
        TimelineItem::Message(row) => weight(row),
        TimelineItem::Frame(row) => texts(row),
        TimelineItem::Epoch(_) => 0,
    }
}
