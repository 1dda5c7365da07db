//! Which bot or login each account is connected as. A token can be mistyped, so a login counts only once the platform has
//! accepted it.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::port::Adapter;
use frontdesk_store::StoreError;

use crate::adapters::Login;
use crate::shared::Shared;

/// The platform has accepted the login of this adapter. If it is another one than before, the platform's ids of messages are
/// forgotten, and what has waited for that is sent.
pub(crate) async fn accepted(shared: &Shared, adapter: &dyn Adapter) -> Result<(), StoreError> {
    let account = adapter.account();
    let awaited = || {
        let connection = shared.adapters.get(account)?;
        (connection.login() != Login::Noted).then_some(connection)
    };
    if awaited().is_none() {
        return Ok(());
    }
    // A reload may give the account another login again.
    let _alone = shared.reloading.lock().await;
    let (Some(connection), Some(login)) = (awaited(), adapter.login()) else { return Ok(()) };
    if connection.adapter().login().as_ref() != Some(&login) {
        return Ok(());
    }
    if shared.store.account_connects(account, login, shared.time.wall()).await? {
        let channel = account.channel();
        tracing::warn!(
            channel,
            %account,
            "the account belongs to a different bot now: it cannot edit or reply to earlier messages, so answers under way are \
             sent as new messages"
        );
    }
    connection.set_login(Login::Noted);
    for address in
        shared.store.lanes_with_work().await?.1.iter().filter(|address| address.account() == account)
    {
        shared.work.outbox.wake(address);
    }
    Ok(())
}

/// How the login of each of these adapters compares with the one that its account was connected as.
pub(crate) async fn compared(
    shared: &Shared,
    adapters: Vec<Arc<dyn Adapter>>,
) -> Result<BTreeMap<AccountId, Login>, StoreError> {
    let mut logins = BTreeMap::new();
    for adapter in adapters {
        let known = shared.store.account_login(adapter.account()).await?;
        let login = match (known, adapter.login()) {
            (None, Some(_)) => Login::First,
            (Some(before), Some(login)) if before != login => Login::Another,
            (_, None) | (Some(_), Some(_)) => Login::Noted,
        };
        logins.insert(adapter.account().clone(), login);
    }
    Ok(logins)
}
