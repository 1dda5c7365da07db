//! O1, O2: an event of another program that was acknowledged has one effect, however often it came: one task, whose answer
//! goes to the chat of its endpoint, or one message. What becomes of events that are messages of a conversation is judged like
//! every message.

use std::collections::HashMap;

use super::Oracle;
use crate::database::BackgroundTask;
use crate::journal::{Request, RequestKind};

impl Oracle<'_> {
    pub(super) fn events(&mut self) {
        let mut wrong = Vec::new();
        let tasks = &self.o.database.work.tasks;
        let mut by_tag: HashMap<String, Vec<&BackgroundTask>> = HashMap::new();
        for task in tasks.iter().filter(|task| task.source == "event" && task.retry_of.is_none()) {
            by_tag.entry(task.script().map(|script| script.tag).unwrap_or_default()).or_default().push(task);
        }
        for (key, request) in self.o.journal.work.of(RequestKind::Event) {
            let name = format!("hook:forge:{key}");
            let made = by_tag.get(&request.script.tag).map(Vec::as_slice).unwrap_or_default();
            wrong.extend(wrong_task(request, &name, made).map(|what| format!("O1: event {key} {what}")));
        }
        for task in tasks.iter().filter(|task| task.source == "event" && task.retry_of.is_none()) {
            let key = task.request.as_ref().and_then(|request| request.strip_prefix("hook:forge:"));
            let of_key = key.map(|key| (RequestKind::Event, key.to_owned()));
            if !of_key.is_some_and(|key| self.o.journal.work.requests.contains_key(&key)) {
                wrong.push(format!("O1: a task of an event that did not come: {task:?}"));
            }
        }
        for (key, request) in self.o.journal.work.of(RequestKind::News) {
            let begin = format!("send/hook:news:{key}/");
            let parts = self.o.database.parts.iter().filter(|part| part.part_key.starts_with(&begin));
            let parts: Vec<_> = parts.collect();
            let told = request.told.as_deref();
            let is_right = |id: i64, address: &str, text: &str| {
                told == Some(&format!("o{id}"))
                    && address == request.place.address
                    && text == request.script.text()
            };
            let is_once = match parts.as_slice() {
                [part] => is_right(part.id, &part.address, part.plain()),
                _ => false,
            };
            if request.accepted.is_none() || !is_once {
                wrong.push(format!("O1: news {key} was accepted as {told:?} and is {parts:?}"));
            }
        }
        wrong.into_iter().for_each(|what| self.report(None, what));
    }
}

/// What is wrong with the tasks that an event has made.
fn wrong_task(request: &Request, name: &str, made: &[&BackgroundTask]) -> Option<String> {
    let [task] = made else { return Some(format!("has made {} tasks", made.len())) };
    if request.accepted.is_none() || request.told.as_deref() != Some(&task.name()) {
        return Some(format!("was accepted as {:?} and is {task:?}", request.told));
    }
    let is_its = task.request.as_deref() == Some(name)
        && task.source == "event"
        && task.address == request.place.address
        && task.script().as_ref() == Some(&request.script);
    (!is_its).then(|| format!("is another task: {task:?}"))
}
