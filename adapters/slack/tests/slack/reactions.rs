//! Reactions of the app and of people.

use std::sync::Arc;

use frontdesk_conformance::RecordingInbox;
use frontdesk_core::delivery::{Delivery, SendError, Signal};
use frontdesk_core::message::{Conversation, EventKind};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{BOT, SlackApi};
use serde_json::json;

use crate::setup::{account, adapter, running, says, to, until};

#[tokio::test]
async fn a_reaction_replaces_the_apps_earlier_one_and_no_other() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    anna.reacts(&asked.channel, &asked.ts, "tada");
    let adapter = adapter(account(&slack));
    let chat = to(&format!("slack:{}", asked.channel));
    let react = |emoji: Option<&str>| {
        let react = Delivery::React { target: asked.ts.clone(), emoji: emoji.map(str::to_owned) };
        adapter.deliver(&chat, react)
    };
    let shown =
        || anna.sees()[0].reactions.iter().filter(|(user, _)| user == BOT).cloned().collect::<Vec<_>>();
    for (emoji, name) in [("👀", "eyes"), ("👍", "+1"), ("👍", "+1"), (":party_parrot:", "party_parrot")]
    {
        react(Some(emoji)).await.unwrap();
        assert_eq!(shown(), [(BOT.to_owned(), name.to_owned())]);
    }
    react(None).await.unwrap();
    react(None).await.unwrap();
    assert!(shown().is_empty() && anna.sees()[0].reactions.len() == 1);
    assert!(
        matches!(react(Some("🦀")).await, Err(SendError::Refused(why)) if why.to_string().contains("🦀"))
    );
}

#[tokio::test]
async fn a_message_that_waits_is_marked_if_the_operator_wants_it() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let chat = to(&format!("slack:{}", asked.channel));
    let waits = |waits| Signal::Waits { target: asked.ts.clone(), waits };
    let plain = adapter(account(&slack));
    assert!(!plain.profile().waiting_marks);
    plain.signal(&chat, waits(true)).await.unwrap();
    assert!(anna.sees()[0].reactions.is_empty());
    let mut account = account(&slack);
    account.settings.acknowledge = Some("👀".to_owned());
    let marking = adapter(account);
    assert!(marking.profile().waiting_marks);
    for (on, shown) in [(true, 1), (true, 1), (false, 0), (false, 0)] {
        marking.signal(&chat, waits(on)).await.unwrap();
        assert_eq!(anna.sees()[0].reactions.len(), shown);
    }
    let command = Signal::Waits { target: "response https://hooks.slack.com/x".to_owned(), waits: true };
    marking.signal(&chat, command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_belongs_to_the_thread_or_group_of_its_message() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    slack.act("channel", json!({"id": "C0FEW", "name": "few", "kind": "mpim", "members": [anna.id]}));
    let (adapter, inbox) = (adapter(account(&slack)), Arc::new(RecordingInbox::default()));
    running(&adapter, &inbox, &slack, async {
        let asked = anna.says(&garden.id, "a question");
        let reply = anna.replies(&asked, "and more of it");
        let among = anna.says("C0FEW", "among us");
        let thread = to(&format!("slack:{}:topic:{}", garden.id, asked.ts));
        let answered = adapter.deliver(&thread, says("an answer")).await.unwrap().message.unwrap();
        let messages = || inbox.events().iter().filter(|event| event.kind == EventKind::Message).count();
        until(|| messages() == 3).await;
        for (channel, ts) in [
            (&garden.id, &reply.ts),
            (&garden.id, &answered),
            (&garden.id, &asked.ts),
            (&among.channel, &among.ts),
        ] {
            anna.reacts(channel, ts, "eyes");
            until(|| inbox.events().iter().any(|event| event.is_reaction_to(ts))).await;
        }
        let of = |ts: &str| inbox.events().into_iter().find(|event| event.is_reaction_to(ts)).unwrap();
        let chat = garden.id.clone();
        let in_thread = Conversation::Thread { chat: chat.clone(), thread: asked.ts.clone() };
        for ts in [&reply.ts, &answered] {
            assert_eq!((of(ts).address, of(ts).conversation), (thread.clone(), in_thread.clone()));
        }
        assert_eq!(of(&asked.ts).conversation, Conversation::Channel { chat });
        assert_eq!(of(&among.ts).conversation, Conversation::Group { chat: among.channel.clone() });
    })
    .await;
}

trait IsReaction {
    fn is_reaction_to(&self, ts: &str) -> bool;
}

impl IsReaction for frontdesk_core::message::Event {
    fn is_reaction_to(&self, ts: &str) -> bool {
        matches!(&self.kind, EventKind::Reaction { target, .. } if target == ts)
    }
}
