//! Lists of questions.

use frontdesk_core::ask::AskView;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::ask_row::{ask, ask_columns};
use crate::row::AskFilter;
use crate::{Result, StoreReader};

impl StoreReader {
    /// Questions, the newest first.
    pub async fn asks(&self, filter: AskFilter, limit: u32) -> Result<Vec<AskView>> {
        let AskFilter { state, session, before } = filter;
        // A condition for every case, so that each is answered from an index.
        let state = match state {
            None => String::new(),
            Some(state) => format!(" AND a.state = '{}'", state.name()),
        };
        let session_is = if session.is_some() { "a.key = ?1" } else { "?1 IS NULL" };
        let columns = ask_columns!();
        let statement = format!(
            "SELECT {columns} FROM ask a WHERE {session_is}{state} AND a.id < ?2 ORDER BY a.id DESC LIMIT ?3"
        );
        let before = before.map_or(i64::MAX, |before| before.0);
        self.read(move |sql| {
            let session = session.as_ref().map(SessionKey::as_str);
            let asks = sql.all_legible(&statement, params![session, before, limit], ask)?;
            Ok(asks.into_iter().map(|ask| ask.view).collect())
        })
        .await
    }
}
