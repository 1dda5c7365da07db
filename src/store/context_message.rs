//! Messages that are context and never answered: kept, within a limit, for the session's next turn.

use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::InputKind;
use frontdesk_core::port::ContextMessage;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::{forward, sender, stored_forward, stored_roles};
use crate::row::{Admitted, Batch};
use crate::sql::{at, ms};
use crate::tx::Tx;

/// Stores one, and deletes all but the newest `most` of its session. A redelivery changes nothing.
pub(crate) fn keep(tx: &Tx<'_>, batch: &Batch, message: &Admitted, most: u32) -> Outcome<()> {
    let (key, event) = (message.session.as_str(), &message.event);
    tx.run(
        "INSERT INTO context_message (id, source, event_id, key, principal, sender_kind, roles, sender, input_kind, forward, body,
                            received_at, place)
         VALUES (?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13)
         ON CONFLICT (source, event_id) DO NOTHING",
        params![
            batch.source.id,
            event.id,
            key,
            event.from.id.as_str(),
            event.from.kind.name(),
            stored_roles(&event.from.roles),
            event.from.name,
            event.kind.input_kind().name(),
            event.forward.as_ref().map(stored_forward),
            message.text(),
            ms(batch.received.wall),
            tx.new_id(Table::ContextMessage)?,
            message.place.as_ref().map(SessionKey::as_str),
        ],
    )?;
    trim(tx, &message.session, most)
}

/// Keeps the newest messages of a session that wait for its next turn.
pub(crate) fn trim(tx: &Tx<'_>, session: &SessionKey, most: u32) -> Outcome<()> {
    tx.run(
        "DELETE FROM context_message WHERE key = ?1 AND turn_id IS NULL
           AND id <= (SELECT id FROM context_message WHERE key = ?1 AND turn_id IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![session.as_str(), most],
    )
    .map(drop)
}

/// Binds the waiting messages of a session to its new turn, oldest first.
pub(crate) fn bind(tx: &Tx<'_>, session: &SessionKey, turn: TurnId) -> Outcome<Vec<ContextMessage>> {
    let bound = tx.run(
        "UPDATE context_message SET turn_id = ?2 WHERE key = ?1 AND turn_id IS NULL",
        params![session.as_str(), turn.0],
    )?;
    if bound == 0 { Ok(Vec::new()) } else { of(tx, turn) }
}

/// The messages that are bound to a turn.
pub(crate) fn of(tx: &Tx<'_>, turn: TurnId) -> Outcome<Vec<ContextMessage>> {
    tx.all(
        "SELECT principal, sender_kind, roles, sender, input_kind, forward, body, received_at
         FROM context_message WHERE turn_id = ?1 ORDER BY id",
        [turn.0],
        context_message,
    )
}

/// Deletes the waiting messages of a session.
pub(crate) fn forget(tx: &Tx<'_>, session: &SessionKey) -> Outcome<()> {
    tx.run("DELETE FROM context_message WHERE key = ?1 AND turn_id IS NULL", [session.as_str()]).map(drop)
}

fn context_message(row: &Row<'_>) -> rusqlite::Result<ContextMessage> {
    Ok(ContextMessage {
        from: sender(row, [0, 1, 2, 3])?,
        input_kind: InputKind::named(row.get_ref(4)?.as_str()?).unwrap_or_default(),
        forward: row.get::<_, Option<String>>(5)?.map(|json| forward(&json)),
        text: row.get(6)?,
        received: at(row, 7)?,
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use frontdesk_core::address::{Address, Principal};
    use frontdesk_core::message::{Conversation, Event, EventKind, Sender, SenderKind, Source};
    use frontdesk_core::queue_mode::QueueMode;
    use frontdesk_core::reset::{ResetMode, ResetPolicy};

    use super::*;
    use crate::Store;
    use crate::null_renderer::NullRenderer;
    use crate::row::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(n * 86_400, 0).unwrap()
    }

    fn key() -> SessionKey {
        "agent:main:telegram:group:-1".parse().unwrap()
    }

    async fn hears(store: &Store, events: &[&str], disposition: Disposition) {
        let message = |id: &&str| {
            Decided::Admitted(Admitted {
                event: Event {
                    text: "x".into(),
                    ..Event::new(
                        *id,
                        EventKind::Message,
                        Sender::new(Principal::new("telegram", None, id).unwrap(), SenderKind::Person),
                        Address::new("telegram", None, "-1", None).unwrap(),
                        Conversation::Group { chat: "-1".into() },
                    )
                },
                session: key(),
                place: None,
                disposition: disposition.clone(),
                text: None,
                epoch: EpochChange::ByRule,
                policy: ResetPolicy::new(ResetMode::None, 60, 4, chrono_tz::UTC, true).unwrap(),
                quota: None,
                budgets: Vec::new(),
                queue_mode: QueueMode::Followup,
                edits: EditRule { later: LaterEdits::Answered, max_age: None },
                per_session: 9,
                tell: false,
                answers: None,
            })
        };
        let events = events.iter().map(message).collect();
        let source = Source {
            id: "telegram:1".into(),
            account: frontdesk_core::account::AccountId::default_of("telegram"),
        };
        store.accept(Batch { source, received: day(0).into(), events, cursor: None }).await.unwrap();
    }

    /// How many context messages wait.
    async fn waiting(store: &Store) -> i64 {
        let count = "SELECT count(*) FROM context_message WHERE turn_id IS NULL";
        store.read(move |sql| sql.one(count, [], |row| row.get(0))).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_context_message_waits_for_a_turn_until_it_is_deleted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        let store = NullRenderer::open(&path).await;
        hears(&store, &["1", "2", "3", "3"], Disposition::Context(2)).await;
        assert_eq!(waiting(&store).await, 2, "the newest two");
        hears(&store, &["m"], Disposition::Turn).await;
        store.claim_turn(&key(), Take::InMode(QueueMode::Followup), day(0)).await.unwrap().unwrap();
        assert_eq!(waiting(&store).await, 0, "a turn has them");
        hears(&store, &["4", "5"], Disposition::Context(2)).await;
        let (principal, author) =
            (Principal::new("telegram", None, "4").unwrap(), Author { name: "cli".into(), via: "cli" });
        store
            .change_access(
                AccessChange::Revoke { principal, scope: None, also: Vec::new(), private: None },
                author,
                day(0),
            )
            .await
            .unwrap();
        assert_eq!(waiting(&store).await, 1, "one is forgotten with its sender");
        let keep = Retention {
            outbox_days: 9,
            refused_days: 9,
            dead_letter_days: 99,
            history_days: 99,
            audit_days: 99,
        };
        store.purge(keep, day(9)).await.unwrap();
        assert_eq!(waiting(&store).await, 0, "the other one grew old");
        hears(&store, &["6"], Disposition::Context(2)).await;
        store
            .erase(&key(), &crate::row::Author { name: "cli".to_owned(), via: "cli" }, day(1))
            .await
            .unwrap();
        assert_eq!(waiting(&store).await, 0, "erased");
        store.close().await;
    }
}
