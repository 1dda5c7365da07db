//! Schema versions: forward only, each step whole or not at all, with a backup before the first.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::OpenError;
use crate::fault::{Fault, Outcome};
use crate::file::{create_private, failed, unusable};

/// The schema's files in order: the n-th makes version n.
pub(crate) const STEPS: &[&str] =
    &[include_str!("../../schema/0001_init.sql"), include_str!("../../schema/0002_access.sql")];

/// "FDSK" in the file's header: which program it belongs to.
const APPLICATION: i64 = 0x4644_534b;

/// Brings the schema to the newest version.
pub(crate) fn migrate(conn: &Connection, path: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let (found, empty) = belongs(conn, path)?;
    if found > known {
        return Err(OpenError::Newer { path: path.display().to_string(), found, known });
    }
    if found < known && !empty {
        backup(conn, path, found)?;
    }
    for (version, step) in (1..).zip(steps).filter(|(version, _)| *version > found) {
        apply(conn, version, step).map_err(|fault| {
            unusable(path, format!("step {version} of its schema failed: {}", fault.error()))
        })?;
        tracing::info!(version, "the schema was brought forward");
    }
    Ok(())
}

/// Its version, and whether there is nothing in it yet.
fn belongs(conn: &Connection, path: &Path) -> Result<(i64, bool), OpenError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let look = || {
        Ok::<_, rusqlite::Error>((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    let (application, version, objects) = look().map_err(|error| unreadable(path, error))?;
    if objects > 0 && application != APPLICATION {
        return Err(unusable(path, "it belongs to another program"));
    }
    Ok((version, objects == 0))
}

/// Why a first read failed: damage stays as it is, a foreign lock or a full disk is for the operator.
pub(crate) fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    match Fault::Sql(error).error() {
        crate::StoreError::Unavailable(cause) => failed(path, std::io::Error::other(cause)),
        error => unusable(path, error.to_string()),
    }
}

fn apply(conn: &Connection, version: i64, step: &str) -> Outcome<()> {
    // Dropping it without a commit rolls it back.
    let step_in = conn.unchecked_transaction()?;
    step_in.execute_batch(step)?;
    step_in.pragma_update(None, "application_id", APPLICATION)?;
    step_in.pragma_update(None, "user_version", version)?;
    Ok(step_in.commit()?)
}

/// A copy of the whole database beside it, readable by us alone. An earlier one is never overwritten.
fn backup(conn: &Connection, path: &Path, version: i64) -> Result<(), OpenError> {
    let copy = (0..)
        .map(|n: u32| {
            let mut name = path.as_os_str().to_owned();
            name.push(if n == 0 { format!(".v{version}.bak") } else { format!(".v{version}.{n}.bak") });
            PathBuf::from(name)
        })
        .find(|copy| !copy.exists())
        .unwrap_or_default();
    create_private(&copy).map_err(|error| failed(&copy, error))?;
    conn.execute("VACUUM INTO ?1", [copy.to_string_lossy()])
        .map_err(|error| failed(&copy, std::io::Error::other(format!("the backup failed: {error}"))))?;
    tracing::info!(copy = %copy.display(), "a backup was made before the schema is brought forward");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use frontdesk_core::id::BootId;
    use frontdesk_core::message::{FileKind, InputKind, SenderKind};

    use super::*;
    use crate::mute::Mute;
    use crate::row::{AccessState, HistoryRow, Take};
    use crate::{Options, Store};

    /// A third step as a later release could bring it, and one that fails in its middle.
    const LATER: &[&str] =
        &[STEPS[0], STEPS[1], "ALTER TABLE token ADD COLUMN note TEXT; UPDATE token SET note = 'old';"];
    const BROKEN: &[&str] =
        &[STEPS[0], STEPS[1], "UPDATE token SET id = 'changed'; ALTER TABLE nothing ADD COLUMN x;"];

    async fn open(path: &Path, steps: &'static [&'static str]) -> Result<Store, OpenError> {
        let boot = BootId::from_bits(1);
        let options = Options { path: path.into(), boot, speech: Arc::new(Mute), readers: 1 };
        Store::open_at(options, steps).await
    }

    async fn fixture(path: &Path) {
        let store = open(path, STEPS).await.unwrap();
        store.token_made("me", vec![7; 32], chrono::DateTime::UNIX_EPOCH).await.unwrap();
        store.close().await;
    }

    fn ask(path: &Path, sql: &str) -> String {
        Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn an_older_schema_is_brought_forward_after_a_backup() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        fixture(&path).await;
        let store = open(&path, LATER).await.unwrap();
        assert_eq!(store.token("me").await.unwrap(), Some(vec![7; 32]));
        store.close().await;
        assert_eq!(ask(&path, "SELECT note FROM token"), "old");
        let copy = home.path().join("frontdesk.db.v2.bak");
        assert_eq!(ask(&copy, "SELECT id FROM token"), "me");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(open(&path, STEPS).await, Err(OpenError::Newer { found: 3, known: 2, .. })));
        open(&path, LATER).await.unwrap().close().await;
        assert!(
            !home.path().join("frontdesk.db.v3.bak").exists(),
            "nothing to bring forward, nothing to copy"
        );
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_the_old_schema_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        fixture(&path).await;
        for copy in ["frontdesk.db.v2.bak", "frontdesk.db.v2.1.bak"] {
            assert!(matches!(open(&path, BROKEN).await, Err(OpenError::Unusable { .. })));
            assert!(home.path().join(copy).exists());
        }
        open(&path, STEPS).await.unwrap().close().await;
        assert_eq!(ask(&path, "SELECT id FROM token"), "me");
    }

    /// A row in every table of the first release, as it wrote them.
    const RELEASED: &str = r#"
        INSERT INTO source VALUES ('telegram:1', 'telegram', 'default', '77', 1000);
        INSERT INTO dropped_event VALUES ('telegram:1', 'ignored:sticker', 3);
        UPDATE counter SET n = 1;
        INSERT INTO session VALUES ('agent:main:telegram:dm:7', 'telegram:7', 2, 2, 5000, 0, 1000);
        INSERT INTO epoch VALUES ('agent:main:telegram:dm:7', 1, 1000, 4000, 'first', NULL),
                                 ('agent:main:telegram:dm:7', 2, 4000, NULL, 'daily', NULL);
        INSERT INTO inbound VALUES
          (1, 'telegram:1', '10', 'agent:main:telegram:dm:7', 1, 'telegram:7', 'telegram:7', 'Anna', '31', 1000,
           'turn', 'answered', NULL, 5, 'look', '[{"reference":"f","name":"a.png","mime":null,"size":7}]', 1),
          (2, 'telegram:1', '11', 'agent:main:telegram:dm:7', 2, 'telegram:7', 'telegram:7', NULL, '32', 5000,
           'turn', 'waiting', NULL, 6, 'and now?', NULL, NULL),
          (3, 'telegram:1', '12', 'agent:main:telegram:dm:8', 0, 'telegram:8', 'telegram:8', NULL, NULL, 5000,
           'refused', 'refused', 'rate_limited', 7, 'x', NULL, NULL);
        INSERT INTO turn VALUES (1, 'agent:main:telegram:dm:7', 1, 'message', 'telegram:7', '31', 1, 0, 'done', NULL,
                                 1, 1000, 1000, 2000, NULL, 'A picture.', NULL, 'm', 3, 5);
        INSERT INTO outbox VALUES
          (1, 1, 1, 'agent:main:telegram:dm:7', NULL, 'telegram:7', 't1/0', 'answer', 'post', NULL, 'A picture.',
           NULL, '31', 'sent', 1, 2000, NULL, NULL, 1, '40', NULL, 2000, 2100),
          (2, NULL, NULL, NULL, NULL, 'telegram:9', 'send/k/0', 'send', 'post', NULL, 'hello', NULL, NULL, 'queued',
           0, 3000, NULL, NULL, 0, NULL, NULL, 3000, NULL);
        INSERT INTO token VALUES ('me', x'07', 1000);
    "#;

    /// A database of the first release.
    fn released(path: &Path) {
        create_private(path).unwrap();
        let conn = Connection::open(path).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        migrate(&conn, path, &STEPS[..1]).unwrap();
        conn.execute_batch(RELEASED).unwrap();
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let mut tables = conn.prepare(tables).unwrap();
        for name in tables.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let name = name.unwrap();
            let count = format!("SELECT count(*) FROM {name}");
            assert_ne!(conn.query_row(&count, [], |row| row.get(0)), Ok(0), "nothing in {name}");
        }
    }

    #[tokio::test]
    async fn what_the_first_release_wrote_is_found_and_goes_on() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        released(&path);
        let store = open(&path, STEPS).await.unwrap();
        assert_eq!(
            ask(&home.path().join("frontdesk.db.v1.bak"), "SELECT body FROM outbox WHERE id = 2"),
            "hello"
        );

        assert_eq!(store.cursor("telegram:1").await.unwrap().unwrap().0, "77");
        assert_eq!(store.token("me").await.unwrap(), Some(vec![7]));
        let key = "agent:main:telegram:dm:7".parse().unwrap();
        let session = store.session(&key).await.unwrap().unwrap();
        assert_eq!((session.epoch, session.waiting, store.waiting()), (2, 1, 1));
        assert_eq!(store.epochs(&key, None, 9).await.unwrap().len(), 2);
        assert_eq!(store.totals().await.unwrap().sessions, 1);
        let history = store.history(&key, None, None, 9).await.unwrap();
        let [_, HistoryRow { message, answer: Some(answer), usage: Some(usage), .. }] = &history[..] else {
            panic!("{history:?}")
        };
        assert_eq!((message.text.as_str(), answer.as_str(), usage.output), ("look", "A picture.", Some(5)));
        assert_eq!((message.input_kind, message.sender_kind), (InputKind::Message, SenderKind::Person));
        assert_eq!((&message.quote, &message.album, message.roles.len()), (&None, &None, 0));
        let [file] = &message.attachments[..] else { panic!("{:?}", message.attachments) };
        assert_eq!((file.reference.as_str(), file.kind, file.size), ("f", FileKind::Document, Some(7)));
        let parts = store.parts(None, None, 9).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.post.key.as_str()).collect::<Vec<_>>(), ["send/k/0", "t1/0"]);
        assert!(parts.iter().all(|part| part.media.is_none() && part.salt.is_none() && !part.post.more));
        assert_eq!(store.access_state().await.unwrap(), AccessState::default());

        let now = chrono::DateTime::from_timestamp(10, 0).unwrap();
        let turn = store.claim_turn(&key, Take::One, now).await.unwrap().unwrap();
        assert_eq!((turn.messages[0].text.as_str(), turn.context_messages.len()), ("and now?", 0));
        store.close().await;
    }
}
