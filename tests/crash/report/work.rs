//! The numbers of what was done in the background.

use super::{row, rows};
use crate::database::{BackgroundTask, JobRun};
use crate::journal::RequestKind;
use crate::observed::Observed;
use crate::oracle::Verdict;

/// What was done, with the least of it that 300 kills need, so that the test says something.
/// Missed runs are not among them: on a quiet machine a restart takes less time than the shortest interval of a job.
pub fn counts(observed: &Observed) -> Vec<(&'static str, u64, u64)> {
    let (work, asked) = (&observed.database.work, &observed.journal.work);
    let tasks =
        |is: &dyn Fn(&BackgroundTask) -> bool| work.tasks.iter().filter(|task| is(task)).count() as u64;
    let runs = |is: &dyn Fn(&JobRun) -> bool| work.runs.iter().filter(|run| is(run)).count() as u64;
    let talk = observed.journal.events.iter().filter(|event| event.place.source.starts_with("hook:"));
    let again = asked.requests.values().filter(|request| request.sent.len() > 1);
    vec![
        ("background tasks", tasks(&|_| true), 250),
        ("lost background tasks", tasks(&|task| task.state == "lost"), 15),
        ("cancelled background tasks", tasks(&|task| task.state == "cancelled"), 5),
        ("background tasks that were begun again", tasks(&|task| task.attempt > 1), 50),
        ("tasks of events", tasks(&|task| task.source == "event"), 25),
        ("events that were messages", talk.count() as u64, 5),
        ("requests that were repeated", again.count() as u64, 40),
        ("runs of jobs", runs(&|run| run.state == "succeeded"), 80),
        ("runs that were begun again", runs(&|run| run.attempt > 1), 30),
        ("runs that somebody asked for", runs(&|run| run.manual == 1), 10),
        ("heartbeats", runs(&|run| run.job_id == "heartbeat"), 2),
        ("results that were posted to a web server", asked.webhooks.len() as u64, 30),
    ]
}

pub fn print(observed: &Observed, verdict: &Verdict) {
    let (work, asked) = (&observed.database.work, &observed.journal.work);
    let tasks = |is: &dyn Fn(&BackgroundTask) -> bool| work.tasks.iter().filter(|task| is(task)).count();
    let runs = |is: &dyn Fn(&JobRun) -> bool| work.runs.iter().filter(|run| is(run)).count();
    rows(&[
        ("background tasks", work.tasks.len()),
        ("  handed over in chats", tasks(&|task| task.source == "chat")),
        ("  of events", tasks(&|task| task.source == "event")),
        ("  run again", tasks(&|task| task.retry_of.is_some())),
        ("  begun more than once", tasks(&|task| task.attempt > 1)),
    ]);
    for state in ["succeeded", "failed", "lost", "cancelled"] {
        row(&format!("  {state}"), tasks(&|task| task.state == state));
    }
    rows(&[
        ("jobs", work.jobs.len()),
        ("  made at run time", asked.of(RequestKind::Job).count()),
        ("  removed", asked.removed.len()),
        ("runs of jobs", runs(&|run| run.state != "missed")),
        ("  that somebody asked for", runs(&|run| run.manual == 1)),
        ("  begun more than once", runs(&|run| run.attempt > 1)),
        ("  of the heartbeat", runs(&|run| run.job_id == "heartbeat")),
    ]);
    for state in ["succeeded", "failed", "skipped"] {
        row(&format!("  {state}"), runs(&|run| run.state == state));
    }
    rows(&[
        (
            "times counted as missed",
            work.runs.iter().filter_map(|run| run.missed).sum::<i64>().unsigned_abs() as usize,
        ),
        ("results posted to a web server", asked.webhooks.len()),
        ("  posted again, explained", verdict.webhooks_again),
        ("requests for work in the background", asked.requests.len()),
        ("  sent more than once", asked.requests.values().filter(|request| request.sent.len() > 1).count()),
    ]);
}
