//! A transcriber whose results a test scripts.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::voice::{Recording, RecordingLimits, Transcriber};
use tokio::sync::Semaphore;

use crate::wait::until;

/// How one transcription goes.
#[derive(Debug, Clone)]
pub enum Heard {
    /// These words.
    Words(String),
    /// A failure with this cause.
    Fails(String),
    /// It never ends.
    Hangs,
    /// These words, once the test lets it go on.
    Later(String),
    /// A panic.
    Panics,
}

/// What every transcription with no script has heard.
pub const HEARD: &str = "what was said";

/// The transcriber. Clones of its handle are the same one.
pub struct ScriptedTranscriber {
    limits: RecordingLimits,
    script: Mutex<VecDeque<Heard>>,
    asked: Mutex<Vec<Recording>>,
    running: AtomicUsize,
    goes_on: Semaphore,
    stopped: AtomicUsize,
    hangs_at_stop: AtomicBool,
}

impl ScriptedTranscriber {
    /// One with these limits.
    pub fn with(limits: RecordingLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            script: Mutex::default(),
            asked: Mutex::default(),
            running: AtomicUsize::new(0),
            goes_on: Semaphore::new(0),
            stopped: AtomicUsize::new(0),
            hangs_at_stop: AtomicBool::new(false),
        })
    }

    /// One that takes a minute each, for two at once, up to a minute and a thousand bytes long.
    pub fn new() -> Arc<Self> {
        let timeout = Duration::from_secs(60);
        Self::with(RecordingLimits { timeout, max_seconds: 60, max_bytes: 1000, at_once: 2 })
    }

    /// The next transcriptions go like this.
    pub fn will(&self, script: impl IntoIterator<Item = Heard>) {
        self.script.lock().unwrap().extend(script);
    }

    /// Lets one transcription go on that was told to wait.
    pub fn goes_on(&self) {
        self.goes_on.add_permits(1);
    }

    /// The recordings that it was asked about.
    pub fn asked(&self) -> Vec<Recording> {
        self.asked.lock().unwrap().clone()
    }

    /// Their files' contents.
    pub fn asked_bytes(&self) -> Vec<Vec<u8>> {
        let paths: Vec<PathBuf> = self.asked().into_iter().map(|recording| recording.path).collect();
        paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// Waits until it was asked so often.
    pub async fn begun(&self, count: usize) {
        until(&format!("{count} transcriptions have begun"), || async {
            (self.asked.lock().unwrap().len() >= count).then_some(())
        })
        .await;
    }

    /// How many run now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// From now on a stop never ends.
    pub fn hangs_at_stop(&self) {
        self.hangs_at_stop.store(true, Ordering::SeqCst);
    }

    /// How often it was stopped.
    pub fn stopped(&self) -> usize {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// Counts a transcription until it ends or is dropped.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Transcriber for ScriptedTranscriber {
    fn limits(&self) -> RecordingLimits {
        self.limits
    }

    async fn transcribe(&self, recording: &Recording) -> Result<String, String> {
        self.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(&self.running);
        let heard = self.script.lock().unwrap().pop_front();
        self.asked.lock().unwrap().push(recording.clone());
        match heard {
            None => Ok(HEARD.to_owned()),
            Some(Heard::Words(words)) => Ok(words),
            Some(Heard::Fails(cause)) => Err(cause),
            Some(Heard::Hangs) => std::future::pending().await,
            Some(Heard::Later(words)) => {
                self.goes_on.acquire().await.unwrap().forget();
                Ok(words)
            }
            Some(Heard::Panics) => panic!("scripted"),
        }
    }

    async fn stop(&self) {
        self.stopped.fetch_add(1, Ordering::SeqCst);
        if self.hangs_at_stop.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    fn problem(&self) -> Option<String> {
        None
    }
}
