//! Runs the conformance suite against the web channel. The HTTP server keeps no prompts, so the clients send again
//! what was refused.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_conformance::TestPlatform;
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Post, Signal};
use frontdesk_core::port::{Adapter, Live, PendingPrompt};
use frontdesk_web::{CHANNEL, WebAdapter};
use futures_channel::oneshot;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// An HTTP server with one client that writes and one that reads.
struct TestLive {
    prompts: AsyncMutex<mpsc::UnboundedReceiver<PendingPrompt>>,
    shown: Mutex<Vec<String>>,
}

#[async_trait]
impl Live for TestLive {
    async fn next(&self) -> Option<PendingPrompt> {
        self.prompts.lock().await.recv().await
    }

    fn show(&self, _: &Address, post: Post) {
        self.shown.lock().unwrap().push(post.part.body);
    }

    fn signal(&self, _: &Address, _: Signal) {}
}

struct Web {
    live: Arc<TestLive>,
    client: mpsc::UnboundedSender<PendingPrompt>,
    sent: AtomicUsize,
}

#[async_trait]
impl TestPlatform for Web {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(WebAdapter::new(self.live.clone()))
    }

    async fn writes(&self, text: &str) {
        let id = self.sent.fetch_add(1, Ordering::Relaxed).to_string();
        loop {
            let (sender, outcome) = oneshot::channel();
            let reply = Box::new(|outcome| drop(sender.send(outcome)));
            let (token, chat) = ("cli".into(), "main".to_owned());
            assert!(
                self.client
                    .send(PendingPrompt {
                        token,
                        chat,
                        id: id.clone(),
                        input: frontdesk_core::port::PromptInput::Message(text.to_owned()),
                        files: Vec::new(),
                        agent: None,
                        while_connected: false,
                        reply
                    })
                    .is_ok()
            );
            if let Ok(Ok(_)) = outcome.await {
                return;
            }
        }
    }

    async fn writes_as_code(&self, _: &str) -> bool {
        false
    }

    async fn presses(&self, _: &str, _: &str) -> bool {
        false
    }

    fn person(&self) -> String {
        "cli".to_owned()
    }

    fn chat(&self) -> Address {
        Address::new(CHANNEL, None, "main", None).unwrap()
    }

    fn missing_chat(&self) -> Address {
        Address::new(CHANNEL, None, "nobody", None).unwrap()
    }

    fn shown_texts(&self) -> Vec<String> {
        self.live.shown.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_web_channel_passes_the_conformance_suite() {
    let (client, prompts) = mpsc::unbounded_channel();
    let live = Arc::new(TestLive { prompts: AsyncMutex::new(prompts), shown: Mutex::default() });
    frontdesk_conformance::check(&Web { live, client, sent: AtomicUsize::new(0) }).await;
}
