//! Answers that Slack itself shows as growing.

use std::time::Duration;

use frontdesk_core::delivery::{Delivery, Post, SendError, Signal};
use frontdesk_core::port::Adapter;
use frontdesk_fakeslack::{Fault, Person, SlackApi};
use frontdesk_slack::{SlackAdapter, Streaming};
use serde_json::json;

use crate::setup::{account, adapter, post, to};

fn native(slack: &SlackApi) -> SlackAdapter {
    let mut account = account(slack);
    account.settings.streaming = Streaming::Native;
    adapter(account)
}

fn begins(text: &str) -> Delivery {
    Delivery::Post(Post { more: true, ..post(text) })
}

fn grows(target: &str, text: &str) -> Signal {
    Signal::Grow { target: target.to_owned(), text: text.to_owned() }
}

fn whole(target: &str, text: &str) -> Delivery {
    Delivery::Edit { target: target.to_owned(), post: post(text) }
}

/// The last message: its text, and whether it grows.
fn last(anna: &Person) -> (String, bool) {
    let shown = anna.sees().pop().unwrap();
    (shown.text, shown.grows)
}

#[tokio::test]
async fn an_answer_in_a_thread_of_a_private_chat_grows_and_ends_with_its_formatting() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let (adapter, thread) = (native(&slack), to(&format!("slack:{}:topic:{}", asked.channel, asked.ts)));
    let ts = adapter.deliver(&thread, begins("one <!here>")).await.unwrap().message.unwrap();
    assert_eq!(last(&anna), ("one <!here>".to_owned(), true));
    adapter.signal(&thread, grows(&ts, "one <!here> two")).await.unwrap();
    adapter.signal(&thread, grows(&ts, "one <!here> two")).await.unwrap();
    // What was taken back is right at the end.
    adapter.signal(&thread, grows(&ts, "one")).await.unwrap();
    assert_eq!(last(&anna), ("one <!here> two".to_owned(), true));
    assert_eq!(slack.journal().calls_of("chat.appendStream").len(), 1);
    adapter.deliver(&thread, whole(&ts, "*one* two three")).await.unwrap();
    assert_eq!(last(&anna), ("*one* two three".to_owned(), false));
    assert_eq!((anna.sees().len(), anna.sees()[1].mentions.len()), (2, 0));
}

#[tokio::test]
async fn an_answer_whose_beginning_had_no_response_is_one_message() {
    for (restarts, whole_at_once) in [(false, false), (false, true), (true, false), (true, true)] {
        let slack = SlackApi::start().await;
        let anna = slack.person("U0000ANNA", "Anna");
        let asked = anna.tells("hello");
        let thread = to(&format!("slack:{}:topic:{}", asked.channel, asked.ts));
        let answers = |text: &str, more: bool| {
            Delivery::Post(Post { more, reply_to: Some(asked.ts.clone()), ..post(text) })
        };
        let first = native(&slack);
        let earlier = Post { key: "t0/0".to_owned(), ..post("earlier") };
        first.deliver(&thread, Delivery::Post(earlier)).await.unwrap();
        slack.fault(Fault::lost().on("chat.startStream").times(1));
        let lost = first.deliver(&thread, answers("one", true)).await.unwrap_err();
        assert!(matches!(lost, SendError::Unknown(_)), "{lost}");
        let adapter = if restarts { native(&slack) } else { first };
        if whole_at_once {
            adapter.deliver(&thread, answers("one two three", false)).await.unwrap();
        } else {
            let ts = adapter.deliver(&thread, answers("one", true)).await.unwrap().message.unwrap();
            adapter.signal(&thread, grows(&ts, "one two")).await.unwrap();
            adapter.deliver(&thread, whole(&ts, "one two three")).await.unwrap();
        }
        let shown: Vec<String> = anna.sees().into_iter().map(|shown| shown.text).collect();
        assert_eq!(shown, ["hello", "earlier", "one two three"], "{restarts} {whole_at_once}");
    }
}

#[tokio::test]
async fn a_stream_that_slack_closes_or_a_person_stops_goes_on_by_edits() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    for closes in [true, false] {
        let asked = anna.tells("hello");
        let (adapter, thread) = (native(&slack), to(&format!("slack:{}:topic:{}", asked.channel, asked.ts)));
        let ts = adapter.deliver(&thread, begins("one")).await.unwrap().message.unwrap();
        if closes {
            slack.advance(Duration::from_secs(301));
        } else {
            slack.act("stop", json!({"channel": asked.channel, "ts": ts, "user": anna.id}));
        }
        adapter.signal(&thread, grows(&ts, "one two")).await.unwrap();
        assert_eq!(last(&anna), ("one two".to_owned(), false));
        adapter.deliver(&thread, whole(&ts, "one two three")).await.unwrap();
        assert_eq!(last(&anna).0, "one two three");
    }
    // The same if it was closed since the last piece.
    let asked = anna.tells("hello");
    let (adapter, thread) = (native(&slack), to(&format!("slack:{}:topic:{}", asked.channel, asked.ts)));
    let ts = adapter.deliver(&thread, begins("one")).await.unwrap().message.unwrap();
    slack.advance(Duration::from_secs(301));
    adapter.deliver(&thread, whole(&ts, "one two")).await.unwrap();
    assert_eq!(last(&anna), ("one two".to_owned(), false));
}

#[tokio::test]
async fn a_stream_from_before_a_restart_is_ended_by_its_last_edit_or_its_deletion() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let asked = anna.tells("hello");
    let thread = to(&format!("slack:{}:topic:{}", asked.channel, asked.ts));
    let killed = native(&slack);
    let ts = killed.deliver(&thread, begins("one")).await.unwrap().message.unwrap();
    let started = native(&slack);
    started.signal(&thread, grows(&ts, "one two")).await.unwrap();
    assert_eq!(last(&anna), ("one two".to_owned(), false));
    let ts = killed.deliver(&thread, begins("three")).await.unwrap().message.unwrap();
    killed.deliver(&thread, Delivery::Delete { target: ts }).await.unwrap();
    assert_eq!(anna.sees().len(), 2);
}

#[tokio::test]
async fn where_slack_does_not_stream_an_answer_is_posted_and_edited() {
    let slack = SlackApi::start().await;
    let anna = slack.person("U0000ANNA", "Anna");
    let garden = slack.channel("C0GARDEN", "garden", &[&anna]);
    let asked = anna.tells("hello");
    let in_channel = anna.says(&garden.id, "hello");
    let adapter = native(&slack);
    slack.fault(Fault::refuse(200, "channel_type_not_supported").on("chat.startStream").times(1));
    let places = [
        format!("slack:{}:topic:{}", asked.channel, asked.ts),
        format!("slack:{}", asked.channel),
        format!("slack:{}:topic:{}", garden.id, in_channel.ts),
    ];
    for place in &places {
        let post = Post { key: place.clone(), more: true, ..post("one") };
        let ts = adapter.deliver(&to(place), Delivery::Post(post)).await.unwrap().message.unwrap();
        adapter.signal(&to(place), grows(&ts, "one two")).await.unwrap();
    }
    assert_eq!(slack.journal().calls_of("chat.startStream").len(), 1);
    assert_eq!(slack.journal().calls_of("chat.update").len(), 3);
    assert!(anna.sees().iter().all(|shown| !shown.grows));
}
