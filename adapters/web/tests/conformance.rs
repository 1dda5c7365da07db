//! The web channel passes the suite that every adapter passes. Its platform is the door: it remembers nothing, so its
//! clients bring again what was refused.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_core::address::Address;
use frontdesk_core::port::{Adapter, Frame, Live, LivePrompt};
use frontdesk_kit::conformance::{self, Rig};
use frontdesk_web::{CHANNEL, WebAdapter};
use futures_channel::oneshot;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// A door with one client and one reader.
struct WebHub {
    prompts: AsyncMutex<mpsc::UnboundedReceiver<LivePrompt>>,
    shown: Mutex<Vec<String>>,
}

#[async_trait]
impl Live for WebHub {
    async fn next(&self) -> Option<LivePrompt> {
        self.prompts.lock().await.recv().await
    }

    fn push(&self, _: &Address, frame: Frame) {
        if let Frame::Line { text, .. } = frame {
            self.shown.lock().unwrap().push(text);
        }
    }
}

struct Web {
    hub: Arc<WebHub>,
    client: mpsc::UnboundedSender<LivePrompt>,
    said: AtomicUsize,
}

#[async_trait]
impl Rig for Web {
    fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(WebAdapter::new(self.hub.clone()))
    }

    async fn writes(&self, text: &str) {
        let id = self.said.fetch_add(1, Ordering::Relaxed).to_string();
        loop {
            let (reply, outcome) = oneshot::channel();
            let (token, chat, text) = ("cli".to_owned(), "main".to_owned(), text.to_owned());
            self.client.send(LivePrompt { token, chat, id: id.clone(), text, reply }).unwrap();
            if let Ok(Ok(_)) = outcome.await {
                return;
            }
        }
    }

    async fn writes_as_code(&self, _: &str) -> bool {
        false
    }

    fn person(&self) -> String {
        "cli".to_owned()
    }

    fn chat(&self) -> Address {
        Address::new(CHANNEL, None, "main", None).unwrap()
    }

    fn nowhere(&self) -> Address {
        Address::new(CHANNEL, None, "nobody", None).unwrap()
    }

    fn shows(&self) -> Vec<String> {
        self.hub.shown.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_web_channel_keeps_the_ports_promises() {
    let (client, prompts) = mpsc::unbounded_channel();
    let hub = Arc::new(WebHub { prompts: AsyncMutex::new(prompts), shown: Mutex::default() });
    conformance::check(&Web { hub, client, said: AtomicUsize::new(0) }).await;
}
