//! A hook that records its events and decides as the test says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};

type Decide = Box<dyn Fn(&HookEvent) -> Result<HookVerdict, HookError> + Send + Sync>;

/// A hook of a test, with a time limit of two seconds. Clones of its [`Seen`] are what it was given.
pub struct TestHook {
    points: Vec<HookPoint>,
    decide: Decide,
    seen: Seen,
    fails_closed: bool,
    takes_pieces: bool,
}

/// What a [`TestHook`] was given, and whether it answers.
#[derive(Clone, Default)]
pub struct Seen {
    events: Arc<Mutex<Vec<HookEvent>>>,
    hangs: Arc<AtomicBool>,
}

impl TestHook {
    /// A hook at these points.
    pub fn at(
        points: impl IntoIterator<Item = HookPoint>,
        decide: impl Fn(&HookEvent) -> Result<HookVerdict, HookError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            points: points.into_iter().collect(),
            decide: Box::new(decide),
            seen: Seen::default(),
            fails_closed: false,
            takes_pieces: false,
        }
    }

    /// A hook that only observes these points.
    pub fn observes(points: impl IntoIterator<Item = HookPoint>) -> Self {
        Self::at(points, |_| Ok(HookVerdict::Pass))
    }

    /// The same hook, failing closed.
    pub fn fails_closed(mut self) -> Self {
        self.fails_closed = true;
        self
    }

    /// The same hook, taking pieces.
    pub fn takes_pieces(mut self) -> Self {
        self.takes_pieces = true;
        self
    }

    /// What it is given.
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }
}

impl Seen {
    /// The events so far, each as its point and its JSON.
    pub fn shown(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| format!("{} {}", event.point().name(), event.to_json())).collect()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<HookEvent> {
        self.events.lock().unwrap().clone()
    }

    /// The points so far.
    pub fn points(&self) -> Vec<HookPoint> {
        self.events().iter().map(HookEvent::point).collect()
    }

    /// The texts of the events so far that have one that a hook may rewrite.
    pub fn texts(&self) -> Vec<String> {
        self.events().into_iter().filter_map(|mut event| event.text_mut().cloned()).collect()
    }

    /// From now on the hook does not return, or returns again.
    pub fn hangs(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::Relaxed);
    }
}

#[async_trait]
impl Hook for TestHook {
    fn name(&self) -> &str {
        "test"
    }

    fn points(&self) -> &[HookPoint] {
        &self.points
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn fails_closed(&self) -> bool {
        self.fails_closed
    }

    fn takes_pieces(&self) -> bool {
        self.takes_pieces
    }

    async fn call(&self, event: &HookEvent) -> Result<HookVerdict, HookError> {
        self.seen.events.lock().unwrap().push(event.clone());
        if self.seen.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        (self.decide)(event)
    }
}
