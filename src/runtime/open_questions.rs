//! The open questions that a person can answer in a chat.

use frontdesk_core::address::Principal;
use frontdesk_core::ask::{AskView, Audience};
use frontdesk_core::key::SessionKey;
use frontdesk_store::StoreError;
use frontdesk_store::row::Standing;

use crate::shared::Shared;

/// The open questions in the chat of a session that wait for this person, the oldest first. Menus wait for nobody.
pub(crate) async fn of(
    shared: &Shared,
    session: &SessionKey,
    person: &Principal,
    standing: Standing,
) -> Result<Vec<AskView>, StoreError> {
    let mut open = shared.store.open_asks_in_chat(session).await?;
    open.retain(|ask| !ask.is_menu);
    open.retain(|ask| match &ask.audience {
        Audience::Admins => standing == Standing::Admin,
        Audience::People(people) => people.contains(person),
    });
    Ok(open)
}

/// Whether a text is only the number of the question: it may be the beginning of `/answer 7 1`.
pub(crate) fn is_only_its_number(ask: &AskView, text: &str) -> bool {
    text.strip_prefix(['a', 'A']).unwrap_or(text) == ask.id.0.to_string()
}
