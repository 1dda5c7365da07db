//! Maps prompts to events and pushes them to the inbox: in order within a chat, and chats in parallel.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use frontdesk_core::account::{AccountId, DEFAULT_ACCOUNT};
use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::message::{
    Conversation, Event, EventKind, FirstLine, Outcome, Sender, SenderKind, Source,
};
use frontdesk_core::port::{Busy, Inbox, Live, PendingPrompt, PromptInput, PromptReply, Stop};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::CHANNEL;

/// Maximum number of prompts of one lane in one push.
const BATCH: usize = 64;

/// A token and a chat. Prompts of one lane are pushed in order.
type Lane = (Arc<str>, String);

/// Pushes prompts until `stop`. Each lane has at most one push in progress, which keeps its order whatever the inbox
/// does. Prompts that arrive meanwhile form the next batch, so that a busy lane does not slow down.
pub(crate) async fn run(live: &dyn Live, inbox: &dyn Inbox, stop: Stop) {
    inbox.heard(&source(DEFAULT_ACCOUNT));
    let mut lanes: HashMap<Lane, VecDeque<PendingPrompt>> = HashMap::new();
    let mut pushes = FuturesUnordered::new();
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(lane) = pushes.next() => {
                if let Some(batch) = next_batch(&mut lanes, &lane) {
                    pushes.push(push(inbox, lane, batch));
                }
            }
            prompt = live.next(), if open => match prompt {
                None => open = false,
                Some(prompt) => {
                    let lane = (prompt.token.clone(), prompt.chat.clone());
                    if let Some(waiting) = lanes.get_mut(&lane) {
                        waiting.push_back(prompt);
                    } else {
                        lanes.insert(lane.clone(), VecDeque::new());
                        pushes.push(push(inbox, lane, vec![prompt]));
                    }
                }
            },
        }
    }
    // Pushes in progress finish and report their outcomes. Prompts that were not pushed yet are refused.
    while pushes.next().await.is_some() {}
    for prompt in lanes.into_values().flatten() {
        (prompt.reply)(Err(Busy::Stopping));
    }
}

/// The prompts that arrived in a lane during its last push. A lane without prompts is removed.
fn next_batch(lanes: &mut HashMap<Lane, VecDeque<PendingPrompt>>, lane: &Lane) -> Option<Vec<PendingPrompt>> {
    let waiting = lanes.get_mut(lane)?;
    if waiting.is_empty() {
        lanes.remove(lane);
        return None;
    }
    let size = waiting.len().min(BATCH);
    Some(waiting.drain(..size).collect())
}

async fn push(inbox: &dyn Inbox, lane: Lane, prompts: Vec<PendingPrompt>) -> Lane {
    let source = source(&lane.0);
    inbox.heard(&source);
    let mut batch = Vec::with_capacity(prompts.len());
    let mut replies: Vec<PromptReply> = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let PendingPrompt { token, chat, id, input, files, agent, while_connected, reply } = prompt;
        match event(&token, chat, &id, input) {
            Ok(event) => {
                batch.push(Event { agent, while_connected, attachments: files, ..event });
                replies.push(reply);
            }
            // The HTTP server has checked the names, so this does not happen.
            Err(_) => reply(Ok(Outcome::Ignored)),
        }
    }
    if batch.is_empty() {
        return lane;
    }
    match inbox.push(&source, batch, None).await {
        Ok(outcomes) => {
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                reply(Ok(outcome));
            }
        }
        Err(busy) => {
            for reply in replies {
                reply(Err(busy.clone()));
            }
        }
    }
    lane
}

fn source(token: &str) -> Source {
    Source { id: format!("{CHANNEL}:{token}"), account: AccountId::default_of(CHANNEL) }
}

fn event(token: &str, chat: String, id: &str, input: PromptInput) -> Result<Event, AddressError> {
    // The holder of a token is treated as a person, even if a program uses the token.
    let from = Sender::new(Principal::new(CHANNEL, None, token)?, SenderKind::Person);
    let address = Address::new(CHANNEL, None, &chat, None)?;
    let id = event_id(&chat, id);
    let (kind, first_line, text) = match input {
        PromptInput::Message(text) => (EventKind::Message, FirstLine::Plain, text),
        PromptInput::Plain(text) => (EventKind::Message, FirstLine::Formatted, text),
        PromptInput::Press(press) => {
            (EventKind::Button { target: None }, FirstLine::Formatted, press.to_string())
        }
    };
    let event = Event::new(id, kind, from, address, Conversation::Dm { chat, thread: None });
    Ok(Event { addressed: true, first_line, text, ..event })
}

/// `{chat}/{id}`. Slashes in the chat's name are escaped, so that two different pairs never have the same event id.
fn event_id(chat: &str, id: &str) -> String {
    format!("{}/{id}", chat.replace('%', "%25").replace('/', "%2F"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use frontdesk_core::delivery::{Post, Signal};
    use frontdesk_core::id::MessageId;
    use frontdesk_core::key::SessionKey;
    use frontdesk_core::message::Cursor;
    use futures_channel::oneshot;
    use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};

    use super::*;

    /// An HTTP server whose prompts come from the test.
    struct TestLive(AsyncMutex<mpsc::UnboundedReceiver<PendingPrompt>>);

    #[async_trait]
    impl Live for TestLive {
        async fn next(&self) -> Option<PendingPrompt> {
            self.0.lock().await.recv().await
        }
        fn show(&self, _: &Address, _: Post) {}
        fn signal(&self, _: &Address, _: Signal) {}
    }

    /// An inbox that records its batches and blocks those of one chat until `go` is notified.
    #[derive(Default)]
    struct RecordingInbox {
        batches: Mutex<Vec<Vec<String>>>,
        slow_chat: Option<&'static str>,
        go: Notify,
    }

    #[async_trait]
    impl Inbox for RecordingInbox {
        async fn push(&self, _: &Source, batch: Vec<Event>, _: Option<Cursor>) -> Result<Vec<Outcome>, Busy> {
            self.batches.lock().unwrap().push(batch.iter().map(|event| event.id.clone()).collect());
            if self.slow_chat.is_some_and(|chat| batch[0].conversation.chat() == chat) {
                self.go.notified().await;
            }
            let session: SessionKey = "agent:main:web:dm:main".parse().unwrap();
            Ok(batch
                .iter()
                .map(|_| Outcome::Accepted { message: MessageId(1), session: session.clone() })
                .collect())
        }
        async fn chats(&self, _: &Source, _: DateTime<Utc>) -> Result<Vec<Address>, Busy> {
            Ok(Vec::new())
        }
        async fn cursor(&self, _: &Source) -> Result<Option<Cursor>, Busy> {
            Ok(None)
        }
        fn heard(&self, _: &Source) {}
    }

    type Reply = oneshot::Receiver<Result<Outcome, Busy>>;

    fn prompt(chat: &str, id: &str) -> (PendingPrompt, Reply) {
        let (sender, answer) = oneshot::channel();
        let reply: PromptReply = Box::new(|outcome| drop(sender.send(outcome)));
        let (token, input) = ("cli".into(), PromptInput::Message("hello".into()));
        let (chat, id, files) = (chat.into(), id.into(), Vec::new());
        (PendingPrompt { token, chat, id, input, files, agent: None, while_connected: false, reply }, answer)
    }

    #[test]
    fn two_different_prompts_never_share_an_event_id() {
        assert_eq!(event_id("main", "1"), "main/1");
        assert_ne!(event_id("a/b", "c"), event_id("a", "b/c"));
        assert_ne!(event_id("a%2Fb", "c"), event_id("a/b", "c"));
    }

    #[tokio::test]
    async fn a_slow_chat_keeps_its_order_and_delays_no_other_chat() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let live = TestLive(AsyncMutex::new(receiver));
        let inbox = RecordingInbox { slow_chat: Some("slow"), ..RecordingInbox::default() };
        let stop = Stop::new();
        let test = async {
            let mut slow = Vec::new();
            for id in ["1", "2", "3"] {
                let (prompt, answer) = prompt("slow", id);
                assert!(sender.send(prompt).is_ok());
                slow.push(answer);
            }
            let (quick, answer) = prompt("quick", "1");
            assert!(sender.send(quick).is_ok());
            assert!(matches!(answer.await, Ok(Ok(Outcome::Accepted { .. }))));
            assert_eq!(
                *inbox.batches.lock().unwrap(),
                [vec!["slow/1".to_owned()], vec!["quick/1".to_owned()]]
            );
            inbox.go.notify_one();
            assert!(slow.remove(0).await.unwrap().is_ok());
            inbox.go.notify_one();
            for answer in slow {
                assert!(answer.await.unwrap().is_ok());
            }
            assert_eq!(
                inbox.batches.lock().unwrap()[2],
                ["slow/2", "slow/3"],
                "prompts that arrived during a push are one batch"
            );
            stop.cancel();
        };
        tokio::join!(run(&live, &inbox, stop.clone()), test);
    }

    #[tokio::test]
    async fn a_prompt_that_waits_when_the_adapter_stops_is_refused() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let live = TestLive(AsyncMutex::new(receiver));
        let inbox = RecordingInbox { slow_chat: Some("slow"), ..RecordingInbox::default() };
        let stop = Stop::new();
        let (first, first_answer) = prompt("slow", "1");
        let (second, second_answer) = prompt("slow", "2");
        let (other, other_answer) = prompt("quick", "1");
        for prompt in [first, second, other] {
            assert!(sender.send(prompt).is_ok());
        }
        let test = async {
            assert!(other_answer.await.unwrap().is_ok());
            stop.cancel();
            inbox.go.notify_one();
            assert!(first_answer.await.unwrap().is_ok());
            assert_eq!(second_answer.await.unwrap(), Err(Busy::Stopping));
        };
        tokio::join!(run(&live, &inbox, stop.clone()), test);
    }
}
