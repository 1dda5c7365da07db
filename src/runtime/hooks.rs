//! Calls the operator's own code: with a time limit, and with its panics contained.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::hook::{Hook, HookEvent, HookPoint, HookVerdict};
use frontdesk_core::port::{Clock, Stop};
use futures_util::FutureExt;
use tokio::sync::mpsc;

/// How many moments may wait for hooks that only look on.
const BACKLOG: usize = 1024;

pub(crate) struct Hooks {
    hooks: Vec<Arc<dyn Hook>>,
    clock: Arc<dyn Clock>,
    onlookers: mpsc::Sender<HookEvent>,
}

impl Hooks {
    /// The hooks, and the moments for [`Hooks::run`].
    pub(crate) fn new(hooks: Vec<Arc<dyn Hook>>, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<HookEvent>) {
        let (onlookers, moments) = mpsc::channel(BACKLOG);
        (Self { hooks, clock, onlookers }, moments)
    }

    /// Whether anybody stands at this point: spares the making of a moment.
    pub(crate) fn any(&self, point: HookPoint) -> bool {
        self.hooks.iter().any(|hook| hook.points().contains(&point))
    }

    /// Asks every hook at this point, in order. Each sees what the ones before it made of the text or the
    /// parameters. Returns the moment as it is now, what hooks want the agent to know, and the verdict that
    /// ended the round, if one did.
    pub(crate) async fn ask(&self, mut moment: HookEvent) -> Asked {
        let mut context = Vec::new();
        for hook in self.hooks.iter().filter(|hook| hook.points().contains(&moment.point)) {
            match self.call(hook, &moment).await {
                HookVerdict::Pass => {}
                HookVerdict::Rewrite(text) => moment.text = text,
                HookVerdict::Params(params) => moment.params = params,
                HookVerdict::Context(text) => context.push(text),
                end @ (HookVerdict::Drop(_) | HookVerdict::Answer(_)) => {
                    return Asked { moment, context, end: Some(end) };
                }
            }
        }
        Asked { moment, context, end: None }
    }

    /// Shows hooks something that nothing waits for.
    pub(crate) fn tell(&self, moment: HookEvent) {
        if self.any(moment.point) && self.onlookers.try_send(moment).is_err() {
            metrics::counter!("frontdesk_hook_moments_skipped_total").increment(1);
        }
    }

    /// Shows the moments of [`Hooks::tell`], one after the other.
    pub(crate) async fn run(&self, mut moments: mpsc::Receiver<HookEvent>, stop: Stop) {
        loop {
            let moment = tokio::select! {
                moment = moments.recv() => moment,
                () = stop.cancelled() => moments.try_recv().ok(),
            };
            let Some(moment) = moment else { return };
            for hook in self.hooks.iter().filter(|hook| hook.points().contains(&moment.point)) {
                self.call(hook, &moment).await;
            }
        }
    }

    async fn call(&self, hook: &Arc<dyn Hook>, moment: &HookEvent) -> HookVerdict {
        let deadline = self.clock.mono() + hook.limit();
        tokio::select! {
            verdict = AssertUnwindSafe(hook.call(moment)).catch_unwind() => verdict.unwrap_or_else(|_| {
                tracing::error!(hook = hook.name(), point = ?moment.point, "a hook panicked");
                HookVerdict::Pass
            }),
            () = self.clock.sleep_until(deadline) => {
                tracing::warn!(hook = hook.name(), point = ?moment.point, "a hook took too long; going on without it");
                HookVerdict::Pass
            }
        }
    }
}

/// What came of asking.
pub(crate) struct Asked {
    /// The moment, with every rewriting.
    pub(crate) moment: HookEvent,
    /// What the agent should know.
    pub(crate) context: Vec<String>,
    /// `Drop` or `Answer`, if a hook said so.
    pub(crate) end: Option<HookVerdict>,
}
