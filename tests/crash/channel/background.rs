//! Work in the background: programs hand over tasks and events and make scheduled jobs, the configuration has jobs and a
//! heartbeat, and a web server gets results. What users hand over in chats is in `telegram/tasks.rs`.

mod config;
mod events;
mod jobs;
mod receiver;
mod tasks;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use tokio::task::JoinSet;

use self::config::ConfiguredJob;
use self::receiver::Receiver;
use super::{Channel, KillPoint};
use crate::agent::{AgentRecord, journal_path};
use crate::clock;
use crate::harness::Harness;
use crate::journal::Place;
use crate::observed::Observed;
use crate::random::Random;
use crate::script::{Script, fingerprint};

/// `inbound.source` of the events that are messages of a conversation.
const TALK: &str = "hook:talk";
/// How much of the end of the agents' journal is looked at to see what they do.
const TAIL: u64 = 8192;

/// The chats on another channel that get the results.
#[derive(Debug, Clone)]
pub struct Chats {
    pub tasks: Arc<Place>,
    pub jobs: Arc<Place>,
    pub events: Arc<Place>,
}

pub struct Background {
    shared: Arc<Shared>,
    receiver: Receiver,
    home: PathBuf,
}

/// What the clients share.
struct Shared {
    harness: Arc<Harness>,
    chats: Chats,
    /// The conversation that gets events as messages.
    talk: Arc<Place>,
    jobs: Vec<ConfiguredJob>,
    /// Whether all jobs are paused, so that nothing begins by itself.
    is_resting: AtomicBool,
}

impl Background {
    pub async fn new(harness: Arc<Harness>, home: &Path, chats: Chats) -> Result<Self> {
        let receiver = Receiver::start(harness.clone()).await?;
        let jobs = config::jobs(&harness, &chats.jobs, &receiver.url());
        for job in &jobs {
            let configured = (job.script.clone(), chats.jobs.clone());
            harness.journal().work.configured.insert(job.id.to_owned(), configured);
        }
        // The gateway reads it, and finds it at its first start.
        let heartbeat = config::heartbeat(&harness, &chats.jobs);
        std::fs::write(home.join("HEARTBEAT.md"), format!("{}\n", heartbeat.text()))?;
        let configured = (heartbeat, chats.jobs.clone());
        harness.journal().work.configured.insert(jobs::HEARTBEAT.to_owned(), configured);
        let talk =
            Arc::new(Place { name: "talk".to_owned(), source: TALK.to_owned(), ..(*chats.events).clone() });
        let shared = Shared { harness, chats, talk, jobs, is_resting: AtomicBool::default() };
        Ok(Self { shared: Arc::new(shared), receiver, home: home.to_owned() })
    }

    /// Whether an agent has begun to work on something in the background within the last milliseconds.
    fn has_begun(&self, within_ms: i64, since: i64) -> Option<bool> {
        let mut file = std::fs::File::open(journal_path(&self.home)).ok()?;
        let len = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).ok()?;
        let since = since.max(clock::now() - within_ms);
        let tail = String::from_utf8_lossy(&tail);
        // The first line may be cut off.
        let mut records = tail.lines().filter_map(|line| serde_json::from_str::<AgentRecord>(line).ok());
        let is_work =
            |session: &str| [":task:", ":job:", ":heartbeat:"].iter().any(|kind| session.contains(kind));
        Some(records.any(|seen| seen.at >= since && is_work(&seen.session)))
    }
}

#[async_trait]
impl Channel for Background {
    fn name(&self) -> &'static str {
        "background"
    }

    fn config(&self) -> String {
        config::text(&self.shared)
    }

    async fn start(&self, clients: &mut JoinSet<()>, random: &Random) {
        self.receiver.serve(clients);
        clients.spawn(tasks::client(self.shared.clone(), random.fork(301)));
        clients.spawn(jobs::client(self.shared.clone(), random.fork(302)));
        clients.spawn(events::client(self.shared.clone(), random.fork(303)));
    }

    /// The kills are what cuts its connections.
    fn set_faults(&self, _: bool, _: bool) {}

    fn kill_points(&self) -> &'static [KillPoint] {
        &[KillPoint::Accept, KillPoint::Work, KillPoint::Webhook]
    }

    fn is_at(&self, point: KillPoint, since: i64) -> bool {
        match point {
            KillPoint::Accept => self.shared.harness.journal().work.unaccepted() > 0,
            KillPoint::Work => self.has_begun(20, since).unwrap_or(false),
            KillPoint::Webhook => {
                let since = since.max(clock::now() - 5);
                let journal = self.shared.harness.journal();
                journal.work.webhooks.last().is_some_and(|post| post.at >= since)
            }
            _ => false,
        }
    }

    /// While everything is to come to rest, also the jobs must be paused.
    fn unaccepted(&self) -> usize {
        let is_restless = self.shared.harness.is_quiet() && !self.shared.is_resting.load(Ordering::Relaxed);
        let journal = self.shared.harness.journal();
        usize::from(is_restless) + journal.work.unaccepted() + journal.unaccepted(TALK).count()
    }

    async fn catch_up(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    async fn observe(&self, observed: &mut Observed) -> Result<()> {
        let work = &observed.journal.work;
        let files = work.scripts().map(|(script, _)| right_files(script));
        let files: Vec<_> = files.filter(|(_, files)| !files.is_empty()).collect();
        observed.right_files.extend(files);
        observed.secrets.extend(config::SECRETS.map(str::to_owned));
        Ok(())
    }
}

/// The fingerprints of the files of a script's answer, by its tag.
fn right_files(script: &Script) -> (String, Vec<String>) {
    (script.tag.clone(), script.files().iter().map(|bytes| fingerprint(bytes)).collect())
}
