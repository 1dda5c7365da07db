//! Rows of `inbound`: written, read back and joined with their answers.

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::{
    Attachment, Event, EventKind, FileKind, Forward, ForwardKind, InputKind, Link, Quote, Sender, SenderKind,
};
use rusqlite::Row;
use serde_json::{Value, json};

use crate::row::{HistoryRow, InboundRow};
use crate::sql::{at, count, maybe_parsed, ms, nat, parsed};
use crate::transcript;
use crate::{Result, StoreReader};

/// The columns that [`inbound`] reads, of `inbound i`.
macro_rules! inbound_columns {
    () => {
        "i.id, i.key, i.epoch, i.source, i.principal, i.address, i.sender, i.platform_message, i.received_at, \
         i.disposition, i.state, i.reason, i.body, i.attachments, i.turn_id, \
         i.input_kind, i.sender_kind, i.quote, i.album, i.roles, i.forward, i.links, i.replays, i.place"
    };
}

/// The columns that [`history`] reads, with their tables. Only the last message of a turn has its answer.
macro_rules! history_select {
    () => {
        concat!(
            "SELECT ",
            $crate::message::inbound_columns!(),
            ", CASE WHEN i.id = (SELECT max(l.id) FROM inbound l WHERE l.turn_id = t.id) THEN t.answer END,
               t.state, t.error, t.model, t.input_tokens, t.output_tokens, t.cache_read, t.cache_write,
               t.cost_micro, t.context_used, t.context_window, ",
            $crate::transcript::transcripts_column!(),
            ", t.answer_end, t.answer_own
             FROM inbound i LEFT JOIN turn t ON t.id = i.turn_id "
        )
    };
}

pub(crate) use {history_select, inbound_columns};

impl StoreReader {
    /// One message with its answer.
    pub async fn message(&self, id: MessageId) -> Result<Option<HistoryRow>> {
        self.read(move |sql| sql.one(concat!(history_select!(), "WHERE i.id = ?1"), [id.0], history)).await
    }

    /// The last message that a turn answers, with the answer.
    pub async fn last_of_turn(&self, turn: TurnId) -> Result<Option<HistoryRow>> {
        let last = concat!(history_select!(), "WHERE i.turn_id = ?1 ORDER BY i.id DESC LIMIT 1");
        self.read(move |sql| sql.one(last, [turn.0], history)).await
    }
}

/// A row as [`inbound_columns`] names it.
pub(crate) fn inbound(row: &Row<'_>) -> rusqlite::Result<InboundRow> {
    Ok(InboundRow {
        id: MessageId(row.get(0)?),
        session: parsed(row, 1)?,
        place: maybe_parsed(row, 23)?,
        epoch: count(row, 2)?,
        source: row.get(3)?,
        from: sender(row, [4, 16, 19, 6])?,
        address: parsed(row, 5)?,
        platform_message: row.get(7)?,
        received: at(row, 8)?,
        disposition: parsed(row, 9)?,
        state: parsed(row, 10)?,
        reason: maybe_parsed(row, 11)?,
        text: row.get(12)?,
        attachments: row.get::<_, Option<String>>(13)?.map_or_else(Vec::new, |json| attachments(&json)),
        turn: row.get::<_, Option<i64>>(14)?.map(TurnId),
        input_kind: InputKind::named(row.get_ref(15)?.as_str()?).unwrap_or_default(),
        quote: row.get::<_, Option<String>>(17)?.and_then(|json| quote(&json)),
        album: row.get(18)?,
        forward: row.get::<_, Option<String>>(20)?.map(|json| forward(&json)),
        links: row.get::<_, Option<String>>(21)?.map_or_else(Vec::new, |json| links(&json)),
        replays: row.get::<_, Option<String>>(22)?.map_or_else(Vec::new, |json| replays(&json)),
    })
}

/// A sender, from the columns with the id, the kind, the roles and the display name.
pub(crate) fn sender(row: &Row<'_>, [id, kind, role, name]: [usize; 4]) -> rusqlite::Result<Sender> {
    Ok(Sender {
        id: parsed(row, id)?,
        // An unknown kind of sender has no person's rights.
        kind: SenderKind::named(row.get_ref(kind)?.as_str()?).unwrap_or(SenderKind::Chat),
        name: row.get(name)?,
        roles: row.get::<_, Option<String>>(role)?.map_or_else(Vec::new, |json| roles(&json)),
    })
}

/// A row as [`history_select`] names it.
pub(crate) fn history(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let (usage, message) = (usage(row, 27)?, inbound(row)?);
    Ok(HistoryRow {
        transcripts: transcript::read(row.get_ref(35)?.as_str()?, message.attachments.len()),
        message,
        answer: row.get(24)?,
        // An end that this version does not know is none that it may pass on as a whole answer.
        end: match row.get::<_, Option<String>>(36)? {
            None => AnswerEnd::Whole,
            Some(end) => AnswerEnd::named(&end).unwrap_or(AnswerEnd::BrokenOff),
        },
        own: row.get::<_, Option<i64>>(37)?.map(nat),
        turn_state: maybe_parsed(row, 25)?,
        error: maybe_parsed(row, 26)?,
        usage: Some(usage).filter(|usage| *usage != Usage::default()),
    })
}

/// The usage of a turn, from its eight columns from this one on.
pub(crate) fn usage(row: &Row<'_>, first: usize) -> rusqlite::Result<Usage> {
    let number =
        |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(first + column)?.map(nat));
    Ok(Usage {
        model: row.get(first)?,
        input: number(1)?,
        output: number(2)?,
        cache_read: number(3)?,
        cache_write: number(4)?,
        cost_micro: number(5)?,
        context_used: number(6)?,
        context_window: number(7)?,
    })
}

/// Attachments as they are stored; NULL if there are none.
pub(crate) fn stored(attachments: &[Attachment]) -> Option<String> {
    (!attachments.is_empty()).then(|| told(attachments).to_string())
}

fn told(attachments: &[Attachment]) -> Value {
    let list = attachments.iter().map(|file| {
        json!({"reference": file.reference, "unique": file.unique, "kind": file.kind.name(), "name": file.name, "mime": file.mime,
               "size": file.size, "seconds": file.seconds, "kept": file.kept})
    });
    list.collect()
}

/// Attachments as they were stored. One that cannot be read is left out, so that the text can still be read.
pub(crate) fn attachments(json: &str) -> Vec<Attachment> {
    let list = serde_json::from_str::<Vec<Value>>(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored attachments cannot be read");
        Vec::new()
    });
    read(&list)
}

fn read(list: &[Value]) -> Vec<Attachment> {
    list.iter()
        .filter_map(|file| {
            Some(Attachment {
                reference: text(file, "reference")?,
                unique: text(file, "unique"),
                // An unknown kind is a document.
                kind: text(file, "kind").and_then(|kind| FileKind::named(&kind)).unwrap_or_default(),
                name: text(file, "name"),
                mime: text(file, "mime"),
                size: file.get("size").and_then(Value::as_u64),
                seconds: file.get("seconds").and_then(Value::as_u64),
                kept: text(file, "kept"),
            })
        })
        .collect()
}

/// What a message replies to, as it is stored.
pub(crate) fn stored_quote(quote: &Quote) -> String {
    let Quote { message, id, sender, text, links, attachments, ours } = quote;
    json!({"message": message, "id": id.as_ref().map(|id| id.as_str()), "sender": sender, "text": text,
           "links": shown(links), "attachments": told(attachments), "ours": ours})
    .to_string()
}

/// What a message replies to, as it was stored.
fn quote(json: &str) -> Option<Quote> {
    let quote: Value = serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, "a stored quote cannot be read"))
        .ok()?;
    let list = |name: &str| quote.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Some(Quote {
        message: text(&quote, "message"),
        id: text(&quote, "id").and_then(|id| id.parse().ok()),
        sender: text(&quote, "sender"),
        text: text(&quote, "text")?,
        links: linked(list("links")),
        attachments: read(list("attachments")),
        ours: quote.get("ours").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// The original author of a forwarded message, as it is stored.
pub(crate) fn stored_forward(forward: &Forward) -> String {
    let Forward { kind, id, name } = forward;
    json!({"kind": kind.name(), "id": id.as_ref().map(|id| id.as_str()), "name": name}).to_string()
}

/// The original author of a forwarded message, as it was stored. If that cannot be read, the author is unknown: the
/// message is still not its sender's own.
pub(crate) fn forward(json: &str) -> Forward {
    let forward: Value = serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "a stored forward cannot be read");
        Value::Null
    });
    Forward {
        kind: text(&forward, "kind")
            .and_then(|kind| ForwardKind::named(&kind))
            .unwrap_or(ForwardKind::Unknown),
        id: text(&forward, "id").and_then(|id| id.parse().ok()),
        name: text(&forward, "name"),
    }
}

/// When an edit was made, by the platform's clock. A deletion is later than every edit.
pub(crate) fn edited_at(event: &Event) -> Option<i64> {
    match event.kind {
        EventKind::Edit => event.sent_at.map(ms),
        EventKind::Deleted => Some(i64::MAX),
        _ => None,
    }
}

/// Links as they are stored; NULL if there are none.
pub(crate) fn stored_links(links: &[Link]) -> Option<String> {
    (!links.is_empty()).then(|| shown(links).to_string())
}

fn shown(links: &[Link]) -> Value {
    links.iter().map(|link| json!({"label": link.label, "url": link.url})).collect()
}

fn links(json: &str) -> Vec<Link> {
    let list = serde_json::from_str::<Vec<Value>>(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored links cannot be read");
        Vec::new()
    });
    linked(&list)
}

fn linked(list: &[Value]) -> Vec<Link> {
    list.iter()
        .filter_map(|link| Some(Link { label: text(link, "label")?, url: text(link, "url")? }))
        .collect()
}

/// The messages that a retry runs again, as they are stored.
pub(crate) fn stored_replays(messages: &[MessageId]) -> String {
    messages.iter().map(|message| message.0).collect::<Value>().to_string()
}

/// The messages that a retry runs again, as they were stored. If they cannot be read, nothing is run.
fn replays(json: &str) -> Vec<MessageId> {
    let ids = serde_json::from_str::<Vec<i64>>(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "the messages of a stored retry cannot be read");
        Vec::new()
    });
    ids.into_iter().map(MessageId).collect()
}

/// Roles as they are stored; NULL if there are none.
pub(crate) fn stored_roles(roles: &[String]) -> Option<String> {
    (!roles.is_empty()).then(|| json!(roles).to_string())
}

/// Roles as they were stored. If they cannot be read, the sender has none.
fn roles(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored roles cannot be read");
        Vec::new()
    })
}

/// A text field of a JSON object.
pub(crate) fn text(object: &Value, field: &str) -> Option<String> {
    object.get(field).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_read_back_as_they_were_stored() {
        let files = vec![
            Attachment {
                reference: "file:1".into(),
                unique: Some("u1".into()),
                kind: FileKind::Photo,
                name: Some("ä \"b\".png".into()),
                mime: None,
                size: Some(7),
                seconds: Some(3),
                kept: None,
            },
            Attachment {
                reference: "2".into(),
                unique: None,
                kind: FileKind::Document,
                name: None,
                mime: Some("image/png".into()),
                size: None,
                seconds: None,
                kept: Some("in/2.png".into()),
            },
        ];
        assert_eq!(stored(&[]), None);
        assert_eq!(attachments(&stored(&files).unwrap()), files);
        assert_eq!(attachments("not json"), []);
    }

    #[test]
    fn attachments_of_the_first_release_are_documents() {
        let old =
            r#"[{"reference":"r","name":null,"mime":"a/b","size":3},{"reference":"s","kind":"new kind"}]"#;
        let kinds: Vec<FileKind> = attachments(old).into_iter().map(|file| file.kind).collect();
        assert_eq!(kinds, [FileKind::Document, FileKind::Document]);
    }

    #[test]
    fn a_quote_reads_back_as_it_was_stored() {
        let file = Attachment {
            reference: "r".into(),
            unique: None,
            kind: FileKind::Voice,
            name: None,
            mime: None,
            size: None,
            seconds: None,
            kept: None,
        };
        let said = Quote {
            message: Some("7".into()),
            id: Some("telegram:5".parse().unwrap()),
            sender: None,
            text: "\"ä\"\n".into(),
            links: vec![Link { label: "l".into(), url: "https://e.com/".into() }],
            attachments: vec![file],
            ours: true,
        };
        assert_eq!(quote(&stored_quote(&said)), Some(said));
        assert_eq!(quote(r#"{"text":"old"}"#), Some(Quote::of("old")), "what is missing is not known");
        assert_eq!((quote("not json"), quote("{}")), (None, None));
    }

    #[test]
    fn a_forward_reads_back_as_it_was_stored_and_stays_one_when_it_cannot_be_read() {
        for kind in ForwardKind::ALL {
            let from = Forward { kind, id: Some("telegram:-5".parse().unwrap()), name: Some("N\n".into()) };
            assert_eq!(forward(&stored_forward(&from)), from);
        }
        let unknown = Forward { kind: ForwardKind::Unknown, id: None, name: None };
        assert_eq!([forward("not json"), forward("{}")], [unknown.clone(), unknown]);
    }
}
