//! The jobs, the heartbeat and the endpoints of events that the configuration has.

use super::Shared;
use crate::harness::Harness;
use crate::journal::Place;
use crate::script::{Script, Task};

/// The key of the signature below webhooks.
const WEBHOOK_SECRET: &str = "key-of-the-webhooks";
/// The secret of the endpoints of events.
pub const EVENT_SECRET: &str = "secret-of-the-events";
/// What must not stand in the log.
pub const SECRETS: [&str; 2] = [WEBHOOK_SECRET, EVENT_SECRET];

/// A job of the file.
pub struct ConfiguredJob {
    pub id: &'static str,
    pub script: Script,
    table: String,
}

/// Short intervals, so that each process of the gateway has runs; every rule for missed runs and for overlaps.
pub fn jobs(harness: &Harness, chat: &Place, webhook: &str) -> Vec<ConfiguredJob> {
    let announce = format!("{{ mode = \"announce\", to = {:?} }}", chat.address);
    let posted = format!("{{ mode = \"webhook\", url = {webhook:?} }}");
    let slow = |pieces, ms| Task::Slow { pieces, ms };
    let all = [
        ("tick", "2s", "missed = \"skip\"\noverlap = \"skip\"", slow(4, 500), &announce),
        ("once", "3s", "missed = \"run_once\"\noverlap = \"queue\"", slow(3, 200), &announce),
        ("each", "3s", "missed = \"all\"\noverlap = \"queue\"\nresume_context = true", Task::Echo, &announce),
        ("acts", "4s", "overlap = \"skip\"", Task::Tool { ms: 150 }, &announce),
        ("late", "5s", "missed = \"skip\"\noverlap = \"queue\"\njitter_s = 1", Task::Flaky, &announce),
        ("weak", "6s", "overlap = \"queue\"", Task::Fail, &announce),
        ("long", "15s", "overlap = \"skip\"", Task::Long { lines: 400 }, &announce),
        ("post", "2s", "missed = \"run_once\"\noverlap = \"queue\"", slow(2, 60), &posted),
    ];
    let job = |(id, every, rules, task, delivery): (&'static str, &str, &str, Task, &String)| {
        let script = Script { tag: harness.tag(chat), task };
        let table = format!(
            "[[jobs]]\nid = {id:?}\nschedule = {{ kind = \"every\", expr = {every:?} }}\ntask = {:?}\n{rules}\ndelivery = {delivery}\n",
            script.text()
        );
        ConfiguredJob { id, script, table }
    };
    all.into_iter().map(job).collect()
}

/// What the agent of the heartbeat is asked.
pub fn heartbeat(harness: &Harness, chat: &Place) -> Script {
    Script { tag: harness.tag(chat), task: Task::Slow { pieces: 3, ms: 200 } }
}

/// The sections of the configuration.
pub fn text(shared: &Shared) -> String {
    let (jobs, events) = (&shared.chats.jobs.address, &shared.chats.events.address);
    let free = "rate = { per_minute = 0, burst = 0 }";
    let tables: String = shared.jobs.iter().map(|job| job.table.as_str()).collect();
    let talk = shared.talk.session();
    format!(
        "[cron]\nwebhook_secret = {WEBHOOK_SECRET:?}\n[security.ssrf]\nallowed_hosts = [\"127.0.0.1\"]\n\
         [tasks]\nmax_running = 12\nper_person = 6\nper_chat = 4\nmax_open_per_person = 1000\nprogress_seconds = 1\n\
         [heartbeat]\nto = {jobs:?}\nminutes = 1\n\
         [hooks]\nenabled = true\n\
         [hooks.endpoints.forge]\nsignature = \"github\"\nsecret = {EVENT_SECRET:?}\nto = {events:?}\n\
         template = \"{{{{ script }}}}\"\n{free}\n\
         [hooks.endpoints.news]\nsignature = \"generic\"\nsecret = {EVENT_SECRET:?}\nto = {events:?}\nmode = \"message\"\n\
         template = \"{{{{ script }}}}\"\n{free}\n\
         [hooks.endpoints.talk]\nsignature = \"github\"\nsecret = {EVENT_SECRET:?}\nsession = {talk:?}\n\
         template = \"{{{{ script }}}}\"\n{free}\n{tables}"
    )
}
