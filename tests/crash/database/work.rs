//! Rows of background work: tasks, and scheduled jobs with their runs.

use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::{open, rows};
use crate::script::Script;

/// A row of `task`.
#[derive(Debug, Clone, Deserialize)]
pub struct BackgroundTask {
    pub id: i64,
    pub key: String,
    pub owner: String,
    pub origin_key: Option<String>,
    pub address: String,
    pub delivers: i64,
    pub source: String,
    pub request: Option<String>,
    pub body: String,
    pub state: String,
    pub attempt: i64,
    pub turn_id: Option<i64>,
    pub retry_of: Option<i64>,
    pub progress_out: Option<i64>,
    pub result_out: Option<i64>,
}

impl BackgroundTask {
    /// The name by which people and part keys know it.
    pub fn name(&self) -> String {
        format!("b{}", self.id)
    }

    pub fn script(&self) -> Option<Script> {
        Script::read(&self.body)
    }

    /// Whether its end was asked for, or has come by itself.
    pub fn has_result(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "lost")
    }
}

/// A row of `job`.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    pub id: String,
    pub key: String,
    pub source: String,
    pub kind: String,
    pub expr: String,
    pub anchor_at: i64,
    pub task: String,
    pub address: Option<String>,
    pub missed: String,
    pub overlap: String,
    pub decided_until: i64,
    pub created_at: i64,
}

/// A row of `run`.
#[derive(Debug, Clone, Deserialize)]
pub struct JobRun {
    pub id: i64,
    pub job_id: String,
    pub scheduled_at: i64,
    pub manual: i64,
    pub state: String,
    pub reason: Option<String>,
    pub missed_from: Option<i64>,
    pub missed: Option<i64>,
    pub attempt: i64,
    pub turn_id: Option<i64>,
    pub delivery: Option<String>,
    pub result_out: Option<i64>,
    pub hook_state: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
}

impl JobRun {
    pub fn name(&self) -> String {
        format!("r{}", self.id)
    }
}

/// All background work.
#[derive(Debug, Clone, Default)]
pub struct Work {
    pub tasks: Vec<BackgroundTask>,
    pub jobs: Vec<Job>,
    pub runs: Vec<JobRun>,
}

impl Work {
    pub(super) fn read(conn: &rusqlite::Connection) -> Result<Self> {
        Ok(Self {
            tasks: rows(conn, "SELECT * FROM task ORDER BY id")?,
            jobs: rows(conn, "SELECT * FROM job ORDER BY id")?,
            runs: rows(conn, "SELECT * FROM run ORDER BY id")?,
        })
    }
}

/// How many turns have ended, read beside a running gateway.
pub fn ended_turns(path: &Path) -> Result<u64> {
    let sql = "SELECT count(*) FROM turn WHERE finished_at IS NOT NULL";
    Ok(open(path)?.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// How much background work has not ended, read beside a running gateway.
pub fn open_work(path: &Path) -> Result<u64> {
    let sql = "SELECT (SELECT count(*) FROM task WHERE state IN ('queued', 'running'))
                    + (SELECT count(*) FROM run WHERE state IN ('due', 'running') OR hook_state = 'waiting')";
    Ok(open(path)?.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
}
