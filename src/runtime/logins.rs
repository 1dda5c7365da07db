//! Which bot or login each account is connected as.

use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::port::Adapter;
use frontdesk_store::StoreError;

use crate::shared::Shared;

/// An account is about to connect by this adapter. If it connects as another login than before, the platform's ids of
/// messages are forgotten.
pub(crate) async fn note(shared: &Shared, adapter: &dyn Adapter) -> Result<(), StoreError> {
    let Some(login) = adapter.login() else { return Ok(()) };
    let (account, now) = (adapter.account(), shared.time.wall());
    if shared.store.account_connects(account, login, now).await? {
        let channel = account.channel();
        tracing::warn!(
            channel,
            %account,
            "the account belongs to a different bot now: it cannot edit or reply to earlier messages, so answers under way are \
             sent as new messages"
        );
    }
    Ok(())
}

/// Notes the logins of accounts that get another adapter. An account that connects as another login is disconnected first,
/// so that nothing is sent with ids of the one before. Nothing has changed after an error.
pub(crate) async fn note_all(shared: &Shared, adapters: &[Arc<dyn Adapter>]) -> Result<(), StoreError> {
    let mut disconnected = Vec::new();
    let noted = async {
        for adapter in adapters {
            if is_another(shared, adapter.account(), adapter.login()).await?
                && let Some(connection) = shared.adapters.get(adapter.account())
            {
                disconnected.push(connection.adapter());
                shared.adapters.remove(adapter.account());
            }
            note(shared, adapter.as_ref()).await?;
        }
        Ok(())
    };
    let noted = noted.await;
    if noted.is_err() {
        for adapter in disconnected {
            shared.adapters.configure(adapter, &shared.access);
        }
    }
    noted
}

/// Whether the account was connected as another login before.
pub(crate) async fn is_another(
    shared: &Shared,
    account: &AccountId,
    login: Option<String>,
) -> Result<bool, StoreError> {
    let Some(login) = login else { return Ok(false) };
    Ok(shared.store.account_login(account).await?.is_some_and(|before| before != login))
}
