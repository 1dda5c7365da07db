//! Everything that the decision about access needs in memory.

use crate::fault::Outcome;
use crate::row::AccessState;
use crate::sql::Sql;
use crate::{Result, StoreReader, account, block, budget, chat, grant, link, moved, token};

impl StoreReader {
    /// Everything that is needed to decide who has access.
    pub async fn access_state(&self) -> Result<AccessState> {
        self.read(read).await
    }
}

/// Reads everything that is needed to decide who has access.
pub(crate) fn read(sql: &Sql<'_>) -> Outcome<AccessState> {
    Ok(AccessState {
        grants: grant::all(sql)?,
        blocked: block::all(sql)?,
        chats: chat::all(sql)?,
        links: link::all(sql)?,
        moved: moved::all(sql)?,
        stopped: account::stopped(sql)?,
        budgets: budget::all(sql)?,
        tokens: token::valid(sql)?,
    })
}
