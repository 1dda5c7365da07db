//! Files that clients have uploaded before they name them in a message.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Attachment;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::{attachments, stored};
use crate::queue::WorkClass;
use crate::row::{UploadRow, UploadStored};
use crate::sql::{count, int, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

const COLUMNS: &str = "SELECT name, principal, attachment FROM upload ";

/// How many bytes one person may have uploaded for messages to come, and how many may be kept of all files; 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UploadLimits {
    /// For one person.
    pub person: u64,
    /// Of all files.
    pub total: u64,
}

impl Store {
    /// A client has uploaded a file, which lies on the disk already. `request` names the request, if it may be repeated.
    pub async fn uploaded(
        &self,
        upload: UploadRow,
        request: Option<String>,
        limits: UploadLimits,
        now: DateTime<Utc>,
    ) -> Result<UploadStored> {
        self.write(WorkClass::Requests, move |tx| {
            let UploadRow { name, principal, attachment } = &upload;
            let by_request = format!("{COLUMNS} WHERE request = ?1");
            if let Some(request) = &request
                && let Some(before) = tx.one(&by_request, [request], upload_row)?
            {
                return Ok(before.map_or(UploadStored::New, UploadStored::Before));
            }
            let size = attachment.size.unwrap_or(0);
            let waiting =
                "SELECT coalesce(sum(size), 0) FROM upload WHERE principal = ?1 AND message_id IS NULL";
            let waiting = tx.one(waiting, [principal.as_str()], |row| count(row, 0))?.unwrap_or(0);
            if limits.person > 0 && waiting.saturating_add(size) > limits.person {
                return Ok(UploadStored::OverDaily);
            }
            let kept = tx.one(ALL_BYTES, [], |row| count(row, 0))?.unwrap_or(0);
            if limits.total > 0 && kept.saturating_add(size) > limits.total {
                return Ok(UploadStored::OverTotal);
            }
            tx.run(
                "INSERT INTO upload (name, principal, request, file, size, attachment, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    name,
                    principal.as_str(),
                    request,
                    attachment.kept,
                    int(size),
                    stored(std::slice::from_ref(attachment)),
                    ms(now)
                ],
            )?;
            Ok(UploadStored::New)
        })
        .await
    }

    /// Its owner does not want an upload any more. Returns its file; `None` if the person has no such upload.
    pub async fn upload_dropped(&self, principal: &Principal, name: &str) -> Result<Option<String>> {
        let (principal, name) = (principal.clone(), name.to_owned());
        self.write(WorkClass::Requests, move |tx| {
            tx.one(
                "DELETE FROM upload WHERE principal = ?1 AND name = ?2 RETURNING file",
                params![principal.as_str(), name],
                |row| row.get(0),
            )
        })
        .await
    }

    /// Uploads of before a time can be named no more. Returns their files, of which messages may keep some.
    pub async fn uploads_expired(&self, before: DateTime<Utc>) -> Result<Vec<String>> {
        self.write(WorkClass::Sweep, move |tx| {
            tx.all("DELETE FROM upload WHERE created_at < ?1 RETURNING file", [ms(before)], |row| row.get(0))
        })
        .await
    }
}

impl StoreReader {
    /// The upload of a person with this name.
    pub async fn upload(&self, principal: &Principal, name: &str) -> Result<Option<UploadRow>> {
        let (principal, name) = (principal.clone(), name.to_owned());
        self.read(move |sql| {
            let by_name = format!("{COLUMNS} WHERE name = ?1 AND principal = ?2");
            Ok(sql.one(&by_name, params![name, principal.as_str()], upload_row)?.flatten())
        })
        .await
    }
}

/// How many bytes all files have that came with messages or are uploaded. A file of several messages counts once.
pub(crate) const ALL_BYTES: &str = "SELECT coalesce(sum(size), 0) FROM (SELECT max(size) AS size FROM
    (SELECT file, size FROM media WHERE file IS NOT NULL UNION ALL SELECT file, size FROM upload) GROUP BY file)";

/// Notes that a message names its uploaded files, so that they are erased with it.
pub(crate) fn named(tx: &Tx<'_>, message: MessageId, files: &[Attachment]) -> Outcome<()> {
    for file in files.iter().filter_map(|file| file.kept.as_deref()) {
        tx.run("UPDATE upload SET message_id = ?2 WHERE file = ?1", params![file, message.0])?;
    }
    Ok(())
}

/// `None` if the stored file cannot be read.
fn upload_row(row: &Row<'_>) -> rusqlite::Result<Option<UploadRow>> {
    let (name, principal) = (row.get(0)?, parsed(row, 1)?);
    let attachment = attachments(&row.get::<_, String>(2)?).pop();
    Ok(attachment.map(|attachment| UploadRow { name, principal, attachment }))
}
