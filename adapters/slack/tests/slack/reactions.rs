//! The app's reactions.

use frontdesk_core::delivery::{Delivery, SendError, Signal};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{BOT, SlackApi};

use crate::setup::{account, adapter, to};

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
