//! Rows of `outbox`: created and read back.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::command::with_mark;
use frontdesk_core::delivery::{MessageRefs, Post, PostKind, PostedFile};
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::FileKind;
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::{MASK, Salt};
use frontdesk_core::profile::ReceiptRule;
use rusqlite::{Row, params};
use serde_json::{Value, json};

use crate::ask_row::posted;
use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::text;
use crate::part_key::{PartKey, TextKey};
use crate::row::{OutboxAct, OutboxRow, OutboxState, OutgoingFile, Withheld};
use crate::sql::{Sql, at, int, maybe_at, maybe_parsed, ms, nat, parsed, small, time};
use crate::task_change;
use crate::tx::Tx;

/// The columns that [`out`] reads, of `outbox o`.
macro_rules! out_columns {
    () => {
        concat!("o.id, o.key, o.seq, o.address, o.part_key, o.kind, o.act, \
         coalesce(o.target, (SELECT q.platform_message_id FROM outbox q WHERE o.act <> 'post' AND q.id = \
             coalesce(o.about_out, (SELECT a.out_id FROM ask a WHERE a.id = o.ask)))), \
         o.body, o.plain, coalesce(o.reply_to, (SELECT q.platform_message_id FROM outbox q \
             WHERE o.act = 'post' AND q.id = o.about_out)), \
         o.state, o.attempts, o.next_at, o.fence, o.platform_message_id, o.error, o.created_at, o.message_id, \
         o.media, o.salt, o.part, o.failures, o.album, \
         (SELECT group_concat(m.id) FROM (SELECT id FROM inbound WHERE turn_id = o.turn_id ORDER BY id) m), \
         o.audience, ", $crate::ask_row::out_ask_columns!(), ", o.place, o.unseen, o.task, o.held_until, o.native")
    };
}

pub(crate) use out_columns;

/// What new parts are about and where they go: the same for all parts of one text.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing<'a> {
    pub(crate) turn: Option<TurnId>,
    pub(crate) about: &'a [MessageId],
    pub(crate) session: Option<&'a SessionKey>,
    pub(crate) address: &'a Address,
    pub(crate) reply_to: Option<&'a str>,
    pub(crate) kind: PostKind,
    /// The only person who may see it, on platforms that can show a post to one person.
    pub(crate) audience: Option<&'a Principal>,
    pub(crate) now: DateTime<Utc>,
}

impl Outgoing<'_> {
    /// Stores a text. Returns the id of its first part, if that is new.
    pub(crate) fn text(&self, tx: &Tx<'_>, key: &TextKey, text: &str) -> Outcome<Option<OutId>> {
        let mut first = None;
        for row in self.text_rows(tx, key, text)? {
            let id = self.put(tx, row)?;
            first = first.or(id);
        }
        Ok(first)
    }

    /// The rows of a text: its parts, or one row that hooks see before it is rendered.
    pub(crate) fn text_rows(&self, tx: &Tx<'_>, key: &TextKey, text: &str) -> Outcome<Vec<OutboxRow>> {
        let parts = tx.shared.renderer.parts(self.address, text);
        if parts.is_empty() || !tx.shared.renderer.waits_for_hooks() {
            return parts.into_iter().enumerate().map(|(n, part)| self.row(tx, key.part(n), part)).collect();
        }
        Ok(vec![self.unseen(tx, key.part(0), text)?])
    }

    /// A whole text in Markdown, which waits for the hooks.
    pub(crate) fn unseen(&self, tx: &Tx<'_>, key: PartKey, text: &str) -> Outcome<OutboxRow> {
        let part = Part { key: 0, body: text.to_owned(), plain: text.to_owned() };
        Ok(OutboxRow { unseen: true, state: OutboxState::Queued, ..self.row(tx, key, part)? })
    }

    /// Stores a text that hooks keep from being sent.
    pub(crate) fn withheld(&self, tx: &Tx<'_>, key: PartKey, withheld: &Withheld) -> Outcome<()> {
        let (state, error) = (withheld.state(), Some(withheld.error.clone()));
        let row = self.unseen(tx, key, &withheld.text)?;
        self.put(tx, OutboxRow { state, error, ..row }).map(drop)
    }

    /// Stores these rows. Returns whether any of them is new.
    fn rows(&self, tx: &Tx<'_>, rows: Vec<OutboxRow>, notice: Option<&Notice>) -> Outcome<bool> {
        let mut is_new = false;
        for row in rows {
            is_new |= self.insert(tx, row, notice.map(Notice::kind))?.is_some();
        }
        Ok(is_new)
    }

    /// Stores a text of the gateway's own, which names commands as people type them there. Returns the id of its first part,
    /// if that is new.
    pub(crate) fn own_text(&self, tx: &Tx<'_>, key: &TextKey, text: &str) -> Outcome<Option<OutId>> {
        self.text(tx, key, &self.typed(tx, text))
    }

    /// A text with its commands as people type them there.
    fn typed<'t>(&self, tx: &Tx<'_>, text: &'t str) -> Cow<'t, str> {
        with_mark(text, tx.shared.renderer.command_mark(self.address))
    }

    /// Stores a text that is rendered already.
    pub(crate) fn parts(&self, tx: &Tx<'_>, key: &TextKey, parts: Vec<Part>) -> Outcome<bool> {
        let mut is_new = false;
        for (n, part) in parts.into_iter().enumerate() {
            let row = self.row(tx, key.part(n), part)?;
            is_new |= self.put(tx, row)?.is_some();
        }
        Ok(is_new)
    }

    /// Stores a notice about something, as a notice whatever the kind of these parts is.
    pub(crate) fn notice(
        &self,
        tx: &Tx<'_>,
        about: impl std::fmt::Display,
        notice: &Notice,
    ) -> Outcome<bool> {
        self.notice_as(tx, &TextKey::notice(about, notice), notice)
    }

    /// Stores a notice under a key of its own: under one key it is sent once.
    pub(crate) fn notice_as(&self, tx: &Tx<'_>, key: &TextKey, notice: &Notice) -> Outcome<bool> {
        let outgoing = Outgoing { kind: PostKind::Notice, ..self.clone() };
        outgoing.rows(tx, outgoing.text_rows(tx, key, &self.typed(tx, &notice.text()))?, Some(notice))
    }

    /// Stores a text in which the code of a salt replaces the mask when it is sent.
    pub(crate) fn masked(
        &self,
        tx: &Tx<'_>,
        key: &TextKey,
        text: &str,
        salt: Salt,
        notice: Option<&Notice>,
    ) -> Outcome<()> {
        let rows = self.text_rows(tx, key, &self.typed(tx, text))?;
        let with_salt = |row: OutboxRow| OutboxRow { salt: salt_for(salt, &row.post.part), ..row };
        self.rows(tx, rows.into_iter().map(with_salt).collect(), notice).map(drop)
    }

    /// Stores files that follow a text, and after each of them the text that did not fit beneath it.
    pub(crate) fn files(&self, tx: &Tx<'_>, key: &TextKey, files: &[OutgoingFile]) -> Outcome<()> {
        let mut album = None;
        for (n, file) in (0..).zip(files) {
            let nothing = || Part { key: n, body: String::new(), plain: String::new() };
            let part = file.caption.clone().map_or_else(nothing, |part| Part { key: n, ..part });
            let media = Some(captioned(file.clone(), &part));
            let row = self.row(tx, key.file(n), part)?;
            let is_joined = files.get(n as usize + 1).is_some_and(|next| next.joins);
            album = match album {
                Some(first) if file.joins => Some(first),
                _ => is_joined.then_some(row.post.out),
            };
            let post = Post { file: media.as_ref().map(posted_file), ..row.post };
            self.put(tx, OutboxRow { media, album, post, ..row })?;
            self.parts(tx, &key.after_file(n), file.after.clone())?;
        }
        Ok(())
    }

    /// A row to be stored: queued, or sent already where a part counts as sent when it is committed.
    pub(crate) fn row(&self, tx: &Tx<'_>, key: PartKey, part: Part) -> Outcome<OutboxRow> {
        let is_sent = tx.shared.renderer.receipt(self.address) == ReceiptRule::Commit;
        // As it is stored, so that a new row equals the one that is read back.
        let now = time(ms(self.now));
        Ok(OutboxRow {
            address: self.address.clone(),
            post: Post {
                part,
                out: OutId(tx.new_id(Table::Outbox)?),
                key: key.into_string(),
                reply_to: self.reply_to.map(str::to_owned),
                kind: self.kind,
                about: MessageRefs { session: self.session.cloned(), messages: self.about.to_vec() },
                seq: None,
                more: false,
                ask: None,
                task: None,
                audience: self.audience.cloned(),
                file: None,
                native: None,
            },
            act: OutboxAct::Post,
            target: None,
            about: None,
            media: None,
            album: None,
            salt: None,
            unseen: false,
            follows: None,
            state: if is_sent { OutboxState::Sent } else { OutboxState::Queued },
            attempts: 0,
            failures: 0,
            next_at: now,
            fence: 0,
            platform_message: None,
            error: None,
            created: now,
            held_until: None,
        })
    }

    /// Stores a row. `None` if its key is known: the same event stored it before.
    pub(crate) fn put(&self, tx: &Tx<'_>, row: OutboxRow) -> Outcome<Option<OutId>> {
        self.insert(tx, row, None)
    }

    fn insert(&self, tx: &Tx<'_>, mut row: OutboxRow, notice: Option<&str>) -> Outcome<Option<OutId>> {
        let id = row.post.out;
        if row.state == OutboxState::Sent {
            row.post.seq = self.number(tx, &row.post.key)?;
        }
        let (now, part) = (ms(self.now), &row.post.part);
        let is_ended = matches!(row.state, OutboxState::Sent | OutboxState::Dead | OutboxState::Dropped);
        let inserted = tx.run(
            "INSERT INTO outbox (id, turn_id, message_id, key, seq, address, part_key, part, notice, kind, act, target,
                                 body, plain, reply_to, state, owner, attempts, next_at, fence, created_at, done_at,
                                 media, salt, album, ask, audience, place, unseen, error, about_out, task)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, ?18, 0, ?18, ?19,
                     ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)
             ON CONFLICT (part_key) DO NOTHING",
            params![
                id.0,
                self.turn.map(|turn| turn.0),
                self.about.last().map(|message| message.0),
                self.session.map(SessionKey::as_str),
                row.post.seq.map(int),
                self.address.as_str(),
                row.post.key,
                part.key,
                notice,
                self.kind.name(),
                row.act.name(),
                row.target,
                part.body,
                (part.plain != part.body).then_some(&part.plain),
                self.reply_to,
                row.state.name(),
                (row.state == OutboxState::Streaming).then_some(tx.shared.boot.as_str()),
                now,
                is_ended.then_some(now),
                row.media.as_ref().map(stored_file),
                row.salt.map(|salt| salt.0),
                row.album.map(|first| first.0),
                row.post.ask.as_ref().map(|ask| ask.id.0),
                row.post.audience.as_ref().map(|person| person.as_str()),
                row.follows.unwrap_or(id).0,
                row.unseen,
                row.error,
                row.about.map(|about| about.0),
                row.post.task.as_ref().map(task_change::stored),
            ],
        )?;
        if inserted == 0 {
            return Ok(None);
        }
        // A streamed message is posted by its turn, and a text that hooks withhold by nobody: no lane is to be woken.
        if matches!(row.state, OutboxState::Queued | OutboxState::Sent) {
            tx.stored(row);
        }
        Ok(Some(id))
    }

    /// The next number of the session's durable frames; a part that is known already takes none.
    fn number(&self, tx: &Tx<'_>, key: &str) -> Outcome<Option<u64>> {
        let Some(session) = self.session else { return Ok(None) };
        if is_known(tx, key)? { Ok(None) } else { next_number(tx, session) }
    }
}

/// The next number of a session's durable frames.
pub(crate) fn next_number(tx: &Tx<'_>, session: &SessionKey) -> Outcome<Option<u64>> {
    let next = "UPDATE session SET seq = seq + 1 WHERE key = ?1 RETURNING seq";
    tx.one(next, [session.as_str()], |row| row.get(0).map(nat))
}

/// The salt of a row with this text: only a text with the mask needs it.
pub(crate) fn salt_for(salt: Salt, part: &Part) -> Option<Salt> {
    Some(salt).filter(|_| part.body.contains(MASK))
}

/// Whether a part with this key was stored before.
pub(crate) fn is_known(sql: &Sql<'_>, key: &str) -> Outcome<bool> {
    Ok(sql.one("SELECT 1 FROM outbox WHERE part_key = ?1", [key], |_| Ok(()))?.is_some())
}

/// A file with its caption: the text of its own row.
fn captioned(file: OutgoingFile, part: &Part) -> OutgoingFile {
    let caption = Some(part.clone()).filter(|part| !part.body.is_empty() || !part.plain.is_empty());
    OutgoingFile { caption, after: Vec::new(), joins: false, ..file }
}

/// A file as clients that fetch it are told of it.
fn posted_file(file: &OutgoingFile) -> PostedFile {
    let OutgoingFile { name, mime, kind, size, .. } = file.clone();
    PostedFile { name, mime, kind, size }
}

/// A row as [`out_columns`] names it.
pub(crate) fn out(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let body: String = row.get(8)?;
    let plain = row.get::<_, Option<String>>(9)?.unwrap_or_else(|| body.clone());
    let act = OutboxAct::named(row.get_ref(6)?.as_str()?);
    let id = OutId(row.get(0)?);
    let messages = match row.get::<_, Option<String>>(24)? {
        Some(list) => list.split(',').filter_map(|id| id.parse().ok()).map(MessageId).collect(),
        None => row.get::<_, Option<i64>>(18)?.map(MessageId).into_iter().collect(),
    };
    let part = Part { key: small(row, 21)?, body, plain };
    let file = row.get::<_, Option<String>>(19)?.and_then(|json| read_file(&json));
    let state = parsed(row, 11)?;
    Ok(OutboxRow {
        media: file.clone().map(|file| captioned(file, &part)),
        album: row.get::<_, Option<i64>>(23)?.map(OutId),
        salt: row.get::<_, Option<[u8; 16]>>(20)?.map(Salt),
        follows: Some(OutId(row.get(27)?)).filter(|place| *place != id),
        unseen: row.get(28)?,
        address: parsed(row, 3)?,
        post: Post {
            part,
            out: id,
            key: row.get(4)?,
            reply_to: row.get(10)?,
            kind: kind(row.get_ref(5)?.as_str()?),
            about: MessageRefs { session: maybe_parsed(row, 1)?, messages },
            seq: row.get::<_, Option<i64>>(2)?.map(nat),
            more: state == OutboxState::Streaming,
            ask: row.get::<_, Option<String>>(26)?.and_then(|json| posted(&json)),
            task: row.get::<_, Option<String>>(29)?.and_then(|json| task_change::read(&json)),
            audience: maybe_parsed(row, 25)?,
            file: file.as_ref().map(posted_file),
            native: row.get::<_, Option<String>>(31)?.and_then(|json| read_native(&json)),
        },
        act,
        // A post has the message there that it replaces.
        target: row.get::<_, Option<String>>(7)?.filter(|_| act != OutboxAct::Post),
        about: None,
        state,
        attempts: small(row, 12)?,
        failures: small(row, 22)?,
        next_at: at(row, 13)?,
        fence: row.get(14)?,
        platform_message: row.get(15)?,
        error: row.get(16)?,
        created: at(row, 17)?,
        held_until: maybe_at(row, 30)?,
    })
}

/// One row.
pub(crate) fn load(sql: &Sql<'_>, id: OutId) -> Outcome<Option<OutboxRow>> {
    sql.one(concat!("SELECT ", out_columns!(), " FROM outbox o WHERE o.id = ?1"), [id.0], out)
}

/// Only these names are stored.
fn kind(name: &str) -> PostKind {
    match name {
        "answer" => PostKind::Answer,
        "send" => PostKind::Send,
        "result" => PostKind::Result,
        _ => PostKind::Notice,
    }
}

/// An outgoing file as it is stored. Its caption is its row's own text.
fn stored_file(media: &OutgoingFile) -> String {
    let OutgoingFile { file, name, mime, kind, size, caption: _, after: _, joins: _ } = media;
    json!({"file": file, "name": name, "mime": mime, "kind": kind.name(), "size": size}).to_string()
}

/// A message in the platform's own form, as it was stored.
fn read_native(json: &str) -> Option<Value> {
    serde_json::from_str(json)
        .inspect_err(
            |error| tracing::error!(%error, "a stored message cannot be read in its platform's own form"),
        )
        .ok()
}

/// An outgoing file as it was stored; without a caption.
pub(crate) fn read_file(json: &str) -> Option<OutgoingFile> {
    let media: Value = serde_json::from_str(json)
        .inspect_err(|error| tracing::error!(%error, "a stored outgoing file cannot be read"))
        .ok()?;
    Some(OutgoingFile {
        file: text(&media, "file")?,
        name: text(&media, "name")?,
        mime: text(&media, "mime"),
        kind: text(&media, "kind").and_then(|kind| FileKind::named(&kind)).unwrap_or_default(),
        size: media.get("size").and_then(Value::as_u64),
        caption: None,
        after: Vec::new(),
        joins: false,
    })
}
