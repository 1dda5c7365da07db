//! Prompts as events: in order within a chat, and chats side by side.

use std::collections::{HashMap, VecDeque};

use frontdesk_core::address::{Address, AddressError, Principal};
use frontdesk_core::key::DEFAULT_ACCOUNT;
use frontdesk_core::message::{Conversation, Event, EventKind, FirstLine, Outcome, SenderKind, Source};
use frontdesk_core::port::{Busy, Inbox, Live, LivePrompt, Stop};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::CHANNEL;

/// How many prompts of one lane go in with one push.
const BATCH: usize = 64;

/// A token and a chat: prompts within it keep their order.
type Lane = (String, String);

/// Hands prompts in until `stop`. One push at a time is under way for a lane, so that its order holds
/// whatever the inbox does; what gathers meanwhile is the next batch, so that a busy lane loses no pace.
pub(crate) async fn run(live: &dyn Live, inbox: &dyn Inbox, stop: Stop) {
    inbox.heard(&source(DEFAULT_ACCOUNT));
    let mut lanes: HashMap<Lane, VecDeque<LivePrompt>> = HashMap::new();
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
    // What is under way ends, one way or the other; what waits was never taken.
    while pushes.next().await.is_some() {}
    for prompt in lanes.into_values().flatten() {
        answer(prompt, Err(Busy::Stopping));
    }
}

/// What gathered in a lane while its last push was under way. A lane with nothing in it is forgotten.
fn next_batch(lanes: &mut HashMap<Lane, VecDeque<LivePrompt>>, lane: &Lane) -> Option<Vec<LivePrompt>> {
    let waiting = lanes.get_mut(lane)?;
    if waiting.is_empty() {
        lanes.remove(lane);
        return None;
    }
    let size = waiting.len().min(BATCH);
    Some(waiting.drain(..size).collect())
}

async fn push(inbox: &dyn Inbox, lane: Lane, prompts: Vec<LivePrompt>) -> Lane {
    let source = source(&lane.0);
    inbox.heard(&source);
    let mut batch = Vec::with_capacity(prompts.len());
    let mut asked = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        match event(&prompt) {
            Ok(event) => {
                batch.push(event);
                asked.push(prompt);
            }
            // The door checks names before they come here; what it let through cannot be said to anyone.
            Err(_) => answer(prompt, Ok(Outcome::Ignored)),
        }
    }
    if batch.is_empty() {
        return lane;
    }
    match inbox.push(&source, batch, None).await {
        Ok(outcomes) => {
            for (prompt, outcome) in asked.into_iter().zip(outcomes) {
                answer(prompt, Ok(outcome));
            }
        }
        Err(busy) => {
            for prompt in asked {
                answer(prompt, Err(busy.clone()));
            }
        }
    }
    lane
}

/// Says what became of a prompt. Whoever asked may have gone: the row is there all the same.
fn answer(prompt: LivePrompt, outcome: Result<Outcome, Busy>) {
    drop(prompt.reply.send(outcome));
}

fn source(token: &str) -> Source {
    Source { id: format!("{CHANNEL}:{token}"), channel: CHANNEL, account: DEFAULT_ACCOUNT.to_owned() }
}

fn event(prompt: &LivePrompt) -> Result<Event, AddressError> {
    Ok(Event {
        id: event_id(&prompt.chat, &prompt.id),
        kind: EventKind::Message,
        principal: Principal::new(CHANNEL, None, &prompt.token)?,
        // A token's holder is a person, whatever program holds it for them.
        sender_kind: SenderKind::Person,
        roles: Vec::new(),
        address: Address::new(CHANNEL, None, &prompt.chat, None)?,
        conversation: Conversation::Dm { chat: prompt.chat.clone(), thread: None },
        addressed: true,
        forward: None,
        first_line: FirstLine::Plain,
        text: prompt.text.clone(),
        links: Vec::new(),
        sender: None,
        platform_message: None,
        quote: None,
        album: None,
        attachments: Vec::new(),
        sent_at: None,
    })
}

/// `{chat}/{id}`. The chat's own slashes are escaped, so that no two pairs share an id.
fn event_id(chat: &str, id: &str) -> String {
    format!("{}/{id}", chat.replace('%', "%25").replace('/', "%2F"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use frontdesk_core::id::MessageId;
    use frontdesk_core::key::SessionKey;
    use frontdesk_core::message::Cursor;
    use frontdesk_core::port::Frame;
    use futures_channel::oneshot;
    use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};

    use super::*;

    /// A door that hands out what a test put in.
    struct Hand(AsyncMutex<mpsc::UnboundedReceiver<LivePrompt>>);

    #[async_trait]
    impl Live for Hand {
        async fn next(&self) -> Option<LivePrompt> {
            self.0.lock().await.recv().await
        }
        fn push(&self, _: &Address, _: Frame) {}
    }

    /// An inbox that remembers its batches and holds those of one chat back until it is told.
    #[derive(Default)]
    struct Ledger {
        batches: Mutex<Vec<Vec<String>>>,
        slow_chat: Option<&'static str>,
        go: Notify,
    }

    #[async_trait]
    impl Inbox for Ledger {
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

    fn prompt(chat: &str, id: &str) -> (LivePrompt, Reply) {
        let (reply, answer) = oneshot::channel();
        let prompt =
            LivePrompt { token: "cli".into(), chat: chat.into(), id: id.into(), text: "hello".into(), reply };
        (prompt, answer)
    }

    #[test]
    fn two_different_prompts_never_share_an_event_id() {
        assert_eq!(event_id("main", "1"), "main/1");
        assert_ne!(event_id("a/b", "c"), event_id("a", "b/c"));
        assert_ne!(event_id("a%2Fb", "c"), event_id("a/b", "c"));
    }

    #[tokio::test]
    async fn a_slow_chat_keeps_its_order_and_holds_no_other_chat_up() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let hand = Hand(AsyncMutex::new(receiver));
        let ledger = Ledger { slow_chat: Some("slow"), ..Ledger::default() };
        let stop = Stop::new();
        let test = async {
            let mut slow = Vec::new();
            for id in ["1", "2", "3"] {
                let (prompt, answer) = prompt("slow", id);
                sender.send(prompt).unwrap();
                slow.push(answer);
            }
            let (quick, answer) = prompt("quick", "1");
            sender.send(quick).unwrap();
            assert!(matches!(answer.await, Ok(Ok(Outcome::Accepted { .. }))));
            assert_eq!(
                *ledger.batches.lock().unwrap(),
                [vec!["slow/1".to_owned()], vec!["quick/1".to_owned()]]
            );
            ledger.go.notify_one();
            assert!(slow.remove(0).await.unwrap().is_ok());
            ledger.go.notify_one();
            for answer in slow {
                assert!(answer.await.unwrap().is_ok());
            }
            assert_eq!(ledger.batches.lock().unwrap()[2], ["slow/2", "slow/3"], "what gathered is one batch");
            stop.cancel();
        };
        tokio::join!(run(&hand, &ledger, stop.clone()), test);
    }

    #[tokio::test]
    async fn a_prompt_that_waits_at_the_stop_is_told_so() {
        let (sender, receiver) = mpsc::unbounded_channel();
        let hand = Hand(AsyncMutex::new(receiver));
        let ledger = Ledger { slow_chat: Some("slow"), ..Ledger::default() };
        let stop = Stop::new();
        let (first, first_answer) = prompt("slow", "1");
        let (second, second_answer) = prompt("slow", "2");
        let (other, other_answer) = prompt("quick", "1");
        for prompt in [first, second, other] {
            sender.send(prompt).unwrap();
        }
        let test = async {
            assert!(other_answer.await.unwrap().is_ok());
            stop.cancel();
            ledger.go.notify_one();
            assert!(first_answer.await.unwrap().is_ok());
            assert_eq!(second_answer.await.unwrap(), Err(Busy::Stopping));
        };
        tokio::join!(run(&hand, &ledger, stop.clone()), test);
    }
}
