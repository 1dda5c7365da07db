//! A web server that takes the results of jobs, as far as the runtime sees one.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use frontdesk_core::port::{WebhookFault, WebhookPost, WebhookSender};

/// A web server with a journal.
#[derive(Default)]
pub struct WebServer {
    posts: Mutex<Vec<(String, WebhookPost)>>,
    faults: Mutex<VecDeque<WebhookFault>>,
}

impl WebServer {
    /// Answers the next posts with these, one each.
    pub fn will_fail(&self, faults: impl IntoIterator<Item = WebhookFault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// What was posted, with its URL.
    pub fn posts(&self) -> Vec<(String, WebhookPost)> {
        self.posts.lock().unwrap().clone()
    }
}

#[async_trait]
impl WebhookSender for WebServer {
    async fn post(&self, url: &str, post: WebhookPost) -> Result<(), WebhookFault> {
        self.posts.lock().unwrap().push((url.to_owned(), post));
        self.faults.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}
