//! Rows of `outbox`: put on their way and read back.

use chrono::{DateTime, Utc};
use frontdesk_core::act::{About, Post, PostKind};
use frontdesk_core::address::Address;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::{MASK, Salt};
use frontdesk_core::profile::ReceiptRule;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::ids::Table;
use crate::media;
use crate::row::{OutboxRow, OutgoingFile};
use crate::sql::{Sql, at, maybe_parsed, ms, nat, parsed, small, time};
use crate::tx::Tx;

/// The columns that [`out`] reads, of `outbox o`.
macro_rules! out_columns {
    () => {
        "o.id, o.key, o.seq, o.address, o.part_key, o.kind, o.act, o.target, o.body, o.plain, o.reply_to, \
         o.state, o.attempts, o.next_at, o.fence, o.platform_message_id, o.error, o.created_at, o.message_id, \
         o.media, o.salt, (SELECT group_concat(m.id) FROM (SELECT id FROM inbound WHERE turn_id = o.turn_id ORDER BY id) m)"
    };
}

pub(crate) use out_columns;

/// What a part is about and where it goes: the same for all parts of one text.
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'a> {
    pub(crate) turn: Option<TurnId>,
    pub(crate) about: &'a [MessageId],
    pub(crate) session: Option<&'a SessionKey>,
    pub(crate) address: &'a Address,
    pub(crate) reply_to: Option<&'a str>,
    pub(crate) kind: PostKind,
    pub(crate) now: DateTime<Utc>,
}

/// What one part carries.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// Its text; of a file what stands beneath it.
    pub(crate) part: &'a Part,
    pub(crate) media: Option<&'a OutgoingFile>,
    pub(crate) salt: Option<Salt>,
}

impl<'a> From<&'a Part> for Piece<'a> {
    fn from(part: &'a Part) -> Self {
        Self { part, media: None, salt: None }
    }
}

impl Envelope<'_> {
    /// Puts a text on its way; its n-th part has the key `{key}/{n}`.
    pub(crate) fn text(&self, tx: &Tx<'_>, key: &str, text: &str) -> Outcome<Vec<OutboxRow>> {
        let parts = tx.shared.speech.parts(self.address, text);
        self.parts(tx, key, &parts)
    }

    /// The same, of parts that are rendered already.
    pub(crate) fn parts(&self, tx: &Tx<'_>, key: &str, parts: &[Part]) -> Outcome<Vec<OutboxRow>> {
        let mut said = Vec::with_capacity(parts.len());
        for (n, part) in parts.iter().enumerate() {
            said.extend(self.put(tx, format!("{key}/{n}"), part.into())?);
        }
        Ok(said)
    }

    /// Puts a notice on its way: never as an answer, whatever the envelope says.
    pub(crate) fn notice(&self, tx: &Tx<'_>, of: &str, notice: &Notice) -> Outcome<Vec<OutboxRow>> {
        let envelope = Envelope { kind: PostKind::Notice, ..self.clone() };
        envelope.text(tx, &format!("{of}/notice/{}", notice.kind()), &notice.text())
    }

    /// Puts a text on its way in which the pairing code of a salt takes the mask's place when it is sent.
    pub(crate) fn masked(&self, tx: &Tx<'_>, key: &str, text: &str, salt: Salt) -> Outcome<Vec<OutboxRow>> {
        let mut said = Vec::new();
        for (n, part) in tx.shared.speech.parts(self.address, text).iter().enumerate() {
            let salt = Some(salt).filter(|_| part.body.contains(MASK));
            said.extend(self.put(tx, format!("{key}/{n}"), Piece { salt, ..part.into() })?);
        }
        Ok(said)
    }

    /// Puts files on their way; the n-th one has the key `{key}/m{n}`, and text of its that follows it `{key}/m{n}/0`
    /// and so on.
    pub(crate) fn files(&self, tx: &Tx<'_>, key: &str, files: &[OutgoingFile]) -> Outcome<Vec<OutboxRow>> {
        let mut said = Vec::with_capacity(files.len());
        for (n, media) in (0..).zip(files) {
            let nothing = || Part { key: n, body: String::new(), plain: String::new() };
            let part = media.caption.clone().map_or_else(nothing, |part| Part { key: n, ..part });
            let piece = Piece { media: Some(media), ..Piece::from(&part) };
            said.extend(self.put(tx, format!("{key}/m{n}"), piece)?);
            said.extend(self.parts(tx, &format!("{key}/m{n}"), &media.after)?);
        }
        Ok(said)
    }

    /// One part. `None` if its key is known: the same event said it before.
    pub(crate) fn put(&self, tx: &Tx<'_>, key: String, piece: Piece<'_>) -> Outcome<Option<OutboxRow>> {
        let part = piece.part;
        let at_once = tx.shared.speech.receipt(self.address) == ReceiptRule::Commit;
        let seq = if at_once { self.number(tx, &key)? } else { None };
        let state = if at_once { "sent" } else { "queued" };
        let (id, now) = (tx.new_id(Table::Outbox)?, ms(self.now));
        let inserted = tx.run(
            "INSERT INTO outbox (id, turn_id, message_id, key, seq, address, part_key, kind, act, body, plain,
                                 reply_to, state, attempts, next_at, fence, created_at, done_at, media, salt)
             VALUES (?16, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'post', ?8, ?9, ?10, ?11, 0, ?12, 0, ?12, ?13, ?14, ?15)
             ON CONFLICT (part_key) DO NOTHING",
            params![
                self.turn.map(|turn| turn.0),
                self.about.last().map(|message| message.0),
                self.session.map(SessionKey::as_str),
                seq,
                self.address.as_str(),
                key,
                self.kind.name(),
                part.body,
                (part.plain != part.body).then_some(&part.plain),
                self.reply_to,
                state,
                now,
                at_once.then_some(now),
                piece.media.map(media::stored),
                piece.salt.map(|salt| salt.0),
                id,
            ],
        )?;
        if inserted == 0 {
            return Ok(None);
        }
        let row = self.row(id, key, &piece, state, seq);
        tx.said(&row);
        Ok(Some(row))
    }

    /// The next number of the session's durable frames; a part that is known already takes none.
    fn number(&self, tx: &Tx<'_>, key: &str) -> Outcome<Option<i64>> {
        let Some(session) = self.session else { return Ok(None) };
        if tx.one("SELECT 1 FROM outbox WHERE part_key = ?1", [key], |_| Ok(()))?.is_some() {
            return Ok(None);
        }
        let next = "UPDATE session SET seq = seq + 1 WHERE key = ?1 RETURNING seq";
        tx.one(next, [session.as_str()], |row| row.get(0))
    }

    fn row(&self, id: i64, key: String, piece: &Piece<'_>, state: &str, seq: Option<i64>) -> OutboxRow {
        // As it is stored, so that what is said at once looks like what is read back.
        let now = time(ms(self.now));
        OutboxRow {
            address: self.address.clone(),
            post: Post {
                part: piece.part.clone(),
                out: OutId(id),
                key,
                reply_to: self.reply_to.map(str::to_owned),
                kind: self.kind,
                about: About { session: self.session.cloned(), messages: self.about.to_vec() },
                seq: seq.map(nat),
                more: false,
            },
            edit: None,
            delete: None,
            media: piece.media.map(|media| captioned(media.clone(), piece.part)),
            salt: piece.salt,
            state: state.into(),
            attempts: 0,
            next_at: now,
            fence: 0,
            platform_message: None,
            error: None,
            created: now,
        }
    }
}

/// A file with its caption: the text of its own row.
fn captioned(file: OutgoingFile, part: &Part) -> OutgoingFile {
    let caption = Some(part.clone()).filter(|part| !part.body.is_empty() || !part.plain.is_empty());
    OutgoingFile { caption, after: Vec::new(), ..file }
}

/// A row as [`out_columns`] names it.
pub(crate) fn out(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let key: String = row.get(4)?;
    let body: String = row.get(8)?;
    let plain = row.get::<_, Option<String>>(9)?.unwrap_or_else(|| body.clone());
    let target: Option<String> = row.get(7)?;
    let (edit, delete) = match row.get_ref(6)?.as_str()? {
        "edit" => (target, None),
        "delete" => (None, target),
        _ => (None, None),
    };
    let turn_messages = row.get::<_, Option<String>>(21)?;
    let messages = match &turn_messages {
        Some(list) => list.split(',').filter_map(|id| id.parse().ok()).map(MessageId).collect(),
        None => row.get::<_, Option<i64>>(18)?.map(MessageId).into_iter().collect(),
    };
    let number = key.rsplit('/').next().and_then(|n| n.trim_start_matches('m').parse().ok());
    let part = Part { key: number.unwrap_or(0), body, plain };
    let file = row.get::<_, Option<String>>(19)?.and_then(|json| media::carried(&json));
    Ok(OutboxRow {
        media: file.map(|file| captioned(file, &part)),
        salt: row.get::<_, Option<[u8; 16]>>(20)?.map(Salt),
        address: parsed(row, 3)?,
        post: Post {
            part,
            out: OutId(row.get(0)?),
            key,
            reply_to: row.get(10)?,
            kind: kind(row.get_ref(5)?.as_str()?),
            about: About { session: maybe_parsed(row, 1)?, messages },
            seq: row.get::<_, Option<i64>>(2)?.map(nat),
            // It is being shown while it grows.
            more: row.get_ref(11)?.as_str()? == "streaming",
        },
        edit,
        delete,
        state: row.get(11)?,
        attempts: small(row, 12)?,
        next_at: at(row, 13)?,
        fence: row.get(14)?,
        platform_message: row.get(15)?,
        error: row.get(16)?,
        created: at(row, 17)?,
    })
}

/// One row.
pub(crate) fn load(sql: &Sql<'_>, id: OutId) -> Outcome<Option<OutboxRow>> {
    sql.one(concat!("SELECT ", out_columns!(), " FROM outbox o WHERE o.id = ?1"), [id.0], out)
}

/// The schema allows no other names.
fn kind(name: &str) -> PostKind {
    match name {
        "answer" => PostKind::Answer,
        "send" => PostKind::Send,
        _ => PostKind::Notice,
    }
}
