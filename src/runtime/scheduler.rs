//! What the scheduled jobs share: who owns those of the file, what posts results to web servers, and what has changed.

use std::sync::Arc;

use frontdesk_core::address::Principal;
use frontdesk_core::port::WebhookSender;
use tokio::sync::{Notify, watch};

pub(crate) struct Scheduler {
    /// The operator, who owns the jobs of the file that name nobody else. They may do everything.
    pub(crate) operator: Principal,
    /// Posts results to web servers.
    pub(crate) webhooks: Arc<dyn WebhookSender>,
    /// What keeps jobs of the file from running, one sentence each, for the status.
    pub(crate) problems: watch::Sender<Vec<String>>,
    /// Told when a job may be due earlier than was known.
    changed: Notify,
    /// Told when a result may have to be posted.
    posts: Notify,
}

impl Scheduler {
    pub(crate) fn new(operator: Principal, webhooks: Arc<dyn WebhookSender>) -> Self {
        let problems = watch::Sender::new(Vec::new());
        Self { operator, webhooks, problems, changed: Notify::new(), posts: Notify::new() }
    }

    /// A job has changed, or one of its runs has ended.
    pub(crate) fn note(&self) {
        self.changed.notify_one();
        self.posts.notify_one();
    }

    /// Waits for the next change.
    pub(crate) async fn noted(&self) {
        self.changed.notified().await;
    }

    /// Waits until a result may have to be posted.
    pub(crate) async fn post_noted(&self) {
        self.posts.notified().await;
    }
}
