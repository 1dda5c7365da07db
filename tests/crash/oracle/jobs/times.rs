//! When the runs of a job are to happen: each of its times becomes one run or is counted as missed, by its rule, while it is
//! active, and none while it is not.

use std::collections::BTreeMap;

use chrono::DateTime;

use crate::database::{Job, JobRun};
use crate::oracle::Oracle;

use super::BLUR_MS;

/// Number of failed runs in a row that disable a job.
const DISABLING: usize = 5;
/// How long the gateway may take at most to decide about a time that has passed.
const DECIDED_MS: i64 = 5_000;

/// When a job was active: changes with their times, the oldest first.
struct Activity(Vec<(i64, bool)>);

impl Activity {
    fn at(&self, time: i64) -> bool {
        self.0.iter().rev().find(|(since, _)| *since <= time).is_some_and(|(_, is_active)| *is_active)
    }

    /// Whether it was active at a time, or so shortly before it that the pause may have been stored after it.
    fn around(&self, time: i64) -> bool {
        let since = time.saturating_sub(BLUR_MS);
        self.at(since) || self.0.iter().any(|(at, is_active)| *is_active && (since..=time).contains(at))
    }

    /// When it was paused after a time.
    fn paused_after(&self, time: i64) -> Option<i64> {
        self.0.iter().find(|(since, is_active)| *since > time && !is_active).map(|(since, _)| *since)
    }
}

impl<'a> Oracle<'a> {
    /// The scheduled times of a job.
    pub(super) fn times(&mut self, job: &'a Job) {
        let runs = self.o.database.work.runs.iter();
        let runs: Vec<&'a JobRun> = runs.filter(|run| run.job_id == job.id && run.manual == 0).collect();
        let activity = self.activity(job);
        let mut wrong = Vec::new();
        let times = times_of(job, self.last_time(job, &activity));
        let span = span_of(job).unwrap_or(i64::MAX);
        // How many rows stand for each time, and how many of them are runs.
        let mut stands: BTreeMap<i64, (usize, usize)> = times.iter().map(|time| (*time, (0, 0))).collect();
        for run in &runs {
            let first = run.missed_from.unwrap_or(run.scheduled_at);
            let mut count = 0;
            for (_, (rows, real)) in stands.range_mut(first..=run.scheduled_at) {
                (*rows, *real, count) = (*rows + 1, *real + usize::from(run.state != "missed"), count + 1);
            }
            let is_whole = run.missed.unwrap_or(1) == count && stands.contains_key(&first);
            if !is_whole || !stands.contains_key(&run.scheduled_at) {
                wrong.push(format!(
                    "jobs: {} is for times that {} does not have: {run:?}",
                    run.name(),
                    job.id
                ));
            }
            if !activity.around(run.scheduled_at) {
                wrong.push(format!("jobs: {} ran while it was paused: {run:?}", job.id));
            }
        }
        for run in runs.iter().filter(|run| run.state == "missed") {
            // Of the times that one decision passes over the last one runs, and if all are made up for, each does.
            let made_up =
                stands.get(&run.scheduled_at.saturating_add(span)).is_some_and(|(_, real)| *real == 1);
            if job.missed == "all" || !made_up {
                wrong.push(format!("jobs: missed against the rule {} of {}: {run:?}", job.missed, job.id));
            }
        }
        for (time, (rows, _)) in &stands {
            match rows {
                0 if activity.at(*time) && !self.is_undecided(*time, &activity) => {
                    wrong.push(format!(
                        "jobs: {} has neither run nor missed its time {time}: {job:?}",
                        job.id
                    ));
                }
                0 | 1 => {}
                _ => wrong.push(format!("jobs: {} stands twice for its time {time}", job.id)),
            }
        }
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// When a job was made, paused, disabled and resumed.
    fn activity(&self, job: &Job) -> Activity {
        let mut changes = vec![(job.created_at, true)];
        for line in
            self.o.database.audit.iter().filter(|line| line.subject == job.id && line.outcome == "done")
        {
            match line.action.as_str() {
                "cron pause" => changes.push((line.at, false)),
                "cron resume" => changes.push((line.at, true)),
                _ => {}
            }
        }
        changes.extend(self.disabled(job).into_iter().map(|at| (at, false)));
        // A pause comes after a resumption of the same time.
        changes.sort_by_key(|(at, is_active)| (*at, !is_active));
        Activity(changes)
    }

    /// When too many failures in a row have disabled a job: the runs that were asked for count as well.
    fn disabled(&self, job: &Job) -> Vec<i64> {
        let runs = self.o.database.work.runs.iter().filter(|run| run.job_id == job.id);
        let mut ended: Vec<(i64, bool)> = runs
            .filter(|run| matches!(run.state.as_str(), "succeeded" | "failed"))
            .filter_map(|run| Some((run.finished_at?, run.state == "failed")))
            .collect();
        ended.sort_unstable();
        if job.id == "heartbeat" {
            return Vec::new();
        }
        let resumed = |from: i64, to: i64| {
            let mut audit = self.o.database.audit.iter();
            audit.any(|line| {
                line.action == "cron resume" && line.subject == job.id && (from..=to).contains(&line.at)
            })
        };
        let only_time = once(job);
        let (mut failures, mut last, mut disabled) = (0, 0, Vec::new());
        for (at, has_failed) in ended {
            // A resumption begins to count anew.
            failures = if resumed(last, at) { 0 } else { failures };
            failures = if has_failed { failures + 1 } else { 0 };
            last = at;
            // What somebody asked for before its only time leaves it active.
            let ran_once = only_time.is_some_and(|time| time <= at) && has_failed;
            if failures >= DISABLING || ran_once {
                disabled.push(at);
            }
        }
        disabled
    }

    /// The last time about which something must be decided.
    fn last_time(&self, job: &Job, activity: &Activity) -> i64 {
        let last_change = activity.0.last().map_or(job.created_at, |(at, _)| *at);
        job.decided_until.max(last_change)
    }

    /// Whether a job was paused before the gateway, which was killed all the time, could decide about a time.
    fn is_undecided(&self, time: i64, activity: &Activity) -> bool {
        let Some(paused) = activity.paused_after(time) else { return false };
        let starts = self.o.journal.starts.iter().rev();
        let started = starts.copied().find(|at| *at <= paused).unwrap_or(0);
        paused - time.max(started) <= DECIDED_MS
    }

    /// O3: the runs of one job do not overlap.
    pub(super) fn no_overlap(&mut self, job: &'a Job) {
        let runs = self.o.database.work.runs.iter().filter(|run| run.job_id == job.id);
        let mut done: Vec<&JobRun> = runs.filter(|run| run.started_at.is_some()).collect();
        done.sort_by_key(|run| run.started_at);
        let overlaps = |pair: &[&JobRun]| {
            pair[0]
                .finished_at
                .is_none_or(|finished| pair[1].started_at.is_some_and(|started| started < finished))
        };
        let wrong: Vec<String> = done
            .windows(2)
            .filter(|pair| overlaps(pair))
            .map(|pair| format!("O3: two runs of {} overlap: {pair:?}", job.id))
            .collect();
        wrong.into_iter().for_each(|what| self.report(None, what));
    }
}

/// The length of the intervals of a job.
fn span_of(job: &Job) -> Option<i64> {
    let number = job.expr.get(..job.expr.len() - 1)?.parse::<i64>().ok()?;
    match (job.kind.as_str(), job.expr.chars().next_back()?) {
        ("every", 's') => Some(number * 1000),
        ("every", 'm') => Some(number * 60_000),
        _ => None,
    }
}

/// The scheduled times of a job up to a time.
fn times_of(job: &Job, until: i64) -> Vec<i64> {
    let every =
        |span: i64| (1..).map(|n| job.anchor_at + n * span).take_while(|time| *time <= until).collect();
    span_of(job).map_or_else(|| once(job).filter(|at| *at <= until).into_iter().collect(), every)
}

/// The only time of a job that runs once.
fn once(job: &Job) -> Option<i64> {
    DateTime::parse_from_rfc3339(&job.expr).ok().map(|at| at.timestamp_millis())
}
