//! Calls hooks, with a time limit and with panics contained.

mod sending;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use frontdesk_core::hook::{Hook, HookError, HookEvent, HookPoint, HookVerdict};
use frontdesk_core::port::{Clock, Stop};
use futures_util::FutureExt;
use tokio::sync::mpsc;

pub(crate) use sending::Pieces;

/// Maximum number of events that wait for observing hooks.
const BACKLOG: usize = 1024;

pub(crate) struct Hooks {
    hooks: Vec<Arc<dyn Hook>>,
    clock: Arc<dyn Clock>,
    observers: mpsc::Sender<HookEvent>,
    /// The hooks and points at which a verdict without effect was logged.
    misplaced: Mutex<HashSet<(usize, HookPoint)>>,
}

impl Hooks {
    /// The hooks, and the receiver for [`Hooks::run`].
    pub(crate) fn new(hooks: Vec<Arc<dyn Hook>>, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<HookEvent>) {
        let (observers, events) = mpsc::channel(BACKLOG);
        (Self { hooks, clock, observers, misplaced: Mutex::default() }, events)
    }

    /// Whether any hook is registered at this point, so that the caller can skip making an event.
    pub(crate) fn any(&self, point: HookPoint) -> bool {
        self.at(point).next().is_some()
    }

    fn at(&self, point: HookPoint) -> impl Iterator<Item = (usize, &Arc<dyn Hook>)> {
        self.hooks.iter().enumerate().filter(move |(_, hook)| hook.points().contains(&point))
    }

    /// Asks every hook at this point, in order. Each sees the text or the parameters as the hooks before it changed
    /// them. No hook is asked after one that stops.
    pub(crate) async fn ask(&self, mut event: HookEvent) -> HookOutcome {
        let mut context = Vec::new();
        for (n, hook) in self.at(event.point()) {
            let name = || hook.name().to_owned();
            let end = match self.decide(n, hook, &event).await {
                Ok(HookVerdict::Pass) => None,
                Ok(HookVerdict::Rewrite(text)) => {
                    if let Some(before) = event.text_mut() {
                        *before = text;
                    }
                    None
                }
                Ok(HookVerdict::Question { text, choices }) => {
                    if let HookEvent::MessageSending(question) = &mut event {
                        (question.message, question.choices) = (text, choices);
                    }
                    None
                }
                Ok(HookVerdict::Params(params)) => {
                    if let Some(before) = event.params_mut() {
                        *before = params;
                    }
                    None
                }
                Ok(HookVerdict::Context(text)) => {
                    context.push(text);
                    None
                }
                Ok(HookVerdict::Drop(reason)) => Some(HookEnd::Dropped { hook: name(), reason }),
                Ok(HookVerdict::Answer(text)) => Some(HookEnd::Answered(text)),
                Err(Failed) => Some(HookEnd::Failed { hook: name() }),
            };
            if end.is_some() {
                return HookOutcome { event, context, end };
            }
        }
        HookOutcome { event, context, end: None }
    }

    /// Shows an event to hooks without waiting for them.
    pub(crate) fn tell(&self, event: HookEvent) {
        if self.any(event.point()) && self.observers.try_send(event).is_err() {
            metrics::counter!("frontdesk_hook_events_skipped_total").increment(1);
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
            self.ask(event).await;
        }
    }

    /// One hook's verdict, if it has an effect at this point. Failed only if the hook fails closed and the point may
    /// drop.
    async fn decide(&self, n: usize, hook: &Arc<dyn Hook>, event: &HookEvent) -> Result<HookVerdict, Failed> {
        let point = event.point();
        let verdict = self.call(hook, event).await.and_then(|verdict| match event.refuses(&verdict) {
            Some(why) => Err(HookError(why.to_owned())),
            None => Ok(verdict),
        });
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                let closed = point.may_drop() && hook.fails_closed();
                let then = if closed { "what it was asked about is refused" } else { "going on without it" };
                tracing::error!(hook = hook.name(), point = point.name(), %error, "a hook failed; {then}");
                return if closed { Err(Failed) } else { Ok(HookVerdict::Pass) };
            }
        };
        if point.allows(&verdict) {
            if let HookVerdict::Drop(reason) = &verdict {
                tracing::info!(hook = hook.name(), point = point.name(), reason, "a hook dropped an event");
            }
            return Ok(verdict);
        }
        if self.misplaced.lock().unwrap_or_else(PoisonError::into_inner).insert((n, point)) {
            tracing::warn!(
                hook = hook.name(),
                point = point.name(),
                "this verdict is not allowed at this point and is ignored; this is logged once"
            );
        }
        Ok(HookVerdict::Pass)
    }

    async fn call(&self, hook: &Arc<dyn Hook>, event: &HookEvent) -> Result<HookVerdict, HookError> {
        let deadline = self.clock.mono() + hook.limit();
        tokio::select! {
            verdict = AssertUnwindSafe(async { hook.call(event).await }).catch_unwind() => {
                verdict.unwrap_or_else(|_| Err(HookError("it panicked".to_owned())))
            }
            () = self.clock.sleep_until(deadline) => Err(HookError("it took too long".to_owned())),
        }
    }
}

/// A hook that fails closed has failed.
struct Failed;

/// The result of [`Hooks::ask`].
pub(crate) struct HookOutcome {
    /// The event with the changes of every hook.
    pub(crate) event: HookEvent,
    /// What hooks want the agent to know.
    pub(crate) context: Vec<String>,
    /// Why the hooks after this one were not asked.
    pub(crate) end: Option<HookEnd>,
}

/// What stops an event.
pub(crate) enum HookEnd {
    /// A hook dropped it.
    Dropped {
        /// The hook's name.
        hook: String,
        /// Why, as the hook says.
        reason: String,
    },
    /// A hook that fails closed has failed.
    Failed {
        /// The hook's name.
        hook: String,
    },
    /// A hook answered in the agent's place.
    Answered(String),
}
