//! O1 to O3: every run of a job happens once, ends rightly, and its result goes once where the job says. Whether each happened at
//! its time is judged in `jobs/times.rs`.

mod times;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Oracle;
use crate::database::{Job, JobRun, Turn};
use crate::journal::{RequestKind, WebhookPost};
use crate::script::Script;

/// The time of a change is read before it waits for its commit, on a busy machine so much before it.
const BLUR_MS: i64 = 1_000;

impl<'a> Oracle<'a> {
    pub(super) fn jobs(&mut self) {
        let work = &self.o.database.work;
        let jobs: HashMap<&str, &'a Job> = work.jobs.iter().map(|job| (job.id.as_str(), job)).collect();
        self.made();
        for run in &work.runs {
            let event = self.event_of_run(run);
            let Some(job) = jobs.get(run.job_id.as_str()).copied() else {
                self.report(event, format!("jobs: a run of a job that is not there: {run:?}"));
                continue;
            };
            let wrong = [self.wrong_run(job, run), self.wrong_delivery(job, run), self.wrong_webhook(run)];
            for wrong in wrong.into_iter().flatten() {
                self.report(event.clone(), format!("jobs: {} of {} {wrong}: {run:?}", run.name(), job.id));
            }
        }
        for job in &work.jobs {
            self.times(job);
            self.no_overlap(job);
        }
        self.turns_of_runs();
        self.asked_for();
        self.webhooks();
    }

    fn event_of_run(&self, run: &JobRun) -> Option<String> {
        run.turn_id.and_then(|turn| self.event_of_turn(turn))
    }

    /// The configured jobs are there, and those that were made at run time: once, unless they were removed.
    fn made(&mut self) {
        let (work, jobs) = (&self.o.journal.work, &self.o.database.work.jobs);
        let mut wrong = Vec::new();
        for (id, (script, _)) in &work.configured {
            let found = jobs.iter().filter(|job| job.id == *id && job.source == "config");
            let is_its = |job: &Job| job.id == "heartbeat" || job.task == script.text();
            if found.filter(|job| is_its(job)).count() != 1 {
                wrong.push(format!("jobs: {id} of the configuration is not there"));
            }
        }
        for (key, request) in work.of(RequestKind::Job) {
            let text = request.script.text();
            let found: Vec<&str> =
                jobs.iter().filter(|job| job.task == text).map(|job| job.id.as_str()).collect();
            let is_removed = request.told.as_ref().is_some_and(|id| work.removed.contains(id));
            let is_right = match found.as_slice() {
                [] => is_removed,
                [id] => request.told.as_deref() == Some(*id) && !is_removed,
                _ => false,
            };
            if request.accepted.is_none() || !is_right {
                let told = &request.told;
                wrong.push(format!(
                    "jobs: {key} was made as {told:?} (removed: {is_removed}) and is {found:?}"
                ));
            }
        }
        let known: HashSet<String> =
            work.of(RequestKind::Job).map(|(_, request)| request.script.text()).collect();
        let strangers = jobs.iter().filter(|job| job.source != "config" && !known.contains(&job.task));
        wrong.extend(strangers.map(|job| format!("jobs: a job that nobody has made: {job:?}")));
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// What a job asks of its agent.
    fn script_of_job(&self, job: &Job) -> Option<Script> {
        let configured = self.o.journal.work.configured.get(&job.id);
        configured.map_or_else(|| Script::read(&job.task), |(script, _)| Some(script.clone()))
    }

    /// A run has ended, and rightly so.
    fn wrong_run(&self, job: &Job, run: &JobRun) -> Option<String> {
        let turn = run.turn_id.and_then(|turn| self.o.database.turns.get(&turn));
        let right = self.script_of_job(job).map(|script| script.answer());
        let is_right = match (run.state.as_str(), run.reason.as_deref(), turn) {
            ("succeeded", None, Some(turn)) => turn.state == "done" && turn.answer == right,
            ("failed", reason, Some(turn)) => {
                let is_cut_off = turn.state != "interrupted" || self.was_cut_off(turn);
                reason == turn.error.as_deref() && self.died_rightly(turn) && is_cut_off
            }
            ("skipped", Some("overlap"), None) => self.had_reason_to_skip(job, run),
            ("skipped", Some("paused"), None) => self.was_paused(job, run),
            ("missed", None, None) => run.manual == 0 && run.missed.is_some_and(|missed| missed > 0),
            _ => false,
        };
        let is_its =
            |turn: &Turn| turn.run_id == Some(run.id) && turn.key == job.key && turn.attempt == run.attempt;
        if !turn.is_none_or(is_its) {
            return Some(format!("names {turn:?}"));
        }
        (!is_right).then(|| format!("is {} and should not be: {turn:?}", run.state))
    }

    /// Another run of the job was under way, or due before it.
    fn had_reason_to_skip(&self, job: &Job, run: &JobRun) -> bool {
        let Some(skipped) = run.finished_at else { return false };
        let is_open = |other: &&JobRun| {
            other.id != run.id
                && other.job_id == run.job_id
                && other.created_at <= skipped
                && other.finished_at.is_some_and(|finished| finished + BLUR_MS >= skipped)
        };
        // When a heartbeat begins, the others that wait are skipped, whatever the rule is.
        let may_skip = job.overlap == "skip" || job.id == "heartbeat";
        may_skip
            && (run.manual == 0 || job.id == "heartbeat")
            && self.o.database.work.runs.iter().any(|other| is_open(&other))
    }

    /// Somebody has paused the job at this time.
    fn was_paused(&self, job: &Job, run: &JobRun) -> bool {
        let mut audit = self.o.database.audit.iter();
        run.manual == 0
            && audit.any(|line| {
                line.action == "cron pause" && line.subject == job.id && Some(line.at) == run.finished_at
            })
    }

    /// The result goes once to the chat of the job; the failure may be told there.
    fn wrong_delivery(&self, job: &Job, run: &JobRun) -> Option<String> {
        let name = run.name();
        let parts = self.work.results_of(&name);
        let is_told = run.delivery.as_deref() == Some("announce");
        match run.state.as_str() {
            "succeeded" if is_told => {
                if run.result_out != parts.first().map(|part| part.id) {
                    return Some(format!("names another result than {parts:?}"));
                }
                let (script, address) = (self.script_of_job(job)?, job.address.clone().unwrap_or_default());
                self.wrong_result(parts, &address, &script, None)
            }
            "failed" if is_told => {
                let begin = format!("❌ Scheduled job {} failed.", job.id);
                let is_right = parts.iter().all(|part| Some(&part.address) == job.address.as_ref())
                    && parts.first().is_none_or(|part| part.plain().starts_with(&begin));
                (!is_right).then(|| format!("was told like this: {parts:?}"))
            }
            _ => (!parts.is_empty()).then(|| format!("has sent something: {parts:?}")),
        }
    }

    /// The result was posted to the web server, and that is stored.
    fn wrong_webhook(&self, run: &JobRun) -> Option<String> {
        let is_due = run.delivery.as_deref() == Some("webhook")
            && matches!(run.state.as_str(), "succeeded" | "failed");
        let right = is_due.then_some("sent");
        (run.hook_state.as_deref() != right).then(|| format!("has the webhook {:?}", run.hook_state))
    }

    /// O3: the turns of one run: one, whose run and job are there, unless the job was removed.
    fn turns_of_runs(&mut self) {
        let mut wrong = Vec::new();
        for (id, turns) in &self.work.turns_of_run {
            if turns.len() > 1 {
                wrong.push(format!("O3: r{id} has {} turns: {turns:?}", turns.len()));
            }
            let Some(turn) = turns.first().filter(|_| !self.work.runs.contains_key(id)) else { continue };
            let job = turn.key.rsplit(':').next().unwrap_or_default();
            let mut audit = self.o.database.audit.iter();
            let removed = audit.find(|line| line.action == "cron remove" && line.subject == job);
            let is_right = self.o.journal.work.removed.contains(job)
                && removed.is_some_and(|line| turn.created_at <= line.at);
            if !is_right {
                wrong.push(format!("jobs: a turn of a run that is not there: {turn:?}"));
            }
        }
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// The runs that somebody has asked for are there, and no more than that.
    fn asked_for(&mut self) {
        let work = &self.o.journal.work;
        let mut manual: HashMap<&str, usize> = HashMap::new();
        for run in self.o.database.work.runs.iter().filter(|run| run.manual == 1) {
            *manual.entry(&run.job_id).or_default() += 1;
        }
        let mut wrong = Vec::new();
        for (name, job) in work.runs.iter().filter(|(_, job)| !work.removed.contains(*job)) {
            let id = name.strip_prefix('r').and_then(|id| id.parse::<i64>().ok());
            let run = id.and_then(|id| self.work.runs.get(&id));
            if !run.is_some_and(|run| run.job_id == *job && run.manual == 1) {
                wrong.push(format!("jobs: {name} of {job} was asked for and is {run:?}"));
            }
        }
        for (job, found) in manual {
            let asked = work.asked_runs.get(job).copied().unwrap_or(0);
            if found > asked {
                wrong.push(format!("jobs: {job} was run {found} times by {asked} requests"));
            }
        }
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// O4: what the web server got is the result of a run, signed; a repetition is the same and needs a kill.
    fn webhooks(&mut self) {
        let mut by_run: HashMap<&str, Vec<&'a WebhookPost>> = HashMap::new();
        for post in &self.o.journal.work.webhooks {
            by_run.entry(&post.delivery).or_default().push(post);
        }
        let mut wrong = Vec::new();
        for (name, posts) in &by_run {
            let id = name.strip_prefix('r').and_then(|id| id.parse::<i64>().ok());
            let run = id.and_then(|id| self.work.runs.get(&id));
            if !run.is_some_and(|run| self.is_posted(run, posts[0])) {
                wrong.push(format!("O4: a web server got {:?} for {run:?}", posts[0]));
            }
            for pair in posts.windows(2) {
                self.verdict.webhooks_again += 1;
                let is_explained = self.kills_between(pair[0].at, pair[1].at).count() > 0;
                if !is_explained || pair[0].body != pair[1].body {
                    wrong.push(format!("O4: posted again, and no kill explains it, or otherwise: {pair:?}"));
                }
            }
        }
        let runs = self.o.database.work.runs.iter();
        let lost = runs.filter(|run| run.hook_state.is_some() && !by_run.contains_key(run.name().as_str()));
        wrong.extend(lost.map(|run| format!("O2: no web server got the result: {run:?}")));
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    fn is_posted(&self, run: &JobRun, post: &WebhookPost) -> bool {
        let Ok(body) = serde_json::from_str::<Value>(&post.body) else { return false };
        let answer = run
            .turn_id
            .and_then(|turn| self.o.database.turns.get(&turn))
            .and_then(|turn| turn.answer.as_deref());
        let is_same = body["state"] != "succeeded" || body["text"].as_str() == answer;
        post.is_signed
            && body["run"] == run.name()
            && body["job"] == run.job_id
            && body["state"] == run.state
            && is_same
    }
}
