//! Rows of `inbound`: written, read back and joined with their answers.

use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::Attachment;
use rusqlite::Row;
use serde_json::{Value, json};

use crate::row::{HistoryRow, InboundRow};
use crate::sql::{at, count, nat, parsed};

/// The columns that [`inbound`] reads, of `inbound i`.
macro_rules! inbound_columns {
    () => {
        "i.id, i.key, i.epoch, i.source, i.principal, i.address, i.sender, i.platform_message, i.received_at, \
         i.disposition, i.state, i.reason, i.body, i.attachments, i.turn_id"
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
    })
}

/// A row as [`history_select`] names it.
pub(crate) fn history(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let usage = Usage {
        model: row.get(18)?,
        input: row.get::<_, Option<i64>>(19)?.map(nat),
        output: row.get::<_, Option<i64>>(20)?.map(nat),
    };
    Ok(HistoryRow {
        message: inbound(row)?,
        answer: row.get(15)?,
        turn_state: row.get(16)?,
        error: row.get(17)?,
        usage: Some(usage).filter(|usage| *usage != Usage::default()),
    })
}

/// References as they are stored; none is NULL.
pub(crate) fn stored(attachments: &[Attachment]) -> Option<String> {
    if attachments.is_empty() {
        return None;
    }
    let list = attachments.iter().map(
        |file| json!({"reference": file.reference, "name": file.name, "mime": file.mime, "size": file.size}),
    );
    Some(Value::Array(list.collect()).to_string())
}

/// References as they were stored. What cannot be read is left out: the text matters more.
pub(crate) fn attachments(json: &str) -> Vec<Attachment> {
    let list = serde_json::from_str::<Vec<Value>>(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored attachments cannot be read");
        Vec::new()
    });
    let text = |file: &Value, field: &str| file.get(field).and_then(Value::as_str).map(str::to_owned);
    list.iter()
        .filter_map(|file| {
            Some(Attachment {
                reference: text(file, "reference")?,
                name: text(file, "name"),
                mime: text(file, "mime"),
                size: file.get("size").and_then(Value::as_u64),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_read_back_as_they_were_stored() {
        let files = vec![
            Attachment {
                reference: "file:1".into(),
                name: Some("ä \"b\".png".into()),
                mime: None,
                size: Some(7),
            },
            Attachment { reference: "2".into(), name: None, mime: Some("image/png".into()), size: None },
        ];
        assert_eq!(stored(&[]), None);
        assert_eq!(attachments(&stored(&files).unwrap()), files);
        assert_eq!(attachments("not json"), []);
    }
}
