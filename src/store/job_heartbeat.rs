//! When the heartbeat was last well.

use chrono::{DateTime, Utc};
use frontdesk_core::job::HEARTBEAT;

use crate::sql::maybe_at;
use crate::{Result, StoreReader};

impl StoreReader {
    /// When the last heartbeat ended that its agent answered or that had nothing to do; before the first one, when it was set
    /// up. `None` if there is no heartbeat.
    pub async fn last_heartbeat(&self) -> Result<Option<DateTime<Utc>>> {
        self.read(|sql| {
            let last = "
                SELECT coalesce((SELECT max(finished_at) FROM run WHERE job_id = job.id AND
                                   (state = 'succeeded' OR state = 'skipped' AND reason IN ('unchanged', 'empty'))),
                                created_at)
                FROM job WHERE id = ?1 AND source = 'config' AND state = 'active'";
            Ok(sql.one(last, [HEARTBEAT], |row| maybe_at(row, 0))?.flatten())
        })
        .await
    }
}
