//! Rows of `inbound`: written, read back and joined with their answers.

use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::{Attachment, FileKind, Manner, Quote, Speaker};
use rusqlite::Row;
use serde_json::{Value, json};

use crate::row::{HistoryRow, InboundRow};
use crate::sql::{at, count, nat, parsed};

/// The columns that [`inbound`] reads, of `inbound i`.
macro_rules! inbound_columns {
    () => {
        "i.id, i.key, i.epoch, i.source, i.principal, i.address, i.sender, i.platform_message, i.received_at, \
         i.disposition, i.state, i.reason, i.body, i.attachments, i.turn_id, \
         i.manner, i.speaker, i.quote, i.album, i.roles"
    };
}

/// The columns that [`history`] reads, with their tables. The answer stands on the last message of its turn.
macro_rules! history_select {
    () => {
        concat!(
            "SELECT ",
            $crate::message::inbound_columns!(),
            ", CASE WHEN i.id = (SELECT max(l.id) FROM inbound l WHERE l.turn_id = t.id) THEN t.answer END,
               t.state, t.error, t.model, t.input_tokens, t.output_tokens
             FROM inbound i LEFT JOIN turn t ON t.id = i.turn_id "
        )
    };
}

pub(crate) use {history_select, inbound_columns};

/// A row as [`inbound_columns`] names it.
pub(crate) fn inbound(row: &Row<'_>) -> rusqlite::Result<InboundRow> {
    Ok(InboundRow {
        id: MessageId(row.get(0)?),
        session: parsed(row, 1)?,
        epoch: count(row, 2)?,
        source: row.get(3)?,
        principal: parsed(row, 4)?,
        address: parsed(row, 5)?,
        sender: row.get(6)?,
        platform_message: row.get(7)?,
        received: at(row, 8)?,
        disposition: row.get(9)?,
        state: row.get(10)?,
        reason: row.get(11)?,
        text: row.get(12)?,
        attachments: row.get::<_, Option<String>>(13)?.map_or_else(Vec::new, |json| attachments(&json)),
        turn: row.get::<_, Option<i64>>(14)?.map(TurnId),
        manner: Manner::named(row.get_ref(15)?.as_str()?).unwrap_or_default(),
        // What cannot be read has no person's rights.
        speaker: Speaker::named(row.get_ref(16)?.as_str()?).unwrap_or(Speaker::Chat),
        quote: row.get::<_, Option<String>>(17)?.and_then(|json| quote(&json)),
        album: row.get(18)?,
        roles: row.get::<_, Option<String>>(19)?.map_or_else(Vec::new, |json| roles(&json)),
    })
}

/// A row as [`history_select`] names it.
pub(crate) fn history(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let usage = Usage {
        model: row.get(23)?,
        input: row.get::<_, Option<i64>>(24)?.map(nat),
        output: row.get::<_, Option<i64>>(25)?.map(nat),
    };
    Ok(HistoryRow {
        message: inbound(row)?,
        answer: row.get(20)?,
        turn_state: row.get(21)?,
        error: row.get(22)?,
        usage: Some(usage).filter(|usage| *usage != Usage::default()),
    })
}

/// References as they are stored; none is NULL.
pub(crate) fn stored(attachments: &[Attachment]) -> Option<String> {
    if attachments.is_empty() {
        return None;
    }
    let list = attachments.iter().map(|file| {
        json!({"reference": file.reference, "unique": file.unique, "kind": file.kind.name(), "name": file.name, "mime": file.mime,
               "size": file.size})
    });
    Some(Value::Array(list.collect()).to_string())
}

/// References as they were stored. What cannot be read is left out: the text matters more.
pub(crate) fn attachments(json: &str) -> Vec<Attachment> {
    let list = serde_json::from_str::<Vec<Value>>(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored attachments cannot be read");
        Vec::new()
    });
    list.iter()
        .filter_map(|file| {
            Some(Attachment {
                reference: text(file, "reference")?,
                unique: text(file, "unique"),
                // Rows of the first release do not say.
                kind: text(file, "kind").and_then(|kind| FileKind::named(&kind)).unwrap_or_default(),
                name: text(file, "name"),
                mime: text(file, "mime"),
                size: file.get("size").and_then(Value::as_u64),
            })
        })
        .collect()
}

/// What a message replies to, as it is stored.
pub(crate) fn stored_quote(quote: &Quote) -> String {
    let Quote { message, sender, text, ours } = quote;
    json!({"message": message, "sender": sender, "text": text, "ours": ours}).to_string()
}

/// What a message replies to, as it was stored.
fn quote(json: &str) -> Option<Quote> {
    let quote: Value = serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, "a stored quote cannot be read"))
        .ok()?;
    Some(Quote {
        message: text(&quote, "message"),
        sender: text(&quote, "sender"),
        text: text(&quote, "text")?,
        ours: quote.get("ours").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// Roles as they are stored; none is NULL.
pub(crate) fn stored_roles(roles: &[String]) -> Option<String> {
    (!roles.is_empty()).then(|| json!(roles).to_string())
}

/// Roles as they were stored. What cannot be read is no role: whoever had one has none then.
fn roles(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored roles cannot be read");
        Vec::new()
    })
}

/// A text in an object.
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
            },
            Attachment {
                reference: "2".into(),
                unique: None,
                kind: FileKind::Document,
                name: None,
                mime: Some("image/png".into()),
                size: None,
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
        let said = Quote { message: Some("7".into()), sender: None, text: "\"ä\"\n".into(), ours: true };
        assert_eq!(quote(&stored_quote(&said)), Some(said));
        assert_eq!((quote("not json"), quote("{}")), (None, None));
    }
}
