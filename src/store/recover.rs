//! The start: what an earlier life of the process left behind is found and put in order.

use std::collections::HashSet;

use frontdesk_core::act::Ending;
use frontdesk_core::address::Address;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::{Failure, Notice};
use rusqlite::params;

use crate::delivery::done;
use crate::fault::Outcome;
use crate::finish::{end, interrupt};
use crate::queue::Line;
use crate::row::{Finish, Recovered, Recovery};
use crate::sql::{Sql, parsed};
use crate::streaming::{Streaming, cut_off};
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{Result, Store};

/// Orphans that one unit puts in order.
const CHUNK: u32 = 50;

/// What became of one orphaned turn.
enum Fate {
    Resumed,
    Interrupted,
    Dead,
}

impl Store {
    /// Puts in order what other boots held, and lists what there is to do. To be called before anything else is
    /// claimed. It can be cut off and begun again at any point.
    pub async fn recover(&self, how: Recovery) -> Result<Recovered> {
        let mut found = Recovered::default();
        loop {
            let fates = self.write(Line::House, move |tx| turns(tx, how)).await?;
            if fates.is_empty() {
                break;
            }
            for fate in fates {
                match fate {
                    Fate::Resumed => found.resumed += 1,
                    Fate::Interrupted => found.interrupted += 1,
                    Fate::Dead => found.dead += 1,
                }
            }
        }
        loop {
            match self.write(Line::House, move |tx| parts(tx, how)).await? {
                0 => break,
                some => found.parts += some as u64,
            }
        }
        while self.write(Line::House, move |tx| streams(tx, how)).await? > 0 {}
        let (sessions, commands, addresses) =
            self.read(|sql| Ok((sessions(sql)?, commands(sql)?, addresses(sql)?))).await?;
        Ok(Recovered { sessions, commands, addresses, ..found })
    }
}

/// Some of the turns that another boot ran.
fn turns(tx: &Tx<'_>, how: Recovery) -> Outcome<Vec<Fate>> {
    let orphans = OpenTurn::find_all(
        tx,
        concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t WHERE t.state IN ('queued', 'running') AND t.state = 'running' AND t.owner <> ?1 LIMIT ?2"
        ),
        params![tx.house.boot.as_str(), CHUNK],
    )?;
    orphans.iter().map(|turn| decide(tx, turn, how)).collect()
}

fn decide(tx: &Tx<'_>, turn: &OpenTurn, how: Recovery) -> Outcome<Fate> {
    if turn.acted.is_some() {
        interrupt(tx, turn, how.now)?;
        return Ok(Fate::Interrupted);
    }
    if turn.deaths() >= how.max_deaths {
        let finish = Finish {
            error: Some(Failure::Crashed.name().into()),
            notice: Some(Notice::Failed(Failure::Crashed)),
            ..Finish::bare(turn.id, turn.fence, Ending::Dead, how.now)
        };
        end(tx, turn, &finish)?;
        return Ok(Fate::Dead);
    }
    tx.run("UPDATE turn SET state = 'queued', owner = NULL WHERE id = ?1", [turn.id.0])?;
    Ok(Fate::Resumed)
}

/// Some of the parts whose sending was cut off: the request may have arrived.
fn parts(tx: &Tx<'_>, how: Recovery) -> Outcome<usize> {
    let orphans: Vec<(OutId, Address)> = tx.all(
        "SELECT id, address FROM outbox
         WHERE state IN ('queued', 'streaming', 'sending') AND state = 'sending' AND owner <> ?1 LIMIT ?2",
        params![tx.house.boot.as_str(), CHUNK],
        |row| Ok((OutId(row.get(0)?), parsed(row, 1)?)),
    )?;
    for (id, address) in &orphans {
        if how.resend || tx.house.speech.idempotent(address) {
            tx.run("UPDATE outbox SET state = 'queued', owner = NULL WHERE id = ?1", [id.0])?;
        } else {
            done(tx, *id, "unknown", "cut off while it was sent", how.now)?;
        }
    }
    Ok(orphans.len())
}

/// Some of the streamed messages: ours now if their turn goes on, and an edit if it does not.
fn streams(tx: &Tx<'_>, how: Recovery) -> Outcome<usize> {
    let orphans: Vec<(OutId, Option<i64>)> = tx.all(
        "SELECT id, turn_id FROM outbox
         WHERE state IN ('queued', 'streaming', 'sending') AND state = 'streaming' AND owner <> ?1 LIMIT ?2",
        params![tx.house.boot.as_str(), CHUNK],
        |row| Ok((OutId(row.get(0)?), row.get(1)?)),
    )?;
    for (id, turn) in &orphans {
        let open = tx.one(
            "SELECT 1 FROM turn WHERE id = ?1 AND state IN ('queued', 'running')",
            [turn.unwrap_or(0)],
            |_| Ok(()),
        )?;
        if open.is_some() {
            tx.run("UPDATE outbox SET owner = ?2 WHERE id = ?1", params![id.0, tx.house.boot.as_str()])?;
        } else {
            abandoned(tx, *id, turn.map(TurnId), how)?;
        }
    }
    Ok(orphans.len())
}

/// A streamed message whose turn is over: no path here leaves one, but if a row is open for whatever reason,
/// every later part to its address would wait behind it for ever.
fn abandoned(tx: &Tx<'_>, id: OutId, turn: Option<TurnId>, how: Recovery) -> Outcome<()> {
    let streaming = match turn {
        Some(turn) => Streaming::of(tx, turn)?,
        None => None,
    };
    let Some(row) = streaming.filter(|row| row.out == id) else {
        return done(tx, id, "dead", "its turn is gone", how.now);
    };
    let text = cut_off(&row.body, Ending::Dead);
    let part = frontdesk_core::markup::Part { key: 0, body: text.clone(), plain: text };
    row.becomes(tx, &part, how.now).map(drop)
}

/// Sessions with a turn to run, the longest waiting first.
fn sessions(sql: &Sql<'_>) -> Outcome<Vec<SessionKey>> {
    let mut found: Vec<(i64, SessionKey)> = sql.all(
        "SELECT min(id), key FROM inbound WHERE state = 'waiting' AND disposition = 'turn' GROUP BY key",
        [],
        |row| Ok((row.get(0)?, parsed(row, 1)?)),
    )?;
    found.extend(sql.all(
        "SELECT coalesce((SELECT min(id) FROM inbound WHERE turn_id = t.id), 0), t.key FROM turn t
         WHERE t.state IN ('queued', 'running') AND t.state = 'queued'",
        [],
        |row| Ok((row.get(0)?, parsed(row, 1)?)),
    )?);
    found.sort_by_key(|(oldest, _)| *oldest);
    let mut seen = HashSet::new();
    Ok(found.into_iter().map(|(_, key)| key).filter(|key| seen.insert(key.clone())).collect())
}

fn commands(sql: &Sql<'_>) -> Outcome<Vec<MessageId>> {
    sql.all(
        // Named, because the order by id tempts SQLite to walk through the whole history.
        "SELECT id FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting' AND disposition = 'command'
         ORDER BY id",
        [],
        |row| row.get(0).map(MessageId),
    )
}

fn addresses(sql: &Sql<'_>) -> Outcome<Vec<Address>> {
    sql.all(
        "SELECT address FROM outbox WHERE state IN ('queued', 'streaming', 'sending')
         GROUP BY address ORDER BY min(id)",
        [],
        |row| parsed(row, 0),
    )
}
