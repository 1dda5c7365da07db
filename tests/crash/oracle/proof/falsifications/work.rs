//! Falsifications of background tasks, jobs and events (O1 to O4).

use super::*;
use crate::database::{BackgroundTask, JobRun};
use crate::journal::RequestKind;

/// The chat of programs' tasks.
const TASKS: &str = "telegram:1011";

fn task(o: &mut Observed, is: impl Fn(&BackgroundTask) -> bool) -> Option<&mut BackgroundTask> {
    candidate(o.database.work.tasks.iter_mut(), is)
}

fn has_result(task: &BackgroundTask) -> bool {
    task.state == "succeeded" && task.delivers == 1 && task.source != "event"
}

fn is_event(task: &BackgroundTask) -> bool {
    task.source == "event" && task.state == "succeeded"
}

fn run(o: &mut Observed, is: impl Fn(&JobRun) -> bool) -> Option<&mut JobRun> {
    candidate(o.database.work.runs.iter_mut(), is)
}

fn is_told(run: &JobRun) -> bool {
    run.state == "succeeded" && run.delivery.as_deref() == Some("announce") && run.job_id == "once"
}

fn is_scheduled(run: &JobRun) -> bool {
    run.manual == 0 && run.state == "succeeded" && run.job_id == "once"
}

/// The first part of a result.
fn result<'o>(o: &'o mut Observed, name: &str) -> Option<&'o mut Part> {
    let key = format!("{name}/0");
    part(o, |part| part.part_key == key)
}

fn turn_of_task(o: &mut Observed, is: impl Fn(&BackgroundTask) -> bool) -> Option<&mut Turn> {
    let turn = task(o, |task| task.turn_id.is_some() && is(task))?.turn_id?;
    o.database.turns.get_mut(&turn)
}

pub static ALL: &[Falsification] = &[
    ("a task is lost", "was handed over and makes 0 tasks", |o| {
        let at =
            o.database.work.tasks.iter().position(|task| task.source == "chat" && task.retry_of.is_none())?;
        Some(drop(o.database.work.tasks.remove(at)))
    }),
    ("a command hands a task over twice", "was handed over and makes 2 tasks", |o| {
        let task = task(o, |task| task.source == "chat" && task.retry_of.is_none())?.clone();
        Some(o.database.work.tasks.push(BackgroundTask { id: task.id + FAR, ..task }))
    }),
    ("a repeated request makes a second task", "O1: Task", |o| {
        let task = task(o, |task| task.source == "api" && task.retry_of.is_none())?.clone();
        Some(o.database.work.tasks.push(BackgroundTask { id: task.id + FAR, ..task }))
    }),
    ("nobody has handed a task over", "O1: a task that nobody has handed over", |o| {
        task(o, |task| task.retry_of.is_none() && task.source == "api").map(|task| task.body.push('x'))
    }),
    ("a task belongs to another person", "O1: a task of another person or chat", |o| {
        task(o, |task| task.source == "chat" && task.retry_of.is_none()).map(|task| task.owner.push('0'))
    }),
    ("a task is run again by itself", "was run again", |o| {
        let first = task(o, |task| task.retry_of.is_none())?.id;
        task(o, |task| task.retry_of.is_none() && task.request.is_none())
            .map(|task| task.retry_of = Some(first))
    }),
    ("a task is cancelled by nobody", "O3: cancelled by nobody", |o| {
        audit(o, "task cancel").map(|line| line.author = "api:stranger".to_owned())?;
        o.journal.work.cancelled.clear();
        audit(o, "task cancel").map(|line| line.via = "api".to_owned())
    }),
    ("a cancelled task has no line in the audit", "was cancelled 0 times", |o| {
        audit(o, "task cancel").map(|line| line.action.clear())
    }),
    ("a task has two turns", "has 2 turns", |o| {
        let turn = turn_of_task(o, has_result)?.clone();
        o.database.turns.insert(FAR, Turn { id: FAR, ..turn });
        Some(())
    }),
    ("a task works in another session", "has the message", |o| {
        task(o, has_result).map(|task| task.key.push('0'))
    }),
    ("a task is of another attempt than its turn", "does not name", |o| {
        task(o, has_result).map(|task| task.attempt += 1)
    }),
    ("a task is left open", "is running and should not be", |o| {
        task(o, has_result).map(|task| task.state = "running".to_owned())
    }),
    ("a task is lost without a tool", "is lost and should not be", |o| {
        turn_of_task(o, has_result).map(|turn| {
            (turn.state, turn.error) = ("interrupted".to_owned(), Some("interrupted".to_owned()));
            turn.side_effect_at = None;
        })?;
        task(o, has_result).map(|task| task.state = "lost".to_owned())
    }),
    ("a task is lost without a kill", "is lost and should not be", |o| {
        task(o, |task| task.state == "lost")?;
        Some(o.journal.kills.clear())
    }),
    ("a task that had done nothing does not run again", "is failed and should not be", |o| {
        let is_killed =
            |turn: &&mut Turn| turn.task_id.is_some() && turn.error.as_deref() == Some("gateway_killed");
        o.database.turns.values_mut().find(is_killed).map(|turn| turn.attempt = 1)
    }),
    ("a task has another answer", "is succeeded and should not be", |o| {
        turn_of_task(o, has_result).map(|turn| turn.answer = None)
    }),
    ("the result of an older attempt is taken", "O3: it ended before its last attempt began", |o| {
        turn_of_task(o, has_result).map(|turn| turn.finished_at = turn.started_at.map(|at| at - 60_000))
    }),
    ("the result of a task is never sent", "names another result", |o| {
        let name = task(o, has_result)?.name();
        let key = format!("{name}/0");
        Some(o.database.parts.retain(|part| part.part_key != key))
    }),
    ("the result of a task goes to another chat", "its result went elsewhere", |o| {
        let name = task(o, has_result)?.name();
        result(o, &name).map(|part| part.address.push('0'))
    }),
    ("the result of a task is another one", "another result", |o| {
        let name = task(o, has_result)?.name();
        result(o, &name).map(|part| part.plain = Some(format!("{}x", part.plain())))
    }),
    ("the result of a task has another heading", "another heading", |o| {
        let name = task(o, has_result)?.name();
        result(o, &name).map(|part| part.plain = Some("heard".to_owned()))
    }),
    ("a file of a result is not sent", "files were sent with its result", |o| {
        let is_file =
            |part: &Part| part.kind == "result" && part.media.is_some() && part.part_key.starts_with('b');
        let at = o.database.parts.iter().position(is_file)?;
        Some(drop(o.database.parts.remove(at)))
    }),
    ("a file of a result has other bytes", "the file of its result should be", |o| {
        // All of them, because the first may be one about which nothing can be said.
        let parts = o.database.parts.iter().filter(|part| part.kind == "result" && part.media.is_some());
        let ids = parts.filter_map(|part| Some((part.address.clone(), part.message()?.clone())));
        let ids: Vec<_> = ids.collect();
        let changed =
            ids.iter().filter(|id| o.files.get_mut(*id).map(|file| file.push('0')).is_some()).count();
        (changed > 0).then_some(())
    }),
    ("nobody is told that a task is lost", "names another result", |o| {
        let task = task(o, |task| task.state == "lost" && task.delivers == 1)?.clone();
        let key = format!("{}/0", task.name());
        Some(o.database.parts.retain(|part| part.part_key != key))
    }),
    ("a task for no chat sends its result", "sent something", |o| {
        task(o, |task| has_result(task) && task.address == TASKS).map(|task| task.delivers = 0)
    }),
    ("the progress of a task never ends", "was shown by", |o| {
        let is_end = |part: &Part| part.part_key.ends_with("/progress/end/0");
        let at = o.database.changes.iter().position(is_end)?;
        Some(drop(o.database.changes.remove(at)))
    }),
    ("the result of a task is posted twice", "O4: posted twice", |o| {
        let name = task(o, has_result)?.name();
        let part = result(o, &name)?.clone();
        let is_its = |call: &Call| {
            call.kind == CallKind::Post
                && call.message.as_ref() == part.message()
                && call.address == part.address
        };
        let post = call(o, is_its)?.clone();
        let (message, request) = (Some(FAR.to_string()), usize::MAX);
        Some(o.calls.push(Arc::new(Call { at: post.at + FAR, message, request, lost: false, ..post })))
    }),
    ("a result goes before an older answer", "O5: it arrived before", |o| {
        let is_result =
            |part: &Part| part.kind == "result" && part.state == "sent" && part.part_key.ends_with("/0");
        let is_asked =
            |part: &Part| part.kind == "answer" && part.state == "sent" && part.platform_message_id.is_some();
        let parts = &o.database.parts;
        let pair = (0..parts.len()).filter(|at| is_result(&parts[*at])).find_map(|at| {
            let older =
                parts[..at].iter().rposition(|part| is_asked(part) && part.address == parts[at].address)?;
            Some((older, at))
        });
        let (older, result) = pair?;
        let first = o.database.parts[older].platform_message_id.clone();
        let last = std::mem::replace(&mut o.database.parts[result].platform_message_id, first);
        Some(o.database.parts[older].platform_message_id = last)
    }),
    ("an event makes no task", "has made 0 tasks", |o| {
        let at = o.database.work.tasks.iter().position(is_event)?;
        Some(drop(o.database.work.tasks.remove(at)))
    }),
    ("a repeated event makes a second task", "has made 2 tasks", |o| {
        let task = task(o, is_event)?.clone();
        Some(o.database.work.tasks.push(BackgroundTask { id: task.id + FAR, request: None, ..task }))
    }),
    ("an event was acknowledged with another task", "O1: event", |o| {
        let mut requests = o.journal.work.requests.iter_mut();
        let (_, event) = requests.find(|((kind, _), _)| *kind == RequestKind::Event)?;
        Some(event.told = Some("b0".to_owned()))
    }),
    ("a task is of an event that did not come", "O1: a task of an event that did not come", |o| {
        task(o, is_event).map(|task| task.request = Some("hook:forge:none".to_owned()))
    }),
    ("the answer to an event goes to another chat", "its result went elsewhere", |o| {
        let name = task(o, is_event)?.name();
        result(o, &name).map(|part| part.address.push('0'))
    }),
    ("news is sent twice", "O1: news", |o| {
        let part = part(o, |part| part.part_key.starts_with("send/hook:news:"))?.clone();
        add_part(o, part)
    }),
    ("a message of a program has no row", "O1: Turn expected", |o| {
        remove_row(o, |row| row.source == "hook:talk")
    }),
    ("a job of the configuration is lost", "of the configuration is not there", |o| {
        let at = o.database.work.jobs.iter().position(|job| job.id == "once")?;
        Some(drop(o.database.work.jobs.remove(at)))
    }),
    ("a repeated request makes a second job", "was made as", |o| {
        let job = o.database.work.jobs.iter().find(|job| job.source != "config")?.clone();
        let id = format!("{}-again", job.id);
        Some(o.database.work.jobs.push(crate::database::Job { id, ..job }))
    }),
    ("a removed job is still there", "was made as", |o| {
        let id = o.database.work.jobs.iter().find(|job| job.source != "config")?.id.clone();
        o.journal.work.removed.insert(id).then_some(())
    }),
    ("a run is left open", "is due and should not be", |o| {
        run(o, is_told).map(|run| run.state = "due".to_owned())
    }),
    ("a run has two turns", "turns: [", |o| {
        let turn = run(o, is_told)?.turn_id?;
        let turn = o.database.turns.get(&turn)?.clone();
        o.database.turns.insert(FAR, Turn { id: FAR, ..turn });
        Some(())
    }),
    ("a run has another answer", "is succeeded and should not be", |o| {
        let turn = run(o, is_told)?.turn_id?;
        o.database.turns.get_mut(&turn).map(|turn| turn.answer = None)
    }),
    ("a run fails of nothing", "is failed and should not be", |o| {
        let turn = run(o, |run| run.state == "failed")?.turn_id?;
        o.database.turns.get_mut(&turn).map(|turn| turn.error = None)
    }),
    ("a run is skipped for no reason", "is skipped and should not be", |o| {
        let end = run(o, |run| run.reason.as_deref() == Some("overlap"))?.clone();
        Some(o.database.work.runs.retain(|run| run.job_id != end.job_id || run.id == end.id))
    }),
    ("a run is skipped by a pause that nobody made", "is skipped and should not be", |o| {
        run(o, |run| run.reason.as_deref() == Some("paused")).map(|run| run.finished_at = Some(1))
    }),
    ("the result of a run is never sent", "names another result", |o| {
        let key = format!("{}/0", run(o, is_told)?.name());
        Some(o.database.parts.retain(|part| part.part_key != key))
    }),
    ("the result of a run goes to another chat", "its result went elsewhere", |o| {
        let name = run(o, is_told)?.name();
        result(o, &name).map(|part| part.address.push('0'))
    }),
    ("a time is neither run nor missed", "has neither run nor missed", |o| {
        run(o, is_scheduled)?;
        // All of them, because a pause soon after one excuses it.
        o.database.work.runs.retain(|run| !is_scheduled(run));
        // The gateway has run ever since.
        Some(o.journal.starts.clear())
    }),
    ("a time has two runs", "stands twice for its time", |o| {
        let twin = run(o, is_scheduled)?.clone();
        Some(o.database.work.runs.push(JobRun { id: twin.id + FAR, ..twin }))
    }),
    ("a run is for no time of its job", "is for times that", |o| {
        run(o, is_scheduled).map(|run| run.scheduled_at += 7)
    }),
    ("times are missed against the rule", "jobs: missed against the rule", |o| {
        let missed = run(o, |run| run.state == "missed")?.clone();
        let runs = o.database.work.runs.iter();
        let later = runs.filter(|run| {
            run.job_id == missed.job_id && run.manual == 0 && run.scheduled_at > missed.scheduled_at
        });
        let next = later.min_by_key(|run| run.scheduled_at)?.id;
        Some(o.database.work.runs.retain(|run| run.id != next))
    }),
    ("a paused job runs", "ran while it was paused", |o| {
        Some(o.database.audit.retain(|line| line.action != "cron resume"))
    }),
    ("two runs of a job overlap", "O3: two runs of", |o| {
        run(o, is_scheduled).map(|run| run.finished_at = run.finished_at.map(|at| at + FAR))
    }),
    ("a run that was asked for is lost", "was asked for and is None", |o| {
        let told: Vec<i64> =
            o.journal.work.runs.keys().filter_map(|run| run.strip_prefix('r')?.parse().ok()).collect();
        let at =
            o.database.work.runs.iter().position(|run| run.job_id == "once" && told.contains(&run.id))?;
        Some(drop(o.database.work.runs.remove(at)))
    }),
    ("a job runs more often than it was asked to", "times by", |o| {
        run(o, |run| run.manual == 1)?;
        Some(o.journal.work.asked_runs.clear())
    }),
    ("a web server gets another result", "O4: a web server got", |o| {
        let is_result = |post: &&mut crate::journal::WebhookPost| post.body.contains("\"succeeded\"");
        let post = o.journal.work.webhooks.iter_mut().find(is_result)?;
        Some(post.body = post.body.replace("\"text\":\"", "\"text\":\"x"))
    }),
    ("a result is posted to a web server again", "O4: posted again", |o| {
        // Far from every kill.
        let post = o.journal.work.webhooks.last_mut()?;
        post.at += FAR;
        let again = crate::journal::WebhookPost { at: post.at + FAR, ..post.clone() };
        Some(o.journal.work.webhooks.push(again))
    }),
    ("a web server never gets a result", "O2: no web server got the result", |o| {
        Some(o.journal.work.webhooks.clear())
    }),
    ("it is not stored that a result was posted", "has the webhook", |o| {
        run(o, |run| run.hook_state.is_some()).map(|run| run.hook_state = Some("waiting".to_owned()))
    }),
];
