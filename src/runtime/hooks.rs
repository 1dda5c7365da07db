//! Calls hooks, with a time limit and with panics contained.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::hook::{Hook, HookEvent, HookPoint, HookVerdict};
use frontdesk_core::port::{Clock, Stop};
use futures_util::FutureExt;
use tokio::sync::mpsc;

/// Maximum number of events that wait for observing hooks.
const BACKLOG: usize = 1024;

pub(crate) struct Hooks {
    hooks: Vec<Arc<dyn Hook>>,
    clock: Arc<dyn Clock>,
    observers: mpsc::Sender<HookEvent>,
}

impl Hooks {
    /// The hooks, and the receiver for [`Hooks::run`].
    pub(crate) fn new(hooks: Vec<Arc<dyn Hook>>, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<HookEvent>) {
        let (observers, events) = mpsc::channel(BACKLOG);
        (Self { hooks, clock, observers }, events)
    }

    /// Whether any hook is registered at this point, so that the caller can skip making an event.
    pub(crate) fn any(&self, point: HookPoint) -> bool {
        self.hooks.iter().any(|hook| hook.points().contains(&point))
    }

    /// Asks every hook at this point, in order. Each sees the text or the parameters as the hooks before it changed
    /// them.
    pub(crate) async fn ask(&self, mut event: HookEvent) -> HookOutcome {
        let mut context = Vec::new();
        for hook in self.hooks.iter().filter(|hook| hook.points().contains(&event.point)) {
            match self.call(hook, &event).await {
                HookVerdict::Pass => {}
                HookVerdict::Rewrite(text) => event.text = text,
                HookVerdict::Params(params) => event.params = params,
                HookVerdict::Context(text) => context.push(text),
                end @ (HookVerdict::Drop(_) | HookVerdict::Answer(_)) => {
                    return HookOutcome { event, context, end: Some(end) };
                }
            }
        }
        HookOutcome { event, context, end: None }
    }

    /// Shows an event to hooks without waiting for them.
    pub(crate) fn tell(&self, event: HookEvent) {
        if self.any(event.point) && self.observers.try_send(event).is_err() {
            metrics::counter!("frontdesk_hook_moments_skipped_total").increment(1);
        }
    }

    /// Delivers the events of [`Hooks::tell`], one after the other.
    pub(crate) async fn run(&self, mut events: mpsc::Receiver<HookEvent>, stop: Stop) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = stop.cancelled() => events.try_recv().ok(),
            };
            let Some(event) = event else { return };
            for hook in self.hooks.iter().filter(|hook| hook.points().contains(&event.point)) {
                self.call(hook, &event).await;
            }
        }
    }

    async fn call(&self, hook: &Arc<dyn Hook>, event: &HookEvent) -> HookVerdict {
        let deadline = self.clock.mono() + hook.limit();
        tokio::select! {
            verdict = AssertUnwindSafe(hook.call(event)).catch_unwind() => verdict.unwrap_or_else(|_| {
                tracing::error!(hook = hook.name(), point = ?event.point, "a hook panicked");
                HookVerdict::Pass
            }),
            () = self.clock.sleep_until(deadline) => {
                tracing::warn!(hook = hook.name(), point = ?event.point, "a hook took too long; going on without it");
                HookVerdict::Pass
            }
        }
    }
}

/// The result of [`Hooks::ask`].
pub(crate) struct HookOutcome {
    /// The event with the changes of every hook.
    pub(crate) event: HookEvent,
    /// What hooks want the agent to know.
    pub(crate) context: Vec<String>,
    /// `Drop` or `Answer`, if a hook returned it; later hooks were not asked then.
    pub(crate) end: Option<HookVerdict>,
}
