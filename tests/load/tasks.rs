//! People who talk while a thousand background tasks wait. Each run with tasks has one without them beside it, so that both
//! see the same machine.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rusqlite::Connection as Database;
use tokio::task::JoinSet;

use crate::Options;
use crate::client::{AsyncConnection, Connection};
use crate::daemon::{Home, Server, Turns};
use crate::figure::{Run, Spread, histogram, ratio, show};
use crate::load::{Meter, TEXT};

/// The number of people, each in a chat of their own.
const CHATS: u32 = 50;
/// The number of tasks that are handed over before a measurement.
const TASKS: usize = 1000;
/// What each of them is: 100 ms of an agent that waits. Four run at once.
const TASK: &str = r#"{"text":"!wait 100 work"}"#;

/// When a person writes: after the answer, or at a fixed rate from which lateness is counted.
type Pace = Option<Duration>;

pub fn tasks(options: &Options) -> Result<()> {
    println!(
        "\nTasks: {CHATS} chats, POST /api/chat wait=true, echo agent; {TASKS} tasks of 100 ms, 4 at once"
    );
    let paces =
        [("200 messages a second", Some(Duration::from_secs(1) * CHATS / 200)), ("closed loop", None)];
    for (name, pace) in paces {
        let (mut without, mut with, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..options.runs {
            // Each of the two goes first half of the time.
            for has_tasks in [n % 2 == 0, n % 2 != 0] {
                options.quiet();
                let (run, ended) = one(options, pace, has_tasks)?;
                if has_tasks {
                    done.push(ended as f64 / run.span.as_secs_f64());
                    with.push(run);
                } else {
                    without.push(run);
                }
            }
        }
        show(&format!("{name}: without tasks"), &without);
        show(&format!("{name}: with tasks"), &with);
        ratio("p50 over that without tasks", &with, &without, Run::p50);
        ratio("p99 over that without tasks", &with, &without, Run::p99);
        println!("    tasks done meanwhile, a second: {}", Spread::of(done).show(0));
    }
    Ok(())
}

/// One run on a new database. Returns also how many tasks have ended during it.
fn one(options: &Options, pace: Pace, has_tasks: bool) -> Result<(Run, usize)> {
    let home = Home::new(&options.folder, Turns::Answered)?;
    let server = Server::daemon(&options.daemon, &home)?;
    talk(&server, options.span() / 5, None)?;
    if has_tasks {
        hand_over(&server)?;
    }
    let before = open_tasks(&home.database())?;
    let run = talk(&server, options.span(), pace)?;
    let after = open_tasks(&home.database())?;
    ensure!(after > 0 || !has_tasks, "all tasks have ended before the run: measure for a shorter time");
    Ok((run, before - after))
}

fn hand_over(server: &Server) -> Result<()> {
    let mut connection = Connection::open(server.target.address)?;
    let mut request = Vec::new();
    server.target.post(&mut request, "/api/tasks", TASK);
    for _ in 0..TASKS {
        ensure!(connection.ask(&request)? == 202, "{}", connection.answer());
    }
    Ok(())
}

fn open_tasks(database: &Path) -> Result<usize> {
    let open = "SELECT count(*) FROM task WHERE state IN ('queued', 'running')";
    let open: i64 = Database::open(database)?.query_row(open, [], |row| row.get(0))?;
    Ok(usize::try_from(open)?)
}

/// All people talk. Each message is timed until its answer has come.
fn talk(server: &Server, span: Duration, pace: Pace) -> Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let meter = Meter::start(server);
        let start = Instant::now();
        let mut people = JoinSet::new();
        for person in 0..CHATS {
            let target = server.target.clone();
            people.spawn(async move {
                let mut connection = AsyncConnection::open(target.address).await?;
                let (mut request, mut times) = (Vec::new(), histogram()?);
                target.prompt(&mut request, &format!("chat{person}"), TEXT, true);
                // People do not begin all at once.
                let mut due = start + pace.map_or(Duration::ZERO, |pace| pace * person / CHATS);
                while due.duration_since(start) < span {
                    tokio::time::sleep_until(due.into()).await;
                    ensure!(connection.ask(&request).await? == 200, "{}", connection.answer());
                    times.record(u64::try_from(due.elapsed().as_nanos())?)?;
                    due = pace.map_or_else(Instant::now, |pace| due + pace);
                }
                Ok(times)
            });
        }
        let mut all = histogram()?;
        while let Some(times) = people.join_next().await {
            all.add(times??)?;
        }
        Ok(meter.end(all))
    })
}
