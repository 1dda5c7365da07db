//! The raw limits of this machine, and the store's figures beside them.
//!
//! `cargo run --release -p frontdesk-store --example raw [-- FOLDER] [SESSIONS]`
//!
//! The folder must lie on the disk that is to be measured (default: the current one).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::BootId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{Conversation, Event, EventKind, FirstLine, Sender, SenderKind, Source};
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::{ResetMode, ResetPolicy};
use frontdesk_store::row::*;
use frontdesk_store::{Options, Store};
use hdrhistogram::Histogram;
use rusqlite::{Connection, params};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);

/// Latencies in nanoseconds, and how long it took in all.
struct Figure(Histogram<u64>, Duration);

impl Figure {
    fn measure(mut step: impl FnMut(u64)) -> Figure {
        let (mut times, start) = (Histogram::new(3).unwrap(), Instant::now());
        for n in 0.. {
            let before = Instant::now();
            step(n);
            times.record(before.elapsed().as_nanos() as u64).unwrap();
            if start.elapsed() > SPAN {
                break;
            }
        }
        Figure(times, start.elapsed())
    }

    fn show(&self, name: &str) {
        let us = |q| self.0.value_at_quantile(q) as f64 / 1000.0;
        let rate = self.0.len() as f64 / self.1.as_secs_f64();
        println!("{name:<52} {rate:>9.0}/s   p50 {:>8.1} us   p99 {:>8.1} us", us(0.5), us(0.99));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let sessions: u64 = arguments.next().map_or(100_000, |n| n.parse().unwrap());
    let home = tempfile::tempdir_in(folder).unwrap();
    println!("SQLite {}, {:?} each", rusqlite::version(), SPAN);
    append(home.path()).show("append 4 KB + fdatasync");
    rows(home.path(), "NORMAL").show("one row per commit, NORMAL");
    rows(home.path(), "FULL").show("one row per commit, FULL");
    group(home.path(), 64).show("64 producers, group commit, bare table, FULL");
    chain(home.path()).show("four commits in a row, FULL");
    lookup(home.path(), sessions).show(&format!("look up one of {sessions} sessions by key"));
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(ours(home.path()));
    runtime.block_on(start(home.path(), sessions));
}

fn append(home: &Path) -> Figure {
    let mut file = OpenOptions::new().create(true).append(true).open(home.join("append")).unwrap();
    let block = [7; 4096];
    Figure::measure(|_| {
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
    })
}

fn bare(home: &Path, name: &str, synchronous: &str) -> Connection {
    let conn = Connection::open(home.join(name)).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", synchronous).unwrap();
    conn.execute_batch("CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)")
        .unwrap();
    conn
}

fn insert(conn: &Connection, n: u64) {
    let mut statement = conn.prepare_cached("INSERT INTO row (key, body) VALUES (?1, ?2)").unwrap();
    statement.execute(params![format!("agent:main:telegram:dm:{n}"), "hello, this is a message"]).unwrap();
}

fn rows(home: &Path, synchronous: &str) -> Figure {
    let conn = bare(home, &format!("rows-{synchronous}.db"), synchronous);
    Figure::measure(|n| insert(&conn, n))
}

/// What one thread with one queue can do at most: a group is what has gathered, and everyone waits for it.
fn group(home: &Path, producers: u64) -> Figure {
    let conn = bare(home, "group.db", "FULL");
    let (queue, arrived) = mpsc::sync_channel::<(u64, mpsc::SyncSender<()>)>(8192);
    let start = Instant::now();
    let threads: Vec<_> = (0..producers)
        .map(|producer| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                let (reply, done) = mpsc::sync_channel(1);
                Figure::measure(|n| {
                    queue.send((producer << 32 | n, reply.clone())).unwrap();
                    done.recv().unwrap();
                })
            })
        })
        .collect();
    drop(queue);
    while let Ok(first) = arrived.recv() {
        let group: Vec<_> = std::iter::once(first).chain(arrived.try_iter().take(63)).collect();
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        group.iter().for_each(|(n, _)| insert(&conn, *n));
        conn.execute_batch("COMMIT").unwrap();
        group.into_iter().for_each(|(_, reply)| reply.send(()).unwrap());
    }
    let mut all = Histogram::new(3).unwrap();
    threads.into_iter().for_each(|thread| all.add(thread.join().unwrap().0).unwrap());
    Figure(all, start.elapsed())
}

/// The least that a message needs: accepted, claimed, finished, sent.
fn chain(home: &Path) -> Figure {
    let conn = bare(home, "chain.db", "FULL");
    Figure::measure(|n| {
        insert(&conn, n);
        for step in ["claimed", "finished", "sent"] {
            let mut update = conn.prepare_cached("UPDATE row SET body = ?2 WHERE key = ?1").unwrap();
            update.execute(params![format!("agent:main:telegram:dm:{n}"), step]).unwrap();
        }
    })
}

fn lookup(home: &Path, sessions: u64) -> Figure {
    let conn = bare(home, "lookup.db", "NORMAL");
    conn.execute_batch("BEGIN").unwrap();
    (0..sessions).for_each(|n| insert(&conn, n));
    conn.execute_batch("COMMIT").unwrap();
    let mut find = conn.prepare("SELECT id, body FROM row WHERE key = ?1").unwrap();
    Figure::measure(|n| {
        let key = format!("agent:main:telegram:dm:{}", n.wrapping_mul(7_919) % sessions);
        find.query_row([key], |row| row.get::<_, i64>(0)).unwrap();
    })
}

struct Plain;

impl Renderer for Plain {
    fn receipt(&self, _: &Address) -> ReceiptRule {
        ReceiptRule::Platform
    }
    fn parts(&self, _: &Address, text: &str) -> Vec<Part> {
        vec![Part { key: 0, body: text.into(), plain: text.into() }]
    }
    fn buttons(&self, _: &Address) -> bool {
        false
    }

    fn edits(&self, _: &Address) -> bool {
        true
    }

    fn fits(&self, _: &Address, _: &str) -> bool {
        true
    }
    fn caption(&self, to: &Address, text: &str) -> (Option<Part>, Vec<Part>) {
        (self.parts(to, text).pop(), Vec::new())
    }
    fn waits_for_hooks(&self) -> bool {
        false
    }
    fn command_mark(&self, _: &Address) -> char {
        '/'
    }
    fn idempotent(&self, _to: &Address) -> Option<std::time::Duration> {
        None
    }
}

impl CommitListener for Plain {
    fn access_changed(&self, _: AccessState) {}
    fn committed(&self, _: Vec<OutboxRow>) {}
    fn asks_ended(&self, _: Vec<EndedAsk>) {}
}

fn options(path: &Path, boot: u64) -> Options {
    let (path, boot) = (path.to_owned(), BootId::from_bits(boot));
    Options { path, boot, now: now(), renderer: Arc::new(Plain), listener: Arc::new(Plain), readers: 2 }
}

async fn ours(home: &Path) {
    let path = home.join("frontdesk.db");
    let store = Store::open(options(&path, 1)).await.unwrap();
    producers(&store, 1, u64::MAX).await.show("Store::accept, one source, new sessions");
    producers(&store, 64, 1).await.show("Store::accept, 64 sources, 64 sessions");
    producers(&store, 64, u64::MAX).await.show("Store::accept, 64 sources, new sessions");
    life(&store).await.show("accept, claim, finish, send, sent");
    let key = &session(0);
    reads(&store, key).await.show("Store::session");
    store.close().await;
    let before = Instant::now();
    let store = Store::open(options(&path, 1)).await.unwrap();
    println!("open: {:?}, {} sessions", before.elapsed(), store.totals().await.unwrap().sessions);
    store.close().await;
}

/// The start with so many sessions, each of which has spoken and was answered.
async fn start(home: &Path, sessions: u64) {
    let path = home.join("start.db");
    Store::open(options(&path, 1)).await.unwrap().close().await;
    fill(&path, sessions);
    let before = Instant::now();
    let store = Store::open(options(&path, 2)).await.unwrap();
    let opened = before.elapsed();
    store.recover(Recovery { now: now(), max_deaths: 2, resend: true }).await.unwrap();
    println!("start with {sessions} sessions: open {opened:?}, with recovery {:?}", before.elapsed());
    for channel in ["telegram", "web", "irc"] {
        let before = Instant::now();
        let found = store.sessions(Some(channel), None, 50).await.unwrap();
        println!("{} of the sessions of {channel}: {:?}", found.len(), before.elapsed());
    }
    store.close().await;
}

fn fill(path: &Path, sessions: u64) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN").unwrap();
    let rows = [
        "INSERT INTO session (key, address, epoch, last_epoch, last_user_at, seq, created_at)
         SELECT 'agent:main:telegram:dm:' || n, 'telegram:' || n, 1, 1, ?2, 0, ?2 FROM n",
        "INSERT INTO epoch SELECT 'agent:main:telegram:dm:' || n, 1, ?2, NULL, 'first', NULL FROM n",
        "INSERT INTO inbound (source, event_id, key, epoch, principal, address, received_at, disposition, state,
                              digest, body, turn_id)
         SELECT 'telegram:1', n, 'agent:main:telegram:dm:' || n, 1, 'telegram:7', 'telegram:' || n, ?2, 'turn',
                'answered', 1, 'hello', n + 1 FROM n",
        "INSERT INTO turn (key, epoch, kind, address, attempt, released, state, fence, created_at, answer)
         SELECT 'agent:main:telegram:dm:' || n, 1, 'message', 'telegram:' || n, 1, 0, 'done', 1, ?2, 'hello' FROM n",
        "INSERT INTO outbox (turn_id, key, address, part_key, kind, act, body, state, attempts, next_at, fence,
                             created_at, place)
         SELECT n + 1, 'agent:main:telegram:dm:' || n, 'telegram:' || n, 't' || n || '/0', 'answer', 'post', 'hello',
                'sent', 1, ?2, 1, ?2, n + 1 FROM n",
    ];
    for sql in rows {
        let numbers = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?1) ";
        // The common table stands before the INSERT.
        conn.execute(&format!("{numbers}{sql}"), params![sessions.cast_signed(), now().timestamp_millis()])
            .unwrap();
    }
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// `sessions` is how many each producer speaks in. In known ones it sends commands: a queue of thousands of
/// messages in one session is no load that can occur.
async fn producers(store: &Store, count: u64, sessions: u64) -> Figure {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for producer in 0..count {
        let store = store.clone();
        tasks.spawn(async move {
            let mut times = Histogram::<u64>::new(3).unwrap();
            for n in 0.. {
                let mut batch = batch(
                    &format!("telegram:{count}-{producer}-{sessions}"),
                    count << 48 | producer << 32 | n,
                );
                if let [Decided::Admitted(message)] = &mut batch.events[..]
                    && sessions < u64::MAX
                {
                    message.session = session(producer * sessions + n % sessions);
                    message.disposition = Disposition::Command;
                }
                let before = Instant::now();
                store.accept(batch).await.unwrap();
                times.record(before.elapsed().as_nanos() as u64).unwrap();
                if start.elapsed() > SPAN {
                    break;
                }
            }
            times
        });
    }
    let mut all = Histogram::new(3).unwrap();
    while let Some(times) = tasks.join_next().await {
        all.add(times.unwrap()).unwrap();
    }
    Figure(all, start.elapsed())
}

/// A message from its arrival to the platform's receipt: five commits.
async fn life(store: &Store) -> Figure {
    let (mut times, start) = (Histogram::new(3).unwrap(), Instant::now());
    for n in 0.. {
        let before = Instant::now();
        let batch = batch("telegram:life", 7 << 56 | n);
        let Decided::Admitted(message) = &batch.events[0] else { continue };
        let (key, to) = (message.session.clone(), message.event.address.clone());
        store.accept(batch).await.unwrap();
        let turn = store.claim_turn(&key, Take::InMode(QueueMode::Followup), now()).await.unwrap().unwrap();
        let parts = vec![Part { key: 0, body: "answer".into(), plain: "answer".into() }];
        let finish = Finish { parts, ..Finish::bare(turn.claim, Ending::Answered, now()) };
        store.finish(finish).await.unwrap();
        let NextPart::Send { part, .. } = store.claim_part(&to, now()).await.unwrap() else { continue };
        let sent = SendResult::Sent { platform_message: Some("1".into()) };
        store.part_ended(part.claim(), sent, now()).await.unwrap();
        times.record(before.elapsed().as_nanos() as u64).unwrap();
        if start.elapsed() > SPAN {
            break;
        }
    }
    Figure(times, start.elapsed())
}

async fn reads(store: &Store, key: &SessionKey) -> Figure {
    let (mut times, start) = (Histogram::new(3).unwrap(), Instant::now());
    while start.elapsed() < SPAN {
        let before = Instant::now();
        store.session(key).await.unwrap();
        times.record(before.elapsed().as_nanos() as u64).unwrap();
    }
    Figure(times, start.elapsed())
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn session(n: u64) -> SessionKey {
    format!("agent:main:telegram:dm:{n}").parse().unwrap()
}

fn batch(source: &str, n: u64) -> Batch {
    let principal = Principal::new("telegram", None, "7").unwrap();
    let from = Sender { name: Some("Anna".into()), ..Sender::new(principal, SenderKind::Person) };
    let address = Address::new("telegram", None, &n.to_string(), None).unwrap();
    let conversation = Conversation::Dm { chat: n.to_string(), thread: None };
    let event = Event {
        addressed: true,
        first_line: FirstLine::Plain,
        text: "hello, this is a message".into(),
        platform_message: Some("1".into()),
        ..Event::new(n.to_string(), EventKind::Message, from, address, conversation)
    };
    let message = Admitted {
        event,
        session: session(n),
        place: None,
        disposition: Disposition::Turn,
        text: None,
        epoch: EpochChange::ByRule,
        policy: ResetPolicy::new(ResetMode::Idle, 1440, 4, chrono_tz::UTC, true).unwrap(),
        quota: None,
        budgets: Vec::new(),
        queue_mode: QueueMode::Followup,
        edits: EditRule { later: LaterEdits::Answered, max_age: None },
        per_session: 32,
        tell: true,
        answers: None,
    };
    let source = Source { id: source.into(), account: AccountId::default_of("telegram") };
    Batch { source, received: now().into(), events: vec![Decided::Admitted(message)], cursor: None }
}
