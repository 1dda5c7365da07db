//! What was measured in the last hour or day.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use frontdesk_store::row::MinuteRow;

use super::{GatewayError, GatewayHandle};

impl GatewayHandle {
    /// What happened in each minute since a time, by the number of the minute. A minute that is missing was idle.
    pub async fn minutes(&self, since: DateTime<Utc>) -> Result<BTreeMap<i64, MinuteRow>, GatewayError> {
        // The stored ones first: one that is stored meanwhile is missing once, where the other order would count it twice.
        let mut minutes = BTreeMap::from_iter(self.0.store.minutes(since).await?);
        for (minute, row) in self.0.minutes.since(since) {
            minutes.entry(minute).or_insert_with(MinuteRow::default).add(&row);
        }
        Ok(minutes)
    }
}
